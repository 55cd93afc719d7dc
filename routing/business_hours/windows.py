"""Windows: the spans of a day in which a desk is open, as a wall clock shows them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from routing.business_hours.errors import CalendarError

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = 24 * 60
"""Minutes of a day on the wall clock."""

Span = tuple[int, int]
"""Minutes after local midnight, from and until, both within one day: 0 <= from < until <= 1440."""

Week = tuple[tuple["Window", ...], ...]
"""The windows that begin on Monday, ..., Sunday."""

_TIME = re.compile(r"(\d{1,2}):(\d{2})")
_WINDOW = re.compile(rf"\s*{_TIME.pattern}\s*[-\u2013]\s*{_TIME.pattern}\s*", re.ASCII)


@dataclass(frozen=True, order=True)
class Window:
    """Open from ``opens`` until ``closes``, minutes after the midnight on which its day begins.

    ``closes`` is past 1440 for a window that runs past midnight: 22:00-06:00 is ``Window(1320, 1800)``.
    """

    opens: int
    closes: int

    def __post_init__(self) -> None:
        longest = DAY if self.opens == 0 else DAY - 1  # 18:00-18:00 could not be told from nothing
        if not 0 <= self.opens < DAY or not 0 < self.closes - self.opens <= longest:
            raise CalendarError(
                f"a window from minute {self.opens} until {self.closes} is not within a day's length"
            )

    @classmethod
    def parse(cls, text: object) -> Window:
        """``08:00-17:00``, ``22:00-06:00`` (until the next morning), ``00:00-24:00`` (all day)."""
        match = _WINDOW.fullmatch(text) if isinstance(text, str) else None
        if match is None:
            raise CalendarError(f"{text!r} is not a window; expected text such as '08:00-17:00'")
        opens, closes = _minutes(match[1], match[2]), _minutes(match[3], match[4])
        if opens == DAY:
            raise CalendarError(f"{text!r} opens at 24:00; only an end may be 24:00, a start would be 00:00")
        if opens == closes:
            raise CalendarError(
                f"{text!r} opens and closes at the same time; expected '00:00-24:00' for all day"
            )
        return cls(opens, closes if closes > opens else closes + DAY)

    @property
    def minutes(self) -> int:
        """How long it is on the wall clock."""
        return self.closes - self.opens

    def __str__(self) -> str:
        closes = self.closes if self.closes <= DAY else self.closes - DAY
        return f"{_written(self.opens)}-{_written(closes)}"


def _minutes(hour: str, minute: str) -> int:
    total = int(hour) * 60 + int(minute)
    if int(minute) > 59 or total > DAY:
        raise CalendarError(f"{hour}:{minute} is not a time of day; expected 00:00 to 24:00")
    return total


def _written(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def refuse_overlaps(windows: Sequence[Window]) -> None:
    """Raise :class:`CalendarError` at the first window that overlaps an earlier one; touching is fine."""
    for number, window in enumerate(windows):
        for other in windows[:number]:
            if window.opens < other.closes and other.opens < window.closes:
                raise CalendarError(f"{window} overlaps {other}; windows must not overlap", f"[{number}]")


def refuse_overlapping_nights(week: Week) -> None:
    """Raise :class:`CalendarError` where a window past midnight runs into the next day's windows."""
    for weekday, windows in enumerate(week):
        night = max((window.closes - DAY for window in week[weekday - 1]), default=0)
        for number, window in enumerate(windows):
            if window.opens < night:
                evening = WEEKDAYS[weekday - 1]
                sentence = f"{window} overlaps the window of {evening} that runs until {_written(night)}"
                raise CalendarError(f"{sentence}; windows must not overlap", f"{WEEKDAYS[weekday]}[{number}]")


def within_day(windows: Iterable[Window]) -> tuple[Span, ...]:
    """The parts of windows that are on their own day."""
    return merged((window.opens, min(window.closes, DAY)) for window in windows)


def next_morning(windows: Iterable[Window]) -> tuple[Span, ...]:
    """The parts of windows that are on the day after."""
    return merged((0, window.closes - DAY) for window in windows if window.closes > DAY)


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same time in order, with touching and overlapping spans made one."""
    result: list[Span] = []
    for start, end in sorted(spans):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(result[-1][1], end))
        else:
            result.append((start, end))
    return tuple(result)
