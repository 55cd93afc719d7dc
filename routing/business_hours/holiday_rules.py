"""Holidays: a country's, a company's own, days with hours of their own, and exceptions from them.

A rule is about a local date, from midnight to midnight. A day with hours of its own has those instead of the
week's, and of a night that crosses midnight only the half on the date itself is changed.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib.util import find_spec, module_from_spec

import holidays as library
from holidays.registry import EntityLoader

from routing.business_hours.dates import is_date_like, is_recurring, on, refuse_bad_date
from routing.business_hours.errors import CalendarError, within
from routing.business_hours.windows import Window, refuse_overlaps

_YEARS_TO_KNOW_NAMES_FROM = range(2000, 2051)


def _spare_other_countries() -> None:
    """Make the library load the countries that are asked for, each from its module, and not all 250: 8 MB.

    Its package of countries imports them all when it is run; here it is known and never run.
    """
    spec = find_spec("holidays.countries")
    if spec is not None:
        sys.modules.setdefault(spec.name, module_from_spec(spec))


_spare_other_countries()


@dataclass(frozen=True)
class SpecialDay:
    """A date that is not as its weekday is: closed, or open in ``windows`` only.

    ``when`` is one date (``2026-12-24``) or one of each year (``12-24``).
    """

    when: str
    name: str = "Holiday"
    windows: tuple[Window, ...] = ()

    def __post_init__(self) -> None:
        with within("date"):
            refuse_bad_date(self.when)
        with within("hours"):
            refuse_overlaps(self.windows)
        object.__setattr__(self, "windows", tuple(sorted(self.windows)))


@dataclass(frozen=True)
class HolidayRules:
    """Which dates are special.

    ``country`` (ISO 3166 code), ``subdivision``, ``categories`` and ``observed`` select from the
    ``holidays`` library, whose days are closed all day. ``removed`` has dates and names that are taken out
    of the library's; a name also takes out its observed days. ``added`` comes last and wins; one date wins
    over a yearly one.
    """

    country: str | None = None
    subdivision: str | None = None
    categories: tuple[str, ...] = ("public",)
    observed: bool = True
    added: tuple[SpecialDay, ...] = ()
    removed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _refuse_unknown_country(self)
        _refuse_twice(self.added)
        _refuse_unknown_removals(self)

    def in_year(self, year: int) -> Mapping[date, SpecialDay]:
        """The special days of one year."""
        gone = {on(entry, year) for entry in self.removed if is_date_like(entry)}
        days = {
            day: SpecialDay(day.isoformat(), name)
            for day, names in _library_days(self._selection, year).items()
            if day not in gone and (name := self._kept(names))
        }
        for special in sorted(self.added, key=lambda special: not is_recurring(special.when)):
            if day := on(special.when, year):
                days[day] = special
        return days

    @property
    def _selection(self) -> _Selection:
        return (self.country, self.subdivision, self.categories, self.observed)

    def _kept(self, names: str) -> str:
        removed = [entry.casefold() for entry in self.removed if not is_date_like(entry)]
        return "; ".join(name for name in names.split("; ") if not _is_one_of(name.casefold(), removed))


_Selection = tuple[str | None, str | None, tuple[str, ...], bool]


def _is_one_of(name: str, removed: list[str]) -> bool:
    # "Veterans Day" takes "Veterans Day (observed)" with it.
    return any(name == entry or name.startswith(f"{entry} (") for entry in removed)


@lru_cache(maxsize=1024)
def _library_days(selection: _Selection, year: int) -> Mapping[date, str]:
    country, subdivision, categories, observed = selection
    if country is None:
        return {}
    return dict(
        library.country_holidays(
            country, subdiv=subdivision, years=year, expand=False, observed=observed, categories=categories
        )
    )


@lru_cache(maxsize=64)
def _library_names(selection: _Selection) -> tuple[str, ...]:
    years = (_library_days(selection, year) for year in _YEARS_TO_KNOW_NAMES_FROM)
    return tuple(sorted({name for days in years for names in days.values() for name in names.split("; ")}))


def _refuse_unknown_country(rules: HolidayRules) -> None:
    if rules.country is None:
        if rules.subdivision is not None:
            raise CalendarError("a subdivision needs a country", "subdivision")
        return
    if rules.country not in EntityLoader.get_country_codes(include_aliases=True):
        raise CalendarError(
            f"{rules.country!r} is not a country with known holidays; expected such as 'US'", "country"
        )
    entity = library.country_holidays(rules.country)
    subdivisions = (*entity.subdivisions, *entity.subdivisions_aliases)
    if rules.subdivision is not None and rules.subdivision not in subdivisions:
        expected = f"one of {', '.join(subdivisions)}" if subdivisions else "none"
        raise CalendarError(
            f"{rules.country} has no subdivision {rules.subdivision!r}; expected {expected}", "subdivision"
        )
    for number, category in enumerate(rules.categories):
        if category not in entity.supported_categories:
            expected = ", ".join(entity.supported_categories)
            sentence = (
                f"{rules.country} has no holidays of category {category!r}; expected some of {expected}"
            )
            raise CalendarError(sentence, f"categories[{number}]")


def _refuse_twice(added: tuple[SpecialDay, ...]) -> None:
    seen: set[str] = set()
    for number, special in enumerate(added):
        if special.when in seen:
            raise CalendarError(
                f"{special.when} is there already; expected each date once", f"add[{number}].date"
            )
        seen.add(special.when)


def _refuse_unknown_removals(rules: HolidayRules) -> None:
    """A name that removes nothing is a slip of the pen which would keep the desk closed."""
    for number, entry in enumerate(rules.removed):
        with within(f"remove[{number}]"):
            if rules.country is None:
                raise CalendarError(f"{entry!r} cannot be removed without a country to remove it from")
            if is_date_like(entry):
                refuse_bad_date(entry)
            elif not any(
                _is_one_of(name.casefold(), [entry.casefold()]) for name in _library_names(rules._selection)
            ):
                names = ", ".join(_library_names(rules._selection))
                raise CalendarError(
                    f"{entry!r} is not a holiday of {rules.country}; expected a date or one of {names}"
                )
