"""A step that everyone must acknowledge: the page is done when each has, and whoever has is not rung again."""

from __future__ import annotations

import pytest

from core.models import Case
from routing import handling
from simulator.phones import Answers, NeverAnswers
from tests.house import House
from tests.stories.people import DANA, ENGINEERS, LUIS, MARIA, OMAR, PRIYA, SAM, agreement

STEPS = "".join(f"      - {{ring: {who}, wait_s: 90}}\n" for who in ("on-call", "next", "everyone"))
MUST = "      - {ring: everyone, everyone_must: true, wait_s: 90}\n"


@pytest.fixture
def crisis(house: House) -> House:
    """Maria's voicemail rings all four, and each must acknowledge."""
    for number in ENGINEERS:
        house.phone(number).behave(NeverAnswers())
    house.apply(agreement((STEPS, MUST)))
    house.voicemail_from(MARIA)
    house.fast_forward(3)
    return house


def shown(house: House) -> dict[str, bool]:
    """Who has acknowledged, as the page of the case shows it."""
    return {e["name"].split()[0]: e["acknowledged_at"] is not None for e in house.shown()["acknowledgements"]}


def test_it_is_done_when_each_has_acknowledged_and_rings_nobody_again_who_has(crisis: House) -> None:
    assert shown(crisis) == dict.fromkeys(("Dana", "Luis", "Priya", "Sam"), False)
    answer = crisis.text(LUIS, "ACK 1001")
    assert answer.startswith("You have acknowledged case 1001.")
    assert "Still to acknowledge: Dana Whitfield and Priya Natarajan and Sam Keller." in answer
    assert crisis.case.engineer == "luis", "whoever acknowledges first has the case"
    assert crisis.phone(LUIS).ringing is None
    assert crisis.phone(SAM).ringing is not None
    assert crisis.pages[0].state == "ringing"
    rings = crisis.rings(LUIS)
    crisis.fast_forward(300)
    assert crisis.rings(LUIS) == rings
    assert crisis.rings(DANA) > 1
    for number in (DANA, PRIYA):
        crisis.text(number, "ACK 1001")
    assert crisis.pages[0].state == "ringing"
    assert shown(crisis) == {"Dana": True, "Luis": True, "Priya": True, "Sam": False}
    crisis.text(SAM, "ACK 1001")
    assert crisis.pages[0].state == "acknowledged"
    assert crisis.case.engineer == "luis"
    rung = crisis.rung
    crisis.fast_forward(600)
    assert crisis.rung == rung
    told = [entry["text"] for entry in crisis.shown()["timeline"]]
    missing = "Dana Whitfield and Priya Natarajan and Sam Keller"
    assert f"Luis Ortega acknowledged; still to acknowledge: {missing}." in told
    assert "Sam Keller acknowledged; still to acknowledge: nobody." in told


def test_it_says_in_the_menu_who_is_missing(crisis: House) -> None:
    for number in (DANA, LUIS):
        crisis.text(number, "ACK 1001")
    crisis.phone(PRIYA).behave(Answers(2))
    priya = crisis.picks_up(PRIYA).presses("1")
    priya.hears("You have acknowledged case 1 0 0 1", "Still to acknowledge: Sam Keller.")
    priya.presses("2").hears("Still to acknowledge: Sam Keller.").hangs_up()
    assert shown(crisis)["Priya"]


def test_it_counts_a_second_key_of_the_same_person_once(crisis: House) -> None:
    for _ in range(3):
        assert crisis.text(LUIS, "ACK 1001").startswith("You have acknowledged case 1001.")
    assert len(crisis.events("page.acknowledged")) == 1
    assert len(crisis.events("page.accepted")) == 1


def test_it_goes_on_without_whoever_passes(crisis: House) -> None:
    crisis.text(SAM, "PASS 1001")
    assert any("Sam Keller does not take part" in entry["text"] for entry in crisis.shown()["timeline"])
    for number in (DANA, LUIS, PRIYA):
        crisis.text(number, "ACK 1001")
    assert crisis.pages[0].state == "acknowledged"
    assert crisis.rings(SAM) == 1


@pytest.mark.both_databases
def test_it_is_had_by_the_next_one_when_the_first_passes(crisis: House) -> None:
    for number in (DANA, LUIS):
        crisis.text(number, "ACK 1001")
    assert crisis.case.engineer == "dana"
    crisis.text(DANA, "PASS 1001")
    assert crisis.case.engineer == "luis"


def test_it_rings_on_when_all_have_passed(crisis: House) -> None:
    for number in ENGINEERS:
        crisis.text(number, "PASS 1001")
    crisis.fast_forward(5)
    page = crisis.pages[0]
    assert (page.state, crisis.case.engineer) == ("ringing", None)
    assert crisis.rung == dict.fromkeys(ENGINEERS, 2), "a promise is running: somebody has to take it"
    crisis.text(PRIYA, "ACK 1001")
    assert crisis.case.engineer == "priya"
    assert crisis.pages[0].state == "acknowledged"


def test_it_ends_with_the_answer_to_the_customer(crisis: House) -> None:
    crisis.text(DANA, "ACK 1001")
    with crisis.context.database.writing() as session:
        case, dana = session.get_one(Case, 1001), handling.somebody(session, "dana")
        handling.write(session, case, "It is mended.", dana, crisis.scheduler.now(), public=True)
    crisis.fast_forward(5)
    assert crisis.pages[0].state == "cancelled"
    assert all(crisis.phone(number).ringing is None for number in ENGINEERS)


def test_it_reminds_whoever_has_the_case_while_others_are_missing(crisis: House) -> None:
    crisis.text(DANA, "ACK 1001")
    crisis.fast_forward(1900)
    assert [event.person for event in crisis.events("case.reminded")] == ["dana"]
    assert any("still waits for an answer" in text for text in crisis.texts(DANA))


def test_a_later_step_rings_others_and_not_those_who_have(house: House) -> None:
    for number in ENGINEERS:
        house.phone(number).behave(NeverAnswers())
    steps = "      - {ring: everyone, of: consultants, everyone_must: true, wait_s: 60}\n      - {ring: everyone}\n"
    house.apply(agreement((STEPS, steps)))
    house.voicemail_from(MARIA)
    house.fast_forward(3)
    assert house.rung == {PRIYA: 1, SAM: 1}
    house.text(PRIYA, "ACK 1001")
    house.fast_forward(60)
    assert house.rung == {PRIYA: 1, SAM: 2, DANA: 1, LUIS: 1}
    house.text(SAM, "ACK 1001")
    assert house.pages[0].state == "acknowledged"


def test_a_bundle_gets_its_owner_with_the_first_who_acknowledges(crisis: House) -> None:
    crisis.voicemail_from(OMAR)
    assert [page.state for page in crisis.pages] == ["ringing", "joined"]
    crisis.text(LUIS, "ACK 1001")
    crisis.fast_forward(2)
    assert [case.engineer for case in crisis.cases] == ["luis", "luis"]
    assert [page.state for page in crisis.pages] == ["ringing", "acknowledged"]
