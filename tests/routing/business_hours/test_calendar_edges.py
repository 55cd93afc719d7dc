"""The edges: never, always, for ever, naive, negative, far away; and what it costs."""

import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from routing.business_hours import BeyondHorizon, BusinessCalendar, NeverCloses, NeverOpens
from routing.business_hours.windows import WEEKDAYS

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
WEEK = {day: ["08:00-17:00"] for day in WEEKDAYS[:5]}


def desk(hours=WEEK, zone="UTC", **holidays):
    return BusinessCalendar.from_dict({"zone": zone, "hours": hours, "holidays": holidays})


@pytest.mark.parametrize("ask", ["is_open", "next_opening", "next_closing"])
def test_it_refuses_a_naive_instant(ask):
    with pytest.raises(ValueError, match="2026-11-23T12:00:00 has no time zone; expected an aware instant"):
        getattr(desk(), ask)(NOON.replace(tzinfo=None))


def test_it_refuses_naive_ends():
    naive = NOON.replace(tzinfo=None)
    for calendar in (desk(), BusinessCalendar.around_the_clock("UTC")):
        with pytest.raises(ValueError, match="no time zone"):
            calendar.due(naive, HOUR)
        with pytest.raises(ValueError, match="no time zone"):
            calendar.elapsed(NOON, naive)
        with pytest.raises(ValueError, match="no time zone"):
            calendar.open_windows(naive, NOON)
        with pytest.raises(ValueError, match="no time zone"):
            calendar.add_business_days(naive, 1)
    with pytest.raises(ValueError, match="expected a wall-clock time"):
        desk().local_to_utc(NOON)


def test_it_refuses_to_go_back():
    with pytest.raises(ValueError, match="cannot be negative"):
        desk().due(NOON, -HOUR)
    with pytest.raises(ValueError, match="cannot be negative"):
        desk().add_business_days(NOON, -1)


def test_it_answers_in_utc_whatever_it_is_asked_in():
    asked = NOON.astimezone(ZoneInfo("Asia/Tokyo"))
    for calendar in (desk(), desk(hours="24x7")):
        for answer in (
            calendar.due(asked, HOUR),
            calendar.next_opening(asked),
            calendar.due(asked, timedelta()),
        ):
            assert answer.tzinfo is UTC
    assert desk().due(asked, HOUR) == NOON + HOUR


def test_it_never_opens_without_hours():
    never = desk(hours={}, add=["12-24"])
    assert not never.is_open(NOON)
    assert never.elapsed(NOON, NOON + timedelta(days=10_000)) == timedelta()
    assert list(never.open_windows(NOON, NOON + timedelta(days=100))) == []
    for ask in (
        lambda: never.due(NOON, HOUR),
        lambda: never.due(NOON, timedelta()),
        lambda: never.next_opening(NOON),
        lambda: never.next_closing(NOON),
        lambda: never.add_business_days(NOON, 1),
    ):
        with pytest.raises(NeverOpens, match="no open hours at all"):
            ask()
    with pytest.raises(NeverOpens, match="no standard day"):
        _ = never.standard_day


def test_it_ends_when_openings_run_out():
    once = desk(hours={}, add=[{"date": "2026-11-25", "hours": ["08:00-10:00"]}])
    assert once.due(NOON, 2 * HOUR) == datetime(2026, 11, 25, 10, tzinfo=UTC)
    assert once.add_business_days(NOON - 3 * HOUR, 1) == datetime(2026, 11, 25, 9, tzinfo=UTC)
    for ask in (
        lambda: once.due(NOON, 3 * HOUR),
        lambda: once.next_opening(datetime(2026, 11, 25, 10, tzinfo=UTC)),
        lambda: once.next_closing(datetime(2026, 11, 25, 10, tzinfo=UTC)),
        lambda: once.add_business_days(NOON, 2),
    ):
        with pytest.raises(NeverOpens, match="40 years"):
            ask()


def test_it_ends_when_every_day_of_the_year_is_a_holiday():
    first = datetime(2024, 1, 1, tzinfo=UTC)
    dates = [f"{first + timedelta(days=day):%m-%d}" for day in range(366)]
    with pytest.raises(NeverOpens):
        desk(add=dates).next_opening(NOON)


