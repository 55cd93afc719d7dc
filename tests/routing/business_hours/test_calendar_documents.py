"""Calendars as documents: what is understood, and what is said about what is not."""

import copy
import pickle
from datetime import date, timedelta

import pytest

from routing.business_hours import BusinessCalendar, CalendarError, SpecialDay, Window

OFFICE = {"zone": "America/Chicago", "hours": {"mon": ["08:00-17:00"]}}


def office(**changes):
    return BusinessCalendar.from_dict(OFFICE | changes)


MISTAKES = [
    ({"zone": "America/Chicgo"}, "zone", "'America/Chicgo' is not a time zone; expected an IANA name"),
    ({"zone": "America"}, "zone", "not a time zone"),
    ({"zone": "../../etc/passwd"}, "zone", "not a time zone"),
    ({"zone": "localtime"}, "zone", "not a time zone"),
    ({"zone": "right/UTC"}, "zone", "not a time zone"),
    ({"zone": None}, "zone", "not a time zone"),
    ({"zone": -6}, "zone", "not a time zone"),
    ({"ours": {}}, "ours", "nothing is called 'ours' here; expected zone, hours, holidays"),
    ({"hours": ["08:00-17:00"]}, "hours", "expected weekdays and their windows"),
    ({"hours": {"monday": []}}, "hours.monday", "'monday' is not a weekday; expected mon, tue, wed"),
    ({"hours": {"mon": "08:00-17:00"}}, "hours.mon", "is not a list"),
    ({"hours": {"mon": [800]}}, "hours.mon[0]", "800 is not a window; expected text such as '08:00-17:00'"),
    ({"hours": {"mon": ["8-17"]}}, "hours.mon[0]", "is not a window"),
    (
        {"hours": {"mon": ["08:00-17:60"]}},
        "hours.mon[0]",
        "17:60 is not a time of day; expected 00:00 to 24:00",
    ),
    ({"hours": {"mon": ["08:00-24:01"]}}, "hours.mon[0]", "24:01 is not a time of day"),
    ({"hours": {"mon": ["24:00-08:00"]}}, "hours.mon[0]", "only an end may be 24:00"),
    ({"hours": {"mon": ["08:00-08:00"]}}, "hours.mon[0]", "opens and closes at the same time"),
    ({"hours": {"mon": ["08:00-12:00", "11:59-17:00"]}}, "hours.mon[1]", "11:59-17:00 overlaps 08:00-12:00"),
    (
        {"hours": {"mon": ["22:00-06:00"], "tue": ["07:00-08:00", "05:00-06:30"]}},
        "hours.tue[1]",
        "until 06:00",
    ),
    (
        {"hours": {"sun": ["22:00-06:00"], "mon": ["05:59-07:00"]}},
        "hours.mon[0]",
        "overlaps the window of sun",
    ),
    ({"holidays": ["2026-12-24"]}, "holidays", "expected country, subdivision"),
    ({"holidays": {"land": "US"}}, "holidays.land", "nothing is called 'land' here"),
    ({"holidays": {"country": "XX"}}, "holidays.country", "'XX' is not a country with known holidays"),
    ({"holidays": {"country": 1}}, "holidays.country", "1 is not text"),
    ({"holidays": {"subdivision": "TX"}}, "holidays.subdivision", "a subdivision needs a country"),
    ({"holidays": {"country": "US", "subdivision": "ZZ"}}, "holidays.subdivision", "no subdivision 'ZZ'"),
    ({"holidays": {"country": "US", "categories": ["fun"]}}, "holidays.categories[0]", "category 'fun'"),
    ({"holidays": {"country": "US", "observed": "yes"}}, "holidays.observed", "neither true nor false"),
    ({"holidays": {"add": "12-24"}}, "holidays.add", "is not a list"),
    ({"holidays": {"add": [5]}}, "holidays.add[0]", "5 is not a mapping; expected a date, or"),
    ({"holidays": {"add": [{"name": "Eve"}]}}, "holidays.add[0].date", "has no date"),
    ({"holidays": {"add": [{"date": "2026-02-29"}]}}, "holidays.add[0].date", "is not a date that exists"),
    ({"holidays": {"add": ["12-24", "13-01"]}}, "holidays.add[1].date", "is not a date that exists"),
    (
        {"holidays": {"add": ["24.12."]}},
        "holidays.add[0].date",
        "expected '2026-12-24', or '12-24' for every year",
    ),
    ({"holidays": {"add": ["12-24", {"date": "12-24"}]}}, "holidays.add[1].date", "expected each date once"),
    ({"holidays": {"add": [{"date": "12-24", "hours": ["8"]}]}}, "holidays.add[0].hours[0]", "not a window"),
    (
        {"holidays": {"add": [{"date": "12-24", "hours": ["08:00-12:00", "09:00-10:00"]}]}},
        "holidays.add[0].hours[1]",
        "09:00-10:00 overlaps 08:00-12:00",
    ),
    ({"holidays": {"add": [{"date": "12-24", "name": 7}]}}, "holidays.add[0].name", "7 is not text"),
    (
        {"holidays": {"add": [{"date": "12-24", "closed": True}]}},
        "holidays.add[0].closed",
        "nothing is called",
    ),
    ({"holidays": {"remove": ["Christmas Day"]}}, "holidays.remove[0]", "without a country"),
    (
        {"holidays": {"country": "US", "remove": ["Colombus Day"]}},
        "holidays.remove[0]",
        "is not a holiday of US",
    ),
    (
        {"holidays": {"country": "US", "remove": ["2026-13-01"]}},
        "holidays.remove[0]",
        "not a date that exists",
    ),
    ({"holidays": {"country": "US", "remove": [""]}}, "holidays.remove[0]", "'' is not text"),
]


