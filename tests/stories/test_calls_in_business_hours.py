"""The line is open: the team's phones are rung one after the other; only a key takes the call."""

from __future__ import annotations

from datetime import datetime

import pytest

from simulator.phones import Answers, Busy, Mailbox
from tests.house import House
from tests.stories.disorder import disorder, repeated
from tests.stories.people import CENTRAL, DANA, DAY, MARIA, PRIYA, SAM, STRANGER, agreement


@pytest.fixture
def house(house: House) -> House:
    """Wednesday, ten in the morning."""
    house.it_becomes(DAY)
    return house


def legs(house: House, number: str) -> int:
    """How often the hunt has rung a colleague."""
    return sum(call.direction == "outbound-dial" for call in house.phone(number).calls)


def test_it_connects_the_caller_with_the_first_colleague_who_presses_1(house: House) -> None:
    house.phone(PRIYA).behave(Answers(5, presses="1", hangs_up_after=60))
    caller = house.call(MARIA).hears("Please hold while we connect you")
    house.until(lambda: caller.is_over)
    assert "A call for support" in house.phone(PRIYA).heard_text
    assert "press 1" in house.phone(PRIYA).heard_text
    assert house.case.engineer == "priya"
    assert house.case.title == "Call taken by Priya Natarajan"
    assert house.case.response_kind == "call"
    assert house.case.responded_at is not None
    assert DAY < house.case.responded_at < house.scheduler.now()
    assert house.decision.outcome == "answered"
    assert house.reasons == ["in-business-hours", "known-by-number", "taken", "target"]
    assert (legs(house, PRIYA), legs(house, SAM)) == (1, 0)
    assert house.recordings == []
    assert house.near_misses == []
    assert house.texted == house.rung == {}


def test_it_is_not_swallowed_by_a_mailbox(house: House) -> None:
    house.phone(PRIYA).behave(Mailbox(after=3))
    house.phone(SAM).behave(Answers(3, presses="1", hangs_up_after=30))
    caller = house.call(STRANGER)
    house.until(lambda: caller.is_over)
    assert house.case.engineer == "sam"
    assert not house.case.verified
    assert (legs(house, PRIYA), legs(house, SAM)) == (1, 1)
    assert "gone on to somebody else" in house.phone(PRIYA).heard_text


def test_it_is_not_taken_with_another_key(house: House) -> None:
    house.phone(PRIYA).behave(Answers(3, presses="2"))
    house.phone(SAM).behave(Busy())
    house.call(MARIA).hears("all of our engineers are helping other customers")
    assert house.cases == []


def test_it_takes_a_voicemail_when_nobody_takes_the_call(house: House) -> None:
    caller = house.call(MARIA).hears("all of our engineers are helping", "a number to call you back")
    caller.says().presses("#").presses("1").presses("1").hears(
        "case number is 1 0 0 1", "respond by 1 PM today"
    )
    house.fast_forward(600)
    assert (legs(house, PRIYA), legs(house, SAM)) == (1, 1)
    assert house.case.priority == 3
    assert house.case.due_at == DAY.replace(hour=13)
    assert house.decision.outcome == "notify"
    assert house.reasons == ["in-business-hours", "known-by-number", "voicemail-left", "team-busy", "target"]
    assert house.rung == {}
    assert house.texted == {DANA: 1}
    assert "nobody is rung" in house.texts(DANA)[0]


def test_it_goes_straight_to_voicemail_where_the_line_has_no_team(house: House) -> None:
    house.apply(agreement(('    team: ["+17135550103", "+17135550104"]\n', "")))
    house.call(MARIA).hears("all of our engineers are helping").leaves()
    house.fast_forward(10)
    assert house.decision.outcome == "notify"
    assert house.texted == {DANA: 1}


def test_it_lists_a_caller_who_gave_up_waiting(house: House) -> None:
    caller = house.company.dial(MARIA, house.context.policies.current().policy.lines["support"].number)
    house.until(lambda: house.phone(PRIYA).ringing)
    caller.hang_up()
    house.fast_forward(600)
    assert house.cases == []
    assert len(house.near_misses) == 1
    assert (legs(house, PRIYA), legs(house, SAM)) == (1, 0)
    assert house.texted == {}


@pytest.mark.both_databases
def test_it_lets_only_one_colleague_have_the_call(house: House) -> None:
    """A 1 comes from a phone that the call has not come to, or has left."""
    house.phone(PRIYA).behave(Answers(3, presses="1", hangs_up_after=30))
    caller = house.call(MARIA)
    late = house.post(f"/twilio/whisper/{caller.call.sid}/1/key", CallSid="CA" + "9" * 32, Digits="1")
    assert "gone on to somebody else" in late
    house.until(lambda: caller.is_over)
    assert house.case.engineer == "priya"


def test_it_rings_nobody_twice_when_everything_arrives_three_times(house: House) -> None:
    house.company.disturb = disorder(repeated(0, 0, 45))
    house.phone(PRIYA).behave(Mailbox(after=3))
    house.phone(SAM).behave(Answers(3, presses="1", hangs_up_after=30))
    caller = house.call(MARIA)
    house.until(lambda: caller.is_over)
    house.fast_forward(120)
    assert house.case.engineer == "sam"
    assert (legs(house, PRIYA), legs(house, SAM)) == (1, 1)
    for kind in ("call.began", "case.opened", "case.responded", "call.ended"):
        assert len(house.events(kind)) == 1, kind


@pytest.mark.parametrize(
    ("when", "holiday"),
    [
        (datetime(2026, 11, 26, 10, 0, tzinfo=CENTRAL), "Thanksgiving"),
        (datetime(2026, 12, 25, 3, 12, tzinfo=CENTRAL), "Christmas"),
    ],
)
def test_it_is_closed_on_a_holiday(house: House, when: datetime, holiday: str) -> None:
    house.it_becomes(when)
    caller = house.call(MARIA).hears(f"We are closed today for {holiday}", "Your Elite agreement")
    caller.presses("1").leaves()
    house.fast_forward(10)
    assert house.reasons[0] == "holiday"
    assert holiday in house.decision.reasons[0]["sentence"]
    assert sum(house.rung.values()) == 1
    assert (legs(house, PRIYA), legs(house, SAM)) == (0, 0)
