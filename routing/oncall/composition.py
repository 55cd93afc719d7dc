"""Changes that people make from day to day, on top of the schedule that a policy file has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from routing.oncall.changes import (
    Absence,
    Override,
    Swap,
    read_absence,
    read_override,
    read_swap,
    write_absence,
    write_override,
    write_swap,
)
from routing.oncall.schedule import Schedule

Change = Absence | Override | Swap


class ChangeKind(StrEnum):
    """What a change is; the value is what it is called everywhere."""

    ABSENCE = "absence"
    OVERRIDE = "override"
    SWAP = "swap"


def compose(schedule: Schedule, changes: Iterable[Change]) -> Schedule:
    """``schedule`` with ``changes`` added in their order, as if they stood at the end of its document's lists.

    Absences of people who are in none of its rotations are left out: they change nothing.
    """
    added = list(changes)
    members = set(schedule.members)
    overrides = tuple(change for change in added if isinstance(change, Override))
    swaps = tuple(change for change in added if isinstance(change, Swap))
    absences = tuple(change for change in added if isinstance(change, Absence) and change.person in members)
    if not overrides and not swaps and not absences:
        return schedule
    return replace(
        schedule,
        overrides=schedule.overrides + overrides,
        swaps=schedule.swaps + swaps,
        absences=schedule.absences + absences,
    )


def kind_of(change: Change) -> ChangeKind:
    """What ``change`` is."""
    if isinstance(change, Override):
        return ChangeKind.OVERRIDE
    return ChangeKind.SWAP if isinstance(change, Swap) else ChangeKind.ABSENCE


def people_of(change: Change) -> tuple[str, ...]:
    """Everybody whom ``change`` names; the first is whose change it is."""
    if isinstance(change, Override):
        named: tuple[str | None, ...] = (change.by, change.replaces)
    elif isinstance(change, Swap):
        named = (change.one.person, change.other.person)
    else:
        named = (change.person,)
    return tuple(name for name in named if name is not None)


def span_of(change: Change) -> tuple[datetime, datetime]:
    """From the first to the last instant that ``change`` touches, in UTC."""
    if isinstance(change, Swap):
        turns = (change.one, change.other)
        return min(turn.start for turn in turns), max(turn.end for turn in turns)
    return change.start, change.end


def write_change(change: Change, zone: ZoneInfo) -> dict[str, Any]:
    """``change`` in the shape that it has in a policy file, with the offsets of ``zone``, so that it is exact."""
    if isinstance(change, Override):
        return write_override(change, zone)
    return write_swap(change, zone) if isinstance(change, Swap) else write_absence(change, zone)


def read_change(kind: str, data: object, zone: ZoneInfo) -> Change:
    """The reverse of ``write_change``; raises ``ScheduleError``, and ``ValueError`` for an unknown kind."""
    match ChangeKind(kind):
        case ChangeKind.ABSENCE:
            return read_absence(data, zone)
        case ChangeKind.OVERRIDE:
            return read_override(data, zone)
        case ChangeKind.SWAP:
            return read_swap(data, zone)
