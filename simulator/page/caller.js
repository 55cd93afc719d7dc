// The customer's side: choose who calls and which line, call, and be called back.

import { post } from "./api.js";
import { h, icon, setText } from "./dom.js";
import { shownNumber, typedNumber } from "./format.js";
import { Handset } from "./handset.js";
import { Messages } from "./messages.js";
import { SpeakPanel } from "./speak.js";

const OTHER = "other";

export class CallerPhone {
  handset;
  #desk;
  #speak;
  #messages;
  #choices = "";
  #who = h("select", { id: "caller" });
  #typed = h("input", { id: "caller-number", type: "tel", placeholder: "+1 312 555 0177", autocomplete: "off" });
  #typedRow = h("label", { for: "caller-number", class: "field" }, "Number", this.#typed);
  #line = h("select", { id: "line" });
  #call = h("button", { type: "submit", class: "primary call" }, icon("call"), "Call");
  #unplugged = h("p", { class: "hint" }, "This line leads nowhere yet: nothing has told the simulator its voice address.");

  constructor(desk) {
    this.#desk = desk;
    this.handset = new Handset(desk, { label: "the caller's phone", pitch: 1 });
    this.#speak = new SpeakPanel(this.handset);
    this.#messages = new Messages(desk, this.handset);
    this.form = h("form", { class: "dial" },
      h("label", { for: "caller", class: "field" }, "Who calls", this.#who), this.#typedRow,
      h("label", { for: "line", class: "field" }, "Which line", this.#line), this.#unplugged, this.#call);
    this.form.addEventListener("submit", (event) => (event.preventDefault(), this.#dial()));
    this.#who.addEventListener("change", () => this.#chosen());
    this.#line.addEventListener("change", () => this.#chosen());
    this.#typed.addEventListener("input", () => this.#chosen());
    this.handset.element.insertBefore(this.#speak.element, this.handset.keypad);
    this.element = h("section", { class: "card caller", "aria-labelledby": "caller-title" },
      h("header", {}, h("h2", { id: "caller-title" }, "The caller")), this.form, this.handset.element, this.#messages.element);
  }

  update() {
    const { state } = this.#desk;
    this.#fill(state);
    this.#follow(state);
    this.handset.update();
    this.#speak.update();
    const person = state.phones.find((phone) => phone.number === this.handset.number);
    this.#messages.update(person);
    this.#messages.element.hidden = !person?.sms.length;
    this.form.hidden = this.handset.isInCall || this.handset.rings;
    const line = state.numbers.find((number) => number.number === this.#line.value);
    this.#unplugged.hidden = Boolean(line?.voice_url);
    this.#typedRow.hidden = this.#who.value !== OTHER;
  }

  tick() {
    this.handset.tick();
    this.#speak.tick();
  }

  #fill(state) {
    const choices = JSON.stringify([state.callers, state.numbers]);
    if (choices === this.#choices) return;
    const [who, line] = [this.#who.value, this.#line.value];
    this.#choices = choices;
    this.#who.replaceChildren(
      ...state.callers.map((caller) => h("option", { value: caller.number }, described(caller))),
      h("option", { value: OTHER }, "Another number…"));
    this.#line.replaceChildren(...state.numbers.map((number) =>
      h("option", { value: number.number }, `${number.name}, ${shownNumber(number.number)}`)));
    if (who) this.#who.value = who;
    if (line) this.#line.value = line;
    this.#chosen();
  }

  #chosen() {
    if (this.handset.isInCall) return;
    this.handset.number = this.#who.value === OTHER ? typedNumber(this.#typed.value) : this.#who.value;
    this.#typedRow.hidden = this.#who.value !== OTHER;
    if (this.#desk.state) this.update();
  }

  /** A caller's phone that rings, or a call begun in another window, comes to the front. */
  #follow(state) {
    if (this.handset.isInCall && state.calls.some((call) => call.sid === this.handset.call.sid && !call.ended)) return;
    const callers = new Set(state.callers.map((caller) => caller.number));
    const live = state.calls.find((call) =>
      !call.ended && call.status !== "queued" && (call.direction === "inbound" || callers.has(call.phone)));
    if (!live || live.phone === this.handset.number) return;
    this.handset.number = live.phone;
    this.#who.value = callers.has(live.phone) ? live.phone : OTHER;
    if (!callers.has(live.phone)) this.#typed.value = shownNumber(live.phone);
  }

  async #dial() {
    const caller = this.#desk.state.callers.find((item) => item.number === this.#who.value);
    const from = caller ? caller.number : typedNumber(this.#typed.value);
    if (from === null) {
      setText(this.handset.problem, "That is no telephone number; write it like +1 312 555 0177.");
      this.#typed.focus();
      return;
    }
    this.handset.number = from;
    const stir = caller ? caller.stir : "No-TN-Validation";
    this.#call.disabled = true;
    await this.handset.attempt(() => post("/calls", { from, to: this.#line.value, stir }));
    this.#call.disabled = false;
  }
}

function described({ name, number, company, note }) {
  return [name, company || (number === "anonymous" ? "" : shownNumber(number)), note].filter(Boolean).join(" · ");
}
