"""Accepted and then silent: reminders ring while the promise runs, and at its breach the next level is rung."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.models import Case
from routing import handling
from routing.clocks import reminders
from routing.clocks.rules import Excuse
from simulator.phones import Answers, Mailbox
from tests.house import House
from tests.stories.people import DANA, LUIS, MARIA, NIGHT, PRIYA, STRANGER, agreement

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def accepted(house: House) -> House:
    """Dana accepts Maria's case within a minute, and goes back to sleep."""
    house.voicemail_from(MARIA)
    house.picks_up(DANA).presses("1").hangs_up()
    house.fast_forward(5)
    return house


def minute(house: House, minutes: float) -> None:
    """Let time pass until so many minutes after the contact."""
    house.fast_forward((NIGHT + minutes * MINUTE - house.scheduler.now()).total_seconds())


def act(house: House, verb: str, *words: object, **more: object) -> None:
    """An engineer does something with the only case."""
    with house.context.database.writing() as session:
        case = session.get_one(Case, house.case.id)
        person = handling.somebody(session, "dana")
        getattr(handling, verb)(session, case, *words, person, house.scheduler.now(), **more)


def reminded(house: House) -> list[tuple[float, str, int]]:
    """When who was reminded, in minutes after the contact, and of which share."""
    events = house.events("case.reminded")
    return [((e.at - NIGHT) / MINUTE, str(e.person), e.data["percent"]) for e in events]


def test_it_reminds_at_50_75_and_90_per_cent_and_rings_the_next_level_at_the_breach(accepted: House) -> None:
    accepted.phone(DANA).behave(Mailbox(after=5, greeting=3, records=20))
    minute(accepted, 29.9)
    assert accepted.rung == {DANA: 1}, "she has it: nobody is rung before half of the time is used up"
    minute(accepted, 44)
    assert accepted.rung == {DANA: 4}, "three calls: a mailbox hears nothing"
    assert "still waits for an answer" in accepted.texts(DANA)[-1]
    minute(accepted, 59.9)
    assert reminded(accepted) == [(30, "dana", 50), (45, "dana", 75), (54, "dana", 90)]
    assert accepted.rings(LUIS) == 0
    minute(accepted, 60.2)
    assert accepted.rings(LUIS) == 1, "the next one after the one who accepted"
    assert "The promise on case 1001 is broken" in accepted.texts(DANA)[-1]
    assert accepted.case.engineer == "dana", "it stays hers until somebody takes it"
    (breach,) = accepted.events("case.breached")
    assert [page.position for page in accepted.pages] == [0, 1]
    luis = accepted.picks_up(LUIS).hears("Lakeside Credit Union").presses("1").hears("You have case 1 0 0 1")
    luis.hangs_up()
    minute(accepted, 62)
    assert accepted.case.engineer == "luis"
    assert "Luis Ortega has case 1001 now." in accepted.texts(DANA)[-1]
    assert [page.state for page in accepted.pages] == ["handed-on", "acknowledged"]
    assert accepted.case.due_at == NIGHT + HOUR == breach.at


def test_it_reminds_whoever_takes_a_broken_promise_every_15_minutes(accepted: House) -> None:
    minute(accepted, 61)
    accepted.text(LUIS, "ACK 1001")
    rings = accepted.rings(LUIS)
    minute(accepted, 75)
    assert accepted.rings(LUIS) == rings
    minute(accepted, 92)
    assert [(round(at), who) for at, who, percent in reminded(accepted) if percent == 100] == [
        (76, "luis"), (91, "luis"),
    ]  # fmt: skip
    assert accepted.rings(LUIS) > rings
    act(accepted, "write", "We have made room.", public=True)
    assert accepted.waiting(reminders.REMIND) == []


@pytest.mark.both_databases
def test_it_can_call_the_customer_from_the_reminder(accepted: House) -> None:
    accepted.phone(MARIA).behave(Answers(3, hangs_up_after=40))
    dana = accepted.picks_up_within(DANA, 1800)
    dana.hears("You have case 1 0 0 1", "Lakeside Credit Union still waits for an answer", "29 minutes left")
    dana.presses("2").hears("press 5").presses("5")
    assert accepted.case.responded_at is not None
    minute(accepted, 90)
    assert accepted.rung == {DANA: 2}, "nobody is reminded of what has been answered"
    assert accepted.events("case.breached") == []


def test_it_reminds_no_more_at_that_time_of_whoever_is_on_it(accepted: House) -> None:
    accepted.picks_up_within(DANA, 1800).presses("1").hears("The promise is open").waits()
    minute(accepted, 44)
    assert accepted.rung == {DANA: 2}
    assert len(accepted.events("case.reminder-heard")) == 1
    minute(accepted, 46)
    assert accepted.rung == {DANA: 3}, "the clock runs on: only an answer stops it"


@pytest.mark.both_databases
def test_it_says_a_reminder_three_times_and_hangs_up(accepted: House) -> None:
    dana = accepted.picks_up_within(DANA, 1800)
    dana.presses("9").hears("still waits").waits().hears("still waits").waits().hears("Goodbye")
    assert dana.is_over


def test_it_passes_a_case_on_from_the_reminder(accepted: House) -> None:
    accepted.picks_up_within(DANA, 1800).presses("3").hears("Passed on")
    accepted.fast_forward(5)
    assert accepted.case.engineer is None
    assert accepted.rung == {DANA: 2, LUIS: 1}
    accepted.picks_up(LUIS).presses("1").hangs_up()
    minute(accepted, 46)
    assert reminded(accepted) == [(30, "dana", 50), (45, "luis", 75)]
    assert [page.state for page in accepted.pages] == ["handed-on", "acknowledged"]


