"""Recordings: the sound, when its file exists, and what Twilio tells about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from simulator import audio
from simulator.calls import Call
from simulator.parts import Speech

TOO_SHORT, SILENT = 16101, 16102


@dataclass(eq=False)
class Recording:
    """One recording. ``media_at`` is when its file appears; ``status`` as in Twilio's API."""

    sid: str
    call: Call
    started_at: datetime
    created_at: datetime
    media_at: datetime
    samples: audio.Samples
    source: str = "RecordVerb"
    status: str = "processing"
    error_code: int | None = None
    text: str | None = None
    has_media: bool = False  # its file has appeared; the clock may have been set since

    @property
    def seconds(self) -> int:
        """Whole seconds, as Twilio counts: at least 1 for anything that was kept."""
        return max(round(len(self.samples) / audio.RATE), 1)

    def url(self) -> str:
        company = self.call.company
        return f"{company.base_url}/2010-04-01/Accounts/{company.account_sid}/Recordings/{self.sid}"


@dataclass(frozen=True)
class Take:
    """What a Record verb caught: samples, the words where all are known, and why it is empty, if it is."""

    samples: audio.Samples
    text: str | None
    error_code: int | None


def take(speeches: list[Speech], start: datetime, end: datetime, trim: bool) -> Take:
    """What was said between ``start`` and ``end``, with the silence at both ends cut off if ``trim``."""
    parts = [speech for speech in speeches if speech.end > start and speech.start < end]
    length = round((end - start).total_seconds() * audio.RATE)
    texts = [speech.clip.text for speech in parts]
    text = " ".join(text for text in texts if text) if parts and all(texts) else None
    if len(parts) == 1 and trim and parts[0].start >= start and parts[0].end <= end:
        samples = parts[0].clip.samples  # the usual case: no copy
    else:
        samples = _mixed(parts, start, length)
        if trim and parts:
            first, last = _place(parts[0], start), _place(parts[-1], start) + len(parts[-1].clip.samples)
            samples = samples[max(first, 0) : min(last, length)]
    if not parts or audio.Clip(samples).is_silent:
        return Take(samples, None, SILENT if length >= audio.RATE else TOO_SHORT)
    return Take(samples, text, TOO_SHORT if len(samples) < audio.RATE else None)


def _place(speech: Speech, start: datetime) -> int:
    return round((speech.start - start) / timedelta(seconds=1) * audio.RATE)


def _mixed(parts: list[Speech], start: datetime, length: int) -> audio.Samples:
    mixed = np.zeros(length, dtype=np.int16)
    for speech in parts:
        place = _place(speech, start)
        samples = speech.clip.samples[max(-place, 0) :]
        place = max(place, 0)
        samples = samples[: max(length - place, 0)]
        mixed[place : place + len(samples)] = samples
    return mixed
