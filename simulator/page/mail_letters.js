// The letters of one mailbox, the newest first, and how the mailbox behaves.

import { post } from "./api.js";
import { clockTime, dayOf } from "./format.js";
import { h, icon, setText } from "./dom.js";
import { choiceOfManner, mannerOf, manners } from "./mail_manners.js";

const SCRIPTED = "scripted";

export class Letters {
  #desk;
  #seen = "";
  #title = h("h2", { id: "letters-title" });
  #note = h("p", { class: "hint" });
  #manner;
  #problem = h("p", { class: "problem", role: "alert" });
  #list = h("ol", { class: "letters", "aria-labelledby": "letters-title" });

  constructor(desk) {
    this.#desk = desk;
    this.#manner = h("select", {},
      manners.map(({ label, value }) => h("option", { value }, label)),
      h("option", { value: SCRIPTED, hidden: true, disabled: true }, "Scripted from outside"));
    this.#manner.addEventListener("change", () => this.#behave());
    this.element = h("section", { class: "card", "aria-labelledby": "letters-title" },
      h("header", {}, h("div", { class: "owner" }, this.#title, this.#note)),
      h("label", { class: "field when" }, "When a mail comes", this.#manner), this.#problem, this.#list);
  }

  update() {
    const box = this.#desk.state.mailboxes.find(({ address }) => address === this.#desk.address);
    this.element.hidden = !box;
    if (!box) return;
    setText(this.#title, box.name || box.address);
    setText(this.#note, [box.name && box.address, box.note].filter(Boolean).join(" · "));
    const choice = choiceOfManner(box.manner) ?? SCRIPTED;
    if (this.#manner.value !== choice) this.#manner.value = choice;
    const seen = JSON.stringify([box.letters, this.#desk.letter?.id, this.#desk.clock.zone]);
    if (seen === this.#seen) return;
    this.#seen = seen;
    const focused = document.activeElement?.dataset?.letter;
    this.#list.replaceChildren(...box.letters.map((letter) => h("li", {}, this.#row(letter))));
    if (!box.letters.length) this.#list.append(h("li", { class: "empty" }, "No mail yet."));
    if (focused) this.#list.querySelector(`[data-letter="${focused}"]`)?.focus();
  }

  #row(letter) {
    const sent = letter.direction === "sent";
    const others = sent ? letter.to : letter.from;
    const who = others.map(({ name, address }) => name || address).join(", ") || "nobody";
    return h("button", {
      type: "button", class: `letter-row ${letter.read ? "" : "new"}`, "data-letter": letter.id,
      "aria-current": letter.id === this.#desk.letter?.id && "true", onclick: () => this.#desk.open(letter.id),
    },
    h("span", { class: "line" }, icon(sent ? "outgoing" : "incoming"), h("strong", {}, sent ? `To ${who}` : who), when(letter, this.#desk.clock)),
    h("span", { class: "subject" }, letter.subject || "(no subject)", letter.attachments ? icon("clip") : null),
    h("span", { class: "begins" }, letter.begins),
    h("span", { class: "tags" }, letter.automatic ? h("span", { class: "tag" }, "automatic") : null, letter.deliveries.map(verdict)));
  }

  async #behave() {
    setText(this.#problem, "");
    try {
      await post(`/mail/mailboxes/${encodeURIComponent(this.#desk.address)}`, { manner: mannerOf(this.#manner.value) });
    } catch (error) {
      setText(this.#problem, error.message);
    }
  }
}

function when({ time }, clock) {
  const at = new Date(time);
  const today = dayOf(clock.now(), clock.zone) === dayOf(at, clock.zone);
  return h("time", { datetime: time }, today ? clockTime(at, clock.zone) : dayOf(at, clock.zone));
}

/** What the other server said last: the code as a tag, its words on request. */
export function verdict({ recipient, state, attempts }) {
  const last = attempts.at(-1);
  const said = last ? (last.code ? String(last.code) : "no answer") : state === "delivered" ? "delivered" : "on its way";
  const kind = { delivered: "good", waiting: "open" }[state] ?? "bad";
  return h("span", { class: `tag ${kind}`, title: `${recipient}: ${last?.text ?? state}` }, said);
}
