"""The voicemail with its review, and the number to call back."""

from __future__ import annotations

import pytest

from simulator.phones import Answers
from tests.house import House
from tests.stories.caller import Caller
from tests.stories.disorder import disorder, lost
from tests.stories.people import DANA, MARIA, NIGHT, agreement


def at_the_callback(house: House, who: str = MARIA) -> Caller:
    """A caller who has sent a message and is asked where to call back."""
    caller = house.call(who)
    if who == "anonymous":
        caller.presses("4471#")
    return caller.presses("1").says().presses("#").presses("1")


def test_it_sends_when_the_review_is_not_answered(house: House) -> None:
    caller = house.call(MARIA).presses("1").says().presses("#").hears("or just hang up")
    assert house.cases == []
    caller.waits().hears("call you back at")
    assert house.case.priority == 1


def test_it_sends_when_the_caller_hangs_up_in_the_review(house: House) -> None:
    house.call(MARIA).presses("1").says().presses("#").hangs_up()
    house.fast_forward(10)
    assert house.case.priority == 1
    assert house.rung == {DANA: 1}


def test_it_ends_the_recording_when_the_caller_stops_speaking(house: House) -> None:
    house.call(MARIA).presses("1").says(5).waits().hears("To send your message").presses("1").hears(
        "call you back"
    )
    assert len(house.cases) == 1


def test_it_records_again_and_keeps_both(house: House) -> None:
    house.phone(DANA).behave(Answers(4, presses="1"))
    caller = house.call(MARIA).presses("1").says(4, "First try.").presses("#")
    caller.presses("2").hears("After the tone").says(9, "Second try.").presses("#").hears(
        "To send your message"
    )
    assert house.cases == []
    assert house.pages == []
    caller.presses("1").presses("1").hears("case number")
    house.fast_forward(10)
    assert [recording.case_id for recording in house.recordings] == [1001, 1001]
    assert house.rung == {DANA: 1}
    assert "of 9 seconds" in house.shown()["messages"][0]["body"]


def test_it_waits_for_the_second_recording_however_long_it_takes(house: House) -> None:
    caller = house.call(MARIA).presses("1").says(4).presses("#").presses("2")
    caller.says(20).presses("#")
    house.fast_forward(4)
    assert house.cases == [], "the message is still being reviewed"
    caller.presses("1")
    assert len(house.cases) == 1


def test_it_ends_a_recording_at_its_longest_length(house: House) -> None:
    house.apply(
        agreement(("    unchosen_priority: 1\n", "    unchosen_priority: 1\n    max_voicemail_s: 30\n"))
    )
    caller = house.call(MARIA).presses("1").says(40).hears("To send your message")
    caller.presses("1")
    house.fast_forward(10)
    (recording,) = house.recordings
    assert recording.duration_s == 30
    assert recording.case_id == 1001


def test_it_gives_up_after_three_silences_and_rings_nobody(house: House) -> None:
    caller = house.call(MARIA).presses("1").waits().hears("We did not hear anything", "After the tone")
    caller.waits().hears("We did not hear anything", "After the tone")
    caller.waits().hears("We did not hear anything", "Goodbye")
    house.fast_forward(600)
    assert caller.is_over
    assert house.cases == []
    assert len(house.near_misses) == 1
    assert len(house.events("call.near-miss")) == 1
    assert house.rung == {}


def test_it_takes_a_message_after_a_silence(house: House) -> None:
    house.call(MARIA).presses("1").waits().hears("We did not hear anything").leaves()
    house.fast_forward(10)
    assert house.case.contact_at == NIGHT
    assert house.near_misses == []
    assert house.events("call.near-miss") == []
    assert house.rung == {DANA: 1}


def test_it_calls_back_at_another_number(house: House) -> None:
    at_the_callback(house).presses("7135550199#").hears("case number is 1 0 0 1")
    assert house.case.callable_number == "+17135550199"
    assert house.case.from_number == MARIA
    assert house.shown()["callback"] == {"e164": "+17135550199", "shown": "(713) 555-0199"}
    dana = house.picks_up(DANA)
    house.phone("+17135550199").behave(lambda call: None)
    dana.presses("5")
    assert house.phone("+17135550199").calls, "the engineer's 5 calls the number that was given last"


def test_it_takes_a_number_from_abroad(house: House) -> None:
    at_the_callback(house).presses("011442079460018#").hears("case number")
    assert house.case.callable_number == "+442079460018"


def test_it_keeps_the_callers_number_when_no_other_is_entered(house: House) -> None:
    at_the_callback(house).waits().hears("case number is 1 0 0 1")
    assert house.case.callable_number == MARIA


def test_it_asks_again_for_a_number_that_nobody_can_have(house: House) -> None:
    caller = at_the_callback(house)
    for nonsense in ("5#", "0000000000000000000#"):
        caller.presses(nonsense).hears("not a telephone number", "call you back at")
    caller.presses("7135550199#").hears("case number is 1 0 0 1")
    assert house.case.callable_number == "+17135550199"
    assert len(house.cases) == 1


def test_it_asks_a_withheld_caller_once_more_and_says_that_nobody_can_call_back(house: House) -> None:
    caller = at_the_callback(house, "anonymous").hears("enter the number where we can call you back")
    caller.presses("12#").hears("not a telephone number").waits().hears("not a telephone number")
    caller.presses("1#").hears("Your number is withheld", "Once more").does_not_hear("not a telephone number")
    caller.waits().hears("We have no number to call you back", "case number is 1 0 0 1")
    assert house.case.callable_number is None


def test_it_takes_the_number_that_a_withheld_caller_enters_at_last(house: House) -> None:
    caller = at_the_callback(house, "anonymous").waits().waits().waits().hears("Once more")
    caller.presses("5125550199#").hears("case number is 1 0 0 1").does_not_hear("no number")
    assert house.case.callable_number == "+15125550199"


def test_it_opens_the_case_before_the_callback_number_is_asked(house: House) -> None:
    at_the_callback(house).hangs_up()
    house.fast_forward(10)
    assert house.case.callable_number == MARIA
    assert house.rung == {DANA: 1}


@pytest.mark.both_databases
def test_it_sends_the_message_of_a_caller_of_whom_nothing_more_is_heard(house: House) -> None:
    """In the review the line goes dead, and the hang-up is never told: half a minute later the engineer rings."""
    house.expected_alerts = {11200}
    house.company.disturb = disorder(lost("call-status", Direction="inbound"))
    house.call(MARIA).presses("1").says().presses("#").hangs_up()
    house.fast_forward(10)
    assert house.cases == []
    house.fast_forward(20)
    assert house.case.contact_at == NIGHT
    assert house.rung == {DANA: 1}
