"""<Record>: every way in which it ends, and what is requested then."""

from __future__ import annotations

import numpy as np
import pytest
from simulated_app import BASE, LINE, MARIA, App

from simulator import audio
from simulator.calls import Call
from simulator.company import PhoneCompany
from simulator.interpreter import Source
from simulator.scheduler import VirtualScheduler

CALLBACK = "recordingStatusCallback='/rec' recordingStatusCallbackEvent='completed absent'"


@pytest.fixture
def call(company: PhoneCompany, app: App) -> Call:
    app["/voice"] = (
        f"<Say>Speak</Say><Record action='/sent' timeout='4' maxLength='60' {CALLBACK}/>"
        "<Say>Nothing heard</Say>"
    )
    app["/sent"] = "<Say>Thank you</Say>"
    call = company.dial(MARIA, LINE)
    company.run_until_waiting(call)
    assert call.waiting is not None
    assert (call.waiting.kind, call.waiting.timeout, call.waiting.max_length) == ("record", 4, 60)
    assert call.heard[-1].kind == "beep"
    return call


def test_it_ends_with_a_key(company: PhoneCompany, app: App, call: Call) -> None:
    call.speak(seconds=8)
    call.press("#")
    form = app.forms("/sent")[0]
    assert (form["Digits"], form["RecordingDuration"]) == ("#", "8")
    assert form["RecordingUrl"].endswith(f"/Recordings/{form['RecordingSid']}")
    assert app.to("/rec") == []
    company.let_pass(1)
    status = app.forms("/rec")[0]
    assert (status["RecordingStatus"], status["RecordingDuration"]) == ("completed", "8")
    assert (status["ErrorCode"], status["RecordingSource"]) == ("0", "RecordVerb")
    assert "From" not in status
    company.run_until_waiting(call)
    assert call.heard_text == "Speak Thank you"


def test_it_ends_with_silence(company: PhoneCompany, app: App, call: Call) -> None:
    began = company.now()
    call.speak(seconds=5)
    call.stay_silent()
    assert (company.now() - began).total_seconds() == 9
    form = app.forms("/sent")[0]
    assert "Digits" not in form
    assert form["RecordingDuration"] == "5"


def test_it_ends_at_its_longest(company: PhoneCompany, app: App, call: Call) -> None:
    call.speak(seconds=100)
    assert app.forms("/sent")[0]["RecordingDuration"] == "60"


def test_it_asks_the_action_after_a_hang_up_and_ignores_the_answer(
    company: PhoneCompany, app: App, call: Call
) -> None:
    call.speak(text="production is down")
    call.hang_up()
    assert call.ended
    assert app.forms("/sent")[0]["Digits"] == "hangup"
    company.let_pass(5)
    assert call.heard_text == "Speak"
    assert app.paths == ["/voice", "/sent", "/over", "/rec"]


def test_it_goes_on_after_an_empty_recording_without_asking_the_action(
    company: PhoneCompany, app: App, call: Call
) -> None:
    call.stay_silent()
    company.let_pass(5)
    assert app.to("/sent") == []
    assert call.heard_text == "Speak Nothing heard"
    status = app.forms("/rec")[0]
    assert (status["RecordingStatus"], status["ErrorCode"]) == ("absent", "16102")


def test_it_asks_nothing_when_the_caller_hangs_up_without_a_word(
    company: PhoneCompany, app: App, call: Call
) -> None:
    company.let_pass(2)
    call.hang_up()
    company.let_pass(5)
    assert app.paths == ["/voice", "/over", "/rec"]
    assert app.forms("/rec")[0]["ErrorCode"] == "16102"


@pytest.mark.parametrize("seconds", [0.0, 0.4])
def test_it_drops_what_is_too_short(company: PhoneCompany, app: App, call: Call, seconds: float) -> None:
    call.speak(seconds=seconds)
    call.press("#")
    company.let_pass(5)
    assert app.to("/sent") == []
    assert app.forms("/rec")[0]["ErrorCode"] == "16101"


def test_it_takes_a_silent_file_for_silence(company: PhoneCompany, app: App, call: Call) -> None:
    call.speak(audio_file=audio.wav(np.zeros(8000 * 3, dtype=np.int16)))
    call.stay_silent()
    company.let_pass(5)
    assert app.to("/sent") == []
    assert app.forms("/rec")[0]["ErrorCode"] == "16102"


