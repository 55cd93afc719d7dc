// Records from the microphone by Web Audio and encodes a WAV file in the browser.

const ENOUGH_HZ = 16_000; // a telephone carries half of that

/** `onLevel(0..1)` tells how loud it is while recording. */
export class Recorder {
  #onLevel;
  #chunks = [];
  #stream = null;
  #context = null;

  constructor(onLevel) {
    this.#onLevel = onLevel;
  }

  static get isPossible() {
    return Boolean(navigator.mediaDevices?.getUserMedia && window.AudioContext);
  }

  /** Begin. Rejects when there is no microphone, or the person does not allow it. */
  async start() {
    this.#chunks = [];
    this.#stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 } });
    this.#context = new AudioContext();
    const source = this.#context.createMediaStreamSource(this.#stream);
    const node = await this.#listener();
    // A node is only run when it leads somewhere; a gain of nothing keeps the room from howling.
    const nowhere = this.#context.createGain();
    nowhere.gain.value = 0;
    source.connect(node).connect(nowhere).connect(this.#context.destination);
  }

  /** End; the sound as a WAV file. */
  async stop() {
    const rate = this.#context?.sampleRate ?? ENOUGH_HZ;
    this.release();
    return wav(thinned(joined(this.#chunks), Math.max(Math.floor(rate / ENOUGH_HZ), 1)), rate);
  }

  /** Let go of the microphone. */
  release() {
    this.#stream?.getTracks().forEach((track) => track.stop());
    this.#context?.close();
    this.#stream = this.#context = null;
  }

  async #listener() {
    if (this.#context.audioWorklet) {
      await this.#context.audioWorklet.addModule(new URL("./pcm-worklet.js", import.meta.url));
      const node = new AudioWorkletNode(this.#context, "pcm");
      node.port.onmessage = ({ data }) => this.#take(data);
      return node;
    }
    const node = this.#context.createScriptProcessor(4096, 1, 1);
    node.onaudioprocess = ({ inputBuffer }) => this.#take(inputBuffer.getChannelData(0).slice());
    return node;
  }

  #take(samples) {
    this.#chunks.push(samples);
    let loudest = 0;
    for (const sample of samples) loudest = Math.max(loudest, Math.abs(sample));
    this.#onLevel(loudest);
  }
}

/** All samples in one piece; where there are none, a moment of silence: a file needs some. */
function joined(chunks) {
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const all = new Float32Array(length || ENOUGH_HZ / 10);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

/** Every `factor` samples as their mean: {samples, factor}. */
function thinned(samples, factor) {
  const fewer = new Float32Array(Math.floor(samples.length / factor));
  for (let index = 0; index < fewer.length; index++) {
    let sum = 0;
    for (let offset = 0; offset < factor; offset++) sum += samples[index * factor + offset];
    fewer[index] = sum / factor;
  }
  return { samples: fewer, factor };
}

/** Mono 16-bit PCM with a 44-byte header, as every WAV reader takes it. */
function wav({ samples, factor }, rate) {
  const view = new DataView(new ArrayBuffer(44 + samples.length * 2));
  const text = (at, letters) => [...letters].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  const slower = Math.round(rate / factor);
  text(0, "RIFF");
  view.setUint32(4, 36 + samples.length * 2, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, slower, true);
  view.setUint32(28, slower * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, samples.length * 2, true);
  samples.forEach((sample, i) => view.setInt16(44 + i * 2, Math.max(-1, Math.min(1, sample)) * 32767, true));
  return new Blob([view], { type: "audio/wav" });
}
