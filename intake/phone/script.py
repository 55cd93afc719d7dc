"""A step of the call as TwiML: each state listens in its own way, and names the next step in its action."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core import twiml
from core.telephony import RETRY_RULE
from core.twiml import Verb
from intake.phone.facts import Step
from intake.phone.states import State
from routing.policy_parts import Line

RECORDING_CALLBACK = f"/twilio/recording{RETRY_RULE}"
TRANSCRIPTION_CALLBACK = f"/twilio/transcription{RETRY_RULE}"
LEFT = f"/twilio/voice/left{RETRY_RULE}"
_THINKING_S = 8


@dataclass(frozen=True)
class _Place:
    """Where in which call the document stands. ``number`` is the step that its answer is for."""

    line: Line
    sid: str
    number: int
    hunted: int

    @property
    def action(self) -> str:
        return f"/twilio/voice/{self.number}{RETRY_RULE}"

    @property
    def silence(self) -> str:
        return f"/twilio/voice/{self.number}/silence{RETRY_RULE}"


def document(step: Step, line: Line, sid: str, number: int, hunted: int) -> str:
    """The TwiML of ``step``, whose answer will be step ``number`` of the call. Of the line's team, ``hunted``
    have been rung, the last of them by this step."""
    return twiml.render(_LISTENERS[step.next](step, _Place(line, sid, number, hunted)))


def _key(step: Step, place: _Place) -> tuple[Verb, ...]:
    return (twiml.Gather(step.say, place.action), twiml.Redirect(place.action))


def _number(step: Step, place: _Place) -> tuple[Verb, ...]:
    gather = twiml.Gather(step.say, place.action, digits=None, timeout_s=_THINKING_S)
    return (gather, twiml.Redirect(place.action))


def _record(step: Step, place: _Place) -> tuple[Verb, ...]:
    record = twiml.Record(
        place.action,
        RECORDING_CALLBACK,
        transcribe_callback=TRANSCRIPTION_CALLBACK if place.line.transcribe else "",
        max_length_s=place.line.max_voicemail_s,
    )
    # An empty recording requests no action: the next verb runs.
    return (*step.say, record, twiml.Redirect(place.silence))


def _hunt(step: Step, place: _Place) -> tuple[Verb, ...]:
    index = place.hunted - 1
    whisper = f"/twilio/whisper/{place.sid}/{index}{RETRY_RULE}"
    target = twiml.Target(place.line.team[index], whisper_url=whisper)
    return (*step.say, twiml.Dial((target,), place.action, timeout_s=place.line.ring_s))


def _end(step: Step, place: _Place) -> tuple[Verb, ...]:
    return (*step.say, twiml.Hangup())


_LISTENERS: dict[State, Callable[[Step, _Place], tuple[Verb, ...]]] = {
    State.HUNT: _hunt,
    State.SUPPORT_ID: _number,
    State.OPEN_CASE: _key,
    State.PRIORITY: _key,
    State.CONSENT: _key,
    State.RECORDING: _record,
    State.REVIEW: _key,
    State.CALLBACK: _number,
    State.ENDED: _end,
}


def whisper(line: Line, sid: str, index: int, policy_say: Callable[[str], twiml.Say]) -> str:
    """What a colleague hears before the caller is put through."""
    action = f"/twilio/whisper/{sid}/{index}/key{RETRY_RULE}"
    return twiml.render((twiml.Gather((policy_say("whisper"),), action), twiml.Redirect(action)))


def trouble(say: twiml.Say) -> str:
    """The way out of everything: the caller is recorded, whatever is broken on our side."""
    record = twiml.Record(LEFT, RECORDING_CALLBACK)
    return twiml.render((say, record, twiml.Hangup()))


def standalone_fallback(say: twiml.Say) -> str:
    """The document for Twilio's Fallback URL: it needs nothing of ours. What it records, the ledger finds."""
    return twiml.render((say, twiml.Record(), twiml.Hangup()))
