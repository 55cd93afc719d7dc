"""Sound: what was said, as 8 kHz mono 16-bit samples.

Typed words have no voice here: a soft warbling tone stands for them, as long as saying them would take, and
the words go along as the transcription.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

RATE = 8000
WORDS_PER_SECOND = 2.6
# Full scale is 32767; a telephone line's own noise stays well below this.
SILENCE_LEVEL = 120
MAX_UPLOAD_SECONDS = 3600
SAMPLE_FILE = Path(__file__).parent / "sounds" / "voicemail.wav"

Samples = npt.NDArray[np.int16]


class NotAudio(ValueError):
    """The bytes are not a sound that can be read."""


@dataclass(frozen=True, eq=False)
class Clip:
    """Something said: samples at 8 kHz, and the words where they are known."""

    samples: Samples
    text: str | None = None

    @property
    def seconds(self) -> float:
        return len(self.samples) / RATE

    @property
    def is_silent(self) -> bool:
        """Whether (almost) nothing can be heard: fewer than one sample in a thousand is above the noise."""
        loud = np.count_nonzero(np.abs(self.samples.astype(np.int32)) > SILENCE_LEVEL)
        return bool(loud * 1000 <= len(self.samples))


def saying_takes(text: str) -> float:
    """Seconds that it takes to say ``text``, at about 2.6 words a second; at least half a second."""
    return max(len(text.split()) / WORDS_PER_SECOND, 0.5)


@lru_cache(maxsize=64)
def _warble(length: int) -> Samples:
    time = np.arange(length) / RATE
    pitch = 2 * np.pi * 220 * time + 3 * np.sin(2 * np.pi * 3.2 * time)
    swell = 0.55 + 0.45 * np.sin(2 * np.pi * 2.3 * time)
    samples: Samples = (5000 * swell * np.sin(pitch)).astype(np.int16)
    samples.setflags(write=False)
    return samples


def tone(seconds: float, text: str | None = None) -> Clip:
    """A soft warbling tone of that length."""
    return Clip(_warble(round(seconds * RATE)), text)


def spoken(text: str) -> Clip:
    """Typed words as a clip: a tone as long as they would take, with the words as its text."""
    return tone(saying_takes(text), text)


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE), dtype=np.int16)


def decode(data: bytes, text: str | None = None) -> Clip:
    """What a person uploads (WAV, MP3, FLAC, OGG) as a clip. Raises NotAudio."""
    try:
        frames, rate = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise NotAudio(f"not a sound file: {error.error_string.rstrip('.')}") from error
    except (TypeError, ValueError) as error:
        raise NotAudio(f"not a sound file: {error}") from error
    if len(frames) == 0:
        raise NotAudio("a sound file without any sound")
    if len(frames) > MAX_UPLOAD_SECONDS * rate:
        raise NotAudio("longer than an hour")
    mono = frames.mean(axis=1)
    return Clip(_resample(mono, rate), text)


def _resample(mono: npt.NDArray[np.float32], rate: int) -> Samples:
    if rate > RATE:  # a moving average takes away what 8 kHz cannot carry
        width = round(rate / RATE)
        mono = np.convolve(mono, np.ones(width, dtype=np.float32) / width, mode="same").astype(np.float32)
    if rate != RATE:
        length = round(len(mono) * RATE / rate)
        mono = np.interp(np.arange(length) * rate / RATE, np.arange(len(mono)), mono).astype(np.float32)
    return (np.clip(mono, -1.0, 1.0) * 32767).astype(np.int16)


def wav(samples: Samples) -> bytes:
    """The samples as an 8 kHz mono 16-bit WAV file."""
    return _encoded(samples, "WAV", "PCM_16")


def mp3(samples: Samples) -> bytes:
    return _encoded(samples, "MP3", "MPEG_LAYER_III")


def _encoded(samples: Samples, form: str, subtype: str) -> bytes:
    out = io.BytesIO()
    soundfile.write(out, samples, RATE, format=form, subtype=subtype)
    return out.getvalue()


def sample_clip() -> Clip:
    """The ready recording that ships with the simulator."""
    words = (
        "This is Maria at Lakeside Credit Union. Our production OpCon system is down, nothing has run since "
        "one forty. Please call me back right away."
    )
    return decode(SAMPLE_FILE.read_bytes(), words)
