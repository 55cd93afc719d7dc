"""How often a rotation hands over, and how a policy file says so."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from routing.oncall.errors import ScheduleError, at
from routing.oncall.fields import day_or_time
from routing.wall_time import WEEKDAYS, clock_text, parse_clock, parse_weekday

_EVERY = re.compile(r"every (?:(\d{1,4}) )?(hour|day|week|month)s?")
_DAY_OF_MONTH = re.compile(r"day (\d{1,2})|last day")
LAST_DAY = 31


class Unit(StrEnum):
    """What a rotation counts, by what the clocks of its zone show."""

    HOURS = "hours"
    DAYS = "days"
    WEEKS = "weeks"
    MONTHS = "months"


def read_cadence(value: object) -> tuple[int, Unit]:
    """``(1, Unit.WEEKS)`` from "weekly"; also "daily", "monthly", "every 3 days", "every 12 hours"."""
    text = value.strip().lower() if isinstance(value, str) else ""
    text = {"daily": "every day", "weekly": "every week", "monthly": "every month"}.get(text, text)
    found = _EVERY.fullmatch(text)
    if found is None:
        raise ValueError(
            f"{value!r} is not a rotation; expected weekly, daily, or every N hours, days, weeks or months"
        )
    return int(found[1] or 1), Unit(f"{found[2]}s")


def cadence_text(every: int, unit: Unit) -> str:
    """The reverse of ``read_cadence``."""
    named = {(1, Unit.DAYS): "daily", (1, Unit.WEEKS): "weekly", (1, Unit.MONTHS): "monthly"}
    return named.get((every, unit), f"every {every} {unit}")


def read_handover(value: object, unit: Unit) -> tuple[int | None, int]:
    """The day and minutes after midnight, from "mon 08:00", "day 15 08:00", "last day 08:00" or "08:00".

    The day is a weekday (0: Monday) for weeks, a day of the month (31: the last) for months, else None.
    """
    day, space, clock = value.strip().rpartition(" ") if isinstance(value, str) else ("", "", value)
    if unit is Unit.WEEKS and not space:
        raise ValueError(f"{value!r} has no weekday; expected weekday and local time, such as mon 08:00")
    if unit is Unit.MONTHS:
        return _read_day_of_month(day, value), parse_clock(clock)
    if unit is not Unit.WEEKS and space:
        raise ValueError(f"{value!r} is more than a time of day; expected a local time, such as 08:00")
    return parse_weekday(day) if space else None, parse_clock(clock)


def _read_day_of_month(day: str, value: object) -> int:
    found = _DAY_OF_MONTH.fullmatch(" ".join(day.lower().split()))
    number = int(found[1] or LAST_DAY) if found else 0
    if not 1 <= number <= LAST_DAY:
        raise ValueError(
            f"{value!r} names no day of the month; expected such as day 1 08:00, or last day 08:00"
        )
    return number


def handover_text(day: int | None, start: datetime, unit: Unit) -> str:
    """The reverse of ``read_handover``."""
    clock = clock_text(start.hour * 60 + start.minute)
    if day is None:
        return clock
    if unit is Unit.MONTHS:
        return f"last day {clock}" if day == LAST_DAY else f"day {day} {clock}"
    return f"{WEEKDAYS[day]} {clock}"


def in_month(months: int, day: int) -> date:
    """``day`` of the month that is ``months`` after January of the year 0; its last day, if it has fewer."""
    year, month = divmod(months, 12)
    return date(year, month + 1, min(day, monthrange(year, month + 1)[1]))


def month_number(day: date) -> int:
    """How many months ``day`` is after January of the year 0."""
    return day.year * 12 + day.month - 1


def read_start(data: Mapping[str, Any], unit: Unit, zone: ZoneInfo) -> tuple[datetime, int | None]:
    """The naive local start and the day of the handover, from ``start`` and ``handover``.

    A start that is a date alone begins at the handover's time; a start with a time needs no handover.
    """
    day: int | None = None
    clock: int | None = None
    if data.get("handover") is not None:
        with at("handover"):
            day, clock = read_handover(data["handover"], unit)
    with at("start"):
        found = day_or_time(data["start"])
        if isinstance(found, datetime):
            local = (found.astimezone(zone) if found.tzinfo else found).replace(tzinfo=None, fold=0)
            if clock is not None and local.hour * 60 + local.minute != clock:
                raise ValueError(f"{local:%H:%M} is not the handover's time; expected that, or a date alone")
            return datetime.combine(local.date(), local.time()), day
    if clock is None:
        raise ScheduleError("handover", "is missing; expected a local time, or a start that has one")
    return _midnight(found) + timedelta(minutes=clock), day


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time())
