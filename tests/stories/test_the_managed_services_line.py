"""The Managed Services line at night: additional charges are told, and accepted or not, before anybody is rung."""

from __future__ import annotations

from datetime import datetime

import pytest

from simulator.phones import Answers
from tests.house import House
from tests.stories.people import CENTRAL, GRACE, LENA, MANAGED, MARIA, NIGHT, OMAR, PRIYA, SAM, STRANGER, TOM

IN_AN_HOUR = datetime(2026, 3, 4, 3, 10, tzinfo=CENTRAL)
IN_TWO_BUSINESS_DAYS = datetime(2026, 3, 5, 17, 0, tzinfo=CENTRAL)


def test_it_rings_the_consultant_when_the_charges_are_accepted(house: House) -> None:
    house.phone(PRIYA).behave(Answers(4, presses="1"))
    caller = house.call(MARIA, MANAGED)
    caller.hears("incur additional charges", "within 1 hour of this call", "by 5 PM tomorrow")
    before = house.scheduler.now()
    caller.presses("1").hears("Your voicemail is what calls our on-call engineer", "within 1 hour").leaves()
    house.fast_forward(60)
    assert house.case.priority == 1
    assert house.case.due_at == IN_AN_HOUR
    assert house.case.consented_at == before
    assert house.case.engineer == "priya"
    assert house.decision.outcome == "page"
    assert house.reasons[2:] == ["consent-given", "voicemail-left", "consultant-called", "target"]
    assert house.rung == {PRIYA: 1}
    assert [event.data["consent"] for event in house.events("call.consent")] == ["accepted"]


def test_it_makes_an_ordinary_request_of_a_call_without_consent(house: House) -> None:
    caller = house.call(MARIA, MANAGED).presses("2")
    caller.hears("Nobody is called before we open", "We respond by 5 PM tomorrow").leaves()
    house.fast_forward(600)
    assert house.case.priority == 4
    assert house.case.due_at == IN_TWO_BUSINESS_DAYS
    assert house.case.consented_at is None
    assert house.decision.outcome == "wait"
    assert house.reasons[2:] == ["consent-not-given", "voicemail-left", "waits-without-consent", "target"]
    assert house.rung == house.texted == {}


def test_it_takes_no_answer_for_no_consent(house: House) -> None:
    caller = house.call(GRACE, MANAGED).presses("9").hears("one of the choices", "additional charges").waits()
    caller.waits().hears("Nobody is called before we open").leaves()
    house.fast_forward(600)
    assert house.case.priority == 4
    assert house.case.consented_at is None
    assert house.rung == {}


def test_it_asks_nobody_who_has_accepted_beforehand(house: House) -> None:
    caller = house.call(OMAR, MANAGED).hears(
        "Your agreement accepts the additional charges", "After the tone"
    )
    caller.leaves()
    house.fast_forward(10)
    assert house.case.priority == 1
    assert house.case.consented_at == NIGHT
    assert house.reasons[2] == "consent-given"
    assert house.rung == {PRIYA: 1}


def test_it_asks_nobody_who_never_accepts(house: House) -> None:
    caller = house.call(LENA, MANAGED).hears("accepts no additional charges", "so your request waits")
    caller.hears("Nobody is called before we open").does_not_hear("press 1").leaves()
    house.fast_forward(600)
    assert house.case.priority == 4
    assert house.case.due_at == IN_TWO_BUSINESS_DAYS
    assert house.reasons[2] == "consent-not-given"
    assert house.rung == {}


@pytest.mark.both_databases
def test_it_rings_nobody_without_a_voicemail_even_when_the_charges_were_accepted(house: House) -> None:
    house.call(MARIA, MANAGED).presses("1").hangs_up()
    house.fast_forward(600)
    assert house.cases == []
    (missed,) = house.near_misses
    assert missed.consent == "accepted"
    assert house.rung == {}


def test_it_asks_a_stranger_for_the_support_id_first(house: House) -> None:
    caller = house.call(STRANGER, MANAGED).hears("support I D").presses("4471#").hears("additional charges")
    caller.presses("1").leaves()
    house.fast_forward(10)
    assert house.case.priority == 1
    assert house.rung == {PRIYA: 1}


def test_it_tells_an_unknown_caller_of_no_charges(house: House) -> None:
    caller = house.call(STRANGER, MANAGED).presses("#").hears("could not match your call")
    caller.does_not_hear("charges", "press 1").leaves()
    house.fast_forward(10)
    assert house.case.priority == 4
    assert house.decision.outcome == "notify"
    assert house.rung == {}
    assert house.texted == {PRIYA: 1}


def test_it_tells_a_customer_who_has_no_agreement_for_the_service(house: House) -> None:
    house.call(TOM, MANAGED).hears("We find no agreement for this service", "told of it quietly").leaves()
    house.fast_forward(10)
    assert house.case.verified
    assert house.case.due_at is None
    assert house.decision.outcome == "notify"
    assert house.reasons[-1] == "no-agreement"
    assert house.rung == {}
    assert house.texted == {PRIYA: 1}


def test_it_opens_no_question_of_charges_in_business_hours(house: House) -> None:
    house.it_becomes(datetime(2026, 3, 4, 9, 0, tzinfo=CENTRAL))
    caller = house.call(MARIA, MANAGED)
    caller.hears("Please hold", "all of our engineers are helping").does_not_hear("charges").leaves()
    house.fast_forward(10)
    assert house.case.priority == 4
    assert house.case.due_at == datetime(2026, 3, 5, 17, 0, tzinfo=CENTRAL).replace(day=6, hour=9)
    assert house.rung == {}
    assert house.rings(SAM) == 0
