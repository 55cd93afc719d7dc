"""A calendar's document, as a policy file has it, to values and back.

::

    zone: America/Chicago
    hours:                                   # or: 24x7
      mon: ["08:00-12:00", "13:00-17:00"]    # touching is fine, overlapping is not
      fri: ["22:00-06:00", "12:00-24:00"]    # past midnight; until midnight
    holidays:
      country: US                            # of the holidays library; optional
      subdivision: TX
      categories: [public]
      observed: true
      add:
        - {date: "2026-12-24", name: Christmas Eve, hours: ["08:00-12:00"]}
        - {date: "12-31", name: New Year's Eve}
      remove: [Columbus Day, "11-11"]
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from routing.business_hours.errors import CalendarError, within
from routing.business_hours.holiday_rules import HolidayRules, SpecialDay
from routing.business_hours.windows import DAY, WEEKDAYS, Week, Window

AROUND_THE_CLOCK: Week = ((Window(0, DAY),),) * 7


def week_from(document: object) -> Week:
    """The week of ``{mon: ["08:00-17:00"], ...}`` or ``24x7``; a day that is not there is closed."""
    if document == "24x7":
        return AROUND_THE_CLOCK
    hours = _mapping(document, "weekdays and their windows, or '24x7'")
    for key in hours:
        if key not in WEEKDAYS:
            raise CalendarError(f"{key!r} is not a weekday; expected {', '.join(WEEKDAYS)}", str(key))
    week = []
    for key in WEEKDAYS:
        with within(key):
            week.append(_windows(hours.get(key)))
    return tuple(week)


def rules_from(document: object) -> HolidayRules:
    """The rules of ``{country: US, add: [...], remove: [...]}``; none for an empty document."""
    if document is None:
        return HolidayRules()
    parts = _mapping(document, "country, subdivision, categories, observed, add, remove")
    refuse_unknown(parts, ("country", "subdivision", "categories", "observed", "add", "remove"))
    added = []
    for number, entry in enumerate(_list(parts.get("add"), "add")):
        with within(f"add[{number}]"):
            added.append(_special_from(entry))
    observed = parts.get("observed", True)
    if not isinstance(observed, bool):
        raise CalendarError(f"{observed!r} is neither true nor false", "observed")
    return HolidayRules(
        country=_text(parts, "country"),
        subdivision=_text(parts, "subdivision"),
        categories=_texts(parts, "categories") or ("public",),
        observed=observed,
        added=tuple(added),
        removed=_texts(parts, "remove"),
    )


def week_to(week: Week) -> dict[str, list[str]]:
    """The document of a week."""
    days = zip(WEEKDAYS, week, strict=True)
    return {key: [str(window) for window in windows] for key, windows in days if windows}


def rules_to(rules: HolidayRules) -> dict[str, Any]:
    """The document of holiday rules, without what is as usual."""
    document: dict[str, Any] = {}
    if rules.country:
        document["country"] = rules.country
    if rules.subdivision:
        document["subdivision"] = rules.subdivision
    if rules.categories != ("public",):
        document["categories"] = list(rules.categories)
    if not rules.observed:
        document["observed"] = False
    if rules.added:
        document["add"] = [_special_to(special) for special in rules.added]
    if rules.removed:
        document["remove"] = list(rules.removed)
    return document


def refuse_unknown(document: Mapping[str, object], known: tuple[str, ...]) -> None:
    """Raise :class:`CalendarError` for a key that means nothing here."""
    for key in document:
        if key not in known:
            raise CalendarError(f"nothing is called {key!r} here; expected {', '.join(known)}", str(key))


def _special_from(entry: object) -> SpecialDay:
    if isinstance(entry, (str, date)):
        entry = {"date": entry}
    parts = _mapping(entry, "a date, or a mapping with date, name and hours")
    refuse_unknown(parts, ("date", "name", "hours"))
    if "date" not in parts:
        raise CalendarError("has no date; expected '2026-12-24', or '12-24' for every year", "date")
    with within("hours"):
        windows = _windows(parts.get("hours"))
    return SpecialDay(_date_text(parts["date"]), _text(parts, "name") or "Holiday", windows)


def _special_to(special: SpecialDay) -> dict[str, Any]:
    document: dict[str, Any] = {"date": special.when, "name": special.name}
    if special.windows:
        document["hours"] = [str(window) for window in special.windows]
    return document


def _windows(value: object) -> tuple[Window, ...]:
    windows = []
    for number, text in enumerate(_list(value, "")):
        with within(f"[{number}]"):
            windows.append(Window.parse(text))
    return tuple(windows)


def _date_text(value: object) -> Any:
    # YAML reads an unquoted 2026-12-24 as a date.
    return value.isoformat() if isinstance(value, date) and not isinstance(value, datetime) else value


def _mapping(value: object, expected: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise CalendarError(f"{value!r} is not a mapping; expected {expected}")
    return value


def _list(value: object, key: str) -> list[object]:
    if value is None:
        return []
    if not isinstance(value, (list, tuple)):
        raise CalendarError(f"{value!r} is not a list; expected one, such as ['...']", key)
    return list(value)


def _text(parts: Mapping[str, object], key: str) -> str | None:
    value = parts.get(key)
    if value is not None and (not isinstance(value, str) or not value.strip()):
        raise CalendarError(f"{value!r} is not text", key)
    return value


def _texts(parts: Mapping[str, object], key: str) -> tuple[str, ...]:
    values = [_date_text(value) for value in _list(parts.get(key), key)]
    for number, value in enumerate(values):
        if not isinstance(value, str) or not value.strip():
            raise CalendarError(f"{value!r} is not text", f"{key}[{number}]")
    return tuple(values)
