"""Times and numbers in words that a caller, an engineer or a customer understands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from routing.business_hours import BusinessCalendar

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def spoken_instant(instant: datetime, zone: ZoneInfo, now: datetime) -> str:
    """``3:10 AM today``, ``noon tomorrow``, ``Monday at 8 AM``, or a date when it is a week away."""
    local, today = instant.astimezone(zone), now.astimezone(zone).date()
    clock = _clock(f"{local:%H:%M}")
    days = (local.date() - today).days
    if days in (0, 1):
        return f"{clock} {'tomorrow' if days else 'today'}"
    if 1 < days < 7:
        return f"{_DAYS[local.weekday()]} at {clock}"
    return f"{local:%B} {local.day} at {clock}"


def written_instant(instant: datetime, zone: ZoneInfo) -> str:
    """``Tue 24 Nov 2026, 03:10 CST``."""
    return f"{instant.astimezone(zone):%a %d %b %Y, %H:%M %Z}"


def time_left(due_at: datetime | None, now: datetime) -> str:
    """``52 minutes left to respond.``, or how late it is, or nothing when nothing was promised."""
    if due_at is None:
        return ""
    minutes = int(abs(due_at - now) // timedelta(minutes=1))
    if due_at < now:
        return f"The response is {_amount(minutes)} late."
    return f"{_amount(minutes)} left to respond.".capitalize()


def other_cases(count: int) -> str:
    """``, and 37 other cases``; nothing when there is none."""
    return f", and {count} other {'case' if count == 1 else 'cases'}" if count else ""


def cases_that_follow(seconds: int) -> str:
    """``Cases that follow within 2 minutes``."""
    minutes, rest = divmod(seconds, 60)
    length = f"{seconds} seconds" if rest or not minutes else _amount(minutes)
    return f"Cases that follow within {length}"


def still_waiting(names: Sequence[str]) -> str:
    """``Still to acknowledge: Luis Ortega and Sam Keller.``; nothing when nobody is missing."""
    return f"Still to acknowledge: {' and '.join(names)}." if names else ""


def caller_id_in_words(verdict: str) -> str:
    """What ``StirVerstat`` says of a calling number (STIR/SHAKEN): ``TN-Validation-Passed-A``."""
    known, _, level = verdict.removeprefix("TN-Validation-").partition("-")
    said = {
        ("Passed", "A"): "the caller's carrier vouches for caller and number",
        ("Passed", "B"): "the caller's carrier knows the caller, but not that the number is theirs",
        ("Passed", "C"): "it came through a gateway that vouches for nobody",
        ("No", "TN"): "it could not be checked",
    }
    diverted = ", and was forwarded" if level.endswith("Diverted") else ""
    if known == "Failed":
        return f"the signature is wrong: the number may be forged{diverted} ({verdict})"
    found = said.get((known, level.partition("-")[0]), "the carriers say something unknown")
    return f"{found}{diverted} ({verdict})"


def _amount(minutes: int) -> str:
    if minutes < 1:
        return "less than a minute"
    hours, rest = divmod(minutes, 60)
    if hours >= 24:
        rest = 0  # nobody counts minutes over days
    parts = [(hours, "hour"), (rest, "minute")]
    return " ".join(f"{count} {unit}{'s' if count > 1 else ''}" for count, unit in parts if count)


def priorities_in_words(priorities: Sequence[int]) -> str:
    """``priority 1 and priority 2``."""
    return " and ".join(f"priority {priority}" for priority in priorities)


@lru_cache(maxsize=64)
def hours_in_words(calendar: BusinessCalendar) -> str:
    """``Monday to Friday, 8 AM to 5 PM``: the weekly hours, days with the same hours put together."""
    week = calendar.to_dict()["hours"]
    runs: list[tuple[str, str, list[str]]] = []
    for day, name in zip(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), _DAYS, strict=True):
        windows = week.get(day, [])
        if not windows:
            continue
        if runs and runs[-1][2] == windows and _DAYS.index(runs[-1][1]) + 1 == _DAYS.index(name):
            runs[-1] = (runs[-1][0], name, windows)
        else:
            runs.append((name, name, windows))
    return "; ".join(f"{_days(first, last)}, {_windows(windows)}" for first, last, windows in runs)


def _days(first: str, last: str) -> str:
    return first if first == last else f"{first} to {last}"


def _windows(windows: list[str]) -> str:
    return " and ".join(" to ".join(_clock(edge) for edge in window.split("-")) for window in windows)


def _clock(text: str) -> str:
    hour, minute = (int(part) for part in text.split(":"))
    if minute == 0 and hour in (0, 24):
        return "midnight"
    if minute == 0 and hour == 12:
        return "noon"
    shown = f"{hour % 12 or 12}" + (f":{minute:02}" if minute else "")
    return f"{shown} {'AM' if hour < 12 else 'PM'}"
