"""What counts as an answer, what may be said of one, and what excuses that there is none."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.models import Message
from routing.clocks.rules import Excuse, NotPossible, ResponseKind, excuses, is_response, stated_at
from routing.clocks.said_times import instant_said

CENTRAL = ZoneInfo("America/Chicago")
CONTACT = datetime(2026, 3, 4, 8, 10, tzinfo=UTC)  # 02:10 in Chicago
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("author", "public", "stops"),
    [
        ("engineer", True, True),
        ("engineer", False, False),  # an internal note
        ("system", True, False),  # an automatic reply
        ("customer", True, False),
    ],
)
def test_it_takes_only_a_humans_public_word_for_an_answer(author: str, public: bool, stops: bool) -> None:
    assert is_response(Message(author=author, public=public)) is stops


def test_it_knows_three_kinds_of_answers() -> None:
    assert [str(kind) for kind in ResponseKind] == ["reply", "call", "stated"]


@given(st.integers(-300, 300), st.integers(0, 300))
def test_it_takes_what_is_said_between_contact_and_now(minutes: int, age: int) -> None:
    at, now = CONTACT + minutes * MINUTE, CONTACT + age * MINUTE
    if 0 <= minutes <= age:
        assert stated_at(at, "called", CONTACT, now) == at
    else:
        with pytest.raises(NotPossible, match="future" if minutes > age else "before the contact"):
            stated_at(at, "called", CONTACT, now)


@pytest.mark.parametrize(
    ("how", "wrong"), [("", "missing"), (" \n", "missing"), ("x" * 2001, "more than 2000")]
)
def test_it_wants_to_know_how(how: str, wrong: str) -> None:
    with pytest.raises(NotPossible, match=wrong):
        stated_at(CONTACT, how, CONTACT, CONTACT)


def test_it_takes_the_minute_of_the_contact_for_the_contact() -> None:
    began = CONTACT + timedelta(seconds=35)
    assert stated_at(CONTACT, "called", began, began + timedelta(seconds=20)) == began
    with pytest.raises(NotPossible, match="before the contact"):
        stated_at(CONTACT - timedelta(seconds=1), "called", began, began + MINUTE)


def test_it_does_not_mend_a_broken_promise_because_the_customer_gave_up() -> None:
    due = CONTACT + 60 * MINUTE
    assert excuses(Excuse.TAKEN_BACK, due, due)
    assert not excuses(Excuse.TAKEN_BACK, due, due + MINUTE)
    assert excuses(Excuse.TAKEN_BACK, None, due)
    for excuse in (Excuse.DUPLICATE, Excuse.SPAM, Excuse.TEST):
        assert excuses(excuse, due, due + MINUTE), "it never was a contact that is owed an answer"


NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)  # 03:30 in Chicago


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", NOW),
        ("03:05", datetime(2026, 3, 4, 9, 5, tzinfo=UTC)),
        ("03:05:30", datetime(2026, 3, 4, 9, 5, 30, tzinfo=UTC)),
        ("23:50", datetime(2026, 3, 4, 5, 50, tzinfo=UTC)),  # yesterday's
        (" 2026-03-04T03:05 ", datetime(2026, 3, 4, 9, 5, tzinfo=UTC)),
        ("2026-03-04 03:05", datetime(2026, 3, 4, 9, 5, tzinfo=UTC)),
        ("2026-03-04T09:05Z", datetime(2026, 3, 4, 9, 5, tzinfo=UTC)),
        ("2026-03-04T03:05-06:00", datetime(2026, 3, 4, 9, 5, tzinfo=UTC)),
    ],
)
def test_it_reads_when_it_was(text: str, expected: datetime) -> None:
    assert instant_said(text, CENTRAL, NOW) == expected


@pytest.mark.parametrize(
    "text",
    ["soon", "25:00", "2026-02-30T03:05", "2026-03-04", "03:05+01:00", "0001-01-01T00:00+14:00",
     "9999-12-31T23:59-14:00", "9999-12-31T23:59"],
)  # fmt: skip
def test_it_names_what_is_no_time(text: str) -> None:
    with pytest.raises(NotPossible, match="is not a time; expected"):
        instant_said(text, CENTRAL, NOW)


@given(st.text(max_size=30))
def test_it_takes_any_text_for_a_time_or_refuses_it(text: str) -> None:
    with contextlib.suppress(NotPossible):
        assert instant_said(text, CENTRAL, NOW).utcoffset() == timedelta()


def test_it_reads_the_night_on_which_clocks_skip_an_hour() -> None:
    now = datetime(2026, 3, 8, 9, 0, tzinfo=UTC)
    assert instant_said("2026-03-08T03:05", CENTRAL, now) == datetime(2026, 3, 8, 8, 5, tzinfo=UTC)
    with pytest.raises(NotPossible, match="skipped 02:30"):
        instant_said("2026-03-08T02:30", CENTRAL, now)


def test_it_reads_the_hour_that_clocks_show_twice_as_the_later_one() -> None:
    first = datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
    hour = timedelta(hours=1)
    assert instant_said("2026-11-01T01:30", CENTRAL, first + hour) == first + hour
    assert instant_said("2026-11-01T01:30", CENTRAL, first + 10 * MINUTE) == first, (
        "the later one is still to come"
    )
    assert instant_said("2026-11-01T01:30-05:00", CENTRAL, first + 5 * hour) == first
