// What went over the wire: each recipient of each SMTP conversation, in both directions, with the reply.

import { clockTime } from "./format.js";
import { h, icon, setText } from "./dom.js";

const SHOWN = 60;

export class PostWire {
  #desk;
  #seen = "";
  #count = h("span", { class: "count" });
  #rows = h("tbody");

  constructor(desk) {
    this.#desk = desk;
    const heads = ["Time", "Way", "Reply", "From", "To", "Words"].map((head) => h("th", { scope: "col" }, head));
    this.element = h("section", { class: "card passages", "aria-labelledby": "passages-title" },
      h("header", {}, h("h2", { id: "passages-title" }, "SMTP"), this.#count),
      h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Mail handed over" },
        h("table", {}, h("thead", {}, h("tr", {}, heads)), this.#rows)));
  }

  update() {
    const { passages, zone } = this.#desk.state;
    const seen = JSON.stringify([passages.slice(0, 1), passages.length, zone]);
    if (seen === this.#seen) return;
    this.#seen = seen;
    this.#rows.replaceChildren(...passages.slice(0, SHOWN).map((passage) => this.#row(passage, zone)));
    if (!passages.length) this.#rows.append(h("tr", {}, h("td", { colspan: "6", class: "empty" }, "None yet: write a mail.")));
    setText(this.#count, passages.length ? `the last ${Math.min(passages.length, SHOWN)}` : "");
  }

  #row({ time, way, sender, recipient, code, text }, zone) {
    return h("tr", { class: code >= 200 && code < 300 ? "" : "bad" },
      h("td", {}, h("time", { datetime: time }, clockTime(new Date(time), zone))),
      h("td", { class: "way" }, icon(way === "in" ? "incoming" : "outgoing"), way === "in" ? "from the product" : "to the product"),
      h("td", {}, h("span", { class: "code" }, code ? String(code) : "none")), h("td", {}, sender || "<>"), h("td", {}, recipient),
      h("td", { class: "url", title: text }, text));
  }
}
