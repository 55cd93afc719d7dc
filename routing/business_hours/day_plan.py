"""The plan of every local date: its open spans on the wall clock, and which dates are business days."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache

from routing.business_hours.errors import BeyondHorizon, NeverOpens
from routing.business_hours.holiday_rules import HolidayRules, SpecialDay
from routing.business_hours.windows import DAY, Span, Week, merged, next_morning, within_day

FIRST_YEAR, LAST_YEAR = 2, 9998
"""Years with a day before and after that :class:`datetime.date` can still express."""

EMPTY_YEARS = 40
"""After so many years without an opening there is none: 29 February meets a given weekday that often."""

_TOMORROW = timedelta(days=1)


class DayPlan:
    """What a week and its holiday rules say about dates."""

    def __init__(self, week: Week, rules: HolidayRules) -> None:
        nights = [next_morning(windows) for windows in week]
        own = [within_day(windows) for windows in week]
        self._weekdays = tuple(merged(own[day] + nights[day - 1]) for day in range(7))
        self._rules = rules
        self.is_empty = not any(self._weekdays) and not any(special.windows for special in rules.added)
        self.is_always_open = self._weekdays == (((0, DAY),),) * 7 and rules == HolidayRules()
        self._specials = lru_cache(maxsize=128)(self._find_specials)
        self.business_days = lru_cache(maxsize=128)(self._find_business_days)

    def special(self, day: date) -> SpecialDay | None:
        """The rule that makes the date special."""
        return self._specials(day.year)[0].get(day)

    def spans(self, day: date) -> tuple[Span, ...]:
        """The open spans of the date, in order, apart."""
        specials, mornings = self._specials(day.year)
        if day in specials:
            return within_day(specials[day].windows)
        usual = self._weekdays[day.weekday()]
        return merged(usual + mornings[day]) if day in mornings else usual

    def _find_specials(self, year: int) -> tuple[Mapping[date, SpecialDay], Mapping[date, tuple[Span, ...]]]:
        specials = self._rules.in_year(year)
        eve = date(year - 1, 12, 31)
        before = {eve: special} if (special := self._rules.in_year(year - 1).get(eve)) else {}
        nights = (before | dict(specials)).items()
        return specials, {day + _TOMORROW: span for day, it in nights if (span := next_morning(it.windows))}

    def _find_business_days(self, year: int) -> tuple[date, ...]:
        first, count = date(year, 1, 1), (date(year + 1, 1, 1) - date(year, 1, 1)).days
        return tuple(day for n in range(count) if self.spans(day := first + timedelta(days=n)))

    def business_day_after(self, day: date, count: int) -> date:
        """The ``count``-th (from 1) date after ``day`` that has open spans."""
        if self.is_empty:
            raise NeverOpens("this calendar has no open hours at all")
        missing = count + bisect_right(self.business_days(day.year), day)
        empty = 0
        for year in range(day.year, LAST_YEAR + 1):
            days = self.business_days(year)
            if missing <= len(days):
                return days[missing - 1]
            missing -= len(days)
            empty = 0 if days else empty + 1
            if empty > EMPTY_YEARS:
                raise NeverOpens(f"there is no business day in {EMPTY_YEARS} years after {day}")
        raise BeyondHorizon(f"{count} business days after {day} are beyond the year {LAST_YEAR}")


def usual_length(week: Week) -> timedelta:
    """The most common length of the weekdays that have windows, the longest of equally common ones.

    A window past midnight counts for the day on which it begins.
    """
    lengths = sorted((sum(window.minutes for window in windows) for windows in week if windows), reverse=True)
    if not lengths:
        raise NeverOpens("this calendar has no weekly hours, so it has no standard day", "hours")
    return timedelta(minutes=max(lengths, key=lengths.count))
