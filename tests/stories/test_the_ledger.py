"""What the telephone company recorded while nobody answered becomes a case, with the call's true start."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core import telephony
from intake import reconcile
from intake.phone.script import standalone_fallback
from tests.house import House
from tests.stories.disorder import disorder, lost
from tests.stories.people import DANA, LENA, MARIA, NIGHT, OMAR, STRANGER, SUPPORT, TOM

NO_ANSWER = 11200
FALLBACK = "https://files.example/fallback.xml"


@pytest.fixture
def house(house: House) -> House:
    """The worker runs, and compares the recordings once a minute."""
    house.worker.start()
    house.expected_alerts = {NO_ANSWER}
    house.elsewhere[FALLBACK] = standalone_fallback(house.context.policies.current().policy.say("trouble"))
    house.company.own_number(SUPPORT, voice_fallback_url=FALLBACK, voice_fallback_method="GET")
    return house


def test_it_records_a_caller_while_the_web_is_down_and_opens_the_case_later(house: House) -> None:
    house.web_is_down = True
    caller = house.call(MARIA).hears("Our system has a problem at the moment, but your message will be heard")
    caller.leaves()
    house.fast_forward(90)
    house.web_is_down = False
    house.fast_forward(60)
    assert house.case.contact_at == NIGHT
    assert house.case.due_at == NIGHT + timedelta(hours=1)
    assert house.case.priority == 1
    assert house.case.verified
    assert house.decision.outcome == "page"
    assert "priority-assumed" in house.reasons
    assert house.rings(DANA) >= 1
    assert house.shown()["voicemails"][0]["stored"]
    house.fast_forward(70)
    assert len(house.cases) == 1


def test_it_takes_a_stranger_from_the_fallback_as_unverified(house: House) -> None:
    house.web_is_down = True
    house.call(STRANGER).leaves()
    house.web_is_down = False
    house.fast_forward(65)
    assert not house.case.verified
    assert house.decision.outcome == "notify"
    assert house.rung == {}
    assert house.texted == {DANA: 1}


def test_it_finds_the_recording_that_no_callback_told_of(house: House) -> None:
    house.call(MARIA).presses("2").says()
    house.company.disturb = disorder(lost("action"), lost("recording-status"), lost("call-status"))
    house.phone(MARIA).calls[-1].hang_up()
    house.fast_forward(70)
    assert house.case.priority == 2
    assert house.case.contact_at == NIGHT
    assert house.rings(DANA) == 1
    assert house.near_misses == []


def test_it_takes_back_that_a_call_had_no_message(house: House) -> None:
    house.call(MARIA).presses("1").says()
    house.company.disturb = disorder(lost("action"), lost("recording-status"))
    house.phone(MARIA).calls[-1].hang_up()
    house.fast_forward(80)
    assert len(house.cases) == 1
    assert house.near_misses == []


@pytest.mark.both_databases
def test_it_opens_no_case_for_a_recording_of_our_own_calls(house: House) -> None:
    house.context.telephony._client.calls.create(
        to=DANA, from_=SUPPORT, twiml="<Response><Pause length='5'/></Response>", record=True
    )
    house.fast_forward(1)
    house.picks_up(DANA)
    house.fast_forward(120)
    assert house.company.recordings
    assert house.cases == []


def test_it_looks_again_when_the_list_cannot_be_had(house: House) -> None:
    house.web_is_down = house.api_is_down = True
    house.company.dial(MARIA, SUPPORT)
    house.fast_forward(20)
    house.phone(MARIA).calls[-1].speak(seconds=8)
    house.phone(MARIA).calls[-1].hang_up()
    house.fast_forward(300)
    assert house.cases == []
    house.web_is_down = house.api_is_down = False
    house.fast_forward(120)
    assert house.case.contact_at == NIGHT
    assert house.due("dead") == []


def test_it_reads_every_page_of_the_list(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a long outage there are more recordings than the telephone company lists at once."""
    monkeypatch.setattr(telephony, "_PAGE_SIZE", 2)
    monkeypatch.setattr(reconcile, "_AT_ONCE", 2)
    house.web_is_down = True
    for number in (MARIA, STRANGER, TOM, OMAR, LENA):
        house.call(number).leaves()
    house.web_is_down = False
    house.fast_forward(90)
    assert len(house.cases) == len(house.company.recordings) == 5
    house.fast_forward(70)
    assert len(house.cases) == 5


def test_it_keeps_one_ledger_however_many_workers_start(house: House) -> None:
    house.worker.start()
    house.worker.start()
    house.fast_forward(200)
    assert house.due().count("reconcile") == 1
