"""The small things that calls are made of: what is heard, what is waited for, what is put in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from simulator import audio

EVENTS = ("initiated", "ringing", "answered", "completed")


@dataclass
class Heard:
    """Something that the outside party heard. Kinds: say, play, beep, pause, ring, speech, digits."""

    time: datetime
    kind: str
    text: str
    seconds: float


@dataclass
class Waiting:
    """What the call waits for. ``prompting`` while the prompts inside a Gather are still being said."""

    kind: str  # gather or record
    timeout: float
    finish_on_key: str
    num_digits: int | None = None
    max_length: float | None = None
    prompting: bool = False


@dataclass(frozen=True)
class Digits:
    text: str


@dataclass(frozen=True)
class Speech:
    """Something that the outside party says, from ``start`` on."""

    start: datetime
    clip: audio.Clip

    @property
    def end(self) -> datetime:
        return self.start + timedelta(seconds=self.clip.seconds)


Input = Digits | Speech


@dataclass(frozen=True)
class Callback:
    """Where a call's progress is reported, and which of the four events."""

    url: str
    method: str = "POST"
    events: frozenset[str] = frozenset({"completed"})


def geography(**numbers: str) -> dict[str, str]:
    """FromCity, FromState, ...: mostly empty, as Twilio sends them, but for the country of US numbers."""
    return {
        f"{who}{what}": "US" if what == "Country" and number.startswith("+1") else ""
        for who, number in numbers.items()
        for what in ("City", "State", "Zip", "Country")
    }
