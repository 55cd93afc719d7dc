"""The stream of what happened, for pages that follow it from another thread."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

# Each waits on a thread of the server's. Beyond so many (pages that are open, and that were, a moment ago) nobody
# waits for long: a page that is opened, and the product itself, must not wait for them.
MANY, BRIEFLY_S = 12, 0.5


@dataclass(frozen=True)
class Event:
    """``number`` counts from 1.

    Kinds: call, phone, number, recording, message, webhook, alert, clock.
    """

    number: int
    time: datetime
    kind: str
    data: Mapping[str, str | int]


class EventLog:
    """The last few thousand events. ``add`` on the engine's thread, the rest from any."""

    def __init__(self, size: int = 2000) -> None:
        self._events: deque[Event] = deque(maxlen=size)
        self._changed = threading.Condition()
        self._closed = False
        self._waiting = 0
        self.last = 0

    def add(self, time: datetime, kind: str, data: Mapping[str, str | int]) -> None:
        with self._changed:
            self.last += 1
            self._events.append(Event(self.last, time, kind, data))
            self._changed.notify_all()

    def after(self, number: int, wait: float = 0.0) -> list[Event]:
        """The events after ``number``; waits up to ``wait`` seconds for the first one, less where many wait."""
        with self._changed:
            wait = min(wait, BRIEFLY_S) if self._waiting >= MANY else wait
            self._waiting += 1
            try:
                self._changed.wait_for(lambda: self._closed or self.last > number, timeout=wait)
            finally:
                self._waiting -= 1
            # A number from before a restart is larger than any of ours: start over.
            return [event for event in self._events if event.number > number or number > self.last]

    def close(self) -> None:
        """Let everybody who waits go home."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
