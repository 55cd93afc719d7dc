"""The engineer presses 5: the customer's phone shows the support number, and a connected call is the response."""

from __future__ import annotations

from datetime import timedelta

import pytest

from simulator.calls import Call
from simulator.phones import Answers, Behaviour, Busy, NeverAnswers
from tests.house import House
from tests.stories.caller import Caller
from tests.stories.disorder import disorder, late, lost
from tests.stories.people import DANA, MARIA, NIGHT, SUPPORT


def call_to_maria(house: House) -> Call:
    """The call that the engineer's 5 makes."""
    return next(call for call in reversed(house.phone(MARIA).calls) if call.direction == "outbound-dial")


@pytest.fixture
def dana(house: House) -> Caller:
    """Dana has the page on her phone; Maria is awake and talks for a minute."""
    house.phone(MARIA).behave(Answers(5, hangs_up_after=60))
    house.voicemail_from(MARIA)
    return house.picks_up(DANA)


def test_it_connects_the_engineer_and_stamps_the_response(house: House, dana: Caller) -> None:
    dana.presses("5")
    assert dana.call.peer is call_to_maria(house)
    assert call_to_maria(house).from_ == SUPPORT
    connected = house.scheduler.now()
    assert house.case.engineer == "dana"
    assert house.case.responded_at == connected
    assert house.case.response_kind == "call"
    dana.waits().hears("That call counts as our response").waits().hears("Goodbye")
    assert house.case.responded_at == connected, "the end of the call moves nothing"
    (responded,) = house.events("case.responded")
    assert responded.data["in_time"]
    house.fast_forward(600)
    assert house.rung == {DANA: 1}


def test_it_can_be_done_after_accepting(house: House, dana: Caller) -> None:
    dana.presses("1").hears("To call the customer now, press 5").presses("5")
    assert house.case.responded_at == house.scheduler.now()
    assert len(house.events("page.accepted")) == 1


def test_it_takes_the_response_back_when_a_machine_answered(house: House, dana: Caller) -> None:
    dana.presses("5")
    assert house.case.responded_at is not None
    dana.waits().presses("2").hears("The promise is still open")
    assert house.case.responded_at is None
    assert house.case.engineer == "dana"
    dana.presses("5")
    assert house.case.responded_at == house.scheduler.now()
    assert len(house.events("case.responded")) == 2
    assert len(house.events("case.response-withdrawn")) == 1


def test_it_is_not_fooled_by_a_late_word_of_the_withdrawn_call(house: House, dana: Caller) -> None:
    house.company.disturb = disorder(late("call-status", 90, To=MARIA, CallStatus="in-progress"))
    dana.presses("5").waits().presses("2").hears("The promise is still open").hangs_up()
    house.fast_forward(120)
    assert house.case.responded_at is None


@pytest.mark.parametrize("maria", [Busy(), NeverAnswers()], ids=["busy", "no answer"])
def test_it_is_no_response_when_the_customer_is_not_reached(
    house: House, dana: Caller, maria: Behaviour
) -> None:
    house.phone(MARIA).behave(maria, Answers(3, hangs_up_after=20))
    dana.presses("5").hears("could not be reached", "You still have the case")
    assert house.case.responded_at is None
    assert house.case.engineer == "dana"
    dana.presses("5")
    assert house.case.responded_at == house.scheduler.now()


def test_it_is_no_response_when_the_engineer_hangs_up_before_an_answer(house: House, dana: Caller) -> None:
    house.phone(MARIA).behave(NeverAnswers())
    dana.call.press("5")
    house.until(lambda: house.phone(MARIA).ringing)
    dana.call.hang_up()
    house.fast_forward(60)
    assert house.case.responded_at is None
    assert house.case.engineer == "dana", "5 accepted the case"
    assert house.rung == {DANA: 1}


def test_it_is_a_response_when_either_hangs_up_in_the_middle(house: House, dana: Caller) -> None:
    dana.presses("5")
    dana.call.hang_up()
    house.fast_forward(60)
    assert house.case.responded_at is not None
    assert len(house.events("case.responded")) == 1


def test_it_stamps_the_response_without_the_callback_too(house: House, dana: Caller) -> None:
    house.expected_alerts = {11200}
    house.company.disturb = disorder(lost("call-status", To=MARIA))
    dana.presses("5")
    assert house.case.responded_at is None
    dana.waits().hears("That call counts as our response")
    assert house.case.responded_at is not None
    assert len(house.events("case.responded")) == 1


def test_it_shows_a_promise_that_was_accepted_and_forgotten(house: House) -> None:
    house.phone(MARIA).behave(Answers(3, hangs_up_after=20))
    house.voicemail_from(MARIA)
    house.picks_up(DANA).presses("1").hangs_up()
    house.fast_forward(3700)
    assert house.case.due_at == NIGHT + timedelta(hours=1)
    assert "late" in house.shown()["left"]
    assert house.case.responded_at is None


def test_it_has_nobody_to_call_when_the_number_was_withheld(house: House) -> None:
    house.call("anonymous").presses("4471#").presses("1").leaves()
    house.picks_up(DANA).presses("5").hears("left no number to call", "You have case 1 0 0 1")
    assert house.case.engineer == "dana"
    assert house.case.responded_at is None
