"""The control API: hands and voice for the outside world's people. JSON, for this machine only."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import Blueprint, Response, jsonify, request

from simulator import audio, behaviours, state
from simulator.calls import Call
from simulator.company import PhoneCompany
from simulator.refusals import Refused, given_json, guard, text_of
from simulator.scene import Scene
from simulator.scheduler import LiveScheduler

LONG_POLL_SECONDS = 20.0
MAX_SPEECH_BYTES = 30_000_000


def create_control(company: PhoneCompany, scene: Scene) -> Blueprint:
    control = Blueprint("control", __name__, url_prefix="/control")
    guard(control)
    hands = _Hands(company)

    def ask(fn: Callable[[], Any]) -> Response:
        return jsonify(company.scheduler.ask(fn))

    @control.get("/health")
    def health() -> Response:
        return ask(lambda: {"ok": True, "now": company.now().isoformat(), "account": company.account_sid})

    @control.get("/state")
    def whole_state() -> Response:
        return ask(lambda: state.of(company, scene))

    @control.get("/events")
    def events() -> Response:
        """Those after ``after``; waits up to 20 seconds (or ``wait``) for the first one."""
        wait = min(request.args.get("wait", LONG_POLL_SECONDS, float), LONG_POLL_SECONDS)
        after = request.args.get("after", type=int)
        found = [] if after is None else company.events.after(after, wait)
        return jsonify(
            last=found[-1].number if found else company.events.last,
            events=[
                {"number": event.number, "time": event.time.isoformat(), "kind": event.kind, **event.data}
                for event in found
            ],
        )

    @control.post("/calls")
    def dial() -> Response:
        given = given_json()
        return ask(lambda: hands.dial(given))

    @control.post("/calls/<sid>/digits")
    def digits(sid: str) -> Response:
        given = given_json()
        return ask(lambda: hands.press(sid, given))

    @control.post("/calls/<sid>/talking")
    def talking(sid: str) -> Response:
        """The person begins to speak into the microphone; the sound follows by /speech."""
        return ask(lambda: hands.talking(sid))

    @control.post("/calls/<sid>/speech")
    def speech(sid: str) -> Response:
        clip = _speech()
        return ask(lambda: hands.speak(sid, clip))

    @control.post("/calls/<sid>/<any(answer, reject, hangup):what>")
    def hook(sid: str, what: str) -> Response:
        given = given_json()
        return ask(lambda: hands.hook(sid, what, given))

    @control.post("/phones/<number>")
    def phone(number: str) -> Response:
        given = given_json()
        return ask(lambda: hands.behave(number, given))

    @control.post("/messages")
    def message() -> Response:
        given = given_json()
        return ask(lambda: hands.text(given))

    @control.post("/clock")
    def clock() -> Response:
        given = given_json()
        return ask(lambda: hands.set_clock(given))

    return control


def _speech() -> audio.Clip:
    """What is said: an uploaded file, a raw sound, or JSON {"text"}, {"seconds"} or {"sample": true}."""
    if (request.content_length or 0) > MAX_SPEECH_BYTES:
        raise Refused("larger than 30 MB", 413)
    if request.files:
        file = next(iter(request.files.values()))
        return audio.decode(file.read(), request.form.get("text") or None)
    if not request.is_json:
        return audio.decode(request.get_data())
    given = given_json()
    if given.get("sample"):
        return audio.sample_clip()
    seconds, text = given.get("seconds"), given.get("text")
    if isinstance(seconds, int | float) and 0 < seconds <= audio.MAX_UPLOAD_SECONDS:
        return audio.tone(float(seconds), text if isinstance(text, str) else None)
    if isinstance(text, str) and text.strip():
        return audio.spoken(text)
    raise Refused('give a sound file, {"text": "..."}, {"seconds": 8} or {"sample": true}')


class _Hands:
    """What people do with their phones; each runs on the engine's thread."""

    def __init__(self, company: PhoneCompany) -> None:
        self._company = company

    def dial(self, given: dict[str, Any]) -> state.Json:
        try:
            call = self._company.dial(text_of(given, "from"), text_of(given, "to"), given.get("stir") or None)
        except ValueError as error:
            raise Refused(str(error)) from error
        return {"sid": call.sid}

    def press(self, sid: str, given: dict[str, Any]) -> state.Json:
        keys = text_of(given, "digits")
        if not set(keys) <= set("0123456789*#"):
            raise Refused("digits are 0-9, * and #")
        call = self._live(sid)
        call.press(keys, cut=bool(given.get("cut")))
        return state.call(call)

    def talking(self, sid: str) -> state.Json:
        call = self._live(sid)
        call.start_talking()
        return state.call(call)

    def speak(self, sid: str, clip: audio.Clip) -> state.Json:
        call = self._live(sid)
        call.say_clip(clip, already=call.talking)
        return state.call(call) | {"seconds": round(clip.seconds, 1)}

    def hook(self, sid: str, what: str, given: dict[str, Any]) -> state.Json:
        call = self._live(sid)
        if what != "hangup" and (call.direction == "inbound" or call.status != "ringing"):
            raise Refused(f"call {sid} does not ring at an outside phone", 409)
        if what == "answer":
            call.answer()
        elif what == "reject" or (call.status == "ringing" and call.direction != "inbound"):
            call.reject("busy")
        else:
            call.hang_up(cut=bool(given.get("cut")))
        return state.call(call)

    def behave(self, number: str, given: dict[str, Any]) -> state.Json:
        phone = self._company.phone(number)
        if "behaviour" in given:
            phone.behave(*behaviours.read(given["behaviour"]))
        if given.get("sms_status") in {"delivered", "undelivered", "failed"}:
            phone.sms_status = given["sms_status"]
        return state.phone(phone)

    def text(self, given: dict[str, Any]) -> state.Json:
        try:
            message = self._company.text(text_of(given, "from"), text_of(given, "to"), text_of(given, "body"))
        except ValueError as error:
            raise Refused(str(error)) from error
        return {"sid": message.sid}

    def set_clock(self, given: dict[str, Any]) -> state.Json:
        scheduler = self._company.scheduler
        if not isinstance(scheduler, LiveScheduler):
            raise Refused("virtual time is set by the test", 409)
        clock = scheduler.clock
        if clock.path is None:
            raise Refused("there is no clock file: set SIMULATOR_CLOCK_FILE, or start with --data", 409)
        if any(not call.ended and (call.answered or call.direction == "inbound") for call in self._calls()):
            raise Refused("a call is going on, and its own times must not jump: end it first", 409)
        if given.get("reset"):
            clock.write(0.0)
        elif isinstance(given.get("offset"), int | float):
            clock.write(float(given["offset"]))
        else:
            target = next_time(clock.now(), text_of(given, "time"), str(given.get("zone", "UTC")))
            clock.write(clock.offset() + (target - clock.now()).total_seconds())
        self._company.emit("clock")
        return {"now": clock.now().isoformat(), "offset": clock.offset()}

    def _calls(self) -> list[Call]:
        return list(self._company.calls.values())

    def _live(self, sid: str) -> Call:
        call = self._company.calls.get(sid)
        if call is None:
            raise Refused(f"there is no call {sid}", 404)
        if call.ended:
            raise Refused(f"call {sid} is over", 409)
        return call


def next_time(now: datetime, clock: str, zone: str) -> datetime:
    """When it is next ``clock`` ("02:10") in ``zone``; the present minute stays. Raises Refused."""
    try:
        wanted = datetime.strptime(clock, "%H:%M").time()  # noqa: DTZ007 - a time of day
        local = now.astimezone(ZoneInfo(zone))
    except (ValueError, ZoneInfoNotFoundError) as error:
        raise Refused(f"not a time of day and a time zone: {error}") from error
    if (local.hour, local.minute) == (wanted.hour, wanted.minute):
        return now
    target = datetime.combine(local.date(), wanted, local.tzinfo)
    return (
        target if target > local else datetime.combine(local.date() + timedelta(days=1), wanted, local.tzinfo)
    )
