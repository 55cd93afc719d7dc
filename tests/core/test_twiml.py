"""TwiML as values: what is rendered is what Twilio reads."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import twiml
from core.twiml import Dial, Gather, Hangup, Pause, Record, Redirect, Say, Target, Verb, Voice
from tests.twiml_lint import problems_in

EACH: dict[str, tuple[Verb, str]] = {
    "say": (
        Say("Hello & <goodbye>", voice=Voice("de-DE", "Polly.Vicki")),
        '<Say language="de-DE" voice="Polly.Vicki">Hello &amp; &lt;goodbye&gt;</Say>',
    ),
    "audio instead of text": (
        Say("unused", audio_url="https://a/b.wav?x=1&y=2"), "<Play>https://a/b.wav?x=1&amp;y=2</Play>",
    ),
    "pause": (Pause(3), '<Pause length="3" />'),
    "one key": (
        Gather((Say("Press 1."), Pause(1)), "/next"),
        (
            '<Gather action="/next" actionOnEmptyResult="true" finishOnKey="#" input="dtmf" method="POST"'
            ' numDigits="1" timeout="6"><Say language="en-US" voice="Polly.Joanna">Press 1.</Say>'
            '<Pause length="1" /></Gather>'
        ),
    ),
    "many keys": (
        Gather((), "/next", digits=None, timeout_s=8),
        (
            '<Gather action="/next" actionOnEmptyResult="true" finishOnKey="#" input="dtmf" method="POST"'
            ' timeout="8" />'
        ),
    ),
    "record": (
        Record("/next", "/done", max_length_s=60, silence_s=4),
        (
            '<Record action="/next" finishOnKey="#" maxLength="60" method="POST" playBeep="true"'
            ' recordingStatusCallback="/done" recordingStatusCallbackEvent="completed absent"'
            ' recordingStatusCallbackMethod="POST" timeout="4" trim="do-not-trim" />'
        ),
    ),
    "record for a transcript": (
        Record("/next", "/done", transcribe_callback="/text"),
        (
            '<Record action="/next" finishOnKey="#" maxLength="300" method="POST" playBeep="true"'
            ' recordingStatusCallback="/done" recordingStatusCallbackEvent="completed absent"'
            ' recordingStatusCallbackMethod="POST" timeout="8" transcribe="true" transcribeCallback="/text"'
            ' trim="do-not-trim" />'
        ),
    ),
    "record without anybody to tell": (
        Record(),
        '<Record finishOnKey="#" maxLength="300" method="GET" playBeep="true" timeout="8" trim="do-not-trim" />',
    ),
    "dial": (
        Dial(
            (Target("+17135550101", "/whisper", "/leg"), Target("sip:desk@pbx.example")),
            "/next", caller_id="+18773632305", timeout_s=40,
        ),
        (
            '<Dial action="/next" callerId="+18773632305" method="POST" timeout="40">'
            '<Number method="POST" statusCallback="/leg" statusCallbackEvent="answered completed"'
            ' statusCallbackMethod="POST" url="/whisper">+17135550101</Number>'
            "<Sip>sip:desk@pbx.example</Sip></Dial>"
        ),
    ),
    "redirect": (Redirect("/there"), '<Redirect method="POST">/there</Redirect>'),
    "hangup": (Hangup(), "<Hangup />"),
}  # fmt: skip


def _inside(document: str) -> str:
    return "".join(ET.tostring(verb, encoding="unicode") for verb in ET.fromstring(document))


@pytest.mark.parametrize(("verb", "written"), EACH.values(), ids=EACH.keys())
def test_it_writes_each_verb(verb: Verb, written: str) -> None:
    document = twiml.render((verb,))
    assert problems_in(document) == []
    assert ET.canonicalize(f"<r>{_inside(document)}</r>") == ET.canonicalize(f"<r>{written}</r>")


def test_it_writes_every_kind_of_verb() -> None:
    assert {type(verb) for verb, _ in EACH.values()} == set(Verb.__args__)


def test_it_keeps_the_order_of_verbs() -> None:
    document = twiml.render((Say("one"), Pause(1), Say("two"), Hangup()))
    assert [verb.tag for verb in ET.fromstring(document)] == ["Say", "Pause", "Say", "Hangup"]


def test_it_has_an_empty_answer_that_twilio_accepts() -> None:
    assert problems_in(twiml.EMPTY) == []
    assert _inside(twiml.EMPTY) == ""


def test_it_renders_the_same_document_once() -> None:
    verbs: tuple[Verb, ...] = (Say("rendered once"), Hangup())
    assert twiml.render(verbs) is twiml.render((Say("rendered once"), Hangup()))


@settings(deadline=None)
@given(st.text() | st.text(st.characters(max_codepoint=0x9F)))
def test_it_stays_well_formed_whatever_is_said(text: str) -> None:
    """A transcript may hold control characters; one of them would silence the whole document."""
    document = twiml.render((Say(text),))
    assert problems_in(document) == []
    document.encode("utf-8")
