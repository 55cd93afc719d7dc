"""Weekly windows of local time that a rotation is restricted to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from routing.oncall.errors import ScheduleError, at
from routing.oncall.fields import items
from routing.wall_time import DAY, WEEKDAYS, clock_text, on_day, parse_weekday, parse_window

_ONE_DAY = timedelta(days=1)


class Window(NamedTuple):
    """``weekday`` (0: Monday) and minutes of wall time after its midnight; above 1440 is the next day."""

    weekday: int
    opens: int
    closes: int

    @property
    def text(self) -> str:
        """The window as it is written in a file."""
        closes = self.closes if self.closes <= DAY else self.closes - DAY
        return f"{clock_text(self.opens)}-{clock_text(closes)}"


def read_hours(data: object) -> tuple[Window, ...]:
    """Windows from ``{"mon-fri": "17:00-08:00", "sat": ["08:00-12:00", "13:00-24:00"]}``, in order."""
    if data is None:
        return ()
    if not isinstance(data, Mapping) or not data:
        raise ValueError(
            f"{data!r} has no windows; expected weekdays with windows, or no hours for around the clock"
        )
    windows: list[Window] = []
    for days, texts in data.items():
        with at(str(days)):
            spans = [parse_window(text) for text in ([texts] if isinstance(texts, str) else items(texts))]
            windows += [Window(day, *span) for day in _weekdays(days) for span in spans]
    if not windows:
        raise ValueError("no weekday has a window; expected one such as mon: 17:00-08:00, or no hours at all")
    return tuple(sorted(windows))


def _weekdays(text: object) -> list[int]:
    first, dash, last = text.partition("-") if isinstance(text, str) else (text, "", "")
    start = parse_weekday(first)
    end = parse_weekday(last) if dash else start
    return [(start + ahead) % 7 for ahead in range((end - start) % 7 + 1)]


def write_hours(windows: Sequence[Window]) -> dict[str, Any]:
    """The reverse of ``read_hours``, weekday by weekday."""
    texts: dict[str, Any] = {}
    for window in windows:
        texts.setdefault(WEEKDAYS[window.weekday], []).append(window.text)
    return texts


def check_windows(windows: Sequence[Window]) -> None:
    """Raise ``ScheduleError`` for windows that overlap, since one of them must be a mistake.

    One overlap is allowed, because it is how people write nights and weekends: Friday 17:00-08:00 may run
    into a Saturday that is open from 00:00.
    """
    for index, window in enumerate(windows):
        for other in windows[index + 1 :]:
            same_day = window.weekday == other.weekday
            if same_day and window.opens < other.closes and other.opens < window.closes:
                raise _overlap(window, other)
    for window in windows:
        for other in windows:
            following = other.weekday == (window.weekday + 1) % 7
            if following and 0 < other.opens < window.closes - DAY:
                raise _overlap(window, other)


def _overlap(window: Window, other: Window) -> ScheduleError:
    days = WEEKDAYS[window.weekday], WEEKDAYS[other.weekday]
    sentence = f"{days[0]} {window.text} and {days[1]} {other.text} overlap; expected windows that do not"
    return ScheduleError(days[1], sentence)


def open_periods(
    windows: Sequence[Window], zone: ZoneInfo, start: datetime, end: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """The periods in [start, end) in which a window is open, in order, disjoint, touching ones joined."""
    by_day = [[w for w in windows if w.weekday == day] for day in range(7)]
    # A window ends at the latest on the day after, and clocks set back at 00:01 return to the day before.
    day = start.astimezone(zone).date() - _ONE_DAY
    last = end.astimezone(zone).date() + _ONE_DAY
    opened = closed = start
    while day <= last:
        for _, opens, closes in by_day[day.weekday()]:
            begins, ends = on_day(day, opens, zone), on_day(day, closes, zone)
            if begins >= end:
                break
            if begins > closed:
                if opened < closed:
                    yield opened, closed
                opened = begins
            if ends > closed:
                closed = ends
        day += _ONE_DAY
    if opened < closed:
        yield opened, min(closed, end)
