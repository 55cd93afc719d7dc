"""Any calendar, any zone: the tables agree with a walk along the wall clock, and with themselves."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wall_clock_oracle import Walker

from routing.business_hours import BusinessCalendar, Window
from routing.business_hours.windows import WEEKDAYS

STEP = 15
DAY = 1440

# Zone and a day near something odd: clocks forward and back by an hour, half an hour or three, at midnight, a
# skipped date, a government that changed its mind, and zones where nothing happens.
ODD_DAYS = [
    ("America/Chicago", date(2026, 3, 8)),
    ("America/Chicago", date(2026, 11, 1)),
    ("Europe/London", date(2026, 3, 29)),
    ("Europe/London", date(2026, 10, 25)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("America/Sao_Paulo", date(2018, 11, 4)),
    ("America/Sao_Paulo", date(2019, 2, 17)),
    ("America/Havana", date(2025, 11, 2)),
    ("America/Santiago", date(2025, 9, 7)),
    ("Atlantic/Azores", date(2025, 10, 26)),
    ("Asia/Beirut", date(2025, 3, 30)),
    ("Africa/Casablanca", date(2025, 2, 23)),
    ("Pacific/Apia", date(2011, 12, 30)),
    ("America/Caracas", date(2016, 5, 1)),
    ("Asia/Pyongyang", date(2015, 8, 15)),
    ("Antarctica/Troll", date(2025, 3, 30)),
    ("Antarctica/Troll", date(2025, 10, 26)),
    ("Asia/Kathmandu", date(2026, 1, 1)),
    ("Pacific/Kiritimati", date(2026, 1, 1)),
    ("Pacific/Pago_Pago", date(2025, 12, 31)),
    ("UTC", date(2024, 2, 29)),
]


@st.composite
def day_windows(draw, free=0):
    """Up to three windows; one until midnight may go on, for as long as the next day is ``free``."""
    edges = sorted(draw(st.lists(st.integers(0, DAY // STEP), max_size=6, unique=True)))
    windows = [(edges[i] * STEP, edges[i + 1] * STEP) for i in range(0, len(edges) - 1, 2)]
    if free and windows and draw(st.booleans()):
        opens = windows[-1][0]
        longest = min(free, opens - STEP) // STEP
        windows[-1] = (opens, DAY + draw(st.integers(0, max(longest, 0))) * STEP)
    return windows


@st.composite
def weeks(draw):
    """Windows per weekday, some past midnight, none overlapping."""
    week = {0: draw(day_windows())}
    for day in range(6, 0, -1):
        tomorrow = week[(day + 1) % 7]
        week[day] = draw(day_windows(free=tomorrow[0][0] if tomorrow else DAY))
    return week


@st.composite
def situations(draw):
    """A calendar, the walker that knows the same, and a local date near something odd."""
    zone, odd = draw(st.sampled_from(ODD_DAYS))
    week = draw(weeks())
    offsets = draw(st.dictionaries(st.integers(-6, 6), day_windows(free=DAY), max_size=3))
    special = {odd + timedelta(days=offset): windows for offset, windows in offsets.items()}
    return calendar_of(zone, week, special), Walker(zone, week, special, STEP), odd


def calendar_of(zone, week, special):
    def written(windows):
        return [str(Window(opens, closes)) for opens, closes in windows]

    added = [{"date": day.isoformat(), "hours": written(windows)} for day, windows in special.items()]
    hours = {WEEKDAYS[day]: written(windows) for day, windows in week.items()}
    return BusinessCalendar.from_dict({"zone": zone, "hours": hours, "holidays": {"add": added}})


quarters = st.integers(-5 * DAY // STEP, 5 * DAY // STEP).map(lambda n: timedelta(minutes=n * STEP))
amounts = st.integers(0, 30 * 60 // STEP).map(lambda n: timedelta(minutes=n * STEP))
instants = st.timedeltas(timedelta(), timedelta(days=20 * 365)).map(
    lambda after: datetime(2016, 1, 1, tzinfo=UTC) + after
)


def near(odd: date) -> datetime:
    return datetime(odd.year, odd.month, odd.day, 12, tzinfo=UTC)


@given(situations(), quarters)
@settings(max_examples=120, deadline=None)
def test_it_opens_and_closes_as_the_wall_clock_shows(situation, offset):
    calendar, walker, odd = situation
    start = near(odd) + offset
    end = start + timedelta(days=4)
    assert list(calendar.open_windows(start, end)) == walker.windows(start, end)
    assert calendar.elapsed(start, end) == walker.elapsed(start, end)


@given(situations(), quarters, amounts)
@settings(max_examples=80, deadline=None)
def test_it_is_due_when_the_walk_has_used_up_the_amount(situation, offset, amount):
    calendar, walker, odd = situation
    start = near(odd) + offset
    expected = walker.due(start, amount, start + timedelta(days=6))
    if expected is not None:
        assert calendar.due(start, amount) == expected


@pytest.mark.parametrize(("zone", "odd"), ODD_DAYS)
def test_it_agrees_minute_by_minute_on_an_odd_week(zone, odd):
    week = {day: [(7, 67), (90, 121), (167, 1387)] for day in range(5)} | {
        5: [(1361, 1440 + 149)],
        6: [(150, 1440)],
    }
    calendar, walker = calendar_of(zone, week, {}), Walker(zone, week, {}, 1)
    start, end = near(odd) - timedelta(days=1), near(odd) + timedelta(days=1)
    assert list(calendar.open_windows(start, end)) == walker.windows(start, end)


CALENDARS = [
    BusinessCalendar.from_dict(document)
    for document in (
        {
            "zone": "America/Chicago",
            "hours": {day: ["08:00-17:00"] for day in WEEKDAYS[:5]},
            "holidays": {"country": "US", "add": [{"date": "12-24", "hours": ["08:00-12:00"]}]},
        },
        {"zone": "Europe/London", "hours": {day: ["00:30-01:30", "22:00-00:30"] for day in WEEKDAYS}},
        {
            "zone": "Australia/Lord_Howe",
            "hours": {"sun": ["01:15-02:20", "12:00-24:00"], "mon": ["00:00-12:00"]},
        },
        {"zone": "Pacific/Apia", "hours": "24x7", "holidays": {"add": ["12-31", "01-01"]}},
        {"zone": "Asia/Tehran", "hours": "24x7"},
        {"zone": "UTC", "hours": {}, "holidays": {"add": [{"date": "02-29", "hours": ["23:00-24:00"]}]}},
    )
]


def given_any(*strategies):
    def decorate(test):
        return settings(max_examples=150, deadline=None)(given(st.sampled_from(CALENDARS), *strategies)(test))

    return decorate


@given_any(instants, st.timedeltas(timedelta(microseconds=1), timedelta(hours=20)))
def test_it_has_elapsed_by_the_due_instant_what_was_promised(calendar, start, amount):
    due = calendar.due(start, amount)
    assert calendar.elapsed(start, due) == amount
    # At the earliest: a moment before, it was not used up.
    assert calendar.elapsed(start, due - timedelta(microseconds=1)) < amount


@given_any(
    instants, st.timedeltas(timedelta(), timedelta(days=400)), st.timedeltas(timedelta(), timedelta(hours=20))
)
def test_it_is_never_due_earlier_for_a_later_start(calendar, start, later, amount):
    assert calendar.due(start, amount) <= calendar.due(start + later, amount)


@given_any(
    instants, st.timedeltas(timedelta(), timedelta(hours=9)), st.timedeltas(timedelta(), timedelta(hours=9))
)
def test_it_is_never_due_earlier_for_a_larger_amount(calendar, start, amount, more):
    if amount or more == timedelta():  # with nothing to use up, the next opening can be after a closing time
        assert calendar.due(start, amount) <= calendar.due(start, amount + more)
    assert start <= calendar.due(start, amount)


@given_any(
    instants,
    st.timedeltas(timedelta(hours=1), timedelta(hours=9)),
    st.timedeltas(timedelta(hours=1), timedelta(hours=9)),
)
def test_it_is_due_in_two_parts_when_it_is_due_in_one(calendar, start, first, second):
    assert calendar.due(calendar.due(start, first), second) == calendar.due(start, first + second)


@given_any(instants, instants, instants)
def test_it_elapses_in_parts_as_in_one(calendar, first, second, third):
    whole = calendar.elapsed(first, third)
    assert calendar.elapsed(first, second) + calendar.elapsed(second, third) == whole
    assert calendar.elapsed(third, first) == -whole


@given_any(instants)
def test_it_is_open_at_the_opening_and_not_before(calendar, instant):
    opening = calendar.next_opening(instant)
    assert calendar.is_open(opening)
    assert calendar.due(instant, timedelta()) == opening
    assert calendar.is_open(instant) == (opening == instant)
    assert calendar.elapsed(instant, opening) == timedelta()


@given(st.sampled_from([calendar for calendar in CALENDARS if calendar.zone.key != "Asia/Tehran"]), instants)
@settings(max_examples=150, deadline=None)
def test_it_is_closed_at_the_closing_and_open_right_before(calendar, instant):
    closing = calendar.next_closing(instant)
    assert not calendar.is_open(closing)
    assert calendar.is_open(closing - timedelta(microseconds=1))
    opening = calendar.next_opening(instant)
    assert calendar.elapsed(opening, closing) == closing - opening


@given(situations())
@settings(max_examples=60, deadline=None)
def test_it_reads_what_it_writes(situation):
    calendar = situation[0]
    again = BusinessCalendar.from_dict(calendar.to_dict())
    assert again == calendar
    assert hash(again) == hash(calendar)
    assert again.to_dict() == calendar.to_dict()
