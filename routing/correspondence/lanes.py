"""How many mails a process sends at once: a mail server that hangs must not hold all threads, for phones wait too."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

_SLOW_S = 1.0
_SOON, _LATER = timedelta(milliseconds=200), timedelta(seconds=5)


class Lanes:
    """So many pieces of work at once, and how long to wait for one of them to end."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._lock = threading.Lock()
        self._since: dict[int, float] = {}  # when each began (time.monotonic)

    @contextmanager
    def lane(self) -> Iterator[bool]:
        """A lane while the block runs; False if there is none."""
        me = threading.get_ident()
        with self._lock:
            free = len(self._since) < self._number
            if free:
                self._since[me] = time.monotonic()
        try:
            yield free
        finally:
            if free:
                with self._lock:
                    del self._since[me]

    @property
    def pause(self) -> timedelta:
        """How long to wait for a lane: longer where one is held for long, so that nobody asks all the time."""
        with self._lock:
            slow = any(time.monotonic() - began > _SLOW_S for began in self._since.values())
        return _LATER if slow else _SOON
