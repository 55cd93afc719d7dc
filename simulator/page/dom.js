// Small helpers for making and changing elements. Text always goes in as text, never as markup.

const SVG = "http://www.w3.org/2000/svg";

const ICONS = {
  bell: "M12 3a6 6 0 0 0-6 6c0 5-2 6.5-2 7.5h16c0-1-2-2.5-2-7.5a6 6 0 0 0-6-6zM9.5 19a2.5 2.5 0 0 0 5 0",
  call: "M6.5 3.5 9 4l1.5 4-2 1.5a12 12 0 0 0 6 6l1.5-2 4 1.5.5 2.5c0 1.5-1 3-2.5 3C10 20 4 14 3.5 6c0-1.5 1.5-2.5 3-2.5z",
  down: "M3 14c0-5 18-5 18 0v2.5l-5-1V12.8c-2.5-.8-5.5-.8-8 0v2.700l-5 1z",
  speaker: "M4 9.5v5h3.5L12 19V5L7.5 9.5zM15.5 9a4 4 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11",
  silent: "M4 9.5v5h3.5L12 19V5L7.5 9.5zM16 9.5l5 5M21 9.5l-5 5",
  mic: "M12 3a3 3 0 0 0-3 3v6a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3zM6 11.5a6 6 0 0 0 12 0M12 17.5V21",
  file: "M12 16V4M7.5 8.5 12 4l4.5 4.5M5 16v4h14v-4",
  tape: "M7 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM17 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM7 16h10",
  mail: "M3.5 6h17v12h-17zM3.5 7l8.5 6.5L20.5 7",
  pen: "M4 20l1-4.500L16 5l3.500 3.500L8.500 19.500zM14 7l3.500 3.500",
  clip: "M8 12.500l6.500-6.500a2.800 2.800 0 0 1 4 4L10 18.500a4.500 4.500 0 0 1-6.500-6.500L11 4.500",
  incoming: "M18 6 7 17M7 9v8h8",
  outgoing: "M6 18 17 7M9 7h8v8",
  reply: "M9 7l-5 5 5 5M4 12h9c4 0 7 2 7 6",
  again: "M5 12a7 7 0 1 0 2-5M7 3v4h4",
  message: "M4 5h16v11H10l-4 4v-4H4z",
};

/** Make an element: h("button", {class: "big", onclick: fn}, "Call"). Absent or false properties are left out. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== undefined && child !== null));
  return element;
}

/** A line drawing, hidden from screen readers: the words beside it say what it means. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** Set the text, but leave the element alone when nothing changes: live regions announce only what is new. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A switch that is a button: pressed means on. The label says what it switches. */
export function toggle(label, names, on, change) {
  const button = h("button", { type: "button", class: "toggle", title: label });
  const show = () => {
    button.setAttribute("aria-pressed", String(on));
    button.setAttribute("aria-label", label);
    button.replaceChildren(icon(on ? names.on : names.off));
  };
  button.addEventListener("click", () => {
    on = !on;
    show();
    change(on);
  });
  show();
  return button;
}

/** What this browser remembers between visits; a browser that forbids it forgets. */
export const remembered = {
  get(key, otherwise) {
    try {
      return JSON.parse(localStorage.getItem(`phones.${key}`)) ?? otherwise;
    } catch {
      return otherwise;
    }
  },
  set(key, value) {
    try {
      localStorage.setItem(`phones.${key}`, JSON.stringify(value));
    } catch {
      // Private windows may refuse; the choice then holds until the page is closed.
    }
  },
};
