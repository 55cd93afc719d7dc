// An engineer's telephone: how it behaves, its ring, its call, its messages.

import { post } from "./api.js";
import { behaviourOf, choiceOf, choices } from "./behaviours.js";
import { h, icon } from "./dom.js";
import { shownNumber } from "./format.js";
import { Handset } from "./handset.js";
import { Messages } from "./messages.js";
import { SpeakPanel } from "./speak.js";

const SCRIPTED = "scripted";

export class EngineerPhone {
  handset;
  #desk;
  #messages;
  #speak;
  #behaviour;

  constructor(desk, { number, name }) {
    this.#desk = desk;
    const title = name || shownNumber(number);
    const id = `phone-${number.replace(/\W/g, "")}`;
    this.handset = new Handset(desk, { label: `${title}'s phone`, pitch: 0.85 });
    this.handset.number = number;
    this.#speak = new SpeakPanel(this.handset, { onlyConnected: true });
    this.handset.element.insertBefore(this.#speak.element, this.handset.keypad);
    this.#messages = new Messages(desk, this.handset);
    this.#behaviour = h("select", {},
      choices.map(({ label, value }) => h("option", { value }, label)),
      h("option", { value: SCRIPTED, hidden: true, disabled: true }, "Scripted from outside"));
    this.#behaviour.addEventListener("change", () => this.#behave());
    this.element = h("article", { class: "card engineer", id, "aria-labelledby": `${id}-title`, "data-number": number },
      h("header", {},
        h("span", { class: "badge" }, icon("bell")),
        h("div", { class: "owner" }, h("h3", { id: `${id}-title` }, title), h("p", {}, shownNumber(number)))),
      h("label", { class: "field when" }, "When it rings", this.#behaviour), this.handset.element, this.#messages.element);
  }

  update(phone) {
    const value = choiceOf(phone.behaviour) ?? SCRIPTED;
    if (this.#behaviour.value !== value) this.#behaviour.value = value;
    this.handset.update();
    this.#speak.update();
    this.#messages.update(phone);
    this.element.classList.toggle("ringing", this.handset.rings);
    this.element.classList.toggle("in-call", this.handset.isInCall);
  }

  tick() {
    this.handset.tick();
    this.#speak.tick();
  }

  #behave() {
    const behaviour = behaviourOf(this.#behaviour.value);
    this.handset.attempt(() => post(`/phones/${encodeURIComponent(this.handset.number)}`, { behaviour }));
  }
}

/** The phones that are not callers': those with a name, and those that were ever called or written to. */
export function engineersOf(state) {
  const callers = new Set(state.callers.map((caller) => caller.number));
  const reached = new Set(state.calls.filter((call) => call.direction !== "inbound").map((call) => call.phone));
  return state.phones.filter((phone) =>
    !callers.has(phone.number) && (phone.name || reached.has(phone.number) || phone.sms.length > 0));
}
