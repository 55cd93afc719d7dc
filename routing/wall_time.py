"""Local wall time: reading "mon", "08:00" and "17:00-08:00", and the instants at which clocks show them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAY = 24 * 60
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_FULL_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_CLOCK = re.compile(r"(\d{1,2}):(\d\d)")
_AFTER_MIDNIGHT = tuple(timedelta(minutes=minutes) for minutes in range(DAY))
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


def instant_at(wall: datetime, zone: ZoneInfo) -> datetime:
    """The first UTC instant at which the clocks of ``zone`` show the naive ``wall`` time or a later one.

    Of a time that happens twice this is the first occurrence, and for one that is skipped the end of the gap.
    """
    return _first_instant(wall.replace(tzinfo=zone, fold=0), zone)


def on_day(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """``instant_at`` for ``minutes`` of wall time, 0 to 2880, after midnight of ``day``; much faster."""
    while minutes >= DAY:
        day, minutes = day + _DAY, minutes - DAY
    midnight = _regular_midnight(day, zone)
    if midnight is not None:
        return midnight + _AFTER_MIDNIGHT[minutes]
    return instant_at(datetime.combine(day, time()) + _AFTER_MIDNIGHT[minutes], zone)


@lru_cache(maxsize=50_000)
def _regular_midnight(day: date, zone: ZoneInfo) -> datetime | None:
    """The instant at which ``day`` begins, if it has 24 hours, which almost all days have."""
    begins = _midnight(day, zone)
    return begins if _midnight(day + _DAY, zone) - begins == _DAY else None


@lru_cache(maxsize=50_000)
def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return _first_instant(datetime.combine(day, time(), zone), zone)


def _first_instant(local: datetime, zone: ZoneInfo) -> datetime:
    found = local.astimezone(UTC)
    # Within one zone datetimes compare by what clocks show; only a skipped time comes back as another one.
    if found.astimezone(zone) == local:
        return found
    return _gap_end(local.replace(fold=1).astimezone(UTC), found, zone)


def _gap_end(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The transition of ``zone`` in (``before``, ``after``], by bisection to the second."""
    old = before.astimezone(zone).utcoffset()
    while after - before > _SECOND:
        middle = before + (after - before) // 2 // _SECOND * _SECOND
        if middle.astimezone(zone).utcoffset() == old:
            before = middle
        else:
            after = middle
    return after


def parse_clock(value: object) -> int:
    """Minutes after midnight, 0-1439, from "08:00", a ``time``, or 480, which YAML 1.1 makes of 08:00."""
    minutes = _minutes(value)
    if minutes is None or not 0 <= minutes < DAY:
        raise ValueError(f"{value!r} is not a time of day; expected 00:00 to 23:59, such as 08:00")
    return minutes


def _minutes(value: object) -> int | None:
    if isinstance(value, time):
        return value.hour * 60 + value.minute
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    found = _CLOCK.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None or int(found[2]) > 59:
        return None
    return int(found[1]) * 60 + int(found[2])


def clock_text(minutes: int) -> str:
    """480 as "08:00"."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


def parse_window(value: object) -> tuple[int, int]:
    """Start and end of "08:00-17:00" in minutes after midnight.

    An end that is not later than the start is on the next day, so 17:00-08:00 ends at 1920 and 00:00-00:00 is
    a whole day. 24:00 is the midnight that ends the day.
    """
    start, dash, end = value.partition("-") if isinstance(value, str) else ("", "", "")
    opens, closes = _minutes(start), _minutes(end)
    if not dash or opens is None or closes is None or opens >= DAY or closes > DAY:
        raise ValueError(f"{value!r} is not a window of time; expected start and end, such as 17:00-08:00")
    return opens, closes if closes > opens else closes + DAY


def parse_weekday(value: object) -> int:
    """0 for "mon" or "Monday", to 6 for "sun"."""
    name = value.strip().lower() if isinstance(value, str) else ""
    for names in (WEEKDAYS, _FULL_NAMES):
        if name in names:
            return names.index(name)
    raise ValueError(f"{value!r} is not a weekday; expected one of {', '.join(WEEKDAYS)}")


def parse_zone(value: object) -> ZoneInfo:
    """The zone of an IANA name."""
    try:
        return ZoneInfo(value if isinstance(value, str) else "")
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: "America" is a folder of zones
        raise ValueError(f"{value!r} is not an IANA zone; expected a name such as America/Chicago") from None