def test_it_keeps_the_callers_sound(company: PhoneCompany, app: App, call: Call) -> None:
    sound = audio.tone(3).samples
    call.speak(audio_file=audio.wav(sound))
    call.press("1")
    recording = company.recordings[app.forms("/sent")[0]["RecordingSid"]]
    assert np.abs(recording.samples.astype(int) - sound).max() <= 1


def test_it_cuts_a_sentence_when_asked_to(company: PhoneCompany, app: App, call: Call) -> None:
    call.speak(seconds=30, wait=False)
    company.let_pass(7)
    call.hang_up(cut=True)
    assert app.forms("/sent")[0]["RecordingDuration"] == "7"


def test_it_lets_the_caller_finish_the_sentence_before_the_key(
    company: PhoneCompany, app: App, call: Call
) -> None:
    call.speak(seconds=6, wait=False)
    call.press("#")
    assert app.to("/sent") == []
    company.let_pass(6)
    assert app.forms("/sent")[0]["RecordingDuration"] == "6"


def test_it_joins_two_sentences_with_the_pause_between(company: PhoneCompany, app: App, call: Call) -> None:
    call.speak(seconds=3, text="one")
    company.let_pass(2)
    call.speak(seconds=3, text="two")
    call.press("#")
    recording = company.recordings[app.forms("/sent")[0]["RecordingSid"]]
    assert (recording.seconds, recording.text) == (8, "one two")


def test_it_waits_while_somebody_talks_into_the_microphone(
    company: PhoneCompany, app: App, call: Call
) -> None:
    call.start_talking()
    company.let_pass(20)
    assert call.waiting is not None
    call.say_clip(audio.tone(20), already=True)
    call.press("#")
    assert app.forms("/sent")[0]["RecordingDuration"] == "20"


def test_it_loops_without_an_action(company: PhoneCompany, app: App) -> None:
    app["/voice"] = "<Record playBeep='false'/>"
    call = company.dial(MARIA, LINE)
    company.run_until_waiting(call)
    call.speak(seconds=3)
    call.press("#")
    assert [form.get("RecordingDuration") for form in app.forms("/voice")] == [None, "3"]
    assert call.waiting is not None


def test_it_transcribes_what_was_typed(company: PhoneCompany, app: App, scheduler: VirtualScheduler) -> None:
    app["/voice"] = "<Record action='/sent' transcribe='true' transcribeCallback='/tr'/>"
    for text in ("OpCon is down", None):
        call = company.dial(MARIA, LINE)
        company.run_until_waiting(call)
        call.speak(text=text)
        call.hang_up()
    scheduler.advance(30)
    first, second = app.forms("/tr")
    assert (first["TranscriptionStatus"], first["TranscriptionText"]) == ("completed", "OpCon is down")
    assert (second["TranscriptionStatus"], second["TranscriptionText"]) == ("failed", "")


def test_it_may_report_the_recording_before_the_action(company: PhoneCompany, app: App, call: Call) -> None:
    company.disturb = lambda _request, kind: [3.0] if kind == "action" else [0.0]
    call.speak(seconds=4)
    call.press("#")
    company.let_pass(5)
    assert app.paths == ["/voice", "/rec", "/sent", "/over"]


def test_it_keeps_what_was_said_when_the_call_is_sent_elsewhere(
    company: PhoneCompany, app: App, call: Call
) -> None:
    call.speak(seconds=5)
    company.replace(call, Source(text="<Response><Say>elsewhere</Say></Response>"))
    company.let_pass(5)
    assert call.heard_text == "Speak elsewhere"
    assert app.to("/sent") == []
    assert app.forms("/rec")[0]["RecordingDuration"] == "5"


def test_it_reports_the_beginning_to_those_who_asked(company: PhoneCompany, app: App) -> None:
    app["/voice"] = "<Record recordingStatusCallback='/rec' recordingStatusCallbackEvent='in-progress'/>"
    company.run_until_waiting(company.dial(MARIA, LINE))
    assert app.forms("/rec")[0]["RecordingStatus"] == "in-progress"


def test_it_ends_only_with_the_keys_it_was_given(company: PhoneCompany, app: App) -> None:
    app["/voice"] = f"<Record action='{BASE}/sent' finishOnKey='*'/>"
    call = company.dial(MARIA, LINE)
    company.run_until_waiting(call)
    call.speak(seconds=2)
    call.press("1")
    assert app.to("/sent") == []
    call.press("*")
    assert app.forms("/sent")[0]["Digits"] == "*"
