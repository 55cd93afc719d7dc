"""Silent, absent and too short recordings are near misses: kept, listed, and never a page."""

from __future__ import annotations

from tests.house import House
from tests.stories.disorder import disorder, late
from tests.stories.people import DANA, MARIA, TOM


def a_near_miss(house: House) -> None:
    """Nobody is rung or texted; the call is listed with its decision."""
    house.fast_forward(1300)
    assert house.cases == []
    assert house.rung == house.texted == {}
    assert house.pages == []
    assert len(house.near_misses) == 1
    assert len(house.events("call.near-miss")) == 1


def test_it_does_not_ring_for_a_caller_who_says_nothing_and_hangs_up(house: House) -> None:
    caller = house.call(MARIA).presses("1")
    house.fast_forward(3)
    caller.hangs_up()
    a_near_miss(house)
    (recording,) = house.recordings
    assert (recording.state, recording.error_code) == ("near-miss", "16102")


def test_it_does_not_ring_for_half_a_second_of_noise(house: House) -> None:
    house.call(MARIA).presses("1").says(0.4).hangs_up()
    a_near_miss(house)
    assert house.recordings[0].error_code == "16101"


def test_it_does_not_ring_for_one_second_of_speech(house: House) -> None:
    """The telephone company calls it a recording; nobody says a name, a company and a number in a second."""
    house.call(MARIA).presses("1").says(1.2).hangs_up()
    a_near_miss(house)
    assert house.recordings[0].state == "near-miss"
    assert house.recordings[0].duration_s == 1


def test_it_does_not_ring_when_the_final_word_on_a_short_recording_is_late(house: House) -> None:
    house.company.disturb = disorder(late("recording-status", 60))
    house.call(MARIA).presses("1").says(1.2).hangs_up()
    house.fast_forward(30)
    assert house.cases == []
    a_near_miss(house)


def test_it_asks_again_after_a_short_recording_and_takes_the_longer_one(house: House) -> None:
    caller = (
        house.call(MARIA)
        .presses("1")
        .says(1)
        .presses("#")
        .hears("We did not hear anything", "After the tone")
    )
    caller.leaves()
    house.fast_forward(10)
    assert house.rung == {DANA: 1}
    assert [(recording.state, recording.case_id) for recording in house.recordings] == [
        ("near-miss", None),
        ("completed", 1001),
    ]
    assert house.near_misses == []
    assert house.events("call.near-miss") == []


def test_it_sends_the_earlier_message_when_the_second_is_silent(house: House) -> None:
    caller = house.call(TOM).presses("1").says().presses("#").presses("2")
    house.fast_forward(3)
    caller.hangs_up()
    house.fast_forward(60)
    assert house.case.priority == 1
    assert house.near_misses == []


def test_it_keeps_the_decision_of_a_near_miss(house: House) -> None:
    house.call(MARIA).presses("1").hangs_up()
    a_near_miss(house)
    shown = house.near_miss_decision
    assert shown.outcome == "near-miss"
    assert [reason["code"] for reason in shown.reasons][-1] == "no-voicemail"
    assert shown.facts["customer"] == "Lakeside Credit Union"
