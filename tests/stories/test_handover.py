"""The duty changes in the middle: a page rings the new one, and an open case is told of and can be handed over."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from core.models import Case
from routing import handling
from routing.oncall import Override
from routing.paging import acceptance, pages
from routing.rosters import changes
from simulator.phones import Answers, NeverAnswers
from tests.house import House
from tests.stories.people import CENTRAL, DANA, ENGINEERS, LUIS, MARIA, OMAR, PRIYA, SAM, agreement

EARLY = datetime(2026, 3, 9, 7, 30, tzinfo=CENTRAL)  # a Monday; at 8 Luis takes over from Dana
HOUR = timedelta(hours=1)


@pytest.fixture
def morning(house: House) -> House:
    """Half an hour before the handover."""
    house.it_becomes(EARLY)
    return house


@pytest.fixture
def accepted(morning: House) -> House:
    """Dana has Maria's case."""
    morning.voicemail_from(MARIA)
    morning.picks_up(DANA).presses("1").hangs_up()
    return morning


def told(house: House, number: str, words: str) -> int:
    return sum(words in text for text in house.texts(number))


def until_eight(house: House, seconds: float = 5) -> None:
    eight = EARLY.replace(hour=8, minute=0)
    house.fast_forward((eight - house.scheduler.now()).total_seconds() + seconds)


def test_it_tells_the_new_one_what_is_open_and_who_has_it(accepted: House) -> None:
    until_eight(accepted)
    assert accepted.rings(LUIS) == 0, "nobody is woken for what somebody has"
    (text,) = [text for text in accepted.texts(LUIS) if "You are on call now" in text]
    for words in ("Dana Whitfield has case 1001", "Lakeside Credit Union", "minutes left", "TAKE 1001"):
        assert words in text
    assert told(accepted, DANA, "Somebody else is on call now. You still have case 1001") == 1
    assert accepted.case.engineer == "dana"
    for number in ENGINEERS:  # whoever is rung when the promise breaks takes the case
        accepted.phone(number).behave(Answers(2, presses="1"))
    accepted.fast_forward(7200)
    assert told(accepted, LUIS, "You are on call now") == 1


def test_the_new_one_takes_it_over(accepted: House) -> None:
    until_eight(accepted)
    assert accepted.text(LUIS, "ACK 1001") == "Dana Whitfield already has case 1001."
    assert accepted.text(LUIS, "TAKE 1001").startswith("You have case 1001.")
    accepted.fast_forward(5)
    assert accepted.case.engineer == "luis"
    assert told(accepted, DANA, "Luis Ortega has case 1001 now.") == 1
    assert [page.state for page in accepted.pages] == ["acknowledged"]
    accepted.fast_forward(1200)
    assert [event.person for event in accepted.events("case.reminded")][-1] == "luis"
    assert accepted.text(LUIS, "TAKE 1001").startswith("You have case 1001.")


def test_it_tells_nothing_of_what_is_answered(accepted: House) -> None:
    with accepted.context.database.writing() as session:
        case, dana = session.get_one(Case, accepted.case.id), handling.somebody(session, "dana")
        handling.write(session, case, "It is mended.", dana, accepted.scheduler.now(), public=True)
    until_eight(accepted)
    assert told(accepted, LUIS, "You are on call now") == 0
    assert accepted.text(LUIS, "TAKE 1001") == "Case 1001 is not ringing anybody."


def test_it_tells_of_what_is_left_of_a_bundle_whose_first_case_is_answered(morning: House) -> None:
    for caller in (MARIA, OMAR):
        morning.voicemail_from(caller)
    morning.picks_up(DANA).presses("1").hangs_up()
    with morning.context.database.writing() as session:
        dana = handling.somebody(session, "dana")
        case = session.get_one(Case, 1001)
        handling.write(session, case, "It is mended.", dana, morning.scheduler.now(), public=True)
    until_eight(morning)
    assert told(morning, LUIS, "Dana Whitfield has case 1002, and Bluebonnet Health still waits") == 1
    assert told(morning, DANA, "Somebody else is on call now. You still have case 1002") == 1


@pytest.mark.both_databases
def test_a_ringing_page_rings_the_new_one_at_once(morning: House) -> None:
    """Dana's step waits for a long time, and the handover falls into it."""
    for number in ENGINEERS:
        morning.phone(number).behave(NeverAnswers())
    rules = "verified: true, rules: [{use: text}, {use: phone, again_after_s: 300, times: 9}], email: dana"
    text = agreement(("{ring: on-call, wait_s: 90}", "{ring: on-call, wait_s: 3000}"),
                                  ("verified: true, email: dana", rules))  # fmt: skip
    morning.apply(text)
    morning.it_becomes(EARLY.replace(minute=50))
    morning.voicemail_from(MARIA)
    until_eight(morning, -2)
    assert morning.rings(LUIS) == 0
    until_eight(morning)
    assert morning.rings(LUIS) == 1
    assert [event.data["people"] for event in morning.events("page.duty-changed")] == [["luis"]]
    morning.phone(LUIS).behave(Answers(2, presses="1"))
    assert morning.text(LUIS, "ACK 1001").startswith("You have case 1001.")
    assert morning.pages[0].position == 0


def test_a_change_of_the_day_is_a_handover_too(accepted: House) -> None:
    now = accepted.scheduler.now()
    with accepted.context.database.writing() as session:
        policy = accepted.context.policies.current().policy
        override = Override(now - HOUR, now + HOUR, "dana", "sam")
        changes.add_change(session, policy, override, "support", source="cli", by="admin", now=now)
    accepted.fast_forward(5)
    assert told(accepted, SAM, "You are on call now. Dana Whitfield has case 1001") == 1


@pytest.mark.both_databases
def test_it_is_handed_to_somebody_by_name_who_is_rung_first(accepted: House) -> None:
    with accepted.context.database.writing() as session:
        case = session.get_one(Case, accepted.case.id)
        page = pages.latest_page(session, case)
        assert page is not None
        dana, sam = (handling.somebody(session, key) for key in ("dana", "sam"))
        assert acceptance.hand_to(session, accepted.context, page, sam, dana) is acceptance.Answer.TAKEN
        assert acceptance.hand_to(session, accepted.context, page, dana, sam) is acceptance.Answer.DONE
    accepted.fast_forward(3)
    assert accepted.rung == {DANA: 1, SAM: 1}
    assert accepted.case.engineer is None
    assert "Dana Whitfield handed the case to Sam Keller." in [
        e["text"] for e in accepted.shown()["timeline"]
    ]
    accepted.fast_forward(95)
    assert len(accepted.rung) > 2, "Sam does not answer: others are rung"
    accepted.phone(PRIYA).behave(Answers(3, presses="1"))
    accepted.fast_forward(300)
    assert accepted.case.engineer == "priya"


def test_a_bundle_is_told_of_once_and_taken_over_as_one(morning: House) -> None:
    for caller in (MARIA, OMAR):
        morning.voicemail_from(caller)
    first = morning.cases[0].id
    morning.text(DANA, f"ACK {first}")
    until_eight(morning)
    assert told(morning, LUIS, "You are on call now") == 1
    assert told(morning, LUIS, "and 1 other case") == 1
    morning.text(LUIS, f"TAKE {first}")
    morning.fast_forward(5)
    assert [case.engineer for case in morning.cases] == ["luis", "luis"]
