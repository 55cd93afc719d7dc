"""How a leg begins: ringing an outside phone, and calls placed through the API."""

from __future__ import annotations

from dataclasses import dataclass

from simulator import audio
from simulator.calls import Call
from simulator.interpreter import Replaced, Source, run, sleep
from simulator.own_numbers import is_dialable
from simulator.process import Step
from simulator.record import StatusCallback, report, store
from simulator.recordings import Recording, Take

# How long answering machine detection listens before it says who answered.
_DETECTION_SECONDS = {"human": 2.0, "machine_start": 4.0, "machine_end_beep": 8.0, "machine_end_silence": 8.0}


@dataclass(frozen=True)
class Placing:
    """What POST /Calls asked for, apart from the numbers. ``detection``: "", Enable or DetectMessageEnd."""

    source: Source
    timeout: float = 60
    send_digits: str = ""
    detection: str = ""
    record: bool = False
    recording_callback: StatusCallback | None = None
    time_limit: float | None = None


def ring(call: Call, timeout: float) -> Step[str]:
    """Let the outside phone ring: answered, busy, no-answer or failed."""
    company = call.company
    call.started_at = company.now()
    call.progress("initiated", "initiated")
    yield from sleep(call, company.ring_after)
    if not is_dialable(call.to):
        company.alert(13224, f"Dial: invalid phone number {call.to!r}", "", call)
        return "failed"
    call.progress("ringing", "ringing")
    handle = company.scheduler.after(timeout, lambda: call.reject("no-answer"))
    try:
        call.phone.ring(call)
        status: str = yield call.picked_up
    finally:
        handle.cancel()
    return status


def place(call: Call, placing: Placing) -> Step[None]:
    """A call made through the API, from dialing to its end."""
    status = yield from ring(call, placing.timeout)
    if status != "answered":
        call.end_as(status)
        return
    call.pick_up()
    if placing.time_limit is not None:
        call.after(placing.time_limit, call.drop)
    if placing.record:
        _record_whole_call(call, placing.recording_callback)
    source = placing.source
    try:
        yield from _before_the_document(call, placing)
    except Replaced as replaced:
        source = replaced.source
    yield from run(call, source)


def _before_the_document(call: Call, placing: Placing) -> Step[None]:
    if placing.detection:
        yield from _detect(call, placing.detection)
    for key in placing.send_digits:
        call.hear("pause" if key in "wW" else "digits", key.strip("wW"), 0.5)
        yield from sleep(call, 0.5)


def _detect(call: Call, how: str) -> Step[None]:
    found = call.detected
    if how == "Enable" and found.startswith("machine"):
        found = "machine_start"
    yield from sleep(call, _DETECTION_SECONDS.get(found, 4.0))
    call.answered_by = found


def _record_whole_call(call: Call, callback: StatusCallback | None) -> None:
    recording: Recording = call.company.new_recording(call, "OutboundAPI")
    report(recording, callback, "in-progress")
    call.recorded_as = {"RecordingSid": recording.sid, "RecordingUrl": recording.url()}

    def stop(_value: object) -> None:
        length = (call.company.now() - recording.started_at).total_seconds()
        store(recording, Take(audio.tone(length).samples, None, None), callback)

    call.over.then(stop)
