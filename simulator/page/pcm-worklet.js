// Runs beside the page's own thread: hands the microphone's samples over as they come.

class Pcm extends AudioWorkletProcessor {
  process([input]) {
    if (input[0]?.length) this.port.postMessage(input[0].slice());
    return true;
  }
}

registerProcessor("pcm", Pcm);
