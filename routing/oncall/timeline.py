"""The whole of a period, cut into segments: who is on call, from which turn of which layer, and why."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from operator import attrgetter, itemgetter
from typing import NamedTuple

from routing.oncall.changes import Absence, Override
from routing.oncall.rotation import Rotation, Spell
from routing.oncall.schedule import Schedule

Period = tuple[datetime, datetime]

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_NEVER = datetime.max.replace(tzinfo=UTC)


class Reason(StrEnum):
    """Why somebody is on call. A swap counts as an override."""

    ROTATION = "rotation"
    OVERRIDE = "override"
    COVER = "absence cover"


class Segment(NamedTuple):
    """``person`` (None: nobody) from ``start`` to ``end``, by ``position`` in ``layer`` (None: in none)."""

    start: datetime
    end: datetime
    person: str | None
    layer: int | None
    position: int
    reason: Reason


class Active(NamedTuple):
    """An override in its place among all that apply; the two of a swap share a ``rank``."""

    rank: int
    order: int
    override: Override


def timeline(schedule: Schedule, start: datetime, end: datetime) -> list[Segment]:
    """Segments without a hole from ``start`` to ``end`` (UTC), overrides applied; neighbours may be alike."""
    segments = from_layers(schedule, start, end)
    ranked = [each for each in ranked_overrides(schedule) if _overlaps(each.override, start, end)]
    return list(_overridden(segments, ranked)) if ranked else segments


def from_layers(schedule: Schedule, start: datetime, end: datetime) -> list[Segment]:
    """Segments without a hole from ``start`` to ``end`` (UTC), before swaps and overrides."""
    absent = absences_between(schedule.absences, start, end)
    free: list[Period] = [(start, end)]
    won: list[Segment] = []
    # From the top down: what a layer does not take is left to those below, and often nothing is.
    for index in reversed(range(len(schedule.layers))):
        if not free:
            break
        free = _claim(free, _of_layer(schedule.layers[index], index, absent, start, end), won)
    won += [Segment(begins, ends, None, None, 0, Reason.ROTATION) for begins, ends in free]
    won.sort(key=attrgetter("start"))
    return won


def absences_between(absences: Iterable[Absence], start: datetime, end: datetime) -> dict[str, list[Period]]:
    """Person -> disjoint periods of absence in order, of those that touch ``start`` to ``end``."""
    merged: dict[str, list[Period]] = {}
    for absence in sorted(absences, key=attrgetter("start")):
        if not _overlaps(absence, start, end):
            continue
        periods = merged.setdefault(absence.person, [])
        if periods and absence.start <= periods[-1][1]:
            periods[-1] = (periods[-1][0], max(periods[-1][1], absence.end))
        else:
            periods.append((absence.start, absence.end))
    return merged


def _overlaps(change: Override | Absence, start: datetime, end: datetime) -> bool:
    return change.start < end and change.end > start


def _of_layer(
    rotation: Rotation, layer: int, absent: Mapping[str, list[Period]], start: datetime, end: datetime
) -> Iterator[Segment]:
    members = rotation.members
    if absent.keys().isdisjoint(members):
        for begins, ends, position in rotation.spells(start, end):
            yield Segment(begins, ends, members[position], layer, position, Reason.ROTATION)
        return
    for spell in rotation.spells(start, end):
        begins, ends, position = spell
        person = members[position]
        if person in absent and _touching(absent[person], begins, ends):
            yield from _covered(spell, members, layer, absent, 0)
        else:
            yield Segment(begins, ends, person, layer, position, Reason.ROTATION)


def _touching(periods: Sequence[Period], start: datetime, end: datetime) -> Sequence[Period]:
    """Those of the disjoint ``periods``, in order, that overlap ``start`` to ``end``."""
    first = bisect_left(periods, (start,))
    if first and periods[first - 1][1] > start:
        first -= 1
    return periods[first : bisect_left(periods, (end,), first)]


def _covered(
    spell: Spell, members: Sequence[str], layer: int, absent: Mapping[str, list[Period]], passed: int
) -> Iterator[Segment]:
    """``spell``, with the members who are absent passed over; ``passed`` of them already are."""
    if passed == len(members):
        return
    start, end, position = spell
    person = members[(position + passed) % len(members)]
    reason = Reason.COVER if passed else Reason.ROTATION
    for begins, ends in _touching(absent.get(person, ()), start, end):
        if begins > start:
            yield Segment(start, begins, person, layer, position, reason)
        back = min(ends, end)
        yield from _covered((max(begins, start), back, position), members, layer, absent, passed + 1)
        start = back
    if start < end:
        yield Segment(start, end, person, layer, position, reason)


def _claim(free: list[Period], offers: Iterator[Segment], won: list[Segment]) -> list[Period]:
    """Add to ``won`` what of ``offers`` falls into ``free``; return what is still free. All are in order."""
    left: list[Period] = []
    offer = next(offers, None)
    for begins, ends in free:
        while offer is not None and offer.start < ends:
            if offer.end > begins:
                taken = _cut(offer, begins, ends)
                if taken.start > begins:
                    left.append((begins, taken.start))
                won.append(taken)
                begins = taken.end
            if offer.end > ends:
                break
            offer = next(offers, None)
        if begins < ends:
            left.append((begins, ends))
    return left


def _cut(segment: Segment, start: datetime, end: datetime) -> Segment:
    if start <= segment.start and segment.end <= end:
        return segment
    return Segment(max(segment.start, start), min(segment.end, end), *segment[2:])


def ranked_overrides(schedule: Schedule) -> Iterator[Active]:
    """Swaps and then overrides, in the order in which they apply."""
    groups = [*(swap.overrides for swap in schedule.swaps), *((override,) for override in schedule.overrides)]
    for rank, group in enumerate(groups):
        for order, override in enumerate(group):
            yield Active(rank, order, override)


def stand_in(
    person: str | None, active: Iterable[Active], *, personal: bool = False
) -> tuple[str | None, Override | None]:
    """Who is on call instead of ``person``, and the last override that says so (None: none does).

    ``personal`` leaves out overrides of whoever is on call.
    """
    last: Override | None = None
    done = -1
    for rank, _, override in active:
        theirs = override.replaces == person if override.replaces is not None else not personal
        if theirs and rank != done:
            person, last, done = override.by, override, rank
    return person, last


def _overridden(segments: Iterable[Segment], ranked: Sequence[Active]) -> Iterator[Segment]:
    starting = sorted(ranked, key=lambda each: each.override.start, reverse=True)
    active: list[Active] = []
    until = _LONG_AGO  # when ``active`` changes next
    for segment in segments:
        start = segment.start
        while start < segment.end:
            if start >= until:
                active = _in_force(active, starting, start)
                changes = [each.override.end for each in active]
                changes += [each.override.start for each in starting[-1:]]
                until = min(changes, default=_NEVER)
            end = min(segment.end, until)
            yield _replaced(segment, start, end, active)
            start = end


def _in_force(active: list[Active], starting: list[Active], instant: datetime) -> list[Active]:
    """What is left of ``active``, and those popped off ``starting`` that have begun, in order."""
    while starting and starting[-1].override.start <= instant:
        active.append(starting.pop())
    return sorted((each for each in active if each.override.end > instant), key=itemgetter(0, 1))


def _replaced(segment: Segment, start: datetime, end: datetime, active: Sequence[Active]) -> Segment:
    person, last = stand_in(segment.person, active) if active else (None, None)
    if last is None:
        return _cut(segment, start, end)
    layer = None if last.replaces is None else segment.layer
    return Segment(start, end, person, layer, segment.position, Reason.OVERRIDE)
