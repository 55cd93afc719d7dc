// Twelve keys. They also work from the keyboard while the focus is anywhere on the same phone.

import { h } from "./dom.js";

const KEYS = [
  ["1", ""], ["2", "abc"], ["3", "def"],
  ["4", "ghi"], ["5", "jkl"], ["6", "mno"],
  ["7", "pqrs"], ["8", "tuv"], ["9", "wxyz"],
  ["*", ""], ["0", "+"], ["#", ""],
];
const SPOKEN = { "*": "star", "#": "pound" };
const TYPED_ELSEWHERE = "input, textarea, select";

/** `press(key)` is called for each key; keys typed anywhere inside `phone` count too. */
export function keypad(phone, press) {
  const buttons = KEYS.map(([key, letters]) =>
    h("button", { type: "button", class: "key", "aria-label": `Key ${SPOKEN[key] ?? key}`, onclick: () => press(key) },
      h("span", {}, key), h("small", {}, letters)));
  const pad = h("div", { class: "keypad", role: "group", "aria-label": "Keypad" }, buttons);
  phone.addEventListener("keydown", (event) => {
    const isText = event.target.matches(TYPED_ELSEWHERE);
    const key = KEYS.findIndex(([name]) => name === event.key);
    if (pad.hidden || isText || key < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    buttons[key].classList.add("down");
    setTimeout(() => buttons[key].classList.remove("down"), 150);
    press(event.key);
  });
  return pad;
}
