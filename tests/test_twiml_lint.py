"""The linter itself: what Twilio would refuse, it finds."""

from __future__ import annotations

import pytest

from tests.twiml_lint import problems_in

HEAD = '<?xml version="1.0" encoding="UTF-8"?>'


def _voice(inside: str) -> list[str]:
    return problems_in(f"{HEAD}<Response>{inside}</Response>")


@pytest.mark.parametrize(
    "inside",
    [
        "",
        "<Say>Hi</Say><Hangup/>",
        '<Gather action="/x" numDigits="1" actionOnEmptyResult="true"><Say>Hi</Say><Play>u</Play><Pause/></Gather>',
        '<Record action="/x" recordingStatusCallback="/y" recordingStatusCallbackEvent="completed absent"/>',
        '<Dial action="/x" callerId="+1"><Number url="/w" statusCallback="/s">+1</Number><Sip>sip:a@b</Sip></Dial>',
        '<Redirect method="POST">/x</Redirect><Reject reason="busy"/>',
    ],
)
def test_it_accepts_what_twilio_accepts(inside: str) -> None:
    assert _voice(inside) == []


@pytest.mark.parametrize(
    ("inside", "named"),
    [
        ("<Speak>Hi</Speak>", "<Speak> is not allowed in <Response>"),
        ("<say>Hi</say>", "<say> is not allowed in <Response>"),
        ("<Number>+1</Number>", "<Number> is not allowed in <Response>"),
        ("<Gather><Record/></Gather>", "<Record> is not allowed in <Gather>"),
        ("<Gather><Gather/></Gather>", "<Gather> is not allowed in <Gather>"),
        ("<Dial><Say>Hi</Say></Dial>", "<Say> is not allowed in <Dial>"),
        ("<Message>Hi</Message>", "<Message> is not allowed in <Response>"),
        ('<Say loud="yes">Hi</Say>', "<Say> has no attribute 'loud'"),
        ('<Gather numdigits="1"/>', "<Gather> has no attribute 'numdigits'"),
        ('<Gather><Say speed="2">Hi</Say></Gather>', "<Say> has no attribute 'speed'"),
        ('<Record transcription="true"/>', "<Record> has no attribute 'transcription'"),
    ],
)
def test_it_finds_wrong_verbs_wrong_places_and_wrong_attributes(inside: str, named: str) -> None:
    (problem,) = _voice(inside)
    assert problem == f"12200: {named}"


def test_it_finds_every_problem_of_a_document() -> None:
    assert len(_voice('<Say a="1" b="2">Hi</Say><Nothing/>')) == 3


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("", "12100"),
        ("<Response/>", "12100"),
        (" " + HEAD + "<Response/>", "12100"),
        (HEAD + "<Response>", "12100"),
        (HEAD + "<Answer/>", "12100"),
        (HEAD + "<Response>\x07</Response>", "12100"),
        (HEAD + "<Response><Say>" + "x" * 65_536 + "</Say></Response>", "11750"),
    ],
)
def test_it_finds_what_is_no_document(document: str, code: str) -> None:
    (problem,) = problems_in(document)
    assert problem.startswith(code)


def test_it_knows_messages_from_calls() -> None:
    assert problems_in(f"{HEAD}<Response><Message>Hi</Message></Response>", "messaging") == []
    assert problems_in(f"{HEAD}<Response><Say>Hi</Say></Response>", "messaging") != []
