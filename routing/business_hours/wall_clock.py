"""From what a wall clock shows to the instant, through daylight saving.

Business hours open and close **when the wall clock first reaches (or jumps past) the time**:

* A time that is skipped when clocks go forward becomes the first instant after the gap. A window that lies
  wholly in the gap is empty, one that begins in it begins at its end.
* A time that is shown twice when clocks go back means the first showing, for openings and for closings
  alike. So windows stay in order, stay apart, and touching ones touch; a window around the repeated hour is
  an hour longer, and 00:00-24:00 every day never closes.

A single time of day (:func:`local_to_utc`) is read as PEP 495 and calendars do: a skipped 02:30 is the
instant that 02:30 would have been without the change (03:30 on the new clock), a repeated one is the first.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from routing.business_hours.errors import CalendarError

_FILES_THAT_ARE_NO_ZONES = ("localtime", "posixrules", "Factory", "posix/", "right/")
_SECOND = timedelta(seconds=1)
_TWO_DAYS = timedelta(days=2)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def zone_named(name: object) -> ZoneInfo:
    """The IANA zone; :class:`CalendarError` (key ``zone``) when there is none of this name."""
    if isinstance(name, ZoneInfo):
        return name
    wrong = CalendarError(
        f"{name!r} is not a time zone; expected an IANA name such as 'America/Chicago'", "zone"
    )
    # Names that depend on the machine, and the ones that count leap seconds.
    if not isinstance(name, str) or name.startswith(_FILES_THAT_ARE_NO_ZONES):
        raise wrong
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # OSError: "America" is a directory
        raise wrong from None


def utc(instant: datetime) -> datetime:
    """The same instant in UTC; :class:`ValueError` for a naive one, which is no instant."""
    if instant.tzinfo is UTC:
        return instant
    if instant.utcoffset() is None:
        raise ValueError(f"{instant.isoformat()} has no time zone; expected an aware instant")
    return instant.astimezone(UTC)


def local_to_utc(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The instant at which the clocks of ``zone`` show ``at``; skipped: shifted forward, twice: first."""
    return datetime.combine(day, at.replace(tzinfo=None, fold=0), zone).astimezone(UTC)


class Offset(NamedTuple):
    """A stretch of time with one offset from UTC; all in seconds, instants after 1970-01-01T00:00Z."""

    begins: int
    offset: int
    shows_until: float
    """What the clocks are about to show when it ends, in seconds after 1970-01-01T00:00 on the wall."""


def first_reached(offsets: Sequence[Offset], shown: int) -> int:
    """The instant at which clocks with these offsets first reach or pass ``shown`` (seconds on the wall)."""
    for stretch in offsets:
        if shown < stretch.shows_until:
            return max(stretch.begins, shown - stretch.offset)
    raise ValueError(f"{shown} is after the last of {offsets}")


@lru_cache(maxsize=1024)
def offsets_in(zone: ZoneInfo, year: int) -> tuple[Offset, ...]:
    """The offsets of a UTC year and two days on either side, in order."""
    probe = datetime(year, 1, 1, tzinfo=UTC) - _TWO_DAYS
    found = [(_seconds(probe), _offset(zone, probe))]
    while probe < datetime(year + 1, 1, 1, tzinfo=UTC) + _TWO_DAYS:
        before, probe = probe, probe + _TWO_DAYS  # the shortest-lived offset in the tz database lasted seven
        if _offset(zone, probe) != found[-1][1]:
            changed = _change_between(zone, before, probe)
            found.append((_seconds(changed), _offset(zone, changed)))
    ends = [begins for begins, _ in found[1:]] + [math.inf]
    return tuple(Offset(*it, shows_until=end + it[1]) for it, end in zip(found, ends, strict=True))


def _change_between(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The instant within (before, after] at which the clocks change, to the second."""
    old = _offset(zone, before)
    while after - before > _SECOND:
        middle = before + (after - before) // _SECOND // 2 * _SECOND
        if _offset(zone, middle) == old:
            before = middle
        else:
            after = middle
    return after


def _offset(zone: ZoneInfo, instant: datetime) -> int:
    return int((instant.astimezone(zone).utcoffset() or timedelta()) / _SECOND)


def _seconds(instant: datetime) -> int:
    return (instant - EPOCH) // _SECOND
