"""The outside world's telephones, and how they behave when they ring.

A behaviour is any callable that takes the ringing ``Call`` and arranges what its owner does:
``call.answer()``, ``call.reject("busy")``, ``call.after(seconds, fn)``, ``call.press("1")``,
``call.hang_up()``. The classes here are the usual ones. ``answered_by`` is what answering machine detection
will say of it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from simulator.calls import Call
from simulator.parts import Heard, Waiting

if TYPE_CHECKING:
    from simulator.company import PhoneCompany

Behaviour = Callable[[Call], None]


@dataclass(frozen=True)
class Answers:
    """Answers after some seconds and presses keys.

    ``presses`` is a list of (seconds after answering, keys), or a text: then at each question, once it has
    been said, as many of its keys are pressed as that question takes. ``hangs_up_after`` counts from the last
    press, or from answering where none is made; None stays on the line until the other side is done.
    """

    after: float = 3.0
    presses: Sequence[tuple[float, str]] | str = ()
    hangs_up_after: float | None = None
    says: str | None = None
    answered_by: str = "human"

    def __call__(self, call: Call) -> None:
        call.after(self.after, call.answer)
        call.picked_up.then(lambda status: self._answered(call) if status == "answered" else None)

    def _answered(self, call: Call) -> None:
        if self.says is not None:
            words = self.says
            call.after(0.5, lambda: call.speak(text=words, wait=False))
        if isinstance(self.presses, str):
            _PressesWhenAsked(call, self.presses, self.hangs_up_after)
            return
        for delay, keys in self.presses:
            call.after(delay, _pressing(call, keys))
        if self.hangs_up_after is not None:
            last = max((delay for delay, _ in self.presses), default=0.0)
            call.after(last + self.hangs_up_after, call.hang_up)


class _PressesWhenAsked:
    """A person who listens to each question and presses the next keys a second later."""

    def __init__(self, call: Call, keys: str, hangs_up_after: float | None) -> None:
        self._call, self._keys, self._hangs_up_after = call, keys, hangs_up_after
        call.when_waiting.append(self._asked)
        if not keys:
            self._maybe_hang_up()

    def _asked(self, waiting: Waiting) -> None:
        if waiting.kind == "gather" and self._keys:
            self._call.after(1.0, lambda: self._press(waiting))

    def _press(self, waiting: Waiting) -> None:
        if self._call.waiting is not waiting:
            return
        end = waiting.num_digits or len(self._keys)
        found = self._keys.find(waiting.finish_on_key) if waiting.finish_on_key else -1
        if 0 <= found < end:
            end = found + 1
        keys, self._keys = self._keys[:end], self._keys[end:]
        self._call.press(keys)
        if not self._keys:
            self._maybe_hang_up()

    def _maybe_hang_up(self) -> None:
        if self._hangs_up_after is not None:
            self._call.after(self._hangs_up_after, self._call.hang_up)


def _pressing(call: Call, keys: str) -> Callable[[], None]:
    return lambda: call.press(keys)


@dataclass(frozen=True)
class Mailbox:
    """A voice mailbox: answers, plays its greeting, records whatever it then hears, hangs up."""

    after: float = 20.0
    greeting: float = 6.0
    records: float = 30.0
    answered_by: str = "machine_end_beep"

    def __call__(self, call: Call) -> None:
        Answers(self.after, hangs_up_after=self.greeting + self.records)(call)

    def recorded(self, call: Call) -> list[Heard]:
        """What of this call is on its tape: all that began after the beep."""
        start = call.answered_at
        if start is None:
            return []
        return [item for item in call.heard if (item.time - start).total_seconds() >= self.greeting]


@dataclass(frozen=True)
class Screening:
    """A telephone that screens: it answers by itself, presses nothing, and hangs up after a while."""

    after: float = 2.0
    hangs_up_after: float = 15.0
    answered_by: str = "unknown"

    def __call__(self, call: Call) -> None:
        Answers(self.after, hangs_up_after=self.hangs_up_after)(call)


@dataclass(frozen=True)
class Busy:
    after: float = 1.0
    answered_by: str = "unknown"

    def __call__(self, call: Call) -> None:
        call.after(self.after, lambda: call.reject("busy"))


@dataclass(frozen=True)
class Fails:
    """A number that cannot be reached at all."""

    after: float = 1.0
    answered_by: str = "unknown"

    def __call__(self, call: Call) -> None:
        call.after(self.after, lambda: call.reject("failed"))


@dataclass(frozen=True)
class NeverAnswers:
    answered_by: str = "unknown"

    def __call__(self, call: Call) -> None:
        """Rings until the other side gives up."""


@dataclass(frozen=True)
class Live:
    """Waits for a person, who answers by ``call.answer()`` or through the control API."""

    answered_by: str = "human"

    def __call__(self, call: Call) -> None:
        """Rings; the person decides."""


@dataclass(frozen=True)
class Text:
    """An SMS in the phone's list; ``direction`` is as the phone sees it: received or sent."""

    time: datetime
    direction: str
    other: str
    body: str
    sid: str


@dataclass(eq=False)
class Phone:
    """One outside number (or SIP address). Behaviours are used up one a call; the last one stays."""

    company: PhoneCompany
    number: str
    name: str = ""
    behaviours: deque[Behaviour] = field(default_factory=deque)
    calls: list[Call] = field(default_factory=list)
    sms: list[Text] = field(default_factory=list)
    sms_status: str = "delivered"  # or undelivered, failed: what becomes of an SMS to this phone
    sms_error: int | None = None  # the error code of an SMS that does not arrive, else the usual one
    sms_refused: int | None = None  # the error code with which the API refuses to send one at all

    def behave(self, *behaviours: Behaviour) -> None:
        """From now on: the first call meets the first behaviour, the next the second, the last one stays."""
        self.behaviours = deque(behaviours)
        self.company.emit("phone", number=self.number)

    @property
    def behaviour(self) -> Behaviour:
        return self.behaviours[0] if self.behaviours else self.company.default_behaviour

    @property
    def ringing(self) -> Call | None:
        """The call that rings here, if one does."""
        live = (call for call in self.calls if call.status == "ringing" and call.direction != "inbound")
        return next(live, None)

    @property
    def active(self) -> Call | None:
        """The call that this phone is in: one it has answered or placed, and that is not over."""
        live = (call for call in self.calls if not call.ended)
        return next((call for call in live if call.answered or call.direction == "inbound"), None)

    @property
    def heard(self) -> list[Heard]:
        """All that was ever said to this phone."""
        return [item for call in self.calls for item in call.heard]

    @property
    def heard_text(self) -> str:
        return " ".join(call.heard_text for call in self.calls)

    def ring(self, call: Call) -> None:
        """Let it ring. A telephone that is in a call is busy; a SIP address has many lines."""
        engaged = self.active is not None and not self.number.startswith("sip:")
        behaviour: Behaviour = Busy() if engaged else self.behaviour
        if not engaged and len(self.behaviours) > 1:
            self.behaviours.popleft()
        self.calls.append(call)
        call.detected = getattr(behaviour, "answered_by", "human")
        behaviour(call)
