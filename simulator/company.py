"""The phone company: its account, its numbers, the world's phones, and every call between them.

In a test (virtual time, everything on the caller's thread)::

    scheduler = VirtualScheduler(datetime(2026, 3, 4, 8, 10, tzinfo=UTC))
    company = PhoneCompany("AC" + "5" * 32, "token", scheduler, WsgiTransport({"https://bell.example": app}))
    company.own_number("+18773632305", voice_url="https://bell.example/twilio/voice")
    company.phone("+17135550101").behave(NeverAnswers(), Answers(5, presses="1"))
    call = company.dial("+15125550142", "+18773632305")
    company.run_until_waiting(call)
    assert "Lakeside" in call.heard_text
    call.press("1")
    company.run_until_waiting(call)
    call.speak(seconds=8, text="OpCon is down")
    call.hang_up()
    scheduler.advance(60)

``company.wsgi`` is the REST API (and the control API) as a Flask application; ``company.webhook_log`` and
``company.alerts`` are what happened; ``company.disturb = fn(request, kind) -> delays`` brings disorder.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from simulator import audio
from simulator.calls import Call
from simulator.events import EventLog
from simulator.interpreter import Replaced, Source, run
from simulator.legs import Placing, place
from simulator.messages import Message, MessageDesk
from simulator.own_numbers import OwnNumber
from simulator.parts import Callback
from simulator.phones import Behaviour, NeverAnswers, Phone
from simulator.recordings import Recording
from simulator.scheduler import LiveScheduler, VirtualScheduler
from simulator.transport import InlineSender, PooledSender, Sender, Transport, WebhookResponse
from simulator.webhooks import Alert, Disturb, LogEntry, Webhooks

if TYPE_CHECKING:
    from flask import Flask


class Stuck(Exception):
    """Nothing is planned any more, and what was waited for has not happened."""


class PhoneCompany:
    """One account at a telephone company. With a VirtualScheduler ``transport`` is called inline; a
    LiveScheduler sends by HTTP from a few threads, and ``transport`` is not used.

    ``seed`` makes the SIDs: the same seed gives the same SIDs in the same order.
    """

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        scheduler: VirtualScheduler | LiveScheduler,
        transport: Transport | None = None,
        *,
        base_url: str = "https://api.twilio.com",
        seed: str = "story",
    ) -> None:
        self.account_sid, self.auth_token = account_sid, auth_token
        self.scheduler = scheduler
        self.base_url = base_url.rstrip("/")
        self.created_at = scheduler.now()
        self._seed, self._count = seed, 0
        self.webhooks = Webhooks(scheduler, _sender(scheduler, transport), auth_token, self._new_token)
        self.events = EventLog()
        self.webhooks.on_log = lambda entry: self.emit("webhook", webhook=entry.kind, status=entry.status)
        self.alerts: deque[Alert] = deque(maxlen=1000)
        self.numbers: dict[str, OwnNumber] = {}
        self.phones: dict[str, Phone] = {}
        self.calls: dict[str, Call] = {}
        self.recordings: dict[str, Recording] = {}
        self.desk = MessageDesk(self)
        # How this company behaves; seconds.
        self.default_behaviour: Behaviour = NeverAnswers()
        self.ring_after = 1.0
        self.recording_callback_after = 1.0
        self.media_after = 0.5
        self.transcription_after = 10.0
        self.message_step = 1.0
        self.play_seconds = 5.0
        self.calls_per_second: float | None = 1.0  # None: outbound calls are not queued
        self.declined_dial_status = "completed"  # a leg that was answered but not bridged
        self.keep_wav: Callable[[Recording], None] = lambda _recording: None
        # How a story lets time pass: one that has a worker of its own puts its own clock's advance here.
        self.pass_time: Callable[[float], None] = getattr(scheduler, "advance", lambda _seconds: None)
        self._next_slot = scheduler.elapsed()

    # -- the world -----------------------------------------------------------------------------------------

    def own_number(self, number: str, **webhooks: str) -> OwnNumber:
        """Own ``number``, or change it. Keywords: the attributes of OwnNumber (voice_url, sms_url, ...)."""
        own = self.numbers.get(number)
        if own is None:
            own = self.numbers[number] = OwnNumber(self.new_sid("PN"), number, self.now(), number)
        for name, value in webhooks.items():
            if not hasattr(own, name):
                raise TypeError(f"a number has no {name}")
            setattr(own, name, value)
        self.emit("number", number=number)
        return own

    def phone(self, number: str) -> Phone:
        """The outside phone with that number (or ``sip:`` address)."""
        if number not in self.phones:
            self.phones[number] = Phone(self, number)
        return self.phones[number]

    # -- calls ---------------------------------------------------------------------------------------------

    def dial(self, from_: str, to: str, stir: str | None = None, forwarded_from: str | None = None) -> Call:
        """An outside phone dials one of our numbers. ``from_`` may be withheld ("anonymous")."""
        own = self.numbers.get(to)
        if own is None:
            raise ValueError(f"{to} is not one of our numbers")
        extra = {"CallToken": self.new_sid("CT")}
        if stir:
            extra["StirVerstat"] = stir
        if forwarded_from:
            extra["ForwardedFrom"] = forwarded_from
        phone = self.phone(from_)
        call = self._add(Call(self, self.new_sid("CA"), from_, to, "inbound", phone, own, extra=extra))
        phone.calls.append(call)
        call.started_at = call.created_at
        if own.status_callback:
            call.callback = Callback(own.status_callback, own.status_callback_method)
        if own.voice_fallback_url:
            call.fallback = (own.voice_fallback_url, own.voice_fallback_method)
        call.progress("ringing", "ringing")
        source = Source(own.voice_url, own.voice_method)
        if not own.voice_url:  # what a number without a webhook says
            source = Source(text="<Response><Reject/></Response>")
        call.start(run(call, source))
        return call

    def new_leg(self, from_: str, to: str, direction: str, parent: Call | None = None) -> Call:
        """A leg towards an outside phone, not yet ringing."""
        return self._add(Call(self, self.new_sid("CA"), from_, to, direction, self.phone(to), parent=parent))

    def place_call(
        self,
        from_: str,
        to: str,
        placing: Placing,
        callback: Callback | None = None,
        fallback: tuple[str, str] | None = None,
    ) -> Call:
        """POST /Calls: queued, and dialed when its turn comes (``calls_per_second``)."""
        call = self.new_leg(from_, to, "outbound-api")
        call.callback, call.fallback = callback, fallback
        wait = 0.0
        if self.calls_per_second is not None:
            wait = max(self._next_slot - self.scheduler.elapsed(), 0.0)
            self._next_slot = self.scheduler.elapsed() + wait + 1 / self.calls_per_second
        call.queue_ms = round(wait * 1000)
        self.scheduler.after(wait, lambda: None if call.ended else call.start(place(call, placing)))
        return call

    def replace(self, call: Call, source: Source) -> None:
        """calls.update(url=... or twiml=...): put another document in place of what the call is doing."""
        call.interrupt(Replaced(source))

    def _add(self, call: Call) -> Call:
        self.calls[call.sid] = call
        self.emit("call", sid=call.sid)
        return call

    # -- recordings and messages ---------------------------------------------------------------------------

    def new_recording(self, call: Call, source: str) -> Recording:
        now = self.now()
        empty = audio.silence(0)
        recording = Recording(self.new_sid("RE"), call, now, now, now, empty, source, "in-progress")
        self.recordings[recording.sid] = recording
        return recording

    def recorded(self, recording: Recording) -> None:
        self.keep_wav(recording)
        self.emit("recording", sid=recording.sid)

    def text(self, from_: str, to: str, body: str, media: tuple[str, ...] = ()) -> Message:
        """An outside phone sends an SMS to one of our numbers."""
        return self.desk.receive(from_, to, body, media)

    # -- time ----------------------------------------------------------------------------------------------

    def now(self) -> datetime:
        return self.scheduler.now()

    def let_pass(self, seconds: float) -> None:
        self.pass_time(seconds)

    def run_until(self, done: Callable[[], bool]) -> None:
        """Virtual time: let it pass, one planned thing after the other, until ``done()``. Raises Stuck."""
        scheduler = self.scheduler
        if not isinstance(scheduler, VirtualScheduler):
            raise TypeError("only virtual time can be run")
        while not done():
            when = scheduler.next_at()
            if when is None:
                raise Stuck("nothing is planned any more")
            self.pass_time((when - scheduler.now()).total_seconds())

    def run_until_waiting(self, call: Call) -> None:
        """Virtual time: until the call waits for input (its prompts said), is connected, or is over."""
        self.run_until(lambda: call.ended or call.peer is not None or call.is_asking)

    # -- webhooks and what is known of them ----------------------------------------------------------------

    @property
    def disturb(self) -> Disturb | None:
        return self.webhooks.disturb

    @disturb.setter
    def disturb(self, fn: Disturb | None) -> None:
        self.webhooks.disturb = fn

    @property
    def webhook_log(self) -> deque[LogEntry]:
        return self.webhooks.log

    def post(
        self, kind: str, url: str, method: str, params: Mapping[str, str], call: Call | None = None
    ) -> None:
        """Send a webhook that nobody waits for; a failure is an alert."""

        def done(answer: WebhookResponse | None, why: str) -> None:
            if answer is None:
                self.alert(11200, f"HTTP retrieval failure: {why}", url, call)

        self.webhooks.send(kind, url, method, params, done)

    def alert(self, code: int, message: str, url: str, call: Call | None = None) -> None:
        bare = url.partition("#")[0]
        self.alerts.append(Alert(self.now(), code, message, bare, call.sid if call else ""))
        self.emit("alert", code=code)

    def emit(self, kind: str, **data: str | int) -> None:
        self.events.add(self.now(), kind, data)

    def changed(self, call: Call) -> None:
        self.emit("call", sid=call.sid)

    # -- identities and the API ----------------------------------------------------------------------------

    def new_sid(self, prefix: str) -> str:
        self._count += 1
        return prefix + hashlib.sha256(f"{self._seed}:{self._count}".encode()).hexdigest()[:32]

    def _new_token(self) -> str:
        return self.new_sid("")

    @cached_property
    def wsgi(self) -> Flask:
        """The REST API at Twilio's paths, and the control API, as a Flask application."""
        from simulator.web import create_app

        return create_app(self)


def _sender(scheduler: VirtualScheduler | LiveScheduler, transport: Transport | None) -> Sender:
    if isinstance(scheduler, LiveScheduler):
        return PooledSender(scheduler)
    if transport is None:
        raise ValueError("virtual time needs a transport")
    return InlineSender(scheduler, transport)
