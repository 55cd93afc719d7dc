// What went over the wire: the webhooks that the simulator sent, and its debugger's alerts.

import { clockTime, nameOf } from "./format.js";
import { h, setText } from "./dom.js";

const SHOWN = 60;

export class Wire {
  #clock;
  #count = h("span", { class: "count" });
  #alertCount = h("span", { class: "count" });
  #webhooks = h("tbody");
  #alerts = h("ol", { class: "alerts" });
  #seen = "";

  constructor(clock) {
    this.#clock = clock;
    const heads = ["Time", "What", "Status", "ms", "Where to"].map((head) => h("th", { scope: "col" }, head));
    this.element = h("div", { class: "wire" },
      h("section", { class: "card", "aria-labelledby": "webhooks-title" },
        h("header", {}, h("h2", { id: "webhooks-title" }, "Webhooks"), this.#count),
        h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Webhooks sent" },
          h("table", {}, h("thead", {}, h("tr", {}, heads)), this.#webhooks))),
      h("section", { class: "card", "aria-labelledby": "alerts-title" },
        h("header", {}, h("h2", { id: "alerts-title" }, "Debugger alerts"), this.#alertCount), this.#alerts));
  }

  update(state) {
    const seen = JSON.stringify([state.webhooks.slice(0, 1), state.webhooks.length, state.alerts.slice(0, 1), state.alerts.length, state.zone]);
    if (seen === this.#seen) return;
    this.#seen = seen;
    this.#webhooks.replaceChildren(...state.webhooks.slice(0, SHOWN).map((entry) => this.#webhook(entry)));
    if (!state.webhooks.length) this.#webhooks.append(h("tr", {}, h("td", { colspan: "5", class: "empty" }, "None yet: make a call.")));
    this.#alerts.replaceChildren(...state.alerts.slice(0, SHOWN).map((alert) => this.#alert(alert, state)));
    if (!state.alerts.length) this.#alerts.append(h("li", { class: "empty" }, "None. That is how it should be."));
    setText(this.#count, state.webhooks.length ? `the last ${Math.min(state.webhooks.length, SHOWN)}` : "");
    setText(this.#alertCount, state.alerts.length ? String(state.alerts.length) : "");
  }

  #time(time) {
    return h("time", { datetime: time }, clockTime(new Date(time), this.#clock.zone));
  }

  #webhook({ time, kind, method, url, status, ms, error }) {
    const good = status >= 200 && status < 400;
    return h("tr", { class: good ? "" : "bad" },
      h("td", {}, this.#time(time)), h("td", {}, kind.replaceAll("-", " ")),
      h("td", {}, h("span", { class: "code" }, status ? String(status) : "none")), h("td", {}, String(ms)),
      h("td", { class: "url", title: `${method} ${url}` }, pathOf(url), error ? h("span", { class: "error" }, ` ${error}`) : null));
  }

  #alert({ time, code, message, url, call_sid: sid }, state) {
    const call = state.calls.find((item) => item.sid === sid);
    return h("li", {}, this.#time(time), h("strong", {}, String(code)),
      h("span", {}, message, call ? ` (call with ${nameOf(state, call.phone)})` : "", url ? h("small", {}, ` ${url}`) : null));
  }
}

function pathOf(url) {
  try {
    const { pathname, search } = new URL(url);
    return pathname + search;
  } catch {
    return url;
  }
}
