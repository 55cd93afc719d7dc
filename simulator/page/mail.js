// The mailbox page: everything on it shows the post office's state, and comes again from it after every change.

import { follow, get, post } from "./api.js";
import { Clock, ClockPanel } from "./clock.js";
import { Composer } from "./mail_composer.js";
import { LetterView } from "./mail_letter.js";
import { Mailboxes } from "./mail_boxes.js";
import { Letters } from "./mail_letters.js";
import { PostWire } from "./mail_wire.js";
import { h, icon, remembered, setText } from "./dom.js";

const TICK_MS = 250;

const clock = new Clock();
const panel = new ClockPanel(clock);
const desk = { state: null, clock, address: remembered.get("mailbox", null), awaited: null, letter: null, choose, open, write };
const mailboxes = new Mailboxes(desk);
const letters = new Letters(desk);
const view = new LetterView(desk);
const composer = new Composer(desk);
const wire = new PostWire(desk);

const place = (id) => document.getElementById(id);
const connection = place("connection");

function show(state) {
  desk.state = state;
  clock.sync(state);
  document.body.classList.remove("lost", "waiting");
  setText(connection, "Connected");
  const known = state.mailboxes.some(({ address }) => address === desk.address);
  if (!known && (desk.address === null || desk.address !== desk.awaited)) desk.address = state.mailboxes[0]?.address ?? null;
  mailboxes.update();
  letters.update();
  view.update();
  composer.update();
  wire.update();
  const unread = state.mailboxes.reduce((sum, mailbox) => sum + mailbox.unread, 0);
  document.title = unread ? `(${unread}) Mail` : "Mail";
  tick();
}

/** Look into a mailbox; one that was opened just now comes with the next state. */
function choose(address) {
  desk.address = desk.awaited = address;
  remembered.set("mailbox", address);
  desk.letter = null;
  front(view);
  show(desk.state);
}

/** Open a letter: its whole content is fetched, and it is read from now on. */
async function open(id) {
  front(view);
  try {
    desk.letter = await get(`/mail/letters/${id}`);
  } catch (error) {
    desk.letter = null;
    view.complain(error.message);
  }
  show(desk.state);
  if (desk.letter && !desk.letter.read) await post(`/mail/letters/${id}/read`).catch(() => null);
}

/** Write a mail from the open mailbox; ``answered``: the letter that it replies to, ``everybody``: to all of it. */
function write(answered = null, everybody = false) {
  composer.begin(answered, everybody);
  front(composer);
  composer.focus();
}

function front(shown) {
  place("letter-place").replaceChildren(shown.element);
}

function lost() {
  document.body.classList.add("lost");
  setText(connection, "The simulator does not answer. Trying again…");
}

function tick() {
  if (desk.state === null) return;
  panel.tick();
  view.tick();
}

place("write").append(h("button", { type: "button", class: "primary", onclick: () => write() }, icon("pen"), "Write a mail"));
place("clock").append(panel.element);
place("mailboxes").append(mailboxes.element);
place("letters").append(letters.element);
place("wire").append(wire.element);
front(view);
setInterval(tick, TICK_MS);
follow(show, lost, "/mail/state");
