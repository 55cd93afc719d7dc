// The phones page: everything on it shows the simulator's state, and comes again from it after every change.

import { follow } from "./api.js";
import { CallerPhone } from "./caller.js";
import { Clock, ClockPanel } from "./clock.js";
import { h, icon, remembered, setText, toggle } from "./dom.js";
import { EngineerPhone, engineersOf } from "./engineer.js";
import { nameOf } from "./format.js";
import { Tones } from "./tones.js";
import { Voice } from "./voice.js";
import { Wire } from "./wire.js";

const TICK_MS = 250;

const clock = new Clock();
const desk = { state: null, clock, voice: new Voice(clock), tones: new Tones() };
const panel = new ClockPanel(clock);
const caller = new CallerPhone(desk);
const engineers = new Map();
const wire = new Wire(clock);

const place = (id) => document.getElementById(id);
const connection = place("connection");
const bell = h("button", { type: "button", class: "toast", hidden: true });

function show(state) {
  desk.state = state;
  clock.sync(state);
  document.body.classList.remove("lost", "waiting");
  setText(connection, "Connected");
  caller.update();
  showEngineers(state);
  wire.update(state);
  ring(state);
  tick();
}

function showEngineers(state) {
  const phones = engineersOf(state);
  for (const phone of phones) {
    if (!engineers.has(phone.number)) {
      const engineer = new EngineerPhone(desk, phone);
      engineers.set(phone.number, engineer);
      place("engineers").append(engineer.element);
    }
    engineers.get(phone.number).update(phone);
  }
  const known = new Set(phones.map((phone) => phone.number));
  for (const [number, engineer] of engineers) {
    if (known.has(number)) continue;
    engineer.element.remove();
    engineers.delete(number);
  }
}

function ring(state) {
  const phones = [caller, ...engineers.values()];
  const ringing = phones.filter((phone) => phone.handset.rings);
  desk.tones.ringing(ringing.length > 0);
  desk.tones.ringback(phones.some(({ handset }) => handset.isInCall && !handset.call.connected_to && handset.call.heard.at(-1)?.kind === "ring"));
  const names = ringing.map((phone) => nameOf(state, phone.handset.number));
  document.title = names.length ? `🔔 ${names[0]} · Phones` : "Phones";
  if (names.length) bell.replaceChildren(icon("bell"), `${names.join(" and ")}: the phone rings`);
}

/** A phone that rings out of sight announces itself at the edge of the window. */
function announce() {
  const ringing = [caller, ...engineers.values()].filter((phone) => phone.handset.rings);
  const inSight = ({ element }) => {
    const { top, bottom } = element.querySelector(".answer").getBoundingClientRect();
    return top >= 0 && bottom <= innerHeight;
  };
  bell.hidden = ringing.length === 0 || ringing.some(inSight);
  bell.onclick = () => {
    ringing[0].element.scrollIntoView({ behavior: "smooth", block: "center" });
    ringing[0].element.querySelector(".answer")?.focus({ preventScroll: true });
  };
}

function lost() {
  document.body.classList.add("lost");
  setText(connection, "The simulator does not answer. Trying again…");
  desk.voice.hush();
  desk.tones.ringing(false);
  desk.tones.ringback(false);
}

function tick() {
  if (desk.state === null) return;
  panel.tick();
  announce();
  caller.tick();
  for (const engineer of engineers.values()) engineer.tick();
}

/** Switches that this browser remembers. */
function sounds() {
  const voices = toggle("Voices", { on: "speaker", off: "silent" }, remembered.get("voices", true), (on) => {
    desk.voice.on = on;
    remembered.set("voices", on);
  });
  const rings = toggle("Ring and tones", { on: "bell", off: "silent" }, remembered.get("rings", true), (on) => {
    desk.tones.muted = !on;
    remembered.set("rings", on);
  });
  desk.voice.on = remembered.get("voices", true);
  desk.tones.muted = !remembered.get("rings", true);
  place("sounds").append(h("span", { class: "labelled" }, voices, "Voices"), h("span", { class: "labelled" }, rings, "Ring"));
}

for (const touch of ["pointerdown", "keydown"]) document.addEventListener(touch, () => desk.tones.wake());
sounds();
place("clock").append(panel.element);
place("caller-phone").append(caller.element);
place("wire").append(wire.element);
document.body.append(bell);
setInterval(tick, TICK_MS);
follow(show, lost);
