"""The database does not answer: callers are recorded all the same, and what was said is taken in once it is back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from simulator.phones import Answers
from tests.house import House
from tests.stories.people import DANA, MARIA, NIGHT, TOM
from webhooks import spool


@pytest.fixture
def house(house: House) -> House:
    """The web process has answered calls before; Dana is awake."""
    house.context.policies.current()
    house.phone(DANA).behave(Answers(3, presses="1"))
    return house


def spooled(house: House) -> int:
    """How many requests wait on the disk."""
    return len(spool.waiting(house.settings))


def test_it_records_a_caller_whose_whole_call_finds_no_database(house: House) -> None:
    with house.database_down():
        caller = house.call(MARIA).hears("Our system has a problem", "your message will be heard")
        caller.leaves()
        house.fast_forward(300)
        assert spooled(house) == 3, "the call, the recording, the hang-up"
    house.fast_forward(60)
    assert spooled(house) == 0
    assert house.case.contact_at == NIGHT
    assert house.case.due_at == NIGHT + timedelta(hours=1)
    assert house.case.verified
    assert "priority-assumed" in house.reasons
    assert house.case.engineer == "dana"
    assert house.rung == {DANA: 1}
    assert house.texted == {DANA: 1}
    assert house.shown()["voicemails"][0]["stored"]


def test_it_remembers_the_key_that_was_pressed_when_the_database_went_away(house: House) -> None:
    caller = house.call(MARIA)
    with house.database_down():
        caller.presses("2").hears("Our system has a problem").leaves()
        house.fast_forward(60)
    house.fast_forward(60)
    assert house.case.priority == 2
    assert "priority-chosen" in house.reasons
    assert house.rung == {DANA: 1}


def test_it_loses_no_message_when_only_its_callbacks_find_no_database(house: House) -> None:
    caller = house.call(MARIA).presses("1").says()
    with house.database_down():
        caller.hangs_up()
        house.fast_forward(120)
        assert spooled(house) == 3, "the message, its recording, the hang-up"
    house.fast_forward(60)
    assert house.case.contact_at == NIGHT
    assert len(house.cases) == 1
    assert house.rung == {DANA: 1}
    assert house.near_misses == []


def test_it_takes_in_a_spooled_request_once_even_if_it_also_came_again(house: House) -> None:
    with house.database_down():
        house.call(TOM).leaves()
        house.fast_forward(10)
    (call,) = house.company.calls.values()
    (recording,) = house.company.recordings.values()
    house.post(
        "/twilio/recording", CallSid=call.sid, RecordingSid=recording.sid, RecordingStatus="completed",
        RecordingUrl=recording.url(), RecordingDuration="8",
    )  # fmt: skip
    house.fast_forward(120)
    assert len(house.cases) == 1
    assert house.case.contact_at == NIGHT
    assert len(house.events("case.opened")) == 1


def test_it_does_not_lose_the_engineers_key(house: House) -> None:
    house.phone(DANA).behave(lambda call: None)
    house.voicemail_from(MARIA)
    dana = house.picks_up(DANA)
    with house.database_down():
        dana.call.press("1")
        house.fast_forward(20)
        assert not dana.is_over, "the line is held"
    dana.waits().hears("You have case 1 0 0 1")
    house.fast_forward(120)
    assert house.case.engineer == "dana"
    assert len(house.events("page.accepted")) == 1
    assert house.rung == {DANA: 1}


def test_it_does_not_lose_the_key_of_an_engineer_who_then_hangs_up(house: House) -> None:
    house.phone(DANA).behave(lambda call: None)
    house.voicemail_from(MARIA)
    dana = house.picks_up(DANA)
    with house.database_down():
        dana.call.press("1")
        house.fast_forward(2)
        dana.call.hang_up()
        house.fast_forward(40)
    house.fast_forward(300)
    assert house.case.engineer == "dana"
    assert house.rung == {DANA: 1}


def test_it_does_not_lose_an_ack_by_text(house: House) -> None:
    house.phone(DANA).behave(lambda call: None)
    house.voicemail_from(MARIA)
    house.fast_forward(5)
    with house.database_down():
        assert house.text(DANA, "ACK 1001") == ""
    house.fast_forward(300)
    assert house.case.engineer == "dana"
    assert house.rung == {DANA: 1}


def test_it_records_even_when_it_has_never_seen_a_policy(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house.context.policies, "_current", None)
    with house.database_down():
        caller = house.call(MARIA).hears("Please leave your name, your company, your number").leaves()
        assert caller.is_over
    house.fast_forward(60)
    assert len(house.cases) == 1
