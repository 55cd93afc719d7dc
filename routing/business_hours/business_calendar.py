"""The business calendar: a zone, a week and its holidays, and the questions they answer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property, lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from routing.business_hours.calendar_data import (
    AROUND_THE_CLOCK,
    refuse_unknown,
    rules_from,
    rules_to,
    week_from,
    week_to,
)
from routing.business_hours.day_plan import DayPlan, usual_length
from routing.business_hours.errors import BeyondHorizon, CalendarError, within
from routing.business_hours.holiday_rules import HolidayRules, SpecialDay
from routing.business_hours.open_time import OpenTime
from routing.business_hours.wall_clock import local_to_utc, utc, zone_named
from routing.business_hours.windows import WEEKDAYS, Week, refuse_overlapping_nights, refuse_overlaps

_ZERO = timedelta()


@dataclass(frozen=True, eq=False, repr=False)
class BusinessCalendar:
    """When a desk is open. Immutable; equal and hashed by its ``fingerprint``.

    Instants are aware datetimes (a naive one is refused with :class:`ValueError`), answers are in UTC. An
    open interval holds its start and not its end, and inside it real seconds count, across daylight saving
    too (see :mod:`~routing.business_hours.wall_clock`). What cannot be answered raises a
    :class:`CalendarError`: :class:`NeverOpens` when nothing opens within 40 years, :class:`BeyondHorizon`
    for an answer more than 100 years away or outside of the years 2 to 9998.
    """

    zone: ZoneInfo
    week: Week
    holidays: HolidayRules = field(default_factory=HolidayRules)

    def __post_init__(self) -> None:
        if len(self.week) != len(WEEKDAYS):
            raise CalendarError(f"a week of {len(self.week)} days; expected {len(WEEKDAYS)}", "hours")
        for key, windows in zip(WEEKDAYS, self.week, strict=True):
            with within(f"hours.{key}"):
                refuse_overlaps(windows)
        with within("hours"):
            refuse_overlapping_nights(self.week)
        object.__setattr__(self, "week", tuple(tuple(sorted(windows)) for windows in self.week))

    @classmethod
    def around_the_clock(cls, zone: str | ZoneInfo) -> BusinessCalendar:
        """The calendar that is always open."""
        return cls(zone_named(zone), AROUND_THE_CLOCK)

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> BusinessCalendar:
        """The calendar of ``{zone, hours, holidays}`` (see :mod:`~routing.business_hours.calendar_data`).

        :class:`CalendarError` names the key that is wrong, such as ``hours.mon[1]``.
        """
        if not isinstance(document, Mapping):
            raise CalendarError(f"{document!r} is not a mapping; expected zone, hours and holidays")
        refuse_unknown(document, ("zone", "hours", "holidays"))
        zone = zone_named(document.get("zone"))
        if "hours" not in document:
            raise CalendarError("is missing; expected weekdays and their windows, or '24x7'", "hours")
        with within("hours"):
            week = week_from(document["hours"])
        with within("holidays"):
            rules = rules_from(document.get("holidays"))
        return cls(zone, week, rules)

    def to_dict(self) -> dict[str, Any]:
        """The document that :meth:`from_dict` reads."""
        document = {"zone": self.zone.key, "hours": week_to(self.week)}
        holidays = rules_to(self.holidays)
        return document | {"holidays": holidays} if holidays else document

    @cached_property
    def fingerprint(self) -> str:
        """The same for calendars with the same rules, on every machine: 16 hexadecimal digits."""
        written = json.dumps(self.to_dict(), sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(written.encode()).hexdigest()[:16]

    def is_open(self, instant: datetime) -> bool:
        """Whether the desk is open; at a closing time it is not."""
        return self._open_time.is_open(utc(instant))

    def next_opening(self, instant: datetime) -> datetime:
        """The instant itself when open, else the next opening time."""
        instant = utc(instant)
        return instant if self._plan.is_always_open else self._open_time.next_opening(instant)

    def next_closing(self, instant: datetime) -> datetime:
        """When the open desk closes, or the one that opens next; :class:`NeverCloses` after 40 years."""
        return self._open_time.next_closing(utc(instant))

    def due(self, start: datetime, amount: timedelta) -> datetime:
        """When ``amount`` of open time after ``start`` is used up.

        One that is used up at closing time is due then, not at the next opening. With nothing to use up: the
        start itself if open, else the next opening.
        """
        start = utc(start)
        if amount < _ZERO:
            raise ValueError(f"an amount of open time cannot be negative: {amount}")
        if not amount:
            return self.next_opening(start)
        if self._plan.is_always_open:
            return _after(start, amount)
        return self._open_time.due(start, amount)

    def elapsed(self, start: datetime, end: datetime) -> timedelta:
        """The open time from ``start`` until ``end``; less than nothing when the end is before the start."""
        start, end = utc(start), utc(end)
        if self._plan.is_always_open:
            return end - start
        if end < start:
            return -self.elapsed(end, start)
        return self._open_time.between(start, end)

    def open_windows(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The open intervals from ``start`` until ``end``, cut to that, touching ones as one."""
        return self._open_time.intervals(utc(start), utc(end))

    @cached_property
    def standard_day(self) -> timedelta:
        """The open hours of a full standard day: the most common length of a weekday that has any.

        :class:`NeverOpens` when there are no weekly hours.
        """
        return usual_length(self.week)

    def add_business_days(self, start: datetime, days: int) -> datetime:
        """The same time of day on the ``days``-th business day after the local date of ``start``.

        When the desk is closed at that time: the next opening. With no days: the next opening after
        ``start``.
        """
        if days < 0:
            raise ValueError(f"business days to add cannot be negative: {days}")
        if days == 0:
            return self.next_opening(start)
        local = utc(start).astimezone(self.zone)
        day = self._plan.business_day_after(local.date(), days)
        return self.next_opening(local_to_utc(day, local.time(), self.zone))

    def is_business_day(self, day: date) -> bool:
        """Whether the local date has any open hours."""
        return bool(self._plan.spans(day))

    def is_holiday(self, day: date) -> str | None:
        """The name of the holiday that closes the local date all day."""
        special = self.special_day(day)
        return special.name if special and not special.windows else None

    def special_day(self, day: date) -> SpecialDay | None:
        """What makes the local date (or that of an instant) special: a holiday, or hours of its own."""
        if isinstance(day, datetime):
            day = utc(day).astimezone(self.zone).date()
        return self._plan.special(day)

    def local_to_utc(self, local: datetime) -> datetime:
        """The instant when its clocks show the naive ``local``; skipped: shifted on, twice: first."""
        if local.tzinfo is not None:
            raise ValueError(f"{local.isoformat()} has a time zone already; expected a wall-clock time")
        return local_to_utc(local.date(), local.time(), self.zone)

    @cached_property
    def _plan(self) -> DayPlan:
        return _tables(self)[0]

    @cached_property
    def _open_time(self) -> OpenTime:
        return _tables(self)[1]

    def __eq__(self, other: object) -> bool:
        return (
            self.fingerprint == other.fingerprint if isinstance(other, BusinessCalendar) else NotImplemented
        )

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __repr__(self) -> str:
        return f"BusinessCalendar.from_dict({self.to_dict()!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        # Tables are not pickled: they are built again, or found.
        return (BusinessCalendar, (self.zone, self.week, self.holidays))


@lru_cache(maxsize=128)
def _tables(calendar: BusinessCalendar) -> tuple[DayPlan, OpenTime]:
    # Shared by equal calendars, so that one that is read again from its document does not build them again.
    plan = DayPlan(calendar.week, calendar.holidays)
    return plan, OpenTime(plan, calendar.zone)


def _after(start: datetime, amount: timedelta) -> datetime:
    try:
        return start + amount
    except OverflowError:
        raise BeyondHorizon(f"{amount} after {start:%Y-%m-%d} is beyond the years that are known") from None
