"""Times and numbers as people say and read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from routing.business_hours import BusinessCalendar
from routing.policy import Policy
from routing.wording import (
    caller_id_in_words,
    hours_in_words,
    priorities_in_words,
    spoken_instant,
    time_left,
    written_instant,
)

CENTRAL = ZoneInfo("America/Chicago")
NOW = datetime(2026, 3, 4, 2, 10, tzinfo=CENTRAL)  # a Wednesday
SECOND = timedelta(seconds=1)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=CENTRAL).astimezone(UTC)


@pytest.mark.parametrize(
    ("instant", "words"),
    [
        (at(4, 3, 10), "3:10 AM today"),
        (at(4, 0), "midnight today"),
        (at(4, 12), "noon today"),
        (at(4, 17), "5 PM today"),
        (at(4, 23, 59), "11:59 PM today"),
        (at(5, 8), "8 AM tomorrow"),
        (at(6, 8), "Friday at 8 AM"),
        (at(9, 8, 5), "Monday at 8:05 AM"),
        (at(10, 17), "Tuesday at 5 PM"),
        (at(11, 8), "March 11 at 8 AM"),
        (at(3, 8), "March 3 at 8 AM"),
    ],
)
def test_it_speaks_an_instant_as_a_person_would(instant: datetime, words: str) -> None:
    assert spoken_instant(instant, CENTRAL, NOW) == words


def test_it_tells_today_by_the_service_s_own_clock() -> None:
    late = datetime(2026, 3, 4, 23, 30, tzinfo=CENTRAL)  # already the 5th in UTC
    assert spoken_instant(late + timedelta(minutes=10), CENTRAL, late.astimezone(UTC)) == "11:40 PM today"
    assert spoken_instant(late + timedelta(hours=1), CENTRAL, late.astimezone(UTC)) == "12:30 AM tomorrow"


def test_it_writes_an_instant_with_its_zone() -> None:
    assert written_instant(at(4, 3, 10), CENTRAL) == "Wed 04 Mar 2026, 03:10 CST"
    assert written_instant(datetime(2026, 7, 1, 20, 0, tzinfo=UTC), CENTRAL) == "Wed 01 Jul 2026, 15:00 CDT"


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (timedelta(0), "Less than a minute left to respond."),
        (59 * SECOND, "Less than a minute left to respond."),
        (60 * SECOND, "1 minute left to respond."),
        (timedelta(minutes=52, seconds=30), "52 minutes left to respond."),
        (timedelta(minutes=119), "1 hour 59 minutes left to respond."),
        (timedelta(hours=26), "26 hours left to respond."),
        (-SECOND, "The response is less than a minute late."),
        (-timedelta(minutes=1), "The response is 1 minute late."),
        (-timedelta(hours=3, minutes=5), "The response is 3 hours 5 minutes late."),
    ],
)
def test_it_says_how_much_time_is_left(left: timedelta, words: str) -> None:
    assert time_left(NOW + left, NOW) == words


def test_it_says_nothing_of_a_promise_that_was_not_made() -> None:
    assert time_left(None, NOW) == ""


def test_it_lists_priorities() -> None:
    assert priorities_in_words((1,)) == "priority 1"
    assert priorities_in_words((1, 2)) == "priority 1 and priority 2"


def test_it_says_the_hours_of_the_agreement(policy: Policy) -> None:
    assert hours_in_words(policy.calendar_of("support")) == "Monday to Friday, 8 AM to 5 PM"


@pytest.mark.parametrize(
    ("hours", "words"),
    [
        ({"mon": ["08:00-12:00", "13:30-17:00"]}, "Monday, 8 AM to noon and 1:30 PM to 5 PM"),
        (
            {"mon": ["08:00-17:00"], "tue": ["08:00-17:00"], "thu": ["08:00-17:00"], "sat": ["09:00-12:00"]},
            "Monday to Tuesday, 8 AM to 5 PM; Thursday, 8 AM to 5 PM; Saturday, 9 AM to noon",
        ),
        ({"sun": ["00:00-24:00"]}, "Sunday, midnight to midnight"),
        ({"fri": ["22:00-06:00"]}, "Friday, 10 PM to 6 AM"),
    ],
)
def test_it_says_any_hours(hours: dict[str, list[str]], words: str) -> None:
    calendar = BusinessCalendar.from_dict({"zone": "America/Chicago", "hours": hours})
    assert hours_in_words(calendar) == words


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        ("TN-Validation-Passed-A", "vouches for caller and number"),
        ("TN-Validation-Passed-B", "not that the number is theirs"),
        ("TN-Validation-Passed-C", "a gateway that vouches for nobody"),
        ("TN-Validation-Passed-A-Diverted", "vouches for caller and number, and was forwarded"),
        ("TN-Validation-Failed", "may be forged"),
        ("TN-Validation-Failed-A-Diverted", "may be forged, and was forwarded"),
        ("No-TN-Validation", "could not be checked"),
        ("", "something unknown"),
    ],
)
def test_it_says_what_the_carriers_say_of_a_number(verdict: str, said: str) -> None:
    words = caller_id_in_words(verdict)
    assert said in words
    assert f"({verdict})" in words
