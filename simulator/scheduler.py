"""When things happen: a discrete-event scheduler, in virtual time for tests and in real time for the desk."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol, TypeVar

T = TypeVar("T")
log = logging.getLogger(__name__)


class Handle:
    """One thing to happen; ``cancel()`` makes it not happen."""

    def __init__(self, fn: Callable[[], object]) -> None:
        self._fn: Callable[[], object] | None = fn

    @property
    def cancelled(self) -> bool:
        return self._fn is None

    def cancel(self) -> None:
        self._fn = None

    def run(self) -> None:
        fn, self._fn = self._fn, None
        if fn is not None:
            fn()


class Scheduler(Protocol):
    """What the engine needs of time. Everything it runs, it runs one after the other."""

    def now(self) -> datetime: ...
    def elapsed(self) -> float: ...  # seconds since some moment; not moved when the clock is set
    def at(self, when: datetime, fn: Callable[[], object]) -> Handle: ...
    def after(self, seconds: float, fn: Callable[[], object]) -> Handle: ...
    def ask(self, fn: Callable[[], T]) -> T: ...


class VirtualScheduler:
    """Time that passes only when told to. Used from one thread; same inputs, same order, every time."""

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise ValueError("start needs a time zone")
        self._now = start.astimezone(UTC)
        self._heap: list[tuple[datetime, int, Handle]] = []
        self._count = itertools.count()

    def now(self) -> datetime:
        return self._now

    def elapsed(self) -> float:
        return self._now.timestamp()

    def at(self, when: datetime, fn: Callable[[], object]) -> Handle:
        """Run ``fn`` at ``when``, or at once (but not before what is already due) if that is past."""
        handle = Handle(fn)
        heapq.heappush(self._heap, (max(when, self._now), next(self._count), handle))
        return handle

    def after(self, seconds: float, fn: Callable[[], object]) -> Handle:
        return self.at(self._now + timedelta(seconds=seconds), fn)

    def ask(self, fn: Callable[[], T]) -> T:
        return fn()

    def next_at(self) -> datetime | None:
        """When the next thing happens, or None when nothing is planned."""
        while self._heap and self._heap[0][2].cancelled:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def run_next(self) -> bool:
        """Move the clock to the next planned thing and run it; False when there is none."""
        if self.next_at() is None:
            return False
        when, _, handle = heapq.heappop(self._heap)
        self._now = max(self._now, when)
        handle.run()
        return True

    def set_now(self, now: datetime) -> None:
        """Run everything due until ``now``, that instant included, then let it be ``now``. Never back."""
        while (when := self.next_at()) is not None and when <= now:
            self.run_next()
        self._now = max(self._now, now.astimezone(UTC))

    def advance(self, seconds: float) -> None:
        self.set_now(self._now + timedelta(seconds=seconds))


class ClockFile:
    """An offset to the system's clock, in seconds, in a text file; lets a desk pretend that it is 02:10.

    Absent, empty or unreadable means 0. The file is read again whenever its time of change differs.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._read_at: int | None = None
        self._offset = 0.0

    def offset(self) -> float:
        if self.path is None:
            return 0.0
        try:
            changed = self.path.stat().st_mtime_ns
            if changed != self._read_at:
                self._offset = float(self.path.read_text(encoding="ascii").strip() or 0)
                self._read_at = changed
        except (OSError, ValueError):
            self._offset, self._read_at = 0.0, None
        return self._offset

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.offset())

    def write(self, offset: float) -> None:
        """Set the offset; readers never see half a file."""
        if self.path is None:
            raise ValueError("no clock file: set SIMULATOR_CLOCK_FILE or start with --data")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_name(self.path.name + ".new")
        fresh.write_text(f"{offset:.3f}\n", encoding="ascii")
        fresh.replace(self.path)


class LiveScheduler:
    """Real time on one engine thread, the only one that touches the engine's state.

    Delays are measured by the monotonic clock, so that setting the desk's clock to another hour does not let
    every phone ring out. Only a prompt or a recording that is going on just then is cut short.
    """

    def __init__(self, clock: ClockFile) -> None:
        self.clock = clock
        self._heap: list[tuple[float, int, Handle]] = []
        self._count = itertools.count()
        self._wake = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="simulator-engine", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        with self._wake:
            self._stopping = True
            self._wake.notify()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(timeout=1)

    def now(self) -> datetime:
        return self.clock.now()

    def elapsed(self) -> float:
        return time.monotonic()

    def at(self, when: datetime, fn: Callable[[], object]) -> Handle:
        return self.after((when - self.now()).total_seconds(), fn)

    def after(self, seconds: float, fn: Callable[[], object]) -> Handle:
        """Run ``fn`` on the engine thread after ``seconds``. May be called from any thread."""
        handle = Handle(fn)
        with self._wake:
            heapq.heappush(self._heap, (time.monotonic() + max(seconds, 0.0), next(self._count), handle))
            self._wake.notify()
        return handle

    def ask(self, fn: Callable[[], T]) -> T:
        """Run ``fn`` on the engine thread and give back what it returns or raises."""
        if threading.current_thread() is self._thread:
            return fn()
        done = threading.Event()
        outcome: list[T] = []
        failure: list[Exception] = []

        def run() -> None:
            try:
                outcome.append(fn())
            except Exception as error:  # noqa: BLE001 - handed over to the thread that asked
                failure.append(error)
            done.set()

        self.after(0, run)
        if not done.wait(timeout=10):
            raise TimeoutError("the engine did not answer")
        if failure:
            raise failure[0]
        return outcome[0]

    def _next_due(self) -> Handle | None:
        """Sleep until something is due; None when stopping."""
        with self._wake:
            while not self._stopping:
                while self._heap and self._heap[0][2].cancelled:
                    heapq.heappop(self._heap)
                if not self._heap:
                    self._wake.wait()
                    continue
                wait = self._heap[0][0] - time.monotonic()
                if wait <= 0:
                    return heapq.heappop(self._heap)[2]
                self._wake.wait(wait)
        return None

    def _run(self) -> None:
        while (handle := self._next_due()) is not None:
            try:
                handle.run()
            except Exception:
                # One broken call must not take the whole phone company down.
                log.exception("the engine failed at one step")
