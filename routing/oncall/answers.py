"""The questions people ask of a schedule. Instants are aware; answers are in UTC."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from routing.oncall.schedule import Schedule
from routing.oncall.timeline import (
    Period,
    Reason,
    absences_between,
    from_layers,
    ranked_overrides,
    stand_in,
    timeline,
)

_MOMENT = timedelta(microseconds=1)
_LOOK_AHEAD = timedelta(days=28)


class Shift(NamedTuple):
    """``person`` is on call from ``start`` to ``end`` in ``rotation`` (None: an override of whoever)."""

    start: datetime
    end: datetime
    person: str
    rotation: str | None
    reason: Reason


class Difference(NamedTuple):
    """From ``start`` to ``end`` one schedule has ``before`` on call, another ``after`` (None: nobody)."""

    start: datetime
    end: datetime
    before: str | None
    after: str | None


def on_call(schedule: Schedule, instant: datetime) -> tuple[str, ...]:
    """The person on call at ``instant`` as a tuple of one, or an empty one if nobody is.

    It is a tuple because it is the beginning of ``order``: whom to ring, first first.
    """
    person = _at(schedule, _utc(instant))
    return () if person is None else (person,)


def order(schedule: Schedule, instant: datetime) -> tuple[str, ...]:
    """Whom to ring in turn: who is on call, then the following members of that rotation, each once.

    Left out are members who are absent; a member whose duty an override gives to somebody at that instant is
    represented by that person. With nobody on call it is empty.
    """
    moment = _utc(instant)
    person = _at(schedule, moment)
    if person is None:
        return ()
    segment = from_layers(schedule, moment, moment + _MOMENT)[0]
    if segment.layer is None:
        return (person,)
    members = schedule.layers[segment.layer].members
    absent = absences_between(schedule.absences, moment, moment + _MOMENT)
    active = [
        each for each in ranked_overrides(schedule) if each.override.start <= moment < each.override.end
    ]
    turned = members[segment.position :] + members[: segment.position]
    following = [member for member in turned if member not in absent and member != segment.person]
    stand_ins = [stand_in(member, active, personal=True)[0] for member in following]
    return tuple(dict.fromkeys(name for name in (person, *stand_ins) if name is not None))


def shifts(schedule: Schedule, start: datetime, end: datetime) -> list[Shift]:
    """The shifts from ``start`` to ``end``, in order, disjoint, cut at both; like neighbours are one."""
    return list(_shifts(schedule, *_period(start, end)))


def gaps(schedule: Schedule, start: datetime, end: datetime) -> list[Period]:
    """The periods between ``start`` and ``end`` in which nobody is on call, in order and merged."""
    return [
        (begins, ends) for begins, ends, person in _people(schedule, *_period(start, end)) if person is None
    ]


def next_shift(
    schedule: Schedule, person: str, after: datetime, within: timedelta = timedelta(days=400)
) -> Shift | None:
    """The first shift of ``person`` that begins at or after ``after``, whole; None if none is found.

    A shift that is under way at ``after`` is not it. The end is looked for no further than ``within``, too.
    """
    moment = _utc(after)
    limit, ahead = moment + within, _LOOK_AHEAD
    while True:
        horizon = min(moment + ahead, limit)
        # Beginning a moment early shows whether a shift at ``after`` begins there or is under way.
        for shift in _shifts(schedule, moment - _MOMENT, horizon):
            if shift.person == person and shift.start >= moment and (shift.end < horizon or horizon == limit):
                return shift
        if horizon == limit:
            return None
        ahead *= 4


def diff(before: Schedule, after: Schedule, start: datetime, end: datetime) -> list[Difference]:
    """The periods from ``start`` to ``end`` in which two schedules differ in who is on call, merged."""
    pieces = _side_by_side(before, after, *_period(start, end))
    return [piece for piece in pieces if piece.before != piece.after]


def _side_by_side(before: Schedule, after: Schedule, start: datetime, end: datetime) -> Iterator[Difference]:
    # Every cut is a change in one of the two, so that neighbouring pieces are never alike.
    olds, news = list(_people(before, start, end)), list(_people(after, start, end))
    old = new = 0
    while start < end:
        until = min(olds[old][1], news[new][1])
        yield Difference(start, until, olds[old][2], news[new][2])
        old += olds[old][1] == until
        new += news[new][1] == until
        start = until


def _at(schedule: Schedule, moment: datetime) -> str | None:
    return timeline(schedule, moment, moment + _MOMENT)[0].person


def _people(
    schedule: Schedule, start: datetime, end: datetime
) -> Iterator[tuple[datetime, datetime, str | None]]:
    """Who is on call, without a hole, neighbours always different."""
    return _joined((s.start, s.end, s.person) for s in timeline(schedule, start, end))


def _joined(
    pieces: Iterable[tuple[datetime, datetime, str | None]],
) -> Iterator[tuple[datetime, datetime, str | None]]:
    held: tuple[datetime, datetime, str | None] | None = None
    for piece in pieces:
        if held is not None and held[2] == piece[2]:
            held = (held[0], piece[1], piece[2])
            continue
        if held is not None:
            yield held
        held = piece
    if held is not None:
        yield held


def _shifts(schedule: Schedule, start: datetime, end: datetime) -> Iterator[Shift]:
    held: Shift | None = None
    for begins, ends, person, layer, _, reason in timeline(schedule, start, end):
        if person is None:
            continue
        rotation = None if layer is None else schedule.layers[layer].name
        if held is not None and held[1:] == (begins, person, rotation, reason):
            held = Shift(held.start, ends, person, rotation, reason)
            continue
        if held is not None:
            yield held
        held = Shift(begins, ends, person, rotation, reason)
    if held is not None:
        yield held


def _period(start: datetime, end: datetime) -> Period:
    period = _utc(start), _utc(end)
    if period[0] > period[1]:
        raise ValueError(f"the period ends at {end}, before it starts at {start}")
    return period


def _utc(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError(f"{instant} has no zone; expected an aware datetime")
    return instant.astimezone(UTC)
