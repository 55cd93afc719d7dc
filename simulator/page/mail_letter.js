// One letter: who, what, its headers of interest, text or HTML, attachments, and how its delivery went.

import { post } from "./api.js";
import { clockTime, dayOf } from "./format.js";
import { h, icon, setText } from "./dom.js";
import { verdict } from "./mail_letters.js";
import { linked } from "./links.js";

const OF_INTEREST = [
  "Message-ID", "In-Reply-To", "References", "Reply-To", "Auto-Submitted", "X-Auto-Response-Suppress", "Precedence",
  "List-Id", "Authentication-Results",
];

export class LetterView {
  #desk;
  #shown = null;
  #asHtml = false;
  #deliveries = h("ol", { class: "deliveries" });
  #seen = "";
  element = h("section", { class: "card letter", "aria-label": "The mail" });

  constructor(desk) {
    this.#desk = desk;
    this.#empty();
  }

  /** Draw the letter when it is another one; its deliveries whenever they have changed. */
  update() {
    const { letter } = this.#desk;
    if (letter?.id !== this.#shown) {
      this.#shown = letter?.id ?? null;
      this.#asHtml = false;
      this.#seen = "";
      if (letter) this.#draw(letter);
      else this.#empty();
    }
    if (letter) this.#updateDeliveries(letter);
  }

  tick() {
    for (const each of this.#deliveries.querySelectorAll("[data-next]")) {
      const seconds = Math.max(Math.ceil((new Date(each.dataset.next) - this.#desk.clock.now()) / 1000), 0);
      setText(each, `tried again in ${seconds} s`);
    }
  }

  complain(words) {
    this.#shown = null;
    this.element.replaceChildren(h("p", { class: "problem", role: "alert" }, words));
  }

  #empty() {
    this.element.replaceChildren(h("p", { class: "empty" }, "Choose a mail, or write one."));
  }

  #draw(letter) {
    const { clock } = this.#desk;
    const at = new Date(letter.time);
    const body = h("div", { class: "body" });
    this.element.replaceChildren(
      h("header", { class: "letter-head" }, h("h2", {}, letter.subject || "(no subject)"), this.#acts(letter)),
      h("dl", { class: "people" },
        ...row("From", people(letter.from)), ...row("To", people(letter.to)), ...row("Cc", people(letter.cc)),
        ...row("When", `${dayOf(at, clock.zone)}, ${clockTime(at, clock.zone)}`),
        ...row("Envelope", `${letter.envelope_from || "<> (no bounces)"} → ${letter.recipients.join(", ")}`)),
      headers(letter), this.#deliveries, ...this.#tabs(letter, body), body, files(letter));
    this.#drawBody(letter, body);
  }

  #acts(letter) {
    const reply = (everybody) => () => this.#desk.write(letter, everybody);
    if (letter.direction === "sent") return null;
    return h("div", { class: "acts" },
      h("button", { type: "button", class: "primary", onclick: reply(false) }, icon("reply"), "Reply"),
      letter.to.length + letter.cc.length > 1 ? h("button", { type: "button", onclick: reply(true) }, "Reply to all") : null);
  }

  #tabs(letter, body) {
    if (!letter.html) return [];
    this.#asHtml = !letter.text.trim();
    const tab = (label, html) => {
      const button = h("button", { type: "button", class: "tab", "aria-pressed": String(this.#asHtml === html) }, label);
      button.addEventListener("click", () => {
        this.#asHtml = html;
        for (const each of button.parentElement.children) each.setAttribute("aria-pressed", String(each === button));
        this.#drawBody(letter, body);
      });
      return button;
    };
    return [h("div", { class: "tabs", role: "group", "aria-label": "Show as" }, tab("Text", false), tab("HTML", true))];
  }

  #drawBody(letter, body) {
    body.replaceChildren(this.#asHtml ? framed(letter) : h("div", { class: "text-body" }, withQuotes(letter.text)));
  }

  #updateDeliveries(letter) {
    const box = this.#desk.state.mailboxes.find(({ address }) => address === letter.mailbox);
    const deliveries = box?.letters.find(({ id }) => id === letter.id)?.deliveries ?? letter.deliveries;
    const seen = JSON.stringify(deliveries);
    if (seen === this.#seen) return;
    this.#seen = seen;
    this.#deliveries.hidden = !deliveries.length;
    this.#deliveries.replaceChildren(...deliveries.map((delivery) => this.#delivery(letter, delivery)));
  }

  #delivery(letter, delivery) {
    const { clock } = this.#desk;
    const tries = delivery.attempts.map(({ time, code, text }) => h("li", {},
      h("time", { datetime: time }, clockTime(new Date(time), clock.zone)), h("span", {}, code ? `${code} ${text}` : text)));
    return h("li", {}, h("p", {}, verdict(delivery), h("span", {}, `${delivery.recipient}: ${delivery.state}`),
      delivery.next_at ? h("span", { class: "hint", "data-next": delivery.next_at }) : null,
      delivery.next_at ? h("button", { type: "button", class: "chip", onclick: () => post(`/mail/letters/${letter.id}/retry`) }, icon("again"), "Try now") : null),
    h("ol", { class: "attempts" }, tries));
  }
}

/** The text with its links as links, and what it quotes set back. */
function withQuotes(text) {
  const runs = text.match(/(?:^>.*(?:\n|$))+|(?:^(?!>).*(?:\n|$))+/gm) ?? [];
  return runs.map((run) => h("span", { class: run.startsWith(">") ? "quoted" : null }, linked(run)));
}

function row(term, value) {
  return value ? [h("dt", {}, term), h("dd", {}, value)] : [];
}

function people(list) {
  return list.map(({ name, address }) => (name ? `${name} <${address}>` : address)).join(", ");
}

function headers(letter) {
  const wanted = new Map(OF_INTEREST.map((name, index) => [name.toLowerCase(), index]));
  const known = letter.headers.filter(([name]) => wanted.has(name.toLowerCase()));
  const list = (pairs) => h("dl", { class: "headers" }, pairs.flatMap(([name, value]) => row(name, value || " ")));
  return h("div", { class: "head-fields" }, list(known.sort(([a], [b]) => wanted.get(a.toLowerCase()) - wanted.get(b.toLowerCase()))),
    h("details", {}, h("summary", {}, `All ${letter.headers.length} header fields`), list(letter.headers)));
}

/** The mail's own HTML, in a frame where no script runs; it may be measured, so that it has no bar of its own. */
function framed(letter) {
  const frame = h("iframe", {
    title: "The mail as HTML", src: `/control/mail/letters/${letter.id}/html`,
    sandbox: "allow-same-origin allow-popups allow-popups-to-escape-sandbox", referrerpolicy: "no-referrer",
  });
  frame.addEventListener("load", () => {
    const height = frame.contentDocument?.documentElement?.scrollHeight;
    if (height) frame.style.height = `${Math.min(height + 4, 2400)}px`;
  });
  return frame;
}

function files(letter) {
  const base = `/control/mail/letters/${letter.id}`;
  return h("footer", { class: "files" },
    letter.parts.map(({ index, name, size }) =>
      h("a", { class: "file", href: `${base}/parts/${index}`, download: name }, icon("clip"), name, h("small", {}, sized(size)))),
    h("a", { class: "file source", href: `${base}/raw`, download: `${letter.id}.eml` }, "Source", h("small", {}, sized(letter.size))));
}

function sized(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1_000_000 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
