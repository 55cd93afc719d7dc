"""Reading a calendar: which of its events are absences, and when. Pure; see ``confined`` for files of strangers."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from routing.rosters.sieve import NotACalendar, sieve
from routing.wall_time import instant_at

AHEAD = timedelta(days=180)
MAX_OCCURRENCES = 5_000
_DAY = timedelta(days=1)
_NOT_AWAY = ("FREE", "WORKINGELSEWHERE")

Period = tuple[datetime, datetime]


@dataclass(frozen=True)
class Reading:
    """The periods of absence in UTC, in order and disjoint; and how many events were left out, and why."""

    periods: tuple[Period, ...]
    unreadable: int = 0
    repeating_within_a_day: int = 0

    @property
    def notes(self) -> list[str]:
        """What to tell about events that were left out."""
        notes = []
        if self.unreadable:
            notes.append(f"{self.unreadable} events could not be read and were left out")
        if self.repeating_within_a_day:
            notes.append(f"{self.repeating_within_a_day} events repeat within a day and were left out")
        return notes


def read_calendar(data: bytes, zone: ZoneInfo, now: datetime, matching: str | None = None) -> Reading:
    """The absences in a calendar from ``now`` on, for 180 days.

    Busy events count, or those of them whose summary matches the pattern ``matching``. Whole days and times
    without a zone are in ``zone``. Raises :class:`NotACalendar`.
    """
    until = now + AHEAD
    text, frequent = sieve(data, now, until)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of libraries that had to guess
        found, unreadable = _expanded(text, now - 2 * _DAY, until + 2 * _DAY)
    if len(found) > MAX_OCCURRENCES:
        raise NotACalendar(f"has {len(found)} events in 180 days; expected at most {MAX_OCCURRENCES}")
    wanted = re.compile(matching, re.IGNORECASE) if matching else None
    periods = (_period(event, zone) for event in found if _is_away(event, wanted))
    ahead = (each for each in periods if each[0] < each[1] and each[1] > now and each[0] < until)
    return Reading(tuple(merged(ahead)), unreadable, frequent)


def _expanded(text: str, start: datetime, end: datetime) -> tuple[list[Any], int]:
    """The events of a calendar, one for each time that it repeats; and how many could not be read."""
    # The libraries take a quarter of a second to load, and only imports need them.
    from icalendar import Calendar
    from recurring_ical_events import of  # type: ignore[import-untyped]

    try:
        calendar = Calendar.from_ical(text)
    except (ValueError, IndexError, KeyError, TypeError) as error:
        raise NotACalendar(f"cannot be read as a calendar ({type(error).__name__})") from None
    unreadable = _drop_unreadable(calendar)
    try:
        return of(calendar, skip_bad_series=True).between(start, end), unreadable
    except (ValueError, OverflowError, KeyError, TypeError, AttributeError) as error:
        raise NotACalendar(f"has a repetition that cannot be computed ({type(error).__name__})") from None


def _drop_unreadable(calendar: Any) -> int:
    """Take out events without a start that can be understood; how many."""
    events = [each for each in calendar.subcomponents if each.name == "VEVENT"]
    broken = [event for event in events if not _is_readable(event)]
    calendar.subcomponents = [each for each in calendar.subcomponents if each not in broken]
    return len(broken)


def _is_readable(event: Any) -> bool:
    try:
        return bool(isinstance(event["DTSTART"].dt, date) and event.start <= event.end)
    except Exception:  # noqa: BLE001  # the library has an error for each of the ways to write nonsense
        return False


def _is_away(event: Any, wanted: re.Pattern[str] | None) -> bool:
    if str(event.get("STATUS", "")).upper() == "CANCELLED":
        return False
    if str(event.get("TRANSP", "")).upper() == "TRANSPARENT":
        return False
    if str(event.get("X-MICROSOFT-CDO-BUSYSTATUS", "")).upper() in _NOT_AWAY:
        return False
    return wanted is None or wanted.search(str(event.get("SUMMARY", ""))) is not None


def _period(event: Any, zone: ZoneInfo) -> Period:
    return _instant(event.start, zone), _instant(event.end, zone)


def _instant(value: date, zone: ZoneInfo) -> datetime:
    """A whole day begins at its midnight in ``zone``; a time without a zone is one of ``zone``."""
    if not isinstance(value, datetime):
        return instant_at(datetime.combine(value, time()), zone)
    return instant_at(value, zone) if value.tzinfo is None else value.astimezone(UTC)


def merged(periods: Iterable[Period]) -> Iterator[Period]:
    """The periods in order, those that overlap or touch made into one."""
    held: Period | None = None
    for start, end in sorted(periods):
        if held is not None and start <= held[1]:
            held = held[0], max(held[1], end)
            continue
        if held is not None:
            yield held
        held = start, end
    if held is not None:
        yield held
