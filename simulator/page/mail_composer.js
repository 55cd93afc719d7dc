// Writing a mail: a new one, an answer, or a file that is sent as it is.

import { post } from "./api.js";
import { clockTime, dayOf } from "./format.js";
import { h, icon, setText } from "./dom.js";

export class Composer {
  #desk;
  #answered = null;
  #from = h("p", { class: "from" });
  #to = h("input", { id: "mail-to", type: "text", list: "known-addresses", autocomplete: "off", required: true });
  #cc = h("input", { id: "mail-cc", type: "text", list: "known-addresses", autocomplete: "off" });
  #subject = h("input", { id: "mail-subject", type: "text", autocomplete: "off" });
  #text = h("textarea", { id: "mail-text", rows: "12" });
  #html = h("textarea", { id: "mail-html", rows: "5", spellcheck: "false" });
  #files = h("input", { id: "mail-files", type: "file", multiple: true });
  #envelope = h("input", { id: "mail-envelope", type: "text", autocomplete: "off", placeholder: "the same as From" });
  #source = h("input", { type: "file", accept: ".eml,message/rfc822", hidden: true, "aria-label": "A mail as a file" });
  #send = h("button", { type: "submit", class: "primary" }, icon("mail"), "Send");
  #problem = h("p", { class: "problem", role: "alert" });
  #known = h("datalist", { id: "known-addresses" });
  #more;

  constructor(desk) {
    this.#desk = desk;
    const field = (label, input) => h("label", { class: "field", for: input.id }, label, input);
    this.#more = h("details", {}, h("summary", {}, "HTML, and who the envelope says it is from"),
      field("HTML beside the text", this.#html),
      field("Envelope sender", this.#envelope),
      h("p", { class: "hint" }, "A sender that is not the writer's is how a forged mail looks."));
    const form = h("form", { class: "composer" },
      this.#from, field("To", this.#to), field("Cc", this.#cc), field("Subject", this.#subject), field("Text", this.#text),
      field("Attachments", this.#files), this.#more, this.#problem,
      h("div", { class: "acts" }, this.#send,
        h("button", { type: "button", onclick: () => this.#desk.choose(this.#desk.address) }, "Discard"),
        h("button", { type: "button", class: "aside", onclick: () => this.#source.click() }, icon("file"), "Send a file (.eml)…")),
      this.#source, this.#known);
    form.addEventListener("submit", (event) => (event.preventDefault(), this.#post()));
    this.#source.addEventListener("change", () => this.#postSource());
    this.element = h("section", { class: "card letter", "aria-label": "Write a mail" }, form);
  }

  update() {
    const { state, address } = this.#desk;
    const box = state.mailboxes.find((item) => item.address === address);
    setText(this.#from, box ? `From ${box.name ? `${box.name} <${box.address}>` : box.address}` : "");
    const known = [...state.lines, ...state.mailboxes].map((item) => item.address).join("\n");
    if (this.#known.dataset.known === known) return;
    this.#known.dataset.known = known;
    this.#known.replaceChildren(...known.split("\n").map((value) => h("option", { value })));
  }

  /** An empty mail, or an answer to ``answered``. */
  begin(answered, everybody) {
    this.#answered = answered;
    setText(this.#problem, "");
    for (const input of [this.#html, this.#envelope, this.#files, this.#cc]) input.value = "";
    this.#more.open = false;
    if (answered === null) {
      this.#to.value = this.#desk.state.lines[0]?.address ?? "";
      this.#subject.value = this.#text.value = "";
      return;
    }
    const writers = answered.reply_to.length ? answered.reply_to : answered.from;
    this.#to.value = listed(writers);
    if (everybody) this.#cc.value = listed([...answered.to, ...answered.cc].filter(({ address }) => address !== this.#desk.address));
    this.#subject.value = /^re:/i.test(answered.subject) ? answered.subject : `Re: ${answered.subject}`;
    this.#text.value = `\n\n${quoted(answered, this.#desk.clock.zone)}`;
  }

  focus() {
    const field = this.#answered ? this.#text : this.#subject;
    field.focus();
    if (this.#answered) this.#text.setSelectionRange(0, 0);
  }

  async #post() {
    const attachments = await Promise.all([...this.#files.files].map(asAttachment));
    const box = this.#desk.state.mailboxes.find(({ address }) => address === this.#desk.address);
    const letter = {
      from: listed([box]), to: this.#to.value, cc: this.#cc.value, subject: this.#subject.value, text: this.#text.value,
      html: this.#html.value, attachments, answers: this.#answered?.id,
    };
    if (this.#envelope.value.trim()) letter.envelope_from = this.#envelope.value.trim();
    await this.#attempt(() => post("/mail/letters", letter));
  }

  async #postSource() {
    const [file] = this.#source.files;
    this.#source.value = "";
    if (file) await this.#attempt(() => post(`/mail/raw?to=${encodeURIComponent(this.#to.value)}`, file));
  }

  /** Send; then the mail that was sent is shown, with what becomes of it. */
  async #attempt(send) {
    this.#send.disabled = true;
    setText(this.#problem, "");
    try {
      const { id, mailbox } = await send();
      this.#desk.address = mailbox;
      await this.#desk.open(id);
    } catch (error) {
      setText(this.#problem, error.message);
    }
    this.#send.disabled = false;
  }
}

function listed(people) {
  return people.map(({ name, address }) => (name ? `"${name.replace(/["\\]/g, "\\$&")}" <${address}>` : address)).join(", ");
}

function quoted({ from, time, text }, zone) {
  const at = new Date(time);
  const who = from.map(({ name, address }) => name || address).join(", ");
  const lines = text.trimEnd().split("\n").map((line) => (line.startsWith(">") ? `>${line}` : `> ${line}`.trimEnd()));
  return `On ${dayOf(at, zone)} at ${clockTime(at, zone, false)}, ${who} wrote:\n${lines.join("\n")}\n`;
}

function asAttachment(file) {
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => done({ name: file.name, type: file.type, content: reader.result.split(",")[1] ?? "" }));
    reader.addEventListener("error", () => failed(reader.error));
    reader.readAsDataURL(file);
  });
}
