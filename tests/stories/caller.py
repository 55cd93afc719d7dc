"""A person on the telephone: a customer on a line, or an engineer with a page."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from simulator.calls import Call

if TYPE_CHECKING:
    from tests.house import House


class Caller:
    """A person on a call, who listens before doing the next thing."""

    def __init__(self, house: House, call: Call) -> None:
        self.house = house
        self.call = call
        self._seen = 0
        self._wait()

    def _wait(self) -> None:
        self.house.company.run_until_waiting(self.call)

    @property
    def said(self) -> str:
        """What was heard since the last deed."""
        return " ".join(heard.text for heard in self.call.heard[self._seen :])

    def hears(self, *words: str) -> Caller:
        """All of ``words`` were said since the last deed."""
        for word in words:
            assert word in self.said, f"{word!r} was not heard, but: {self.said!r}"
        return self

    def does_not_hear(self, *words: str) -> Caller:
        """None of ``words`` was said since the last deed."""
        for word in words:
            assert word not in self.said, f"{word!r} was heard: {self.said!r}"
        return self

    def presses(self, keys: str) -> Caller:
        """Press keys, and listen to what follows."""
        return self._listens(lambda: self.call.press(keys))

    def waits(self) -> Caller:
        """Press nothing until something else is asked."""
        return self._listens(lambda: None)

    def _listens(self, deed: Callable[[], object]) -> Caller:
        call = self.call
        before, peer, self._seen = call.waiting, call.peer, len(call.heard)
        deed()
        self.house.until(
            lambda: (
                call.ended
                or (call.peer is not None and call.peer is not peer)
                or (call.is_asking and call.waiting is not before)
            )
        )
        return self

    def says(self, seconds: float = 8, text: str = "") -> Caller:
        """Speak for a while; the recording goes on."""
        self.call.speak(seconds=seconds, text=text or "Production is down.")
        return self

    def hangs_up(self) -> Caller:
        """End the call."""
        self.call.hang_up()
        self.house.fast_forward(0)
        return self

    def leaves(self, seconds: float = 8) -> Caller:
        """Speak, and hang up instead of pressing a key."""
        return self.says(seconds).hangs_up()

    @property
    def is_over(self) -> bool:
        """Whether the line is dead."""
        return self.call.ended
