"""<Dial>: several telephones ring at once, and the first that *accepts* is connected."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from simulator import audio, twiml
from simulator.calls import Call
from simulator.interpreter import Replaced, Source, fetch, next_input, run
from simulator.legs import ring
from simulator.parts import EVENTS, Callback, Digits
from simulator.process import HungUp, Signal, Step
from simulator.record import StatusCallback, store
from simulator.recordings import Recording, Take

# When no leg was bridged, the most telling outcome of those that rang is reported.
_OUTCOMES = ("completed", "busy", "no-answer", "failed", "canceled")


@dataclass(eq=False)
class _Dialing:
    """One Dial verb at work."""

    call: Call
    element: ET.Element
    document: twiml.Document
    legs: list[Call] = field(default_factory=list)
    decided: Signal = field(default_factory=Signal)  # the leg that accepted, or None
    bridge_over: Signal = field(default_factory=Signal)
    winner: Call | None = None
    bridged_seconds: int = 0
    recording: Recording | None = None

    def leg_over(self, leg: Call, _value: object) -> None:
        if leg is self.winner:
            self.bridge_over.fire()
        elif self.winner is None and all(leg.ended for leg in self.legs):
            self.decided.fire(None)

    def accept(self, leg: Call) -> None:
        if self.winner is None and not self.decided.fired:
            self.winner = leg
            self.decided.fire(leg)

    def drop_all(self, but: Call | None = None) -> None:
        for leg in self.legs:
            if leg is not but and not leg.ended:
                leg.drop()


def dial(call: Call, element: ET.Element, document: twiml.Document) -> Step[twiml.Document | None]:
    work = _Dialing(call, element, document)
    ringing = call.hear("ring")
    try:
        _ring_all(work)
        winner: Call | None = yield work.decided
        ringing.seconds = (call.company.now() - ringing.time).total_seconds()
        if winner is not None:
            work.drop_all(but=winner)
            yield from _bridge(work, winner)
    except HungUp:
        _end_bridge(work)
        work.drop_all()
        if (source := _action(work, canceled=work.winner is None)) is not None:
            # There is nobody left to hear what this request answers.
            call.company.post("action", source.url, source.method, {**call.params(), **source.params}, call)
        raise
    except Replaced:
        _end_bridge(work)
        work.drop_all()
        raise
    source = _action(work)
    return None if source is None else (yield from fetch(call, source))


def _ring_all(work: _Dialing) -> None:
    targets: list[tuple[str, ET.Element]] = [(twiml.words(child), child) for child in work.element]
    if not targets:
        targets = [(twiml.words(work.element), ET.Element("Number"))]
    timeout = twiml.number(work.element, "timeout", 30)
    for number, noun in targets:
        address = f"sip:{number}" if noun.tag == "Sip" and not number.startswith("sip:") else number
        caller_id = work.element.get("callerId") or work.call.from_
        leg = work.call.company.new_leg(caller_id, address, "outbound-dial", parent=work.call)
        leg.callback = _callback(noun, work.document)
        work.legs.append(leg)
        leg.over.then(partial(work.leg_over, leg))
    for leg, (_, noun) in zip(tuple(work.legs), targets, strict=True):
        if not work.decided.fired:
            leg.start(_leg(work, leg, noun, timeout))


def _callback(noun: ET.Element, document: twiml.Document) -> Callback | None:
    url = noun.get("statusCallback")
    if not url:
        return None
    events = frozenset(noun.get("statusCallbackEvent", "completed").split()) & frozenset(EVENTS)
    return Callback(document.resolve(url), noun.get("statusCallbackMethod", "POST"), events)


def _leg(work: _Dialing, leg: Call, noun: ET.Element, timeout: float) -> Step[None]:
    """One called leg: rings, hears its whisper, accepts by staying on the line, is connected."""
    status = yield from ring(leg, timeout)
    if status != "answered":
        leg.end_as(status)
        return
    leg.pick_up()
    try:
        if reference := noun.get("url"):
            yield from run(leg, Source(work.document.resolve(reference), noun.get("method", "POST")))
        work.accept(leg)
        yield work.bridge_over
    except Replaced as replaced:
        # Taken out of the bridge by the API: this leg goes on alone, its caller's Dial is over.
        if leg is work.winner:
            work.bridge_over.fire()
        yield from run(leg, replaced.source)


def _bridge(work: _Dialing, leg: Call) -> Step[None]:
    call = work.call
    call.peer, leg.peer = leg, call
    started = call.company.now()
    if work.element.get("record", "do-not-record") not in {"do-not-record", "false"}:
        work.recording = call.company.new_recording(call, "DialVerb")
    limit = twiml.number(work.element, "timeLimit", 14400)
    star = twiml.flag(work.element, "hangupOnStar", False)
    work.bridge_over.then(lambda _value: call.listener and call.listener(Digits("")))
    try:
        until = started + timedelta(seconds=limit)
        while not work.bridge_over.fired:
            left = (until - call.company.now()).total_seconds()
            got = yield from next_input(call, max(left, 0.0))
            if got is None or (star and isinstance(got, Digits) and "*" in got.text):
                break
    finally:
        work.bridged_seconds = round((call.company.now() - started).total_seconds())
    _end_bridge(work)
    if not leg.ended and not work.bridge_over.fired:
        leg.drop()


def _end_bridge(work: _Dialing) -> None:
    call, leg = work.call, work.winner
    if leg is None or call.peer is not leg:
        return
    call.peer = leg.peer = None
    if work.recording is not None:
        length = (call.company.now() - work.recording.started_at).total_seconds()
        store(
            work.recording,
            Take(audio.tone(length).samples, None, None),
            StatusCallback.of(work.element, work.document),
        )


def _action(work: _Dialing, canceled: bool = False) -> Source | None:
    """The Dial's action, or None when it has none and the next verb runs."""
    reference = work.element.get("action")
    if reference is None:
        return None
    bridged = work.winner is not None
    leg = work.winner or work.legs[0]
    if bridged:
        status = "completed"
    elif canceled:
        status = "canceled"
    else:
        seen = {_outcome(each) for each in work.legs}
        status = next((outcome for outcome in _OUTCOMES if outcome in seen), "failed")
    params = {
        "DialCallStatus": status,
        "DialCallSid": leg.sid,
        "DialBridged": str(bridged).lower(),
    }
    if bridged:
        params["DialCallDuration"] = str(work.bridged_seconds)
    if work.recording is not None:
        params |= {"RecordingUrl": work.recording.url(), "RecordingSid": work.recording.sid}
    return Source(work.document.resolve(reference), work.element.get("method", "POST"), params, "action")


def _outcome(leg: Call) -> str:
    return leg.company.declined_dial_status if leg.answered else leg.status
