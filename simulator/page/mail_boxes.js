// The list of mailboxes: customers, engineers, and whoever else was ever written to.

import { post } from "./api.js";
import { h, setText } from "./dom.js";

const GROUPS = [["customer", "Customers"], ["engineer", "Engineers"], ["", "Others"]];

export class Mailboxes {
  #desk;
  #seen = "";
  #groups = h("div", { class: "groups" });
  #address = h("input", { type: "email", "aria-label": "Another address", placeholder: "name@host", autocomplete: "off", required: true });
  #problem = h("p", { class: "problem", role: "alert" });

  constructor(desk) {
    this.#desk = desk;
    const form = h("form", { class: "reply" }, this.#address, h("button", { type: "submit" }, "Open"));
    form.addEventListener("submit", (event) => (event.preventDefault(), this.#open()));
    this.element = h("div", { class: "card mailboxes" }, this.#groups, form, this.#problem);
  }

  update() {
    const { state, address } = this.#desk;
    const rows = state.mailboxes.map((box) => [box.address, box.name, box.role, box.note, box.manner.kind, box.unread, box.letters.length]);
    const seen = JSON.stringify([rows, address]);
    if (seen === this.#seen) return;
    this.#seen = seen;
    const focused = document.activeElement?.dataset?.address;
    this.#groups.replaceChildren(...GROUPS.map(([role, title]) => this.#group(role, title)).filter(Boolean));
    if (focused) this.element.querySelector(`[data-address="${CSS.escape(focused)}"]`)?.focus();
  }

  /** Anybody may write: an address that nobody has yet gets a mailbox. */
  async #open() {
    setText(this.#problem, "");
    try {
      const { address } = await post(`/mail/mailboxes/${encodeURIComponent(this.#address.value.trim())}`);
      this.#address.value = "";
      this.#desk.choose(address);
    } catch (error) {
      setText(this.#problem, error.message);
    }
  }

  #group(role, title) {
    const boxes = this.#desk.state.mailboxes.filter((box) => box.role === role);
    if (!boxes.length) return null;
    return h("section", {}, h("h2", {}, title), h("ol", {}, boxes.map((box) => h("li", {}, this.#button(box)))));
  }

  #button(box) {
    return h("button", {
      type: "button", class: "mailbox", title: box.note, "data-address": box.address,
      "aria-current": box.address === this.#desk.address && "true", onclick: () => this.#desk.choose(box.address),
    },
    h("span", { class: "who" }, h("strong", {}, box.name || box.address), h("small", {}, box.name ? box.address : "")),
    box.manner.kind !== "accepts" ? h("span", { class: "tag" }, box.manner.kind.replaceAll("-", " ")) : null,
    box.unread ? h("span", { class: "unread", "aria-label": `${box.unread} unread` }, String(box.unread)) : null);
  }
}
