"""<Record>, with all its endings: a key, silence, the longest length, a hang-up, and nothing said at all."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime

from simulator import twiml
from simulator.calls import Call
from simulator.interpreter import Replaced, Source, fetch, next_input, play_out
from simulator.parts import Digits, Waiting
from simulator.process import HungUp, Step
from simulator.recordings import Recording, Take, take

BEEP_SECONDS = 0.5
MAX_TRANSCRIBED_SECONDS = 120


@dataclass(frozen=True)
class StatusCallback:
    """Where and for which events a recording's status is reported."""

    url: str
    method: str
    events: frozenset[str]

    @classmethod
    def of(cls, element: ET.Element, document: twiml.Document) -> StatusCallback | None:
        reference = element.get("recordingStatusCallback")
        if not reference:
            return None
        return cls(
            document.resolve(reference),
            element.get("recordingStatusCallbackMethod", "POST"),
            frozenset(element.get("recordingStatusCallbackEvent", "completed").split()),
        )


def record(call: Call, element: ET.Element, document: twiml.Document) -> Step[twiml.Document | None]:
    if twiml.flag(element, "playBeep", True):
        yield from play_out(call, [("beep", "", BEEP_SECONDS)])
    recording = call.company.new_recording(call, "RecordVerb")
    callback = StatusCallback.of(element, document)
    report(recording, callback, "in-progress")
    try:
        key, end = yield from _listen(call, element)
    except (HungUp, Replaced) as left:
        caught = _keep(call, recording, element, document, callback, call.company.now())
        if caught.error_code is None and isinstance(left, HungUp):
            # There is nobody left to hear what this request answers.
            source = _action(element, document, recording, "hangup")
            call.company.post("action", source.url, source.method, {**call.params(), **source.params}, call)
        raise
    caught = _keep(call, recording, element, document, callback, end)
    if caught.error_code is not None:
        return None
    return (yield from fetch(call, _action(element, document, recording, key)))


def _listen(call: Call, element: ET.Element) -> Step[tuple[str, datetime]]:
    """The key that ended it (or "") and when the recording ended."""
    timeout = twiml.number(element, "timeout", 5)
    longest = twiml.number(element, "maxLength", 3600)
    keys = element.get("finishOnKey", "1234567890*#")
    call.set_waiting(Waiting("record", timeout, keys, max_length=longest))
    try:
        started = call.company.now()
        deadline = started + timedelta(seconds=longest)
        while True:
            quiet_from = max([started, *(speech.end for speech in call.speeches)])
            until = deadline if call.talking else min(deadline, quiet_from + timedelta(seconds=timeout))
            got = yield from next_input(call, max((until - call.company.now()).total_seconds(), 0.0))
            if got is None:
                return "", call.company.now()
            if isinstance(got, Digits):
                pressed = next((key for key in got.text if key in keys), "")
                if pressed:
                    return pressed, call.company.now()
    finally:
        call.set_waiting(None)


def _action(element: ET.Element, document: twiml.Document, recording: Recording, key: str) -> Source:
    params = {
        "RecordingSid": recording.sid,
        "RecordingUrl": recording.url(),
        "RecordingDuration": str(recording.seconds),
    }
    if key:
        params["Digits"] = key
    url = document.resolve(element.get("action", ""))
    return Source(url, element.get("method", "POST"), params, "action")


def _keep(
    call: Call,
    recording: Recording,
    element: ET.Element,
    document: twiml.Document,
    callback: StatusCallback | None,
    end: datetime,
) -> Take:
    """Keep what was caught, and plan its file, its status callback and its transcription."""
    trim = element.get("trim", "trim-silence") != "do-not-trim"
    caught = take(call.speeches, recording.started_at, end, trim)
    store(recording, caught, callback)
    if caught.error_code is None and twiml.flag(element, "transcribe", False):
        _transcribe(recording, element, document)
    return caught


def store(recording: Recording, caught: Take, callback: StatusCallback | None) -> None:
    """The recording is over: an empty one is ``absent``, any other gets its file a little later."""
    company = recording.call.company
    recording.samples, recording.text = caught.samples, caught.text
    recording.error_code, recording.status = caught.error_code, "processing"
    recording.media_at = company.now() + timedelta(seconds=company.media_after)
    status = "completed" if caught.error_code is None else "absent"

    def appear() -> None:
        recording.has_media = True

    def settle() -> None:
        recording.status = status
        company.recorded(recording)
        report(recording, callback, status)

    company.scheduler.after(company.media_after, appear)
    company.scheduler.after(company.recording_callback_after, settle)


def report(recording: Recording, callback: StatusCallback | None, event: str) -> None:
    if callback is None or event not in callback.events:
        return
    duration = "0" if event == "absent" else str(recording.seconds)
    params = {
        "AccountSid": recording.call.company.account_sid,
        "CallSid": recording.call.sid,
        "RecordingSid": recording.sid,
        "RecordingUrl": recording.url(),
        "RecordingStatus": event,
        "RecordingChannels": "1",
        "RecordingSource": recording.source,
        "RecordingStartTime": format_datetime(recording.started_at),
        "RecordingTrack": "inbound",
        "ErrorCode": str(recording.error_code or 0),
    }
    if event != "in-progress":
        params["RecordingDuration"] = duration
    recording.call.company.post("recording-status", callback.url, callback.method, params, recording.call)


def _transcribe(recording: Recording, element: ET.Element, document: twiml.Document) -> None:
    call, company = recording.call, recording.call.company
    reference = element.get("transcribeCallback")
    if not reference:
        return
    known = recording.text is not None and recording.seconds <= MAX_TRANSCRIBED_SECONDS
    sid = company.new_sid("TR")
    params = {
        "TranscriptionSid": sid,
        "TranscriptionStatus": "completed" if known else "failed",
        "TranscriptionText": (recording.text or "") if known else "",
        "TranscriptionUrl": f"{recording.url()}/Transcriptions/{sid}",
        "TranscriptionType": "fast",
        "RecordingSid": recording.sid,
        "RecordingUrl": recording.url(),
    }
    url = document.resolve(reference)

    def send() -> None:
        company.post("transcription", url, "POST", {**call.params(), **params}, call)

    company.scheduler.after(company.transcription_after, send)