def test_it_waits_forty_years_for_a_monday_on_29_february():
    first = datetime(2024, 1, 1, tzinfo=UTC)
    dates = [f"{first + timedelta(days=day):%m-%d}" for day in range(366)]
    dates.remove("02-29")
    rare = desk(hours={"mon": ["08:00-17:00"]}, add=dates)
    assert rare.next_opening(datetime(2072, 3, 1, tzinfo=UTC)) == datetime(2112, 2, 29, 8, tzinfo=UTC)


def test_it_never_closes_around_the_clock():
    always = BusinessCalendar.around_the_clock("America/Chicago")
    assert always.is_open(NOON)
    assert always.due(NOON, timedelta(days=40_000)) == NOON + timedelta(days=40_000)
    assert always.elapsed(NOON, NOON + HOUR) == HOUR
    assert list(always.open_windows(NOON, NOON + 900 * HOUR)) == [(NOON, NOON + 900 * HOUR)]
    with pytest.raises(NeverCloses, match="40 years"):
        always.next_closing(NOON)


def test_it_closes_across_new_year():
    nights = desk(hours="24x7", add=["2028-01-10"])
    assert nights.next_closing(NOON) == datetime(2028, 1, 10, tzinfo=UTC)
    years_end = datetime(2027, 1, 1, tzinfo=UTC)
    assert nights.is_open(years_end)
    assert nights.due(years_end - HOUR, HOUR) == years_end
    assert list(nights.open_windows(NOON, years_end + HOUR)) == [(NOON, years_end + HOUR)]


def test_it_gives_up_beyond_its_horizon():
    with pytest.raises(BeyondHorizon, match="100 years"):
        desk().due(NOON, timedelta(days=60_000))
    for calendar in (desk(), BusinessCalendar.around_the_clock("UTC")):
        with pytest.raises(BeyondHorizon):
            calendar.due(NOON, timedelta.max)
    with pytest.raises(BeyondHorizon):
        desk().is_open(datetime(9999, 6, 1, tzinfo=UTC))
    with pytest.raises(BeyondHorizon):
        desk(hours={"mon": ["08:00-17:00"]}).add_business_days(datetime(9990, 1, 1, tzinfo=UTC), 5000)


def test_it_has_the_standard_day_of_most_weekdays():
    def standard(**hours):
        return desk(hours=hours).standard_day

    nine = ["08:00-17:00"]
    assert standard(mon=nine, tue=nine, wed=["08:00-20:00"]) == 9 * HOUR
    assert standard(mon=["08:00-12:00", "13:00-18:00"], tue=nine) == 9 * HOUR
    assert standard(fri=nine, sat=["08:00-12:00"]) == 9 * HOUR  # a full day, of two equally common ones
    assert standard(mon=["22:00-06:00"], tue=["22:00-06:00"]) == 8 * HOUR


def test_it_adds_no_business_days_as_the_next_opening():
    assert desk().add_business_days(datetime(2026, 11, 21, tzinfo=UTC), 0) == datetime(
        2026, 11, 23, 8, tzinfo=UTC
    )
    assert desk().add_business_days(NOON, 0) == NOON


def test_it_counts_business_days_over_years():
    assert desk().add_business_days(NOON, 5 * 52 * 28) == NOON + timedelta(weeks=52 * 28)


def test_it_costs_the_same_for_an_hour_and_for_years():
    """Not a benchmark: an amount that is 20,000 times larger may cost some tables, not 20,000 times more."""
    calendar = desk(zone="America/Chicago", country="US")
    assert calendar.due(NOON, 20_000 * HOUR) > calendar.due(NOON, HOUR)

    def best(amount):
        def once():
            began = time.perf_counter()
            for _ in range(100):
                calendar.due(NOON, amount)
            return time.perf_counter() - began

        return min(once() for _ in range(5))

    assert best(20_000 * HOUR) < 20 * best(HOUR)


def test_it_shares_tables_between_equal_calendars():
    first, second = desk(country="US"), desk(country="US")
    assert first is not second
    assert first.due(NOON, HOUR) == second.due(NOON, HOUR)
    assert first._open_time is second._open_time
