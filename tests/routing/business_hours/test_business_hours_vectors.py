"""Worked examples: the calendar's answers to questions whose answers are known."""

import json
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from routing.business_hours import BusinessCalendar

_DOCUMENT = json.loads(Path(__file__).with_name("vectors.json").read_text())
_CALENDARS = {key: BusinessCalendar.from_dict(document) for key, document in _DOCUMENT["calendars"].items()}


def _cases(*kinds: str) -> list:
    found = [case for case in _DOCUMENT["cases"] if case["kind"] in kinds]
    return [pytest.param(case, id=f"{case['calendar']}: {case['about']}") for case in found]


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize("case", _cases("due"))
def test_it_finds_when_an_amount_is_due(case):
    calendar, amount = _CALENDARS[case["calendar"]], timedelta(seconds=case["amount_s"])
    assert calendar.due(_at(case["start"]), amount) == _at(case["expected"])


@pytest.mark.parametrize("case", _cases("elapsed"))
def test_it_measures_what_has_elapsed(case):
    calendar, expected = _CALENDARS[case["calendar"]], timedelta(seconds=case["expected_s"])
    assert calendar.elapsed(_at(case["start"]), _at(case["end"])) == expected


@pytest.mark.parametrize("case", _cases("next-opening"))
def test_it_finds_the_next_opening(case):
    assert _CALENDARS[case["calendar"]].next_opening(_at(case["start"])) == _at(case["expected"])


@pytest.mark.parametrize("case", _cases("business-days"))
def test_it_adds_business_days_at_the_same_time(case):
    calendar = _CALENDARS[case["calendar"]]
    assert calendar.add_business_days(_at(case["start"]), case["days"]) == _at(case["expected"])


@pytest.mark.parametrize("case", _cases("is-holiday"))
def test_it_names_holidays(case):
    assert _CALENDARS[case["calendar"]].is_holiday(date.fromisoformat(case["day"])) == case["expected"]


@pytest.mark.parametrize("case", _cases("local-to-utc"))
def test_it_reads_the_wall_clock(case):
    calendar = _CALENDARS[case["calendar"]]
    assert calendar.local_to_utc(datetime.fromisoformat(case["local"])) == _at(case["expected"])


def test_it_has_examples_of_nothing_else():
    kinds = {case["kind"] for case in _DOCUMENT["cases"]}
    assert kinds == {"due", "elapsed", "next-opening", "business-days", "is-holiday", "local-to-utc"}
