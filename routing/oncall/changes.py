"""What people change on top of a schedule's rotations: overrides, swaps and absences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from routing.oncall.errors import ScheduleError, at
from routing.oncall.fields import mapping, period, period_text, person

_PERIOD = ("from", "to")


def _in_utc(change: Override | Absence | Turn) -> None:
    """Make the instants UTC, which makes equal periods equal and comparing them fast."""
    for key, name in (("from", "start"), ("to", "end")):
        instant: datetime = getattr(change, name)
        if instant.tzinfo is None:
            raise ScheduleError(key, f"{instant} has no zone; expected an aware datetime")
        object.__setattr__(change, name, instant.astimezone(UTC))
    if change.end <= change.start:
        raise ScheduleError(
            "to", f"{change.end} is not after {change.start}, the start; expected a later instant"
        )


@dataclass(frozen=True)
class Override:
    """From ``start`` to ``end``, ``by`` (None: nobody) is on call for ``replaces`` (None: whoever)."""

    start: datetime
    end: datetime
    replaces: str | None
    by: str | None

    def __post_init__(self) -> None:
        _in_utc(self)


@dataclass(frozen=True)
class Absence:
    """``person`` cannot be on call from ``start`` to ``end``: the next member of the rotation who can, is."""

    person: str
    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        _in_utc(self)


@dataclass(frozen=True)
class Turn:
    """A period in which ``person`` gives the duty away in a swap."""

    person: str
    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        _in_utc(self)


@dataclass(frozen=True)
class Swap:
    """Two people do each other's turns: two overrides that do not undo each other where the turns overlap."""

    one: Turn
    other: Turn

    def __post_init__(self) -> None:
        if self.one.person == self.other.person:
            raise ScheduleError("", f"{self.one.person} cannot swap alone; expected two people")

    @cached_property
    def overrides(self) -> tuple[Override, Override]:
        """Each turn, done by the other person."""
        one, other = self.one, self.other
        return (
            Override(one.start, one.end, one.person, other.person),
            Override(other.start, other.end, other.person, one.person),
        )


def read_override(data: object, zone: ZoneInfo) -> Override:
    """``{from, to, person, instead_of}``; ``person`` has to be there, as null if nobody is to be on call."""
    found = mapping(data, (*_PERIOD, "person"), ("instead_of",))
    start, end = period(found, zone)
    with at("person"):
        by = None if found["person"] is None else person(found["person"])
    with at("instead_of"):
        replaces = None if found.get("instead_of") is None else person(found["instead_of"])
    return Override(start, end, replaces, by)


def write_override(override: Override, zone: ZoneInfo) -> dict[str, Any]:
    """The reverse of ``read_override``."""
    data = period_text(override.start, override.end, zone) | {"person": override.by}
    return data | ({"instead_of": override.replaces} if override.replaces is not None else {})


def read_absence(data: object, zone: ZoneInfo) -> Absence:
    """``{person, from, to}``."""
    found = mapping(data, ("person", *_PERIOD))
    with at("person"):
        who = person(found["person"])
    return Absence(who, *period(found, zone))


def write_absence(absence: Absence, zone: ZoneInfo) -> dict[str, Any]:
    """The reverse of ``read_absence``."""
    return {"person": absence.person} | period_text(absence.start, absence.end, zone)


def read_swap(data: object, zone: ZoneInfo) -> Swap:
    """``{dana: {from, to}, sam: {from, to}}``: the turns that each gives to the other."""
    if not isinstance(data, Mapping) or len(data) != 2:
        raise ScheduleError("", f"is {data!r}; expected two people, each with from and to")
    turns: list[Turn] = []
    for key, value in data.items():
        with at(str(key)):
            turns.append(Turn(person(key), *period(mapping(value, _PERIOD), zone)))
    return Swap(*turns)


def write_swap(swap: Swap, zone: ZoneInfo) -> dict[str, Any]:
    """The reverse of ``read_swap``."""
    return {turn.person: period_text(turn.start, turn.end, zone) for turn in (swap.one, swap.other)}
