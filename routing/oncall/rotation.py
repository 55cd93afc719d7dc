"""A rotation: people who hand over to one another at a fixed local time, or after a fixed number of hours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from routing.oncall.cadence import (
    LAST_DAY,
    Unit,
    cadence_text,
    handover_text,
    in_month,
    month_number,
    read_cadence,
    read_start,
)
from routing.oncall.errors import ScheduleError, at
from routing.oncall.fields import mapping, person, persons
from routing.oncall.hours import Window, check_windows, open_periods, read_hours, write_hours
from routing.wall_time import instant_at, on_day, parse_zone

_REQUIRED = ("rotation", "start", "members")
_OPTIONAL = ("name", "zone", "handover", "hours")
_DAY = timedelta(days=1)
_YEARS = range(1970, 2200)


Spell = tuple[datetime, datetime, int]
"""UTC instants between which ``members[position]`` of a rotation has the duty, and that position."""


@dataclass(frozen=True)
class Rotation:
    """``members`` take turns from ``start`` on, the first of them first; nobody is on duty before it.

    ``start`` is naive wall time of ``zone``, to the minute, and its time of day is that of every handover.
    All units keep this wall time across daylight saving, so that a shift there is an hour longer or shorter, and
    "every 12 hours" from 08:00 stays at 08:00 and 20:00 all year; a handover that the clocks skip happens at the
    first instant after the gap, one that they show twice at the first occurrence. Weeks hand over on ``weekday``
    (None: that of ``start``); a start on another weekday makes the first turn a short one, up to the next
    ``weekday``. Months do the same with ``day``, 1 to 31; a shorter month hands over on its last day. ``hours``
    restricts the duty to weekly windows; empty is around the clock.
    """

    name: str
    zone: str
    members: tuple[str, ...]
    start: datetime
    every: int = 1
    unit: Unit = Unit.WEEKS
    weekday: int | None = None
    hours: tuple[Window, ...] = ()
    day: int | None = None

    def __post_init__(self) -> None:
        with at("zone"):
            parse_zone(self.zone)
        if not self.members:
            raise ScheduleError("members", "is empty; expected at least one person")
        if not 1 <= self.every <= 1000:
            raise ScheduleError("rotation", f"counts {self.every} {self.unit}; expected 1 to 1000")
        if self.start.tzinfo or self.start.second or self.start.microsecond or self.start.year not in _YEARS:
            sentence = f"is {self.start}; expected local time to the minute, in the years 1970 to 2199"
            raise ScheduleError("start", sentence)
        if self.unit is Unit.WEEKS and self.weekday is None:
            object.__setattr__(self, "weekday", self.start.weekday())
        elif self.unit is not Unit.WEEKS and self.weekday is not None:
            raise ScheduleError("handover", f"has a weekday, which a rotation by {self.unit} cannot keep")
        if self.unit is Unit.MONTHS and self.day is None:
            object.__setattr__(self, "day", self.start.day)
        elif self.day is not None and (self.unit is not Unit.MONTHS or not 1 <= self.day <= LAST_DAY):
            raise ScheduleError(
                "handover", f"has day {self.day} of the month; a rotation by {self.unit} cannot"
            )
        with at("hours"):
            check_windows(self.hours)

    @classmethod
    def from_dict(cls, data: object, *, zone: str | None = None, name: str = "rotation") -> Rotation:
        """A rotation as a policy file has it; ``zone`` and ``name`` are used if it has none.

        ``{name: nights, zone: America/Chicago, rotation: weekly | daily | monthly | every 3 days |
        every 12 hours, handover: "mon 08:00" (weeks) | "day 1 08:00" (months) | "08:00",
        start: 2026-01-05, members: [dana, luis], hours: {mon-fri: "17:00-08:00", sat-sun: "08:00-08:00"}}``.
        Raises ``ScheduleError``.
        """
        found = mapping(data, _REQUIRED, _OPTIONAL)
        with at("zone"):
            local = parse_zone(found.get("zone") or zone)
        with at("rotation"):
            every, unit = read_cadence(found["rotation"])
        start, day = read_start(found, unit, local)
        weekday, of_month = (None, day) if unit is Unit.MONTHS else (day, None)
        with at("members"):
            members = persons(found["members"])
        with at("hours"):
            hours = read_hours(found.get("hours"))
        with at("name"):
            named = person(name if found.get("name") is None else found["name"])
        return cls(named, local.key, members, start, every, unit, weekday, hours, of_month)

    def to_dict(self) -> dict[str, Any]:
        """The dict that ``from_dict`` reads as an equal rotation."""
        data = {
            "name": self.name,
            "zone": self.zone,
            "rotation": cadence_text(self.every, self.unit),
            "handover": handover_text(self._handover_day, self.start, self.unit),
            "start": self.start.date().isoformat(),
            "members": list(self.members),
        }
        return data | ({"hours": write_hours(self.hours)} if self.hours else {})

    def handover(self, number: int) -> datetime:
        """The UTC instant of handover ``number``; 0 is the start, 1 hands over to the second member."""
        if number == 0:
            return self._anchor
        if self.unit is Unit.HOURS:
            wall = self.start + number * self._step
            return on_day(wall.date(), wall.hour * 60 + wall.minute, self._zone)
        if self.unit is Unit.MONTHS:
            assert self.day is not None
            months = month_number(self._first) + (number - 1) * self.every
            return on_day(in_month(months, self.day), self._clock, self._zone)
        return on_day(self._first + (number - 1) * self._step, self._clock, self._zone)

    def spells(self, start: datetime, end: datetime) -> Iterator[Spell]:
        """Who has the duty between two UTC instants, in order, cut at both and to the hours."""
        spells = self._turns(max(start, self._anchor), end)
        if not self.hours:
            yield from spells
            return
        periods = open_periods(self.hours, self._zone, start, end)
        opened = next(periods, None)
        for begins, ends, position in spells:
            while opened and opened[0] < ends:
                if opened[1] > begins:
                    yield max(opened[0], begins), min(opened[1], ends), position
                if opened[1] > ends:
                    break
                opened = next(periods, None)

    def _turns(self, start: datetime, end: datetime) -> Iterator[Spell]:
        if start >= end:
            return
        number = self._handovers_before(start)
        while start < end:
            following = self.handover(number + 1)
            if following > start:  # else past, or on a day that the zone skipped
                yield start, min(following, end), number % len(self.members)
                start = following
            number += 1

    def _handovers_before(self, instant: datetime) -> int:
        """How many handovers there were from the start to ``instant``, less those of the last days."""
        if self.unit is Unit.HOURS:
            wall = instant.astimezone(self._zone).replace(tzinfo=None) - 2 * _DAY
            return max(0, (wall - self.start) // self._step)
        day = instant.astimezone(self._zone).date() - 2 * _DAY
        if self.unit is Unit.MONTHS:
            return max(0, (month_number(day) - month_number(self._first)) // self.every)
        return max(0, (day - self._first) // self._step + 1)

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    @cached_property
    def _anchor(self) -> datetime:
        return instant_at(self.start, self._zone)

    @cached_property
    def _step(self) -> timedelta:
        return timedelta(**{self.unit.value: self.every})

    @cached_property
    def _clock(self) -> int:
        return self.start.hour * 60 + self.start.minute

    @property
    def _handover_day(self) -> int | None:
        return self.day if self.unit is Unit.MONTHS else self.weekday

    @cached_property
    def _first(self) -> date:
        """The local date of handover 1."""
        if self.day is not None:
            return self._first_in_month(self.day)
        ahead = 0 if self.weekday is None else (self.weekday - self.start.weekday()) % 7
        return self.start.date() + (timedelta(days=ahead) if ahead else self._step)

    def _first_in_month(self, day: int) -> date:
        begins, months = self.start.date(), month_number(self.start.date())
        same_month = in_month(months, day)
        if begins == same_month:
            return in_month(months + self.every, day)
        return same_month if begins < same_month else in_month(months + 1, day)
