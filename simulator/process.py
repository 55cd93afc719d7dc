"""Engine processes: generators that yield what they wait for, and can be interrupted from outside."""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")


class Signal:
    """Something that happens once. A process that yields it goes on with its value when it has happened."""

    def __init__(self) -> None:
        self.fired = False
        self.value: Any = None
        self._then: list[Callable[[Any], None]] = []

    def fire(self, value: Any = None) -> None:
        if self.fired:
            return
        self.fired, self.value = True, value
        waiting, self._then = self._then, []
        for fn in waiting:
            fn(value)

    def then(self, fn: Callable[[Any], None]) -> None:
        if self.fired:
            fn(self.value)
        else:
            self._then.append(fn)


Step = Generator[Signal, Any, T]


class HungUp(Exception):
    """The call is over: somebody hung up, or the document said so."""


class Process:
    """Runs one generator. ``ended`` is called once, when it has returned or let ``HungUp`` pass."""

    def __init__(self, generator: Step[None], ended: Callable[[], None]) -> None:
        self._generator = generator
        self._ended = ended
        self._waiting: Signal | None = None
        self._running = False
        self._interrupts: list[Exception] = []
        self.finished = False

    def start(self) -> None:
        self._run(partial(next, self._generator))

    def interrupt(self, error: Exception) -> None:
        """Raise ``error`` where the process waits; one that is just running gets it at its next wait."""
        if self.finished:
            return
        if self._running:
            self._interrupts.append(error)
            return
        self._waiting = None
        self._run(partial(self._generator.throw, error))

    def _wake(self, signal: Signal, _value: object) -> None:
        if self._waiting is signal and not self.finished:
            self._waiting = None
            self._run(partial(self._generator.send, signal.value))

    def _run(self, resume: Callable[[], Signal]) -> None:
        self._running = True
        try:
            while True:
                signal = resume()
                if self._interrupts:
                    resume = partial(self._generator.throw, self._interrupts.pop(0))
                elif signal.fired:
                    resume = partial(self._generator.send, signal.value)
                else:
                    self._waiting = signal
                    signal.then(partial(self._wake, signal))
                    return
        except (StopIteration, HungUp):
            self._finish()
        except Exception:
            self._finish()  # a broken process must not leave its call open for ever
            raise
        finally:
            self._running = False

    def _finish(self) -> None:
        self.finished, self._running = True, False
        self._ended()
