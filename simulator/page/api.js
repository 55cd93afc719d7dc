// The control API of the simulator, and the stream of its states.

const PAUSE_MS = 120; // changes come in bursts: wait for the rest of one before asking for the state
const LONG_POLL_MS = 30_000;
const RETRY_MS = [500, 1000, 2000, 3000];

/** The simulator refused; the message says why. */
export class Refused extends Error {}

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

async function answerOf(response) {
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(body.error || `the simulator answered ${response.status}`);
  return body;
}

/** POST to /control: an object goes as JSON, a Blob as it is, a FormData as a form. */
export async function post(path, body = {}) {
  const raw = body instanceof Blob || body instanceof FormData;
  const headers = raw ? {} : { "Content-Type": "application/json" };
  let response;
  try {
    response = await fetch(`/control${path}`, { method: "POST", headers, body: raw ? body : JSON.stringify(body) });
  } catch {
    throw new Refused("the simulator does not answer");
  }
  return answerOf(response);
}

/** GET below /control. */
export async function get(path) {
  return answerOf(await fetch(`/control${path}`, { cache: "no-store", signal: AbortSignal.timeout(LONG_POLL_MS) }));
}

/**
 * Follow the simulator for ever: onState(state) at once and after every change, onLost() when it stops
 * answering. One request at a time, and none while nothing happens but the one that waits. ``path`` is the state's.
 */
export async function follow(onState, onLost, path = "/state") {
  for (let failures = 0; ; failures++) {
    try {
      let state = await get(path);
      failures = 0;
      onState(state);
      for (;;) {
        const { last } = await get(`/events?after=${state.last_event}`);
        if (last === state.last_event) continue;
        await sleep(PAUSE_MS);
        state = await get(path);
        onState(state);
      }
    } catch (error) {
      if (!(error instanceof Refused || error instanceof TypeError || error instanceof DOMException)) throw error;
      onLost();
      await sleep(RETRY_MS[Math.min(failures, RETRY_MS.length - 1)]);
    }
  }
}
