"""What a caller hears and what is listened for, as plain values; :func:`render` writes them as TwiML.

The values are frozen and hashable, so that a document is rendered once and then taken from a cache.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from twilio.twiml import TwiML
from twilio.twiml import voice_response as tw

# What XML cannot carry, in a transcript for example: Twilio would refuse the whole document.
_UNSPEAKABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
EMPTY = '<?xml version="1.0" encoding="UTF-8"?><Response />'


@dataclass(frozen=True)
class Voice:
    """How text is spoken: a language tag and one of the telephone company's voices."""

    language: str = "en-US"
    name: str = "Polly.Joanna"


@dataclass(frozen=True)
class Say:
    """Text to speak, or the address of audio to play instead."""

    text: str = ""
    audio_url: str = ""
    voice: Voice = Voice()


@dataclass(frozen=True)
class Pause:
    """Silence, in seconds."""

    seconds: int


@dataclass(frozen=True)
class Gather:
    """Speak and wait for keys. Without ``digits`` the number of keys is open and ``finish_on`` ends it.

    An empty entry is reported too (``actionOnEmptyResult``), so a time-out is an event like any other.
    """

    say: tuple[Say | Pause, ...]
    action: str
    digits: int | None = 1
    finish_on: str = "#"
    timeout_s: int = 6


@dataclass(frozen=True)
class Record:
    """Record the caller. ``action`` is NOT requested for an empty recording: put a verb after this one.

    Without ``action`` the same document is requested again, by GET because it is a static one.
    """

    action: str = ""
    status_callback: str = ""
    transcribe_callback: str = ""
    max_length_s: int = 300
    silence_s: int = 8
    finish_on: str = "#"


@dataclass(frozen=True)
class Target:
    """Somebody to connect: a number or a SIP address, and what they hear before they are."""

    address: str
    whisper_url: str = ""
    status_callback: str = ""


@dataclass(frozen=True)
class Dial:
    """Connect the call to the first target that takes it."""

    targets: tuple[Target, ...]
    action: str
    caller_id: str = ""
    timeout_s: int = 20


@dataclass(frozen=True)
class Redirect:
    """Go on with the document at ``url``."""

    url: str


@dataclass(frozen=True)
class Hangup:
    """End the call."""


Verb = Say | Pause | Gather | Record | Dial | Redirect | Hangup


@lru_cache(maxsize=2048)
def render(verbs: tuple[Verb, ...]) -> str:
    """The TwiML document of ``verbs``."""
    response = tw.VoiceResponse()
    for verb in verbs:
        _append(response, verb)
    return str(response)


def _append(response: TwiML, verb: Verb) -> None:
    match verb:
        case Say(audio_url=url) if url:
            response.append(tw.Play(url))
        case Say(text=text, voice=voice):
            response.append(tw.Say(_UNSPEAKABLE.sub(" ", text), language=voice.language, voice=voice.name))
        case Pause(seconds):
            response.append(tw.Pause(length=seconds))
        case Gather():
            response.append(_gather(verb))
        case Record():
            response.append(_record(verb))
        case Dial():
            response.append(_dial(verb))
        case Redirect(url):
            response.append(tw.Redirect(url, method="POST"))
        case Hangup():
            response.append(tw.Hangup())


def _gather(verb: Gather) -> TwiML:
    gather = tw.Gather(
        input="dtmf",
        action=verb.action,
        method="POST",
        num_digits=verb.digits,
        finish_on_key=verb.finish_on,
        timeout=verb.timeout_s,
        action_on_empty_result=True,
    )
    for part in verb.say:
        _append(gather, part)
    return gather


def _record(verb: Record) -> TwiML:
    transcribe = {"transcribe": True, "transcribe_callback": verb.transcribe_callback}
    callback = {
        "recording_status_callback": verb.status_callback,
        "recording_status_callback_method": "POST",
        "recording_status_callback_event": "completed absent",
    }
    return tw.Record(
        action=verb.action or None,
        method="POST" if verb.action else "GET",
        max_length=verb.max_length_s,
        timeout=verb.silence_s,
        finish_on_key=verb.finish_on,
        play_beep=True,
        trim="do-not-trim",
        **(callback if verb.status_callback else {}),
        **(transcribe if verb.transcribe_callback else {}),
    )


def _dial(verb: Dial) -> TwiML:
    dial = tw.Dial(
        action=verb.action, method="POST", timeout=verb.timeout_s, caller_id=verb.caller_id or None
    )
    for target in verb.targets:
        options = {
            "url": target.whisper_url or None,
            "method": "POST" if target.whisper_url else None,
            "status_callback": target.status_callback or None,
            "status_callback_event": "answered completed" if target.status_callback else None,
            "status_callback_method": "POST" if target.status_callback else None,
        }
        if target.address.startswith("sip:"):
            dial.append(tw.Sip(target.address, **options))
        else:
            dial.append(tw.Number(target.address, **options))
    return dial