def test_it_passes_an_accepted_case_on_by_text(accepted: House) -> None:
    assert accepted.text(DANA, "PASS 1001") == "Case 1001 goes to the next engineer."
    accepted.fast_forward(3)
    assert accepted.rings(LUIS) == 1
    assert accepted.case.engineer is None
    assert "Dana Whitfield passed the case on." in [entry["text"] for entry in accepted.shown()["timeline"]]


@pytest.mark.parametrize("how", ["stated", "reply", "close", "excuse"])
def test_it_reminds_of_nothing_that_is_answered_or_closed(accepted: House, how: str) -> None:
    now = accepted.scheduler.now()
    if how == "stated":
        with accepted.context.database.writing() as session:
            dana = handling.somebody(session, "dana")
            handling.state_response(session, session.get_one(Case, 1001), now, "called her", dana, now)
    elif how == "excuse":
        act(accepted, "close", reason=Excuse.SPAM)
    else:
        act(accepted, "write", "We have made room.", public=True)
    if how == "close":
        act(accepted, "close")
    assert accepted.waiting(reminders.REMIND) == []
    minute(accepted, 90)
    assert accepted.rung == {DANA: 1}
    assert accepted.events("case.breached") == []


def test_late_rows_after_an_answer_do_nothing(accepted: House) -> None:
    """The reminder is under way when the answer is stated: its row is taken out of the worker's hands."""
    minute(accepted, 29)
    accepted.it_becomes(NIGHT + 30 * MINUTE)
    (claim,) = accepted.worker.claim(1)
    assert claim.kind == reminders.REMIND
    act(accepted, "write", "We have made room.", public=True)
    accepted.worker.do(claim)
    minute(accepted, 61)
    assert accepted.rung == {DANA: 1}
    assert accepted.events("case.reminded") == []
    assert accepted.due("dead") == []


def test_it_plans_reminders_again_when_the_answer_is_taken_back(accepted: House) -> None:
    act(accepted, "write", "We have made room.", public=True)
    minute(accepted, 50)
    act(accepted, "withdraw")
    minute(accepted, 55)
    assert reminded(accepted) == [(54, "dana", 90)]


def test_it_plans_reminders_again_when_the_case_is_opened_again(accepted: House) -> None:
    act(accepted, "close", reason=Excuse.DUPLICATE)
    minute(accepted, 40)
    with accepted.context.database.writing() as session:
        case, current = session.get_one(Case, 1001), accepted.context.policies.current()
        handling.reopen(session, case, handling.somebody(session, "dana"), accepted.scheduler.now(), current)
    minute(accepted, 46)
    assert reminded(accepted) == [(45, "dana", 75)], "its clock runs on from its own contact"


def test_it_plans_reminders_again_when_the_priority_changes(accepted: House) -> None:
    act(accepted, "change_priority", 2)
    minute(accepted, 61)
    assert reminded(accepted) == [(60, "dana", 50)]
    act(accepted, "change_priority", 1)
    assert accepted.waiting(reminders.REMIND) == [], "that promise is broken already"


def test_it_reminds_when_the_policy_says(house: House) -> None:
    house.apply(
        agreement(("    ring_s: 30\n    steps:", "    ring_s: 30\n    remind_at: [0.25]\n    steps:"))
    )
    house.phone(DANA).behave(Answers(4, presses="1"))
    house.voicemail_from(MARIA)
    minute(house, 59)
    assert reminded(house) == [(15, "dana", 25)]


@pytest.mark.both_databases
def test_it_stops_ringing_when_somebody_answers_the_customer_without_accepting(house: House) -> None:
    house.voicemail_from(MARIA)
    house.fast_forward(5)
    act(house, "write", "We have made room.", public=True)
    house.fast_forward(5)
    assert house.phone(DANA).ringing is None
    assert house.pages[0].state == "cancelled"
    act(house, "withdraw")
    house.fast_forward(5)
    assert house.rung == {DANA: 2}, "that was no answer, and nobody has the case: it rings again"


def test_it_tells_in_the_reminder_that_somebody_else_has_it(accepted: House) -> None:
    dana = accepted.picks_up_within(DANA, 1800)
    accepted.text(DANA, "PASS 1001")
    accepted.text(LUIS, "ACK 1001")
    dana.presses("1").hears("Luis Ortega already has case 1 0 0 1")


def test_a_reminder_sounds_over_when_the_customer_was_answered_meanwhile(accepted: House) -> None:
    dana = accepted.picks_up_within(DANA, 1800)
    act(accepted, "write", "We have made room.", public=True)
    dana.presses("1").hears("no longer needs anybody")


def test_it_does_not_ring_the_next_level_where_nobody_had_been_rung(house: House) -> None:
    """A case that waits for the morning is broken in silence, as its agreement says."""
    house.call(STRANGER).presses("#").presses("1").leaves()
    house.fast_forward(9 * 3600)
    assert house.rung == {}


def test_it_goes_on_ringing_when_the_promise_breaks_while_it_rings(house: House) -> None:
    house.voicemail_from(MARIA)
    minute(house, 61)
    assert len(house.pages) == 1
    assert house.pages[0].state == "ringing"
    assert house.rings(PRIYA) > 3
