"""Callbacks come before, after, late, twice or never: one case, one ring, one text, and the true times."""

from __future__ import annotations

from datetime import timedelta

import pytest

from simulator.phones import Answers, Busy
from tests.house import House
from tests.stories.disorder import disorder, late, lost, repeated, shuffled
from tests.stories.people import DANA, LUIS, MARIA, NIGHT, agreement

pytestmark = pytest.mark.every_variant

LOST_ON_THE_WAY = 11200


def night_call(house: House) -> None:
    """Maria leaves a voicemail by hanging up; Dana takes her time and presses 1."""
    house.phone(DANA).behave(Answers(4, presses="1"))
    house.voicemail_from(MARIA)


def one_of_everything(house: House) -> None:
    """What the night call comes to, whatever happened on the way."""
    assert len(house.cases) == 1
    assert house.case.contact_at == NIGHT
    assert house.case.due_at == NIGHT + timedelta(hours=1)
    assert house.case.engineer == "dana"
    assert house.decision.outcome == "page"
    assert house.rung == {DANA: 1}
    assert house.texted == {DANA: 1}
    assert house.near_misses == []
    assert house.events("call.near-miss") == []
    (voicemail,) = house.shown()["voicemails"]
    assert voicemail["stored"]
    assert voicemail["seconds"] == 8


@pytest.mark.parametrize(
    "rules",
    [
        [late("action", 4, Digits="hangup")],
        [late("recording-status", 600)],
        [late("recording-status", 20), late("action", 10, Digits="hangup")],
        [late("call-status", 300)],
        [late("action", 6, Digits="hangup"), late("recording-status", 3)],
    ],
    ids=["callback first", "callback late", "hang-up first", "hang-up late", "hang-up, callback, action"],
)
def test_it_opens_one_case_in_whatever_order_it_is_told(house: House, rules: list) -> None:  # type: ignore[type-arg]
    house.company.disturb = disorder(*rules)
    night_call(house)
    house.fast_forward(1200)
    one_of_everything(house)


@pytest.mark.parametrize(
    "rules",
    [
        [lost("action", Digits="hangup")],
        [lost("recording-status")],
        [lost("call-status", Direction="inbound")],
        [lost("action", Digits="hangup"), lost("call-status", Direction="inbound")],
        [lost("recording-status"), lost("call-status", Direction="inbound")],
    ],
    ids=["action", "callback", "hang-up", "all but the callback", "all but the action"],
)
def test_it_needs_no_more_than_one_word_of_a_voicemail(house: House, rules: list) -> None:  # type: ignore[type-arg]
    house.expected_alerts = {LOST_ON_THE_WAY}
    house.company.disturb = disorder(*rules)
    night_call(house)
    house.fast_forward(1500)
    one_of_everything(house)
    assert house.phone_calls[0].ended_at is not None


def test_it_takes_minutes_of_delay_without_a_false_word(house: House) -> None:
    house.company.disturb = disorder(
        late("recording-status", 180), late("action", 240, Digits="hangup"), late("sms-status", 200)
    )
    night_call(house)
    house.fast_forward(120)
    assert house.cases == []
    house.fast_forward(600)
    assert house.case.contact_at == NIGHT
    assert house.rung == {DANA: 1}
    assert house.near_misses == [], "what looked like a call without a message was none"


def test_it_asks_how_a_call_ended_when_nobody_says(house: House) -> None:
    house.expected_alerts = {LOST_ON_THE_WAY}
    house.company.disturb = disorder(lost("call-status", Direction="inbound"))
    house.call(MARIA).hangs_up()
    house.fast_forward(1100)
    assert house.phone_calls[0].ended_at is None
    assert house.near_misses == []
    house.fast_forward(200)
    assert house.phone_calls[0].ended_at is not None
    assert len(house.near_misses) == 1
    assert house.rung == {}


