// The text messages of one phone, and its answers.

import { post } from "./api.js";
import { h, setText } from "./dom.js";
import { clockTime } from "./format.js";
import { linked } from "./links.js";

const COMMAND = /\b(?:ACK|PASS)\s+\d+\b/g;

export class Messages {
  #desk;
  #handset;
  #shown = 0;
  #last = null;
  #phone = undefined;
  #answer;
  #title = h("h4", {}, "Messages");
  #list = h("ol", { class: "texts", role: "log", "aria-live": "polite", "aria-label": "Messages", tabindex: "0" });
  #quick = h("div", { class: "quick" });
  #body = h("input", { type: "text", "aria-label": "Reply", placeholder: "Reply…", autocomplete: "off" });

  constructor(desk, handset) {
    this.#desk = desk;
    this.#handset = handset;
    const form = h("form", { class: "reply" }, this.#body, h("button", { type: "submit" }, "Send"));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.#body.value.trim()) this.#send(this.#body.value.trim());
    });
    this.#answer = h("div", { class: "answer-text", hidden: true }, this.#quick, form);
    this.element = h("section", { class: "messages", "aria-label": "Messages", hidden: true }, this.#title, this.#list, this.#answer);
  }

  update(phone) {
    const texts = phone?.sms ?? [];
    if (phone?.number !== this.#phone || texts.length < this.#shown) {
      this.#phone = phone?.number;
      this.#shown = 0;
      this.#list.replaceChildren();
    }
    const fresh = texts.slice(this.#shown);
    for (const text of fresh) this.#list.append(this.#bubble(text));
    if (fresh.length) this.#list.scrollTop = this.#list.scrollHeight;
    this.#shown = texts.length;
    this.element.hidden = this.#answer.hidden = texts.length === 0;
    setText(this.#title, `Messages (${texts.length})`);
    this.#offer(texts.findLast(isReceived));
  }

  #bubble({ time, direction, body }) {
    const at = h("time", { datetime: time }, clockTime(new Date(time), this.#desk.clock.zone, false));
    return h("li", { class: `text ${direction}` }, h("p", {}, linked(body)), at);
  }

  /** Buttons for the commands that the last message names. */
  #offer(last) {
    if (last === this.#last || last?.time === this.#last?.time) return;
    this.#last = last;
    const commands = [...new Set(last?.body.match(COMMAND) ?? withNumber(last))];
    this.#quick.replaceChildren(...commands.map((command) =>
      h("button", { type: "button", class: "chip", onclick: () => this.#send(command) }, command)));
  }

  async #send(body) {
    const { other } = this.#last ?? { other: this.#desk.state.numbers[0]?.number };
    const sent = await this.#handset.attempt(() => post("/messages", { from: this.#handset.number, to: other, body }));
    if (sent) this.#body.value = "";
  }
}

function isReceived(text) {
  return text.direction === "received";
}

/** A message may ask for both in a phrase: "Reply ACK 1042 or PASS". */
function withNumber(text) {
  const number = /\bcase\s+(\d+)\b/i.exec(text?.body ?? "");
  return number && /\bACK\b/.test(text.body) ? [`ACK ${number[1]}`, `PASS ${number[1]}`] : [];
}
