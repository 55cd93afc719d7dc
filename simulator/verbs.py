"""The verbs of TwiML but the two long ones (Record, Dial).

Each gives back the document to go on with, or None to go on with the next verb.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET

from simulator import twiml
from simulator.calls import Call
from simulator.dial import dial
from simulator.interpreter import Source, Verb, fetch, next_input, play_out, request, sleep, sounds_of
from simulator.parts import Digits, Input, Speech, Waiting
from simulator.process import HungUp, Step
from simulator.record import record

Next = Step[twiml.Document | None]
_WAV_HEADER_BYTES, _WAV_BYTES_PER_SECOND = 44, 16000


def sound(call: Call, element: ET.Element, document: twiml.Document) -> Next:
    """Say, Play and Pause."""
    yield from _sounds(call, element, document, listen=False)
    return None


def _sounds(call: Call, element: ET.Element, document: twiml.Document, listen: bool) -> Step[Digits | None]:
    seconds = call.company.play_seconds
    if element.tag == "Play" and not element.get("digits"):
        url = document.resolve(twiml.words(element))
        answer, why = yield from request(call, Source(url, "GET", {}, "play"), plain=True)
        if answer is None:
            call.company.alert(11200, f"the sound to play cannot be had: {why}", url, call)
            return None
        if "wav" in answer.header("Content-Type") and answer.header("Content-Length").isdigit():
            seconds = max(int(answer.header("Content-Length")) - _WAV_HEADER_BYTES, 0) / _WAV_BYTES_PER_SECOND
    return (yield from play_out(call, sounds_of(element, lambda _url: seconds), listen))


def gather(call: Call, element: ET.Element, document: twiml.Document) -> Next:
    """Gather: without any input the next verb runs; a hang-up here is told to nobody."""
    timeout = twiml.number(element, "timeout", 5)
    waiting = Waiting("gather", timeout, element.get("finishOnKey", "#"), prompting=True)
    waiting.num_digits = int(twiml.number(element, "numDigits", 0)) or None
    call.set_waiting(waiting)
    try:
        got: Input | None = None
        for prompt in element:
            got = yield from _sounds(call, prompt, document, listen=True)
            if got is not None:
                break
        waiting.prompting = False
        call.set_waiting(waiting)
        params = yield from _collect(call, waiting, got, "speech" in element.get("input", "dtmf"))
    finally:
        call.set_waiting(None)
    if params is None and not twiml.flag(element, "actionOnEmptyResult", False):
        return None
    url = document.resolve(element.get("action", ""))
    source = Source(url, element.get("method", "POST"), params or {"Digits": ""}, "action")
    return (yield from fetch(call, source))


def _collect(call: Call, waiting: Waiting, got: Input | None, speech: bool) -> Step[dict[str, str] | None]:
    """The parameters of the action, or None when nothing was entered."""
    digits = ""
    limit = waiting.num_digits
    while True:
        if got is None:
            got = yield from next_input(call, waiting.timeout)
        if got is None:
            return {"Digits": digits} if digits else None
        if isinstance(got, Speech) and speech:
            yield from sleep(call, max((got.end - call.company.now()).total_seconds(), 0.0))
            return {"SpeechResult": got.clip.text or "", "Confidence": "0.9"}
        for key in got.text if isinstance(got, Digits) else "":
            if waiting.finish_on_key and key in waiting.finish_on_key:
                return {"Digits": digits, "FinishedOnKey": key}
            digits += key
            if limit is not None and len(digits) >= limit:
                return {"Digits": digits}
        got = None


def redirect(call: Call, element: ET.Element, document: twiml.Document) -> Next:
    url = document.resolve(twiml.words(element))
    return (yield from fetch(call, Source(url, element.get("method", "POST"), {}, "voice")))


def hang_up(call: Call, element: ET.Element, document: twiml.Document) -> Next:
    raise HungUp
    yield  # a generator like its siblings


def reject(call: Call, element: ET.Element, document: twiml.Document) -> Next:
    call.end_as("busy" if element.get("reason") == "busy" else "no-answer")
    raise HungUp
    yield  # a generator like its siblings


VERBS: dict[str, Verb] = {
    "Say": sound,
    "Play": sound,
    "Pause": sound,
    "Gather": gather,
    "Record": record,
    "Dial": dial,
    "Redirect": redirect,
    "Hangup": hang_up,
    "Reject": reject,
}