def test_it_does_nothing_twice_when_everything_arrives_three_times(house: House) -> None:
    house.apply(agreement(("    unchosen_priority: 1\n", "    unchosen_priority: 1\n    transcribe: true\n")))
    house.company.disturb = disorder(repeated(0, 0, 120))
    house.phone(MARIA).behave(Answers(3, hangs_up_after=30))
    caller = house.call(MARIA).presses("1").says(8, "OpCon is down.").presses("#").presses("1")
    caller.hears("call you back").presses("7135550199#").hears("case number is 1 0 0 1")
    house.phone("+17135550199").behave(Answers(3, hangs_up_after=30))
    dana = house.picks_up(DANA)
    dana.presses("5")
    house.until(lambda: dana.is_over)
    house.text(DANA, "ACK 1001")
    house.fast_forward(600)

    assert len(house.cases) == 1
    assert house.rung == {DANA: 1}
    assert len(house.phone("+17135550199").calls) == 1
    for kind in ("case.opened", "case.callback-changed", "page.accepted", "case.responded", "voicemail.stored",
                 "voicemail.transcribed", "call.ended", "page.started", "voicemail.heard-of"):  # fmt: skip
        assert len(house.events(kind)) == 1, kind
    assert len(house.texts(DANA)) == 2, "the page, and one answer to ACK"


@pytest.mark.parametrize("seed", range(3))
def test_it_comes_to_the_same_in_any_order(house: House, seed: int) -> None:
    house.company.disturb = disorder(shuffled(seed, longest=40))
    house.phone(DANA).behave(Answers(4, presses="1"))
    caller = house.call(MARIA).presses("1").says().presses("#").presses("1").presses("#")
    caller.hears("case number is 1 0 0 1")
    house.fast_forward(600)
    one_of_everything(house)


def test_it_believes_the_last_word_on_a_page_call_and_not_the_latest(house: House) -> None:
    """Dana is busy; that she rings, and that her call began, is told when Luis already has the case."""
    house.company.disturb = disorder(
        late("call-status", 60, To=DANA, CallStatus="initiated"),
        late("call-status", 90, To=DANA, CallStatus="ringing"),
    )
    house.phone(DANA).behave(Busy())
    house.phone(LUIS).behave(Answers(4, presses="1"))
    house.voicemail_from(MARIA)
    house.fast_forward(300)
    assert [attempt.state for attempt in house.attempts()] == ["busy", "accepted"]
    assert house.rung == {DANA: 1, LUIS: 1}


def test_it_is_not_misled_by_an_old_word_that_comes_after_a_newer_one(house: House) -> None:
    house.company.disturb = disorder(late("call-status", 10, To=DANA, CallStatus="ringing"))
    house.voicemail_from(MARIA)
    dana = house.picks_up(DANA)
    house.until(lambda: house.attempts()[0].sequence >= 2)
    house.fast_forward(10)
    assert house.attempts()[0].state == "answered"
    dana.presses("1")
    assert house.case.engineer == "dana"


def test_it_asks_how_a_page_call_ended_when_nobody_says(house: House) -> None:
    house.expected_alerts = {LOST_ON_THE_WAY}
    house.company.disturb = disorder(lost("call-status", To=DANA))
    house.phone(DANA).behave(Busy())
    house.phone(LUIS).behave(Answers(4, presses="1"))
    house.voicemail_from(MARIA)
    house.fast_forward(50)
    assert house.rung == {DANA: 1}, "nothing is known of Dana's call yet"
    house.fast_forward(40)
    assert house.rung == {DANA: 1, LUIS: 1}
    assert [attempt.state for attempt in house.attempts()] == ["busy", "accepted"]


def test_it_survives_two_refused_connections_of_every_request(house: House) -> None:
    house.refused_tries = 2
    night_call(house)
    house.fast_forward(120)
    one_of_everything(house)
    assert house.text(DANA, "ACK 1001").startswith("You have case 1001")
