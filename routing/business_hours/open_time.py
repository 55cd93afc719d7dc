"""Open time as a table per year: when each interval starts and ends, and how much was open by its end.

With prefix sums, "how much was open until t" and "when is so much used up" are one bisection each, whatever
the number of minutes in between; a span of years adds their totals. Everything in here is in whole
microseconds after 1970-01-01T00:00Z. A table covers one UTC year; an interval across New Year is in two
tables, in two parts.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import accumulate
from zoneinfo import ZoneInfo

from routing.business_hours.day_plan import EMPTY_YEARS, FIRST_YEAR, LAST_YEAR, DayPlan
from routing.business_hours.errors import BeyondHorizon, NeverCloses, NeverOpens
from routing.business_hours.wall_clock import EPOCH, first_reached, offsets_in

HORIZON_YEARS = 100
"""How many years of open time :meth:`OpenTime.due` searches before it gives up."""


def microseconds(length: timedelta) -> int:
    """The whole length."""
    return (length.days * 86_400 + length.seconds) * 1_000_000 + length.microseconds


def to_number(instant: datetime) -> int:
    """Microseconds after the epoch of an aware instant."""
    return microseconds(instant - EPOCH)


def to_instant(number: int) -> datetime:
    """The instant in UTC."""
    return EPOCH + timedelta(microseconds=number)


@dataclass(frozen=True, slots=True)
class OpenYear:
    """The open intervals of a UTC year: ``starts[i]`` until ``ends[i]``, ``sums[i]`` open by then."""

    starts: tuple[int, ...]
    ends: tuple[int, ...]
    sums: tuple[int, ...]
    total: int

    def used_by(self, number: int) -> int:
        """How much of the year's open time is over."""
        i = bisect_right(self.ends, number)
        if i == len(self.ends):
            return self.total
        return self.sums[i] - self.ends[i] + max(number, self.starts[i])

    def used_up(self, amount: int) -> int:
        """When so much (0 < amount <= total) of the year's open time is over, at the earliest."""
        i = bisect_left(self.sums, amount)
        return self.ends[i] - self.sums[i] + amount


