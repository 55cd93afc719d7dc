// One telephone: what it is doing, what is heard on it, its keys, and its hook. Callers and engineers have one.

import { post } from "./api.js";
import { Captions } from "./captions.js";
import { h, icon, setText, toggle } from "./dom.js";
import { lasted, nameOf, shownNumber, unbroken } from "./format.js";
import { keypad } from "./keypad.js";

const FRESH_MS = 4000; // what was said longer ago is only shown, not said aloud

export class Handset {
  number = null;
  call = null;
  status = h("p", { class: "status", role: "status" });
  problem = h("p", { class: "problem", role: "alert" });
  #desk;
  #captions;
  #pitch;
  #aloud = true;
  #heard = { sid: null, lines: 0, keys: 0 };
  #elapsed = h("span", { class: "elapsed" });
  #answer = h("button", { type: "button", class: "answer" }, icon("call"), "Answer");
  #reject = h("button", { type: "button", class: "reject" }, "Reject");
  #hangUp = h("button", { type: "button", class: "hangup" }, icon("down"), h("span", {}, "Hang up"));

  /** `desk` is what all phones share: state, clock, voice, tones. `pitch` is its voice's. */
  constructor(desk, { label, pitch }) {
    this.#desk = desk;
    this.#pitch = pitch;
    this.#captions = new Captions(desk.clock, `Captions: ${label}`);
    this.element = h("div", { class: "handset" });
    this.keypad = keypad(this.element, (key) => this.#press(key));
    this.listening = toggle(`Hear ${label}`, { on: "speaker", off: "silent" }, true, (on) => {
      this.#aloud = on;
      if (!on) desk.voice.hush(this.number);
    });
    this.#answer.addEventListener("click", () => this.#hook("answer"));
    this.#reject.addEventListener("click", () => this.#hook("reject"));
    this.#hangUp.addEventListener("click", () => this.#hook("hangup", { cut: this.#hangUp.dataset.cut === "yes" }));
    this.hooks = h("div", { class: "hooks" }, this.#answer, this.#reject, this.#hangUp);
    this.element.append(
      h("div", { class: "status-row" }, this.status, this.#elapsed, this.listening),
      this.#captions.element, this.problem, this.keypad, this.hooks);
  }

  /** Whether it rings and waits for somebody to take it. */
  get rings() {
    return this.call?.direction !== "inbound" && this.call?.status === "ringing";
  }

  get isInCall() {
    return Boolean(this.call) && !this.call.ended && (this.call.direction === "inbound" || this.call.status === "in-progress");
  }

  update() {
    const { state } = this.#desk;
    const mine = state.calls.filter((call) => call.phone === this.number);
    this.call = mine.find((call) => !call.ended && call.status !== "queued") ?? mine[0] ?? null;
    this.#captions.show(this.call);
    this.#hear();
    this.#show();
    this.tick();
  }

  tick() {
    const { call } = this;
    this.#captions.tick(call);
    const until = call?.ended ? new Date(call.ended) : this.#desk.clock.now();
    const worthIt = call && (this.isInCall || call.heard.length > 0);
    setText(this.#elapsed, worthIt ? lasted((until - new Date(call.started)) / 1000) : "");
    this.#hangUpLabel();
  }

  /** Do something that the simulator may refuse; the refusal is shown here. */
  async attempt(what) {
    setText(this.problem, "");
    try {
      return await what();
    } catch (error) {
      setText(this.problem, error.message);
      return null;
    }
  }

  #show() {
    const { state } = this.#desk;
    setText(this.status, this.call ? doing(this.call, state, this.rings) : "On the hook");
    this.#answer.hidden = this.#reject.hidden = !this.rings;
    this.#hangUp.hidden = this.keypad.hidden = !this.isInCall;
    this.listening.hidden = !this.isInCall;
    this.hooks.hidden = !this.rings && !this.isInCall;
    this.#captions.element.hidden = !this.call || (this.call.heard.length === 0 && this.call.did.length === 0 && !this.isInCall);
    this.element.classList.toggle("ringing", this.rings);
    this.element.classList.toggle("in-call", this.isInCall);
    this.element.classList.toggle("recording", this.call?.waiting?.kind === "record");
  }

  /** Say aloud what is new; a key pressed or the call's end stops what is being said. */
  #hear() {
    const { clock, voice, tones } = this.#desk;
    const { call, number } = this;
    if (call === null) return;
    if (this.#heard.sid !== call.sid) this.#heard = { sid: call.sid, lines: 0, keys: 0 };
    const keys = call.did.filter((line) => line.kind === "pressed").length;
    if (keys > this.#heard.keys || call.ended) voice.hush(number);
    for (const line of call.heard.slice(this.#heard.lines)) {
      const at = new Date(line.time);
      const isFresh = !call.ended && Math.abs(clock.now() - at) < FRESH_MS;
      if (!isFresh || !this.#aloud) continue;
      if (line.kind === "beep") tones.beep();
      const text = line.kind === "say" || line.kind === "speech" ? line.text : "";
      const url = line.kind === "play" ? line.text : undefined;
      if (text || url) voice.add({ phone: number, at, seconds: line.seconds, text, url, pitch: this.#pitch });
    }
    this.#heard = { sid: call.sid, lines: call.heard.length, keys };
  }

  #hangUpLabel() {
    const until = this.call?.speaking_until && new Date(this.call.speaking_until);
    const speaking = Boolean(until && until > this.#desk.clock.now());
    if (!speaking) delete this.#hangUp.dataset.cut;
    const waits = this.#hangUp.dataset.cut === "yes";
    setText(this.#hangUp.lastChild, waits ? "Hang up now, in mid-sentence" : "Hang up");
  }

  async #press(key) {
    if (!this.isInCall) return;
    this.#desk.tones.key(key);
    this.#desk.voice.hush(this.number);
    await this.attempt(() => post(`/calls/${this.call.sid}/digits`, { digits: key }));
  }

  async #hook(what, given = {}) {
    const call = await this.attempt(() => post(`/calls/${this.call.sid}/${what}`, given));
    // Whoever is speaking finishes the sentence first; pressing once more does not wait for that.
    if (what === "hangup" && call && !call.ended && call.speaking_until) this.#hangUp.dataset.cut = "yes";
  }
}

const ENDINGS = {
  busy: "Busy: the call was not taken",
  "no-answer": "Nobody answered",
  canceled: "The caller gave up",
  failed: "The call could not be placed",
};

/** What a phone is doing, in words. */
function doing(call, state, rings) {
  const other = nameOf(state, call.direction === "inbound" ? call.to : call.from);
  if (rings) return `Rings: ${other}, ${unbroken(shownNumber(call.from))}`;
  if (call.ended) return ENDINGS[call.status] ?? "The call is over";
  if (call.status === "ringing") return `Calling ${other}…`;
  if (call.connected_to) {
    const peer = state.calls.find((item) => item.sid === call.connected_to);
    return `Connected with ${peer ? nameOf(state, peer.phone) : "somebody"}`;
  }
  if (call.waiting?.kind === "record") return "Recording: speak now";
  if (call.waiting?.kind === "gather") return call.waiting.prompting ? "Listening; keys work" : "Waits for a key";
  return "Listening";
}
