"""How often a rotation hands over, and how a policy file says so."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from routing.oncall.errors import ScheduleError, at
from routing.oncall.fields import day_or_time
from routing.wall_time import WEEKDAYS, clock_text, parse_clock, parse_weekday

_EVERY = re.compile(r"every (?:(\d{1,4}) )?(hour|day|week)s?")


class Unit(StrEnum):
    """What a rotation counts. Days and weeks keep the wall time of the handover; hours are elapsed time."""

    HOURS = "hours"
    DAYS = "days"
    WEEKS = "weeks"


def read_cadence(value: object) -> tuple[int, Unit]:
    """``(1, Unit.WEEKS)`` from "weekly"; also "daily", "every 3 days", "every 2 weeks", "every 12 hours"."""
    text = value.strip().lower() if isinstance(value, str) else ""
    text = {"daily": "every day", "weekly": "every week"}.get(text, text)
    found = _EVERY.fullmatch(text)
    if found is None:
        raise ValueError(
            f"{value!r} is not a rotation; expected weekly, daily, or every N hours, days or weeks"
        )
    return int(found[1] or 1), Unit(f"{found[2]}s")


def cadence_text(every: int, unit: Unit) -> str:
    """The reverse of ``read_cadence``."""
    named = {(1, Unit.DAYS): "daily", (1, Unit.WEEKS): "weekly"}
    return named.get((every, unit), f"every {every} {unit}")


def read_handover(value: object, unit: Unit) -> tuple[int | None, int]:
    """Weekday (only for weeks) and minutes after midnight, from "mon 08:00" or "08:00"."""
    day, space, clock = value.strip().rpartition(" ") if isinstance(value, str) else ("", "", value)
    if unit is Unit.WEEKS and not space:
        raise ValueError(f"{value!r} has no weekday; expected weekday and local time, such as mon 08:00")
    if unit is not Unit.WEEKS and space:
        raise ValueError(f"{value!r} is more than a time of day; expected a local time, such as 08:00")
    return parse_weekday(day) if space else None, parse_clock(clock)


def handover_text(weekday: int | None, start: datetime) -> str:
    """The reverse of ``read_handover``."""
    clock = clock_text(start.hour * 60 + start.minute)
    return clock if weekday is None else f"{WEEKDAYS[weekday]} {clock}"


def read_start(data: Mapping[str, Any], unit: Unit, zone: ZoneInfo) -> tuple[datetime, int | None]:
    """The naive local start and the weekday of the handover, from ``start`` and ``handover``.

    A start that is a date alone begins at the handover's time; a start with a time needs no handover.
    """
    weekday: int | None = None
    clock: int | None = None
    if data.get("handover") is not None:
        with at("handover"):
            weekday, clock = read_handover(data["handover"], unit)
    with at("start"):
        found = day_or_time(data["start"])
        if isinstance(found, datetime):
            local = (found.astimezone(zone) if found.tzinfo else found).replace(tzinfo=None, fold=0)
            if clock is not None and local.hour * 60 + local.minute != clock:
                raise ValueError(f"{local:%H:%M} is not the handover's time; expected that, or a date alone")
            return datetime.combine(local.date(), local.time()), weekday
    if clock is None:
        raise ScheduleError("handover", "is missing; expected a local time, or a start that has one")
    return _midnight(found) + timedelta(minutes=clock), weekday


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time())
