"""Holidays of a country, of one's own, half days, and what is taken out."""

from datetime import UTC, date, datetime, timedelta

import pytest

from routing.business_hours import BusinessCalendar, HolidayRules, SpecialDay, Window
from routing.business_hours.windows import WEEKDAYS

HOURS = {day: ["08:00-17:00"] for day in WEEKDAYS[:5]}


def desk(**holidays):
    return BusinessCalendar.from_dict({"zone": "UTC", "hours": HOURS, "holidays": holidays})


def test_it_takes_a_countrys_holidays():
    american = desk(country="US")
    assert american.is_holiday(date(2026, 11, 26)) == "Thanksgiving Day"
    assert american.is_holiday(date(2026, 11, 27)) is None
    assert desk().is_holiday(date(2026, 11, 26)) is None


def test_it_takes_a_subdivisions_holidays():
    assert desk(country="US", subdivision="TX").is_holiday(date(2026, 11, 27)) == "Friday After Thanksgiving"


def test_it_takes_other_categories():
    assert desk(country="US", categories=["unofficial"]).is_holiday(date(2026, 2, 14)) == "Valentine's Day"


def test_it_can_leave_out_observed_days():
    assert desk(country="US").is_holiday(date(2026, 7, 3)) == "Independence Day (observed)"
    assert desk(country="US", observed=False).is_holiday(date(2026, 7, 3)) is None


def test_it_knows_a_day_that_is_observed_in_the_year_before():
    assert desk(country="US").is_holiday(date(2027, 12, 31)) == "New Year's Day (observed)"


def test_it_removes_a_holiday_and_its_observed_days_by_name():
    calendar = desk(country="US", remove=["independence day", "Columbus Day"])
    assert calendar.is_holiday(date(2026, 7, 3)) is None
    assert calendar.is_holiday(date(2026, 10, 12)) is None
    assert calendar.is_holiday(date(2026, 6, 19)) == "Juneteenth National Independence Day"


def test_it_removes_a_holiday_by_date_once_or_every_year():
    calendar = desk(country="US", remove=["2026-12-25", "11-11"])
    assert calendar.is_holiday(date(2026, 12, 25)) is None
    assert calendar.is_holiday(date(2028, 12, 25)) == "Christmas Day"
    assert calendar.is_holiday(date(2026, 11, 11)) is None
    assert calendar.is_holiday(date(2027, 11, 11)) is None


def test_it_keeps_the_other_holiday_of_a_date_with_two():
    texan = {"country": "US", "subdivision": "TX"}
    both = desk(**texan).is_holiday(date(2026, 6, 19))
    assert both == "Emancipation Day In Texas; Juneteenth National Independence Day"
    one = desk(**texan, remove=["Juneteenth National Independence Day"])
    assert one.is_holiday(date(2026, 6, 19)) == "Emancipation Day In Texas"


def test_it_adds_holidays_once_and_every_year():
    calendar = desk(add=[{"date": "2026-12-24", "name": "Eve"}, "12-31", "02-29"])
    assert calendar.is_holiday(date(2026, 12, 24)) == "Eve"
    assert calendar.is_holiday(date(2027, 12, 24)) is None
    assert [calendar.is_holiday(date(year, 12, 31)) for year in (2026, 2027)] == ["Holiday", "Holiday"]
    assert calendar.is_holiday(date(2028, 2, 29)) == "Holiday"
    assert calendar.is_holiday(date(2027, 3, 1)) is None


def test_it_opens_on_a_half_day_for_its_own_hours_only():
    calendar = desk(add=[{"date": "12-24", "name": "Christmas Eve", "hours": ["08:00-12:00"]}])
    assert calendar.special_day(date(2026, 12, 24)) == SpecialDay(
        "12-24", "Christmas Eve", (Window(480, 720),)
    )
    assert calendar.is_holiday(date(2026, 12, 24)) is None
    day = datetime(2026, 12, 24, tzinfo=UTC)
    assert calendar.elapsed(day, day + timedelta(days=1)) == timedelta(hours=4)
    assert calendar.due(day, timedelta(hours=4)) == day.replace(hour=12)


def test_it_can_open_on_a_weekend():
    calendar = desk(add=[{"date": "2026-11-28", "name": "Release Saturday", "hours": ["10:00-14:00"]}])
    assert calendar.is_open(datetime(2026, 11, 28, 10, tzinfo=UTC))
    assert calendar.is_business_day(date(2026, 11, 28))
    assert not calendar.is_business_day(date(2026, 11, 29))


def test_it_lets_an_own_date_win_over_the_country_and_one_date_over_a_yearly_one():
    add = [
        {"date": "2026-12-25", "name": "Busy", "hours": ["09:00-10:00"]},
        {"date": "12-25", "name": "Xmas"},
    ]
    calendar = desk(country="US", add=add)
    assert calendar.special_day(date(2026, 12, 25)).name == "Busy"
    assert calendar.is_holiday(date(2028, 12, 25)) == "Xmas"


def test_it_tells_the_holiday_of_an_instant_by_the_local_date():
    calendar = BusinessCalendar.from_dict(
        {"zone": "Pacific/Auckland", "hours": {}, "holidays": {"add": ["2026-05-01"]}}
    )
    assert calendar.is_holiday(datetime(2026, 4, 30, 13, tzinfo=UTC)) == "Holiday"
    assert calendar.is_holiday(datetime(2026, 4, 30, 11, tzinfo=UTC)) is None
    with pytest.raises(ValueError, match="expected an aware instant"):
        calendar.is_holiday(datetime(2026, 5, 1))  # noqa: DTZ001


def test_it_closes_only_the_date_itself_of_a_night_shift():
    nights = {day: ["22:00-06:00"] for day in WEEKDAYS}
    document = {"zone": "UTC", "hours": nights, "holidays": {"add": ["2026-05-28"]}}
    calendar = BusinessCalendar.from_dict(document)
    start = datetime(2026, 5, 27, 12, tzinfo=UTC)
    assert list(calendar.open_windows(start, start + timedelta(days=2))) == [
        (start.replace(hour=22), start.replace(day=28, hour=0)),
        (start.replace(day=29, hour=0), start.replace(day=29, hour=6)),
    ]


def test_it_lets_an_own_night_run_into_the_next_date_unless_that_is_special_too():
    night = {"date": "2026-12-31", "hours": ["20:00-02:00"]}
    start = datetime(2026, 12, 31, tzinfo=UTC)
    assert list(desk(add=[night]).open_windows(start, start + timedelta(hours=31))) == [
        (start.replace(hour=20), start + timedelta(hours=26)),
    ]
    assert list(desk(add=[night, "2027-01-01"]).open_windows(start, start + timedelta(hours=31))) == [
        (start.replace(hour=20), start + timedelta(hours=24)),
    ]


@pytest.mark.parametrize(
    ("country", "day", "name"),
    [
        ("PR", "2026-03-22", "Emancipation"),  # made from another country's class
        ("AX", "2026-06-09", "Autonomy"),
        ("HK", "2026-07-01", "Hong Kong"),
        ("GBR", "2026-12-28", "Boxing Day"),  # by an alias
    ],
)
def test_it_finds_a_country_whose_holidays_are_made_from_anothers(country: str, day: str, name: str):
    rules = HolidayRules(country=country)
    found = rules.in_year(2026)[date.fromisoformat(day)]
    assert name in found.name
