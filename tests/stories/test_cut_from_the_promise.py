"""Steps that are cut from the promise: the shorter it is, the sooner the next person is rung."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from core.models import Case
from routing import handling
from simulator.phones import NeverAnswers
from tests.house import House
from tests.stories.people import DANA, ENGINEERS, LUIS, MARIA, NIGHT, OMAR, PRIYA, SAM, agreement

STEPS = "".join(f"      - {{ring: {who}, wait_s: 90}}\n" for who in ("on-call", "next", "everyone"))
SHARES = "      - {ring: on-call}\n      - {ring: next, at: 0.25}\n      - {ring: everyone, at: 0.5}\n"
HOUR = timedelta(hours=1)
BY_TEXT = "rules: [{use: text}]"  # no call of theirs ends before its step does


def in_shares(*changes: tuple[str, str]) -> str:
    """The sample with steps cut from the promise, and engineers who are told by text."""
    text = agreement((STEPS, SHARES), *changes)
    return re.sub(r"(phone: \"\+1713\d+\", verified: true)", rf"\1, {BY_TEXT}", text)


@pytest.fixture
def asleep(house: House) -> House:
    """Nobody hears anything."""
    for number in ENGINEERS:
        house.phone(number).behave(NeverAnswers())
    house.apply(in_shares())
    return house


def change_priority(house: House, priority: int) -> None:
    """Dana says how urgent it is."""
    with house.context.database.writing() as session:
        case = session.get_one(Case, house.case.id)
        handling.change_priority(
            session, case, priority, handling.somebody(session, "dana"), house.scheduler.now()
        )


def steps_of(house: House, page: int = 0) -> list[timedelta]:
    """When the steps of a page came, counted from its beginning."""
    page_row = house.pages[page]
    steps = [event.at for event in house.events("page.step") if event.case_id == page_row.case_id]
    return [at - page_row.started_at for at in steps]


def test_it_rings_the_next_at_a_quarter_of_what_is_left(asleep: House) -> None:
    asleep.voicemail_from(MARIA)
    page = asleep.pages[0]
    left = NIGHT + HOUR - page.started_at
    asleep.fast_forward(2000)
    first, second, third, *_ = steps_of(asleep)
    assert first == timedelta()
    assert second == left / 4
    assert third == left / 2


def test_it_takes_twice_as_long_for_twice_the_promise(asleep: House) -> None:
    asleep.voicemail_from(OMAR)
    left = NIGHT + 2 * HOUR - asleep.pages[0].started_at
    asleep.fast_forward(4000)
    assert steps_of(asleep)[:3] == [timedelta(), left / 4, left / 2]


def test_it_goes_on_at_once_when_somebody_passes(asleep: House) -> None:
    asleep.voicemail_from(MARIA)
    asleep.text(DANA, "PASS 1001")
    asleep.fast_forward(2)
    assert len(asleep.texts(LUIS)) == 1


def test_it_goes_on_when_the_last_call_of_the_step_has_ended(house: House) -> None:
    """Silence until the quarter is over would help nobody."""
    house.apply(agreement((STEPS, SHARES)))
    house.voicemail_from(MARIA)
    house.until(lambda: house.rings(LUIS))
    assert house.rung == {DANA: 3, LUIS: 1}
    assert timedelta(seconds=265) < steps_of(house)[1] < timedelta(seconds=280)


def test_it_plans_the_ringing_step_again_when_the_priority_changes(asleep: House) -> None:
    """A case of two hours becomes one of one hour, ten minutes after its contact."""
    asleep.call(MARIA).presses("2").leaves()
    asleep.fast_forward(600)
    assert asleep.texts(LUIS) == []
    change_priority(asleep, 1)
    asleep.fast_forward(400)
    begun_at = asleep.pages[0].started_at
    assert steps_of(asleep)[1] == (NIGHT + HOUR - begun_at) / 4


def test_it_is_the_same_plan_for_a_worker_that_takes_over(asleep: House) -> None:
    asleep.voicemail_from(MARIA)
    asleep.fast_forward(300)
    successor = House(asleep.settings.database_url, asleep.settings.data_dir)
    (over_at,) = [row.due_at for row in asleep.waiting("page.step-over")]
    page = successor.pages[0]
    successor.context.close()
    assert over_at == page.started_at + (successor.case.due_at - page.started_at) / 4


def test_it_rings_those_of_another_escalation_for_priority_1(house: House) -> None:
    urgent = (
        "  urgent:\n    schedule: support\n    steps:\n      - {ring: on-call, of: consultants, wait_s: 60}\n"
        "      - {ring: everyone}\n  managed-services:\n    schedule: consultants\n    ring_s: 30\n"
    )
    house.apply(
        agreement(
            (
                "    escalation: support\n",
                "    escalation: support\n    escalation_by_priority: {1: urgent}\n",
            ),
            ("  managed-services:\n    schedule: consultants\n    ring_s: 30\n", urgent),
        )
    )
    house.voicemail_from(MARIA)
    house.fast_forward(30)
    assert house.rung == {PRIYA: 1}
    house.text(PRIYA, "ACK 1001")
    house.call(MARIA).presses("2").presses("2").leaves()
    house.fast_forward(30)
    assert house.rung == {PRIYA: 1, DANA: 1}, "priority 2 has the usual one"


@pytest.mark.both_databases
def test_it_rings_all_steps_at_once_when_hardly_anything_is_left(house: House) -> None:
    """Dana has the case and forgets it; the customer asks for somebody else in the last seconds."""
    house.apply(agreement((STEPS, SHARES)))
    house.voicemail_from(MARIA)
    house.picks_up(DANA).presses("1").hangs_up()
    house.it_becomes(NIGHT + HOUR - timedelta(seconds=40))
    house.call(MARIA).hears("an engineer has it").presses("9")
    house.fast_forward(3)
    page = house.pages[1]
    assert timedelta() < NIGHT + HOUR - page.started_at < timedelta(seconds=40)
    assert steps_of(house)[1:2] == [page.started_at - house.pages[0].started_at]
    assert house.events("page.step")[-1].data["people"] == ["luis", "dana", "priya", "sam"]
    assert {number for number in house.rung if house.phone(number).ringing} == {DANA, LUIS, PRIYA, SAM}
