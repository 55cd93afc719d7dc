// What was heard on a phone and what its owner did, as text with times. New lines are announced.

import { clockTime, lasted } from "./format.js";
import { h } from "./dom.js";

const SILENT = new Set(["pause"]);
const NEAR_THE_END_PX = 60;

export class Captions {
  element;
  #clock;
  #sid = null;
  #shown = [];
  #follows = true;

  constructor(clock, label) {
    this.#clock = clock;
    this.element = h("ol", { class: "captions", role: "log", "aria-live": "polite", "aria-label": label, tabindex: "0" });
    this.element.addEventListener("scroll", () => (this.#follows = this.#isAtEnd()));
    new ResizeObserver(() => this.#scroll()).observe(this.element);
  }

  /** Show that call; another call than before begins on a clean page. */
  show(call) {
    if (call?.sid !== this.#sid) {
      this.#sid = call?.sid ?? null;
      this.#shown = [];
      this.element.replaceChildren();
    }
    const lines = call ? inOrder(call) : [];
    const same = this.#shown.findIndex((shown, index) => shown.key !== keyOf(lines[index]));
    const kept = same < 0 ? this.#shown.length : same;
    for (const { element } of this.#shown.splice(kept)) element.remove();
    for (const line of lines.slice(kept)) this.#add(line);
    this.#shown.forEach((shown, index) => (shown.line = lines[index]));
    this.tick(call);
  }

  /** Mark what is being said at this moment. */
  tick(call) {
    const now = this.#clock.now().getTime();
    this.#shown.forEach(({ element, line }, index) => {
      const over = new Date(line.time).getTime() + line.seconds * 1000;
      const later = this.#shown.slice(index + 1).some((other) => other.line.kind === "pressed");
      element.classList.toggle("now", Boolean(call) && !call.ended && !later && line.seconds > 0 && over > now);
    });
  }

  #add(line) {
    const time = h("time", { datetime: line.time }, clockTime(new Date(line.time), this.#clock.zone));
    const element = h("li", { class: `caption ${line.kind}` }, time, h("div", { class: "words" }, wordsOf(line)));
    this.element.append(element);
    this.#shown.push({ key: keyOf(line), element, line });
    this.#scroll();
  }

  /** Keep the newest line in view, unless somebody has scrolled back to read. */
  #scroll() {
    if (this.#follows) this.element.scrollTop = this.element.scrollHeight;
  }

  #isAtEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.element;
    return scrollHeight - scrollTop - clientHeight < NEAR_THE_END_PX;
  }
}

function keyOf(line) {
  return line && `${line.time} ${line.kind} ${line.text}`;
}

/** What was heard and what was done, by time; each keeps its own order even when the clock was set back. */
function inOrder(call) {
  const heard = call.heard.filter((line) => !SILENT.has(line.kind));
  const done = [...call.did];
  const lines = [];
  for (const line of heard) {
    while (done.length && done[0].time < line.time) lines.push(done.shift());
    lines.push(line);
  }
  return [...lines, ...done];
}

function wordsOf(line) {
  const length = lasted(line.seconds);
  switch (line.kind) {
    case "play":
      return ["A recording plays", h("audio", { controls: true, preload: "metadata", src: line.text })];
    case "beep":
      return ["The tone"];
    case "ring":
      return ["It rings at the other end"];
    case "speech":
      return [line.text ? `“${line.text}”` : `They speak (${length})`];
    case "digits":
      return [`They press ${line.text}`];
    case "pressed":
      return ["Pressed ", h("kbd", {}, line.text)];
    case "said":
      return [line.text ? `“${line.text}”` : `Spoke (${length})`];
    default:
      return [line.text];
  }
}
