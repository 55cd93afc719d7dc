// Says prompts aloud with the browser's own voice, and plays recordings: one thing at a time, in order.

const RATE = 1.08;
const LATE_S = 4; // what should have been over that long ago is not said any more
const PATIENCE_S = 4; // a browser without a voice never says that it has finished

/** A queue of things to be heard. `clock` tells the pretended time, in which things were said. */
export class Voice {
  #clock;
  #queue = [];
  #current = null;
  #on = true;

  constructor(clock) {
    this.#clock = clock;
  }

  get canSpeak() {
    return "speechSynthesis" in window && "SpeechSynthesisUtterance" in window;
  }

  set on(on) {
    this.#on = on;
    if (!on) this.hush();
  }

  /** Queue something heard on a phone: {phone, at (Date), seconds, text} or {..., url}. */
  add(item) {
    if (!this.#on || (!item.url && !this.canSpeak)) return;
    this.#queue.push(item);
    if (this.#current === null) this.#next();
  }

  /** Stop what is heard on that phone (or on all): a key was pressed, or the call is over. */
  hush(phone) {
    const meant = (item) => phone === undefined || item.phone === phone;
    this.#queue = this.#queue.filter((item) => !meant(item));
    if (this.#current && meant(this.#current.item)) this.#current.stop();
  }

  #next() {
    const item = this.#queue.shift();
    if (item === undefined) return;
    const over = item.at.getTime() + (item.seconds + LATE_S) * 1000;
    if (over < this.#clock.now().getTime()) this.#next();
    else if (item.url) this.#play(item);
    else this.#say(item);
  }

  #begin(item, stop) {
    const end = () => {
      if (this.#current !== current) return;
      clearTimeout(watchdog);
      this.#current = null;
      this.#next();
    };
    const current = { item, stop: () => (stop(), end()) };
    const watchdog = setTimeout(() => current.stop(), (item.seconds * 1.6 + PATIENCE_S) * 1000);
    this.#current = current;
    return end;
  }

  #say(item) {
    const utterance = new SpeechSynthesisUtterance(item.text);
    utterance.rate = RATE;
    utterance.lang = "en-US";
    utterance.pitch = item.pitch ?? 1;
    const end = this.#begin(item, () => speechSynthesis.cancel());
    utterance.addEventListener("end", end);
    utterance.addEventListener("error", end);
    speechSynthesis.speak(utterance);
  }

  #play(item) {
    const audio = new Audio(item.url);
    const end = this.#begin(item, () => audio.pause());
    audio.addEventListener("ended", end);
    audio.addEventListener("error", end);
    audio.play().catch(end);
  }
}
