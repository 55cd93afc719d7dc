"""One leg of a telephone call: its state, what its outside party hears, and what that party can do."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

from simulator import audio
from simulator.parts import Callback, Digits, Heard, Input, Speech, Waiting, geography
from simulator.process import HungUp, Process, Signal, Step
from simulator.scheduler import Handle

if TYPE_CHECKING:
    from simulator.company import PhoneCompany
    from simulator.own_numbers import OwnNumber
    from simulator.phones import Phone

_SIP_CODES = {"completed": "200", "busy": "486", "no-answer": "487", "canceled": "487", "failed": "404"}


@dataclass(eq=False)
class Call:
    """A leg as Twilio sees it. ``phone`` is the outside party: the caller, or the one who is called."""

    company: PhoneCompany
    sid: str
    from_: str
    to: str
    direction: str  # inbound, outbound-api, outbound-dial
    phone: Phone
    own: OwnNumber | None = None
    parent: Call | None = None
    callback: Callback | None = None
    fallback: tuple[str, str] | None = None
    extra: dict[str, str] = field(default_factory=dict)  # StirVerstat, ForwardedFrom, CallToken
    recorded_as: dict[str, str] = field(default_factory=dict)  # RecordingSid, RecordingUrl of Record=true
    status: str = "queued"
    answered_by: str | None = None  # what the caller's webhooks say, if detection was asked for
    detected: str = "human"  # what detection would say
    queue_ms: int = 0
    started_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    heard: list[Heard] = field(default_factory=list)
    did: list[Heard] = field(default_factory=list)  # what the outside party did; kinds: pressed, said
    speeches: list[Speech] = field(default_factory=list)
    waiting: Waiting | None = None
    listener: Callable[[Input], None] | None = None
    peer: Call | None = None
    talking: bool = False
    documents: int = 0
    _sequence: int = 0
    _timers: list[Handle] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.created_at = self.updated_at = self.company.now()
        self.picked_up = Signal()  # value: answered, busy, no-answer, failed, canceled
        self.over = Signal()
        self.when_waiting: list[Callable[[Waiting], None]] = []
        self._process: Process | None = None
        self._later: list[Callable[[], None]] = []
        self._final = "completed"

    # -- what anybody may ask ------------------------------------------------------------------------------

    @property
    def ended(self) -> bool:
        return self.ended_at is not None

    @property
    def answered(self) -> bool:
        return self.answered_at is not None

    @property
    def is_asking(self) -> bool:
        """Whether it waits for input and has said all its prompts."""
        return self.waiting is not None and not self.waiting.prompting

    @property
    def heard_text(self) -> str:
        """Everything that was said to the outside party, in order, joined by spaces."""
        return " ".join(item.text for item in self.heard if item.kind == "say")

    @property
    def duration(self) -> int | None:
        """Whole seconds from the answer to the end, rounded up; None while it lasts or if never answered."""
        if self.ended_at is None or self.answered_at is None:
            return None
        return math.ceil((self.ended_at - self.answered_at).total_seconds())

    def params(self, status: str | None = None) -> dict[str, str]:
        """The parameters that every voice webhook of this call carries."""
        parent = {"ParentCallSid": self.parent.sid} if self.parent else {}
        answered_by = {"AnsweredBy": self.answered_by} if self.answered_by else {}
        return {
            "CallSid": self.sid,
            "AccountSid": self.company.account_sid,
            "ApiVersion": "2010-04-01",
            "Direction": self.direction,
            "From": self.from_,
            "To": self.to,
            "Caller": self.from_,
            "Called": self.to,
            "CallStatus": status or self.status,
            **geography(Caller=self.from_, Called=self.to, From=self.from_, To=self.to),
            **parent,
            **answered_by,
            **self.extra,
        }

    # -- what the engine does ------------------------------------------------------------------------------

    def start(self, steps: Step[None]) -> None:
        self._process = Process(steps, self._finish)
        self._process.start()

    def interrupt(self, error: Exception) -> None:
        if self._process is not None:
            self._process.interrupt(error)

    def progress(self, status: str, event: str) -> None:
        """Move on to ``status`` and tell those who subscribed to ``event``."""
        if status != "initiated":
            self.status = status
        self.updated_at = self.company.now()
        self.company.changed(self)
        if self.callback is None or event not in self.callback.events:
            return
        params = self.params(status) | {
            "CallbackSource": "call-progress-events",
            "SequenceNumber": str(self._sequence),
            "Timestamp": format_datetime(self.company.now()),
        }
        if event == "completed":
            seconds = self.duration or 0
            params |= {
                "CallDuration": str(seconds),
                "Duration": str(math.ceil(seconds / 60)),
                "SipResponseCode": _SIP_CODES.get(status, "200"),
                **self.recorded_as,
            }
        self._sequence += 1
        self.company.post("call-status", self.callback.url, self.callback.method, params, self)

    def pick_up(self) -> None:
        if self.answered_at is None:
            self.answered_at = self.company.now()
            self.progress("in-progress", "answered")

    def end_as(self, status: str) -> None:
        """The final status if the call ends without having been answered."""
        self._final = status

    def _finish(self) -> None:
        if self.ended:
            return
        self.ended_at = self.company.now()
        self.waiting = self.listener = None
        for timer in self._timers:
            timer.cancel()
        self.progress("completed" if self.answered else self._final, "completed")
        self.over.fire()

    def hear(self, kind: str, text: str = "", seconds: float = 0.0) -> Heard:
        item = Heard(self.company.now(), kind, text, seconds)
        self.heard.append(item)
        self.company.changed(self)
        return item

    def set_waiting(self, waiting: Waiting | None) -> None:
        self.waiting = waiting
        self.company.changed(self)
        if waiting is not None and not waiting.prompting:
            for fn in tuple(self.when_waiting):
                fn(waiting)

    # -- what the outside party does -----------------------------------------------------------------------

    def after(self, seconds: float, fn: Callable[[], object]) -> Handle:
        """Do ``fn`` in ``seconds``, unless the call is over by then."""
        handle = self.company.scheduler.after(seconds, fn)
        self._timers.append(handle)
        return handle

    def answer(self) -> None:
        """Take the ringing call."""
        self.picked_up.fire("answered")

    def reject(self, status: str = "busy") -> None:
        """Do not take it: ``busy``, ``no-answer`` or ``failed``."""
        self.picked_up.fire(status)

    @property
    def speaking_until(self) -> datetime | None:
        """When the outside party will have said what they are saying; None if they say nothing."""
        last = self.speeches[-1].end if self.speeches else None
        return last if last is not None and last > self.company.now() else None

    def press(self, digits: str, *, cut: bool = False) -> None:
        """Press keys. Whoever is speaking finishes the sentence first, unless ``cut``.

        Keys that nothing waits for are lost, as with Twilio.
        """
        self._in_turn(lambda: self._pressed(digits), cut)

    def hang_up(self, *, cut: bool = False) -> None:
        """Hang up, after the sentence that is being spoken, unless ``cut``."""
        self._in_turn(self.drop, cut)

    def drop(self, status: str | None = None) -> None:
        """End the call now, whatever is going on."""
        self._cut_speech()
        if not self.answered and self.direction == "inbound":
            self.end_as(status or "no-answer")
        elif not self.answered:
            self.end_as(status or "canceled")
        if self._process is None:
            self._finish()  # still queued
        else:
            self._process.interrupt(HungUp())

    def speak(
        self,
        seconds: float | None = None,
        text: str | None = None,
        audio_file: bytes | None = None,
        *,
        wait: bool = True,
    ) -> None:
        """Say something: a sound file, words, or just a voice for ``seconds`` (8).

        In virtual time this returns when it has been said, unless ``wait`` is False.
        """
        if audio_file is not None:
            clip = audio.decode(audio_file, text)
        elif seconds is not None or text is None:
            clip = audio.tone(8.0 if seconds is None else seconds, text)
        else:
            clip = audio.spoken(text)
        self.say_clip(clip)
        if wait:
            self.company.let_pass(clip.seconds)

    def say_clip(self, clip: audio.Clip, already: bool = False) -> None:
        """Say ``clip`` from now on; ``already`` means that it has just been said, up to now."""
        now = self.company.now()
        start = now - timedelta(seconds=clip.seconds) if already else self.speaking_until or now
        was_talking, self.talking = self.talking, False
        if self.ended:
            return
        if clip.is_silent:
            if was_talking and self.listener is not None:
                self.listener(Speech(now, audio.tone(0.0)))  # a Record that held its breath times out again
            return
        speech = Speech(start, clip)
        self.speeches.append(speech)
        self.did.append(Heard(start, "said", clip.text or "", clip.seconds))
        self.company.changed(self)
        if self.peer is not None:
            self.peer.hear("speech", clip.text or "", clip.seconds)
        if self.listener is not None:
            self.listener(speech)

    def start_talking(self) -> None:
        """The outside party opens the mouth; what it says comes later by ``say_clip(already=True)``."""
        self.talking = True
        if self.listener is not None and self.waiting is not None and self.waiting.kind == "record":
            self.listener(Speech(self.company.now(), audio.tone(0.0)))  # its timer stops

    def stay_silent(self) -> None:
        """Virtual time: do nothing until the call no longer waits for what it waits for now."""
        waiting = self.waiting
        self.company.run_until(lambda: self.ended or self.waiting is not waiting)

    def _pressed(self, digits: str) -> None:
        self.did.append(Heard(self.company.now(), "pressed", digits, 0.0))
        self.company.changed(self)
        if self.peer is not None:
            self.peer.hear("digits", digits)
        if self.listener is not None:
            self.listener(Digits(digits))

    def _in_turn(self, fn: Callable[[], None], cut: bool) -> None:
        if cut:
            self._cut_speech()
        until = self.speaking_until
        if until is None:
            fn()
        else:
            self._timers.append(self.company.scheduler.at(until, fn))

    def _cut_speech(self) -> None:
        now = self.company.now()
        for index, speech in enumerate(self.speeches):
            if speech.end > now:
                said = max(round((now - speech.start).total_seconds() * audio.RATE), 0)
                self.speeches[index] = Speech(speech.start, audio.Clip(speech.clip.samples[:said]))
