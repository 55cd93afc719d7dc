// What a telephone sounds like, made by Web Audio: a soft ring, ringing heard by a caller, the tone, the keys.

const KEYS = "123456789*0#";
const ROWS = [697, 770, 852, 941];
const COLUMNS = [1209, 1336, 1477];
const CHIME = [659.3, 830.6, 987.8, 830.6];
const RING_EVERY_MS = 3200;
const RINGBACK_EVERY_MS = 5000;

/** All sounds but voices. */
export class Tones {
  muted = false;
  #context = null;
  #ring = null;
  #ringback = null;

  /** Browsers allow sound only after a person has touched the page. */
  wake() {
    const Context = window.AudioContext ?? window.webkitAudioContext;
    if (!Context) return;
    this.#context ??= new Context();
    if (this.#context.state === "suspended") this.#context.resume();
  }

  /** Whether some phone rings. */
  ringing(on) {
    this.#ring = this.#repeat(this.#ring, on, RING_EVERY_MS, () => {
      CHIME.forEach((pitch, index) => this.#bell(pitch, index * 0.17, 0.07, 1.1));
    });
  }

  /** Whether a caller hears it ring at the other end. */
  ringback(on) {
    this.#ringback = this.#repeat(this.#ringback, on, RINGBACK_EVERY_MS, () => {
      for (const pitch of [440, 480]) this.#steady(pitch, 1.4, 0.025);
    });
  }

  /** The tone after which a recording begins. */
  beep() {
    this.#steady(1000, 0.45, 0.05);
  }

  key(key) {
    const place = KEYS.indexOf(key);
    if (place < 0) return;
    for (const pitch of [ROWS[Math.floor(place / 3)], COLUMNS[place % 3]]) this.#steady(pitch, 0.12, 0.035);
  }

  #repeat(timer, on, every, sound) {
    if (on && timer === null) {
      sound();
      return setInterval(sound, every);
    }
    if (!on && timer !== null) clearInterval(timer);
    return on ? timer : null;
  }

  #voice(pitch, start) {
    if (this.muted || this.#context?.state !== "running") return null;
    const oscillator = this.#context.createOscillator();
    const gain = this.#context.createGain();
    oscillator.frequency.value = pitch;
    oscillator.connect(gain).connect(this.#context.destination);
    return { oscillator, gain: gain.gain, at: this.#context.currentTime + start };
  }

  #bell(pitch, start, loudness, length) {
    const voice = this.#voice(pitch, start);
    if (!voice) return;
    voice.gain.setValueAtTime(0.0001, voice.at);
    voice.gain.exponentialRampToValueAtTime(loudness, voice.at + 0.02);
    voice.gain.exponentialRampToValueAtTime(0.0001, voice.at + length);
    voice.oscillator.start(voice.at);
    voice.oscillator.stop(voice.at + length);
  }

  #steady(pitch, length, loudness) {
    const voice = this.#voice(pitch, 0);
    if (!voice) return;
    voice.gain.setValueAtTime(0, voice.at);
    voice.gain.linearRampToValueAtTime(loudness, voice.at + 0.015);
    voice.gain.setValueAtTime(loudness, voice.at + length - 0.03);
    voice.gain.linearRampToValueAtTime(0, voice.at + length);
    voice.oscillator.start(voice.at);
    voice.oscillator.stop(voice.at + length);
  }
}
