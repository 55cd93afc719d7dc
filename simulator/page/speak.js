// A person's voice: from the microphone, typed, from a file, or the sample that ships with the simulator.

import { post } from "./api.js";
import { h, icon, setText } from "./dom.js";
import { lasted } from "./format.js";
import { Recorder } from "./recorder.js";

const HINTS = {
  record: "The line records you now.",
  connected: "You are connected: the other side hears you.",
  wait: "After the tone, speak here: microphone, text, a file or the sample.",
};

export class SpeakPanel {
  #handset;
  #recorder;
  #onlyConnected;
  #since = null;
  #hint = h("p", { class: "hint" });
  #level = h("span", { class: "level", "aria-hidden": "true" }, h("span"));
  #mic = h("button", { type: "button", class: "mic" }, icon("mic"), h("span", {}, "Record"));
  #words = h("textarea", { rows: "2", "aria-label": "What is said", placeholder: "Type what is said…" });
  #say = h("button", { type: "submit" }, "Say it");
  #file = h("input", { type: "file", accept: "audio/*,.wav,.mp3,.ogg,.flac", class: "visually-hidden", tabindex: "-1", "aria-label": "Sound file" });
  #upload = h("button", { type: "button" }, icon("file"), "Upload");
  #sample = h("button", { type: "button" }, icon("tape"), "Sample");
  #done = h("button", { type: "button" }, "Finish with #");

  /** `onlyConnected`: not for messages, only for talking with another person. */
  constructor(handset, { onlyConnected = false } = {}) {
    this.#handset = handset;
    this.#onlyConnected = onlyConnected;
    this.#recorder = new Recorder((level) => this.#level.firstChild.style.setProperty("--level", level.toFixed(2)));
    this.#mic.addEventListener("click", () => (this.#since === null ? this.#record() : this.#send()));
    this.#upload.addEventListener("click", () => this.#file.click());
    this.#file.addEventListener("change", () => this.#sendFile());
    this.#sample.addEventListener("click", () => this.#speak({ sample: true }));
    this.#done.addEventListener("click", () => this.#post("digits", { digits: "#" }));
    const form = h("form", { class: "say-form" }, this.#words, h("div", {}, this.#say, this.#done));
    form.addEventListener("submit", (event) => (event.preventDefault(), this.#sayWords()));
    this.#words.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#sayWords();
    });
    this.element = h("section", { class: "speak", "aria-label": "Speak" },
      this.#hint, h("div", { class: "speak-row" }, this.#mic, this.#level, this.#upload, this.#sample, this.#file), form);
  }

  update() {
    const { call, isInCall } = this.#handset;
    this.element.hidden = !isInCall || (this.#onlyConnected && !call.connected_to);
    this.#sample.hidden = this.#onlyConnected;
    const recording = call?.waiting?.kind === "record";
    const heard = isInCall && (recording || Boolean(call.connected_to));
    this.element.classList.toggle("open", heard);
    setText(this.#hint, HINTS[recording ? "record" : call?.connected_to ? "connected" : "wait"]);
    for (const control of [this.#words, this.#say, this.#upload, this.#sample]) control.disabled = !heard;
    this.#mic.disabled = (!heard && this.#since === null) || !Recorder.isPossible;
    this.#done.hidden = !recording || !call.waiting.finishOnKey.includes("#");
    if (!isInCall && this.#since !== null) this.#forget();
    this.tick();
  }

  tick() {
    const recording = this.#since !== null;
    const seconds = recording ? (Date.now() - this.#since) / 1000 : 0;
    setText(this.#mic.lastChild, recording ? `Stop and send (${lasted(seconds)})` : "Record");
    this.element.classList.toggle("talking", recording);
  }

  async #record() {
    this.#since = Date.now();
    // The line must not take the question for permission as silence: the mouth opens first.
    const [, problem] = await Promise.all([
      this.#post("talking"),
      this.#recorder.start().then(() => null, (error) => error),
    ]);
    if (problem === null && this.#since !== null) {
      this.#since = Date.now();
    } else if (problem !== null) {
      await this.#send();
      setText(this.#handset.problem, `The microphone cannot be used (${problem.message}). Type, upload a file, or use the sample.`);
    }
    this.tick();
  }

  async #send() {
    const sound = await this.#recorder.stop();
    this.#since = null;
    this.tick();
    await this.#post("speech", sound);
  }

  #forget() {
    this.#recorder.release();
    this.#since = null;
  }

  async #sayWords() {
    const text = this.#words.value.trim();
    if (text && (await this.#speak({ text }))) this.#words.value = "";
  }

  async #sendFile() {
    const [file] = this.#file.files;
    if (!file) return;
    const form = new FormData();
    form.append("file", file);
    this.#file.value = "";
    await this.#post("speech", form);
  }

  #speak(what) {
    return this.#post("speech", what);
  }

  #post(what, body) {
    return this.#handset.attempt(() => post(`/calls/${this.#handset.call.sid}/${what}`, body));
  }
}
