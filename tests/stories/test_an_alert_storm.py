"""Many cases at once: one ring that says how many, one key press that accepts them all, and none without an owner."""

from __future__ import annotations

import os
import time
from datetime import timedelta

import pytest

from core.models import Case, Customer
from intake.cases import Intake, open_case
from routing import handling
from routing.coverage import ContactFacts
from routing.paging import acceptance, bundles
from routing.paging.models import Page
from simulator.phones import Answers, NeverAnswers
from tests.house import House
from tests.stories.people import DANA, ENGINEERS, GRACE, LUIS, MARIA, OMAR, PRIYA, SAM, agreement

MINUTE = timedelta(minutes=1)


def alert(house: House, number: int, priority: int = 1) -> int:
    """A contracted check of Great Basin Power fails; the number of its case."""
    facts = ContactFacts(
        at=house.scheduler.now(), channel="alert", service="managed-operations", customer="Great Basin Power",
        customer_key="greatbasin", identified_by="check", tier="managed-operations", priority=priority,
        voicemail=True,
    )  # fmt: skip
    with house.context.database.writing() as session:
        customer = session.query(Customer).filter_by(key="greatbasin").one()
        intake = Intake(f"alert:{number}", facts, f"Check {number} fails", "disk full", customer.id)
        return open_case(session, house.context, intake, house.context.policies.current()).id


def storm(house: House, cases: int, seconds: float, priority: int = 1) -> None:
    """So many checks fail within so many seconds."""
    for number in range(cases):
        alert(house, number, priority)
        house.fast_forward(seconds / cases)


def owners(house: House) -> set[str | None]:
    return {case.engineer for case in house.cases}


def states(house: House) -> list[str]:
    return [page.state for page in house.pages]