class OpenTime:
    """The tables of a day plan in a zone, built when first needed and kept. Takes instants in UTC."""

    def __init__(self, plan: DayPlan, zone: ZoneInfo) -> None:
        self._plan = plan
        self._zone = zone
        self._year = lru_cache(maxsize=256)(self._build)

    def is_open(self, instant: datetime) -> bool:
        """Whether an interval holds the instant; it holds its start and not its end."""
        table, number = self._year(instant.year), to_number(instant)
        i = bisect_right(table.ends, number)
        return i < len(table.ends) and table.starts[i] <= number

    def next_opening(self, instant: datetime) -> datetime:
        """The instant itself when open, else the start of the next interval."""
        return max(instant, to_instant(self._interval(instant)[0]))

    def next_closing(self, instant: datetime) -> datetime:
        """The end of the interval that holds the instant, or of the next one."""
        end = self._interval(instant)[1]
        first = to_instant(end).year
        for year in range(first, min(first + EMPTY_YEARS, LAST_YEAR) + 1):
            table = self._year(year)
            if not table.starts or table.starts[0] != end:
                # The end of a year's table is an end only if the next year does not go on from it.
                return to_instant(end)
            end = table.ends[0]
            if end != _new_year(year + 1):
                return to_instant(end)
        raise NeverCloses(f"it stays open for {EMPTY_YEARS} years and more after {instant:%Y-%m-%d}")

    def due(self, start: datetime, amount: timedelta) -> datetime:
        """When ``amount`` (more than 0) of open time after the start is used up, at the earliest."""
        self._refuse_if_empty()
        need = self._year(start.year).used_by(to_number(start)) + microseconds(amount)
        empty = 0
        for year in range(start.year, min(start.year + HORIZON_YEARS, LAST_YEAR) + 1):
            table = self._year(year)
            if need <= table.total:
                return to_instant(table.used_up(need))
            need -= table.total
            empty = 0 if table.total else empty + 1
            if empty > EMPTY_YEARS:
                raise _no_opening(start)
        raise BeyondHorizon(
            f"{amount} is more open time than {HORIZON_YEARS} years after {start:%Y-%m-%d} have"
        )

    def between(self, start: datetime, end: datetime) -> timedelta:
        """How much is open from ``start`` until ``end`` (not before it)."""
        if self._plan.is_empty:
            return timedelta()
        total = sum(self._year(year).total for year in range(start.year, end.year))
        total -= self._year(start.year).used_by(to_number(start))
        total += self._year(end.year).used_by(to_number(end))
        return timedelta(microseconds=total)

    def intervals(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The open intervals from ``start`` until ``end``, cut to that, as long as they can be."""
        held: tuple[int, int] | None = None
        for opens, closes in self._parts(start, end):
            if held and held[1] == opens:
                held = (held[0], closes)
                continue
            if held:
                yield to_instant(held[0]), to_instant(held[1])
            held = (opens, closes)
        if held:
            yield to_instant(held[0]), to_instant(held[1])

    def _parts(self, start: datetime, end: datetime) -> Iterator[tuple[int, int]]:
        first, last = to_number(start), to_number(end)
        for year in range(start.year, end.year + 1):
            table = self._year(year)
            for i in range(bisect_right(table.ends, first), bisect_left(table.starts, last)):
                yield max(table.starts[i], first), min(table.ends[i], last)

    def _interval(self, instant: datetime) -> tuple[int, int]:
        self._refuse_if_empty()
        number = to_number(instant)
        for year in range(instant.year, min(instant.year + EMPTY_YEARS, LAST_YEAR) + 1):
            table = self._year(year)
            i = bisect_right(table.ends, number)
            if i < len(table.ends):
                return table.starts[i], table.ends[i]
        raise _no_opening(instant)

    def _refuse_if_empty(self) -> None:
        if self._plan.is_empty:
            raise NeverOpens("this calendar has no open hours at all")

    def _build(self, year: int) -> OpenYear:
        if not FIRST_YEAR <= year <= LAST_YEAR:
            raise BeyondHorizon(
                f"the year {year} is beyond what a calendar knows: {FIRST_YEAR} to {LAST_YEAR}"
            )
        first, last = _new_year(year), _new_year(year + 1)
        starts: list[int] = []
        ends: list[int] = []
        for opens, closes in self._days_of(year):
            opens, closes = max(opens, first), min(closes, last)
            if opens >= closes:
                continue
            if ends and ends[-1] == opens:
                ends[-1] = closes
            else:
                starts.append(opens)
                ends.append(closes)
        sums = tuple(accumulate(end - start for start, end in zip(starts, ends, strict=True)))
        return OpenYear(tuple(starts), tuple(ends), sums, sums[-1] if sums else 0)

    def _days_of(self, year: int) -> Iterator[tuple[int, int]]:
        # No zone is a whole day away from UTC: a UTC year is in its own local dates and one on either side.
        offsets = offsets_in(self._zone, year)
        for ordinal in range(date(year, 1, 1).toordinal() - 1, date(year + 1, 1, 1).toordinal() + 1):
            midnight = (ordinal - EPOCH.toordinal()) * 86_400
            for opens, closes in self._plan.spans(date.fromordinal(ordinal)):
                yield (
                    first_reached(offsets, midnight + opens * 60) * 1_000_000,
                    first_reached(offsets, midnight + closes * 60) * 1_000_000,
                )


def _new_year(year: int) -> int:
    return to_number(datetime(year, 1, 1, tzinfo=UTC))


def _no_opening(instant: datetime) -> NeverOpens:
    return NeverOpens(f"there is no opening within {EMPTY_YEARS} years after {instant:%Y-%m-%d}")
