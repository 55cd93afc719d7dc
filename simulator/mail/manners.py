"""How a mailbox behaves when a mail comes for it, as the phones behave when they ring.

As JSON: ``{"kind": "refuses"}``, ``{"kind": "defers", "times": 2}``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulator.behaviours import BadBehaviour
from simulator.mail.letters import Reply


@dataclass(frozen=True)
class Accepts:
    """Takes everything."""


@dataclass(frozen=True)
class Refuses:
    """Refuses for good, while the sender is still on the line."""

    text: str = "5.1.1 there is no such mailbox"

    def refusal(self, _earlier: int) -> Reply:
        return Reply(550, self.text)


@dataclass(frozen=True)
class Defers:
    """Refuses for now, ``times`` times (None: always); then takes it."""

    times: int | None = None
    text: str = "4.2.1 the mailbox is busy, try again later"

    def refusal(self, earlier: int) -> Reply | None:
        return None if self.times is not None and earlier >= self.times else Reply(451, self.text)


@dataclass(frozen=True)
class Bounces:
    """Takes the mail, and after some seconds sends a report that it could not be delivered (RFC 3464)."""

    after: float = 2.0
    status: str = "5.1.1"
    text: str = "the mailbox does not exist"


@dataclass(frozen=True)
class OutOfOffice:
    """Answers each sender once a day that its owner is away (RFC 3834).

    One that is not ``polite`` answers machines and lists too, every time, and says nowhere that it is one.
    """

    after: float = 2.0
    text: str = "I am out of the office until Monday and will read your mail then."
    polite: bool = True


Manner = Accepts | Refuses | Defers | Bounces | OutOfOffice

KINDS: dict[str, type[Manner]] = {
    "accepts": Accepts,
    "refuses": Refuses,
    "defers": Defers,
    "bounces": Bounces,
    "out-of-office": OutOfOffice,
}


def read(description: Mapping[str, Any]) -> Manner:
    """The manner of a description. Raises BadBehaviour."""
    kind = KINDS.get(str(description.get("kind"))) if isinstance(description, Mapping) else None
    if kind is None:
        raise BadBehaviour(f"kind must be one of {', '.join(KINDS)}")
    given = {name: value for name, value in description.items() if name != "kind"}
    known = {field.name for field in dataclasses.fields(kind)}
    if unknown := set(given) - known:
        has = f"it has {', '.join(sorted(known))}" if known else "it has nothing to set"
        raise BadBehaviour(f"{description['kind']} has no {', '.join(sorted(unknown))}; {has}")
    for name, value in given.items():
        _check(name, value)
    return kind(**given)


def _check(name: str, value: Any) -> None:
    if name in {"text", "status"} and not (isinstance(value, str) and value.isprintable() and value):
        raise BadBehaviour(f"{name} must be a text of one line")
    if name == "after" and not (isinstance(value, int | float) and value >= 0):
        raise BadBehaviour("after must be a number of seconds")
    if name == "times" and not (value is None or (isinstance(value, int) and value > 0)):
        raise BadBehaviour("times must be a number above 0, or null for always")
    if name == "polite" and not isinstance(value, bool):
        raise BadBehaviour("polite must be true or false")


def show(manner: Manner) -> dict[str, Any]:
    """The manner as a description that ``read`` understands."""
    kind = next(name for name, known in KINDS.items() if isinstance(manner, known))
    return {"kind": kind, **dataclasses.asdict(manner)}