def test_a_storm_of_cases_is_one_ring_with_a_count_and_none_is_without_an_owner(house: House) -> None:
    """``CASES_IN_STORM=1000`` for the long form, a thousand cases in a minute: ``make storm``."""
    cases = int(os.environ.get("CASES_IN_STORM", "200"))
    house.phone(DANA).behave(NeverAnswers())
    for number in range(cases):
        alert(house, number)
        if number % (cases // 10) == 0:
            house.fast_forward(2.5)
    dana = house.phone(DANA).ringing
    assert dana is not None
    assert house.rung == {DANA: 1}
    assert house.texted == {DANA: 1}
    dana.answer()
    house.fast_forward(2)
    began = time.process_time()
    house.text(DANA, "ACK 1001")
    house.fast_forward(10)
    assert time.process_time() - began < cases / 100, "a second for each hundred cases"
    assert f"You have case 1001, and {cases - 1} other cases." in house.texts(DANA)[-1]
    assert owners(house) == {"dana"}
    accepted = house.events("page.accepted")
    assert len(accepted) == len({event.case_id for event in accepted}) == cases
    assert set(states(house)) == {"acknowledged"}
    house.fast_forward(600)
    assert house.rung == {DANA: 1}
    assert house.due("dead") == []


def test_it_says_how_many_and_accepts_them_with_one_key(house: House) -> None:
    storm(house, 38, 10)
    dana = house.picks_up(DANA)
    dana.hears(
        "case 1 0 0 1, and 37 other cases", "To accept all of them, and cases that follow within 2 minutes"
    )
    dana.presses("1").hears("You have case 1 0 0 1, and 37 other cases").hangs_up()
    house.fast_forward(1)
    assert owners(house) == {"dana"}
    assert house.rung == {DANA: 1}


@pytest.mark.both_databases
def test_what_follows_within_the_window_is_accepted_too_and_said(house: House) -> None:
    """The engineer said so by the key: whoever accepts a storm accepts what is still to come of it."""
    storm(house, 5, 2)
    house.picks_up(DANA).presses("1").hangs_up()
    house.fast_forward(30)
    for number in range(100, 103):
        alert(house, number)
    house.fast_forward(1)
    assert owners(house) == {"dana"}
    house.fast_forward(200)
    assert house.rung == {DANA: 1}
    assert "More cases have come" in house.texts(DANA)[-1]
    assert "and 7 other cases" in house.texts(DANA)[-1]
    alert(house, 200)
    house.fast_forward(5)
    assert house.rung == {DANA: 2}, "the window is over"
    assert house.cases[-1].engineer is None


def test_a_single_case_that_was_accepted_takes_in_no_other(house: House) -> None:
    alert(house, 1)
    house.picks_up(DANA).presses("1").hangs_up()
    alert(house, 2)
    house.fast_forward(5)
    assert house.rung == {DANA: 2}
    assert [case.engineer for case in house.cases] == ["dana", None]


def test_it_never_delays_the_first_one(house: House) -> None:
    alert(house, 1)
    house.fast_forward(1)
    assert house.phone(DANA).ringing is not None


def test_what_is_more_urgent_than_the_bundle_rings_anew(house: House) -> None:
    storm(house, 3, 3, priority=2)
    assert house.rung == {DANA: 1}
    alert(house, 100, priority=1)
    house.fast_forward(1)
    assert house.rung == {DANA: 2}
    assert states(house) == ["ringing", "joined", "joined", "ringing"]
    alert(house, 101, priority=2)
    house.fast_forward(1)
    assert house.rung == {DANA: 2}, "it joins the more urgent one"
    house.text(DANA, "ACK 1004")
    house.fast_forward(5)
    assert [case.engineer for case in house.cases] == [None, None, None, "dana", "dana"]


@pytest.mark.both_databases
def test_a_case_that_becomes_more_urgent_leaves_the_bundle_and_rings(house: House) -> None:
    storm(house, 3, 3, priority=2)
    with house.context.database.writing() as session:
        dana = handling.somebody(session, "dana")
        handling.change_priority(session, session.get_one(Case, 1003), 1, dana, house.scheduler.now())
    house.fast_forward(2)
    assert house.rung == {DANA: 2}
    assert states(house) == ["ringing", "joined", "ringing"]


def test_the_steps_are_cut_from_the_earliest_promise_of_the_bundle(house: House) -> None:
    """Omar's two hours ring first; Maria's one hour joins, and the next is rung by hers."""
    steps = "".join(f"      - {{ring: {who}, wait_s: 90}}\n" for who in ("on-call", "next", "everyone"))
    shares = "      - {ring: on-call}\n      - {ring: next, at: 0.5}\n"
    by_text = agreement((steps, shares)).replace("verified: true,", "verified: true, rules: [{use: text}],")
    house.apply(by_text)
    house.voicemail_from(OMAR)
    omar = house.pages[0]
    house.voicemail_from(MARIA)
    (over,) = house.waiting("page.step-over")
    due_at = house.cases[1].due_at
    assert due_at < house.cases[0].due_at
    assert over.due_at == omar.started_at + (due_at - omar.started_at) / 2


def test_the_receipts_of_a_bundle_go_to_each_customer_once(house: House) -> None:
    for caller in (MARIA, OMAR):
        house.voicemail_from(caller)
    house.text(DANA, "ACK 1001")
    house.fast_forward(60)
    for caller, number in ((MARIA, 1001), (OMAR, 1002)):
        assert sum(f"Dana has your case {number}" in text for text in house.texts(caller)) == 1


def test_one_case_of_a_bundle_is_accepted_alone_by_its_number(house: House) -> None:
    storm(house, 3, 3)
    assert house.text(LUIS, "ACK 1002").startswith("You have case 1002. ")
    house.fast_forward(5)
    assert [case.engineer for case in house.cases] == [None, "luis", None]
    assert states(house) == ["ringing", "acknowledged", "joined"]


@pytest.mark.both_databases
def test_the_bundle_rings_on_when_the_case_that_it_rang_for_is_closed(house: House) -> None:
    storm(house, 4, 2)
    with house.context.database.writing() as session:
        dana = handling.somebody(session, "dana")
        handling.write(
            session, session.get_one(Case, 1001), "It is mended.", dana, house.scheduler.now(), public=True
        )
    house.fast_forward(2)
    assert states(house) == ["cancelled", "ringing", "joined", "joined"]
    house.picks_up(DANA).hears("case 1 0 0 2, and 2 other cases").presses("1").hangs_up()
    house.fast_forward(2)
    assert [case.engineer for case in house.cases] == [None, "dana", "dana", "dana"]


@pytest.mark.both_databases
def test_a_customer_of_the_bundle_who_asks_for_more_gets_a_ring_of_their_own(house: House) -> None:
    for caller in (OMAR, MARIA):
        house.voicemail_from(caller)
    assert states(house) == ["ringing", "joined"]
    house.call(MARIA).hears("we are calling our on-call engineer").presses("9")
    house.fast_forward(2)
    assert states(house) == ["ringing", "ringing"]
    assert house.events("page.step")[-1].case_id == 1002


def test_passing_an_accepted_bundle_passes_all_of_it(house: House) -> None:
    storm(house, 6, 2)
    house.picks_up(DANA).presses("1").hangs_up()
    house.fast_forward(5)
    house.text(DANA, "PASS 1001")
    house.fast_forward(5)
    assert owners(house) == {None}
    assert house.rung == {DANA: 1, LUIS: 1}
    assert states(house) == ["handed-on"] * 6 + ["ringing"] + ["joined"] * 5
    house.picks_up(LUIS).hears("and 5 other cases").presses("1").hangs_up()
    house.fast_forward(5)
    assert owners(house) == {"luis"}


def test_passing_at_once_loses_none_of_what_is_still_being_written(house: House) -> None:
    """The worker has not come to the others yet when the engineer changes their mind."""
    storm(house, 6, 2)
    dana = house.picks_up(DANA)
    dana.call.press("1")
    house.company.run_until_waiting(dana.call)
    with house.context.database.writing() as session:
        page = session.get_one(Page, house.pages[0].id)
        person = handling.somebody(session, "dana")
        acceptance.pass_on(session, house.context, page, person, 0)
    house.fast_forward(5)
    assert owners(house) == {None}
    assert states(house).count("joined") == 5
    house.picks_up(LUIS).presses("1").hangs_up()
    house.fast_forward(5)
    assert owners(house) == {"luis"}


def answer(house: House, number: int) -> None:
    """Dana answers the customer of a case by mail."""
    with house.context.database.writing() as session:
        case, dana = session.get_one(Case, number), handling.somebody(session, "dana")
        handling.write(session, case, "It is mended.", dana, house.scheduler.now(), public=True)


def dana_has_four_and_answers_the_first(house: House) -> None:
    storm(house, 4, 2)
    house.picks_up(DANA).presses("1").hangs_up()
    house.fast_forward(5)
    answer(house, 1001)
    house.fast_forward(1)


@pytest.mark.parametrize("number", [1001, 1002])
def test_passing_a_bundle_whose_first_case_is_answered_passes_the_rest(house: House, number: int) -> None:
    """By the number that it rang under, and by the one that stands for it now."""
    dana_has_four_and_answers_the_first(house)
    assert house.text(DANA, f"PASS {number}") == "Case 1002 goes to the next engineer."
    house.fast_forward(5)
    assert [case.engineer for case in house.cases] == ["dana", None, None, None]
    luis = house.picks_up(LUIS)
    luis.hears("case 1 0 0 2, and 2 other cases").presses("1").hangs_up()
    house.fast_forward(5)
    assert [case.engineer for case in house.cases] == ["dana", "luis", "luis", "luis"]


@pytest.mark.both_databases
def test_key_3_in_a_reminder_passes_what_is_left_of_a_bundle(house: House) -> None:
    dana_has_four_and_answers_the_first(house)
    dana = house.picks_up_within(DANA, 3600)
    dana.hears("You have case 1 0 0 2, and 2 other cases").presses("3").hears("Passed on").hangs_up()
    house.fast_forward(5)
    assert [case.engineer for case in house.cases] == ["dana", None, None, None]
    assert house.rung == {DANA: 2, LUIS: 1}


def test_taking_over_a_bundle_whose_first_case_is_answered_takes_the_rest(house: House) -> None:
    dana_has_four_and_answers_the_first(house)
    assert house.text(LUIS, "TAKE 1001").startswith("You have case 1002, and 2 other cases")
    house.fast_forward(5)
    assert [case.engineer for case in house.cases] == ["dana", "luis", "luis", "luis"]
    assert sum("Luis Ortega has case 1002 now" in text for text in house.texts(DANA)) == 1


def test_what_follows_in_the_window_joins_what_is_left_of_a_bundle(house: House) -> None:
    dana_has_four_and_answers_the_first(house)
    alert(house, 100)
    house.fast_forward(200)
    assert [case.engineer for case in house.cases] == ["dana"] * 5
    assert house.rung == {DANA: 1}
    (followed,) = [text for text in house.texts(DANA) if "More cases have come" in text]
    assert "You have case 1002, and 3 other cases" in followed
    assert house.due("dead") == []


def test_an_answer_that_was_none_is_one_of_the_others_again(house: House) -> None:
    dana_has_four_and_answers_the_first(house)
    with house.context.database.writing() as session:
        dana = handling.somebody(session, "dana")
        handling.withdraw(session, session.get_one(Case, 1001), dana, house.scheduler.now())
    assert house.text(DANA, "PASS 1002") == "Case 1002 goes to the next engineer."
    house.fast_forward(5)
    assert owners(house) == {None}


def test_a_bundle_is_reminded_of_with_one_ring_and_breaks_with_one(house: House) -> None:
    storm(house, 20, 5)
    house.picks_up(DANA).presses("1").hangs_up()
    house.phone(DANA).behave(Answers(3, presses="1"))
    house.fast_forward(31 * 60)
    assert house.rung == {DANA: 2}
    house.phone(DANA).behave(NeverAnswers())
    house.fast_forward(30 * 60)
    assert {event.case_id for event in house.events("page.step")} == {1001}, "one of each twenty pages rings"
    assert house.rings(LUIS) >= 1
    assert sum("is broken" in text for text in house.texts(DANA)) == 1
    assert len(house.events("case.breached")) == 20
    house.text(LUIS, "ACK")
    house.fast_forward(5)
    assert owners(house) == {"luis"}


@pytest.mark.both_databases
def test_a_lead_that_has_gone_without_a_trace_leaves_nobody_alone(house: House) -> None:
    house.worker.start()
    storm(house, 3, 3)
    with house.context.database.writing() as session:
        session.get_one(Page, house.pages[0].id).state = "cancelled"
    house.fast_forward(120)
    assert len(house.events("page.revived")) == 2
    assert house.pages[1].state == "ringing"


def test_nothing_joins_where_the_policy_says_so(house: House) -> None:
    house.apply(agreement(("    ring_s: 30\n    steps:", "    ring_s: 30\n    bundle_s: 0\n    steps:")))
    storm(house, 3, 1)
    assert states(house) == ["ringing"] * 3


def test_other_people_are_another_bundle(house: House) -> None:
    """Managed Services have consultants of their own."""
    alert(house, 1)
    house.voicemail_from(GRACE, "+18772745771")
    house.fast_forward(5)
    assert states(house) == ["ringing", "ringing"]
    assert house.rings(DANA) == house.rings(PRIYA) == 1


def test_nobody_awake_rings_everybody_for_the_whole_bundle(house: House) -> None:
    for number in ENGINEERS:
        house.phone(number).behave(NeverAnswers())
    storm(house, 10, 5)
    house.fast_forward(400)
    assert "NOBODY HAS ACCEPTED case 1001, and 9 other cases" in house.texts(SAM)[-1]
    house.phone(SAM).behave(Answers(4, presses="1"))
    house.fast_forward(200)
    assert owners(house) == {"sam"}


@pytest.mark.parametrize("count", [1, 2])
def test_it_counts_in_words(house: House, count: int) -> None:
    storm(house, count + 1, 2)
    said = {1: "and 1 other case.", 2: "and 2 other cases."}
    assert said[count] in house.text(DANA, "ACK 1001")


def test_the_window_is_the_one_of_the_work_that_tells_of_its_end(house: House) -> None:
    storm(house, 2, 2)
    house.text(DANA, "ACK")
    (closing,) = house.waiting(bundles.CLOSED)
    assert closing.due_at - house.pages[0].acknowledged_at == 2 * MINUTE
