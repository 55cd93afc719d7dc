// The pretended time, and the panel that sets it.

import { post } from "./api.js";
import { clockTime, dayOf, placeOf } from "./format.js";
import { h, setText } from "./dom.js";

const PRETENDED_MS = 5000;

/** What time it is at the telephone company. */
export class Clock {
  zone = "UTC";
  #ahead = 0;

  sync(state) {
    this.zone = state.zone || "UTC";
    this.#ahead = new Date(state.now).getTime() - Date.now();
  }

  now() {
    return new Date(Date.now() + this.#ahead);
  }

  get isPretended() {
    return Math.abs(this.#ahead) > PRETENDED_MS;
  }
}

export class ClockPanel {
  #clock;
  #time = h("time", { class: "clock-time" });
  #day = h("p", { class: "clock-day" });
  #wanted = h("input", { type: "time", value: "02:10", "aria-label": "Time to pretend", required: true });
  #set = h("button", { type: "submit", class: "primary" }, "Make it 02:10");
  #back = h("button", { type: "button" }, "Back to now");
  #problem = h("p", { class: "problem", role: "alert" });

  constructor(clock) {
    this.#clock = clock;
    this.#wanted.addEventListener("input", () => setText(this.#set, `Make it ${this.#wanted.value || "…"}`));
    this.#back.addEventListener("click", () => this.#change({ reset: true }));
    const form = h("form", { class: "clock-form" }, this.#wanted, this.#set, this.#back);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#change({ time: this.#wanted.value, zone: this.#clock.zone });
    });
    this.element = h("div", { class: "clock", role: "group", "aria-label": "Clock" },
      h("div", { class: "clock-face" }, this.#time, this.#day), form, this.#problem);
  }

  tick() {
    const now = this.#clock.now();
    const zone = this.#clock.zone;
    setText(this.#time, clockTime(now, zone));
    setText(this.#day, `${dayOf(now, zone)}, ${placeOf(zone)}${this.#clock.isPretended ? " (pretended)" : ""}`);
    this.#back.hidden = !this.#clock.isPretended;
  }

  async #change(wish) {
    setText(this.#problem, "");
    try {
      await post("/clock", wish);
    } catch (error) {
      setText(this.#problem, error.message);
    }
  }
}
