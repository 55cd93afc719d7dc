"""Audio and transcripts come when they come: neither the case nor the page waits for them."""

from __future__ import annotations

import pytest

from simulator import audio
from simulator.phones import Answers
from tests.house import House
from tests.stories.disorder import disorder, lost
from tests.stories.people import DANA, ENGINEERS, MARIA, SUPPORT, agreement

TRANSCRIBED = agreement(("    unchosen_priority: 1\n", "    unchosen_priority: 1\n    transcribe: true\n"))


def test_it_opens_the_case_and_rings_while_the_audio_does_not_exist_yet(house: House) -> None:
    house.company.media_after = 600
    house.voicemail_from(MARIA)
    dana = house.picks_up(DANA).presses("2").hears("The voicemail has not reached us yet").presses("1")
    dana.hears("You have case 1 0 0 1").hangs_up()
    assert not house.shown()["voicemails"][0]["stored"]
    house.fast_forward(1500)
    assert house.shown()["voicemails"][0]["stored"]
    assert house.rung == {DANA: 1}
    assert house.due("dead") == []


def test_it_rings_late_rather_than_never_when_the_api_is_down(house: House) -> None:
    house.phone(DANA).behave(Answers(3, presses="1"))
    house.api_is_down = True
    house.voicemail_from(MARIA)
    house.fast_forward(20)
    assert house.case.priority == 1
    assert house.rung == {}
    house.api_is_down = False
    house.fast_forward(60)
    assert house.case.engineer == "dana"
    assert house.rung == {DANA: 1}
    assert house.shown()["voicemails"][0]["stored"]


def test_it_keeps_trying_for_as_long_as_the_api_is_down(house: House) -> None:
    house.api_is_down = True
    house.voicemail_from(MARIA)
    house.fast_forward(200)
    assert house.rung == {}
    assert house.pages[0].position == 2, "two steps have passed in silence"
    house.api_is_down = False
    house.fast_forward(60)
    assert house.rung == dict.fromkeys(ENGINEERS, 1), "one step rings, and not all that has piled up"
    assert house.texted == dict.fromkeys(ENGINEERS, 1)
    assert house.due("dead") == []


def test_it_keeps_the_recording_byte_for_byte(house: House) -> None:
    house.voicemail_from(MARIA)
    house.fast_forward(10)
    (recording,) = house.recordings
    assert recording.storage_key is not None
    theirs = audio.wav(house.company.recordings[recording.sid].samples)
    assert house.context.audio.get(recording.storage_key) == theirs
    assert recording.size_bytes == len(theirs)


@pytest.mark.both_databases
def test_it_refuses_a_recording_at_a_foreign_address_and_still_rings(house: House) -> None:
    caller = house.call(MARIA).presses("1")
    sid = "RE" + "7" * 32
    house.post(
        "/twilio/voice/2", CallSid=caller.call.sid, From=MARIA, To=SUPPORT, Digits="hangup", RecordingSid=sid,
        RecordingUrl=f"https://evil.example/Recordings/{sid}", RecordingDuration="9",
    )  # fmt: skip
    house.fast_forward(10)
    assert house.case.priority == 1
    assert house.rung == {DANA: 1}
    (recording,) = (known for known in house.recordings if known.sid == sid)
    assert recording.state == "refused"
    assert recording.storage_key is None
    assert len(house.events("voicemail.refused")) == 1
    assert "audio.fetch" not in house.due() + house.due("done") + house.due("cancelled")


def test_it_never_asks_the_address_in_a_callback_for_the_audio(house: House) -> None:
    """The address is not used at all: the recording is fetched by its SID, from the host in the settings."""
    caller = house.call(MARIA).presses("1").says().presses("#")
    (sid,) = house.company.recordings
    house.post(
        "/twilio/recording", CallSid=caller.call.sid, RecordingSid=sid, RecordingStatus="completed",
        RecordingUrl=f"https://evil.example/Recordings/{sid}", RecordingDuration="8",
    )  # fmt: skip
    caller.presses("1")
    house.fast_forward(10)
    assert house.shown()["voicemails"][0]["stored"]
    assert house.rung == {DANA: 1}


def test_it_tells_what_was_said_when_that_is_known_in_time(house: House) -> None:
    house.apply(TRANSCRIBED)
    house.company.transcription_after = 1
    house.call(MARIA).presses("1").says(6, "The payroll run has stopped.").hangs_up()
    house.fast_forward(2)
    house.picks_up(DANA).hears("They said: The payroll run has stopped.").presses("1")
    assert house.shown()["voicemails"][0]["transcript"] == "The payroll run has stopped."


def test_it_keeps_a_transcript_that_comes_late(house: House) -> None:
    house.apply(TRANSCRIBED)
    house.company.transcription_after = 120
    house.call(MARIA).presses("1").says(6, "The payroll run has stopped.").hangs_up()
    house.picks_up(DANA).hears("Lakeside").does_not_hear("They said").presses("1").hangs_up()
    house.fast_forward(200)
    assert house.shown()["voicemails"][0]["transcript"] == "The payroll run has stopped."
    assert "voicemail.transcribed" in [entry["kind"] for entry in house.shown()["timeline"]]


@pytest.mark.parametrize("how", ["never", "failed"])
def test_it_does_without_a_transcript(house: House, how: str) -> None:
    house.apply(TRANSCRIBED)
    if how == "never":
        house.expected_alerts = {11200}
        house.company.disturb = disorder(lost("transcription"))
    caller = house.call(MARIA).presses("1")
    caller.call.speak(seconds=8)  # nobody knows these words: the transcription fails
    caller.hangs_up()
    house.fast_forward(60)
    assert house.shown()["voicemails"][0]["transcript"] is None
    assert house.rings(DANA) == 1
