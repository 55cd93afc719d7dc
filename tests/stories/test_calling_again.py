"""A caller with an open case: hears how it stands, adds to it, has the next engineer called, or reports anew."""

from __future__ import annotations

import pytest

from simulator.phones import Answers
from tests.house import House
from tests.stories.people import DANA, LUIS, MANAGED, MARIA, TOM


@pytest.fixture
def ringing(house: House) -> House:
    """Maria's case 1001 rings Dana, who does not answer."""
    house.voicemail_from(MARIA)
    house.fast_forward(5)
    assert house.rung == {DANA: 1}
    return house


@pytest.fixture
def accepted(house: House) -> House:
    """Dana has accepted Maria's case 1001."""
    house.phone(DANA).behave(Answers(3, presses="1"))
    house.voicemail_from(MARIA)
    house.fast_forward(60)
    assert house.case.engineer == "dana"
    return house


def test_it_tells_a_caller_that_the_engineer_is_being_called(ringing: House) -> None:
    caller = ringing.call(MARIA).hears("Your case 1 0 0 1 is open, and we are calling our on-call engineer")
    caller.hears("press 1", "press 2", "press 9").does_not_hear("Dana", "Elite")


def test_it_tells_a_caller_that_an_engineer_has_the_case(accepted: House) -> None:
    accepted.call(MARIA).hears("Your case 1 0 0 1 is open, and an engineer has it").does_not_hear("Dana")


def test_it_adds_a_message_to_the_case_and_tells_the_engineer(accepted: House) -> None:
    due_at, texts = accepted.case.due_at, len(accepted.texts(DANA))
    caller = accepted.call(MARIA).presses("1").hears("what you want to add to case 1 0 0 1")
    caller.says().presses("#").hears("To send your message").presses("1").hears("added to case 1 0 0 1")
    accepted.fast_forward(10)
    assert accepted.case.due_at == due_at, "a further message moves no clock"
    assert len(accepted.shown()["messages"]) == 2
    assert [voicemail["stored"] for voicemail in accepted.shown()["voicemails"]] == [True, True]
    assert len(accepted.texts(DANA)) == texts + 1
    assert "called again about case 1001" in accepted.texts(DANA)[-1]
    assert accepted.rung == {DANA: 1}


def test_it_adds_when_nothing_is_pressed(accepted: House) -> None:
    caller = accepted.call(MARIA).presses("3").hears("one of the choices").waits().waits()
    caller.hears("what you want to add").leaves()
    accepted.fast_forward(10)
    assert len(accepted.cases) == 1
    assert len(accepted.shown()["messages"]) == 2


def test_it_rings_the_next_engineer_at_once_when_the_caller_presses_9(ringing: House) -> None:
    ringing.picks_up(DANA)  # and does not press a key
    caller = ringing.call(MARIA).presses("9").hears("calling the next engineer", "add to case 1 0 0 1")
    ringing.fast_forward(3)
    assert ringing.rung == {DANA: 1, LUIS: 1}
    caller.hangs_up()
    ringing.picks_up(LUIS).presses("1").hangs_up()
    ringing.fast_forward(300)
    assert len(ringing.pages) == 1
    assert len(ringing.cases) == 1
    assert len(ringing.events("case.escalated")) == 1
    assert ringing.rung == {DANA: 1, LUIS: 1}


def test_it_rings_somebody_else_when_an_accepted_case_is_escalated(accepted: House) -> None:
    accepted.phone(LUIS).behave(Answers(3, presses="1"))
    accepted.call(MARIA).presses("9").leaves()
    accepted.fast_forward(60)
    assert accepted.rung == {DANA: 1, LUIS: 1}
    assert [page.acknowledged_by for page in accepted.pages] == ["dana", "luis"]
    assert accepted.case.engineer == "luis"
    assert len(accepted.cases) == 1


def test_it_lets_a_caller_report_something_else(ringing: House) -> None:
    caller = ringing.call(MARIA).presses("2").hears("Your Elite agreement").presses("3").leaves()
    ringing.fast_forward(1)
    assert caller.is_over
    assert [case.id for case in ringing.cases] == [1001, 1002]
    assert [case.priority for case in ringing.cases] == [1, 3]


def test_it_offers_no_escalation_of_a_case_that_waits(house: House) -> None:
    house.voicemail_from(TOM)
    caller = house.call(TOM).hears("Your case 1 0 0 1 is open, and waits for our business hours")
    caller.does_not_hear("press 9").presses("9").hears("one of the choices", "waits for our business hours")
    caller.presses("1").leaves()
    house.fast_forward(600)
    assert house.rung == {}
    assert len(house.pages) == 0
    assert len(house.shown()["messages"]) == 2


def test_it_keeps_a_silent_second_call_out_of_the_case(accepted: House) -> None:
    accepted.call(MARIA).presses("1").hangs_up()
    accepted.fast_forward(60)
    assert len(accepted.shown()["messages"]) == 1
    assert len(accepted.near_misses) == 1
    assert len(accepted.texts(DANA)) == 1


def test_it_knows_the_cases_of_the_lines_own_service_only(ringing: House) -> None:
    ringing.call(MARIA, MANAGED).hears("additional charges").does_not_hear("Your case")