@pytest.mark.parametrize(("changes", "key", "sentence"), MISTAKES)
def test_it_names_the_key_and_the_mistake(changes, key, sentence):
    with pytest.raises(CalendarError) as caught:
        office(**changes)
    assert caught.value.key == key
    assert sentence in caught.value.sentence
    assert str(caught.value) == f"{key}: {caught.value.sentence}"


def test_it_wants_a_mapping_with_zone_and_hours():
    with pytest.raises(CalendarError, match="expected zone, hours and holidays"):
        BusinessCalendar.from_dict(["America/Chicago"])
    with pytest.raises(CalendarError, match=r"^zone: None is not a time zone"):
        BusinessCalendar.from_dict({"hours": {}})
    with pytest.raises(CalendarError, match=r"^hours: is missing"):
        BusinessCalendar.from_dict({"zone": "UTC"})


@pytest.mark.parametrize("span", [(-1, 5), (600, 600), (600, 540), (1440, 1500), (60, 1500), (0, 1441)])
def test_it_refuses_a_window_that_is_none(span):
    with pytest.raises(CalendarError, match="not within a day's length"):
        Window(*span)


def test_it_refuses_a_week_that_is_none():
    with pytest.raises(CalendarError, match=r"^hours: a week of 1 days"):
        BusinessCalendar(office().zone, ((Window(480, 1020),),))


def test_it_writes_windows_as_they_are_read():
    hours = {"mon": ["08:00-12:00", "12:00-24:00"], "fri": ["22:00-06:00"], "sun": ["00:00-24:00"]}
    assert office(hours=hours).to_dict()["hours"] == hours
    assert office(hours={"tue": ["13:00 - 17:00", "8:00–12:00"]}).to_dict()["hours"] == {
        "tue": ["08:00-12:00", "13:00-17:00"]
    }


def test_it_lets_windows_touch_in_any_order():
    assert office(hours={"mon": ["12:00-17:00", "08:00-12:00"]}).to_dict()["hours"]["mon"][0] == "08:00-12:00"


def test_it_writes_holidays_as_they_are_read():
    holidays = {
        "country": "US",
        "subdivision": "TX",
        "categories": ["public", "government"],
        "observed": False,
        "add": [
            {"date": "2026-12-24", "name": "Christmas Eve", "hours": ["08:00-12:00"]},
            {"date": "12-31", "name": "New Year's Eve"},
        ],
        "remove": ["Columbus Day", "11-11", "2026-01-02"],
    }
    assert office(holidays=holidays).to_dict()["holidays"] == holidays
    assert "holidays" not in office(holidays={}).to_dict()
    assert "holidays" not in office(holidays=None).to_dict()


def test_it_reads_dates_that_yaml_has_read_already():
    calendar = office(holidays={"country": "US", "add": [date(2026, 12, 24)], "remove": [date(2026, 11, 26)]})
    assert calendar.special_day(date(2026, 12, 24)) == SpecialDay("2026-12-24")
    assert calendar.is_holiday(date(2026, 11, 26)) is None


def test_it_is_around_the_clock_in_words_or_by_name():
    always = BusinessCalendar.around_the_clock("America/Chicago")
    assert always == office(hours="24x7")
    assert always.standard_day == timedelta(hours=24)


def test_it_is_equal_when_its_rules_are():
    calendar, same = office(), office(hours={"mon": ["8:00-17:00"], "tue": None})
    assert calendar == same
    assert hash(calendar) == hash(same)
    assert calendar.fingerprint == same.fingerprint == "b3c8d700a3fd65ce"
    assert len({calendar, same, office(hours={})}) == 2
    assert calendar != "calendar"


def test_it_can_be_copied_pickled_and_shown():
    calendar = office()
    assert calendar.standard_day == timedelta(hours=9)
    assert pickle.loads(pickle.dumps(calendar)) == copy.deepcopy(calendar) == calendar
    assert eval(repr(calendar), {"BusinessCalendar": BusinessCalendar}) == calendar
    with pytest.raises(AttributeError):
        calendar.zone = "UTC"
