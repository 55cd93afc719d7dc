"""Prompts as audio, and how they are spoken: what cannot be used is a mistake, what says too little a warning."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from routing.policies import PolicyError, parse_policy
from routing.policy_findings import findings
from tests.stories.people import agreement

NOW = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
GOODBYE = "  goodbye: Goodbye."
LINE = "    unchosen_priority: 1\n"


@pytest.mark.parametrize(
    ("old", "new", "place", "words"),
    [
        (GOODBYE, "  goodbye: {audio: banana}", "prompts.goodbye", "'banana' is no address of audio; expected such"),
        (GOODBYE, "  goodbye: {audio: /prompts/bye.wav}", "prompts.goodbye", "is no address of audio"),
        (GOODBYE, "  goodbye: {audio: 'ftp://a.example/b.wav'}", "prompts.goodbye", "is no address of audio"),
        (GOODBYE, "  goodbye: {audio: 'https://a.example/b c.wav'}", "prompts.goodbye", "is no address of audio"),
        (
            "  sms_help: ", "  sms_help: {audio: 'https://a.example/b.wav'}\n  sms_hilfe: ",
            "prompts.sms_help", "is written and not spoken",
        ),
        (
            LINE, f"{LINE}    prompts: {{goodbye: {{audio: b.wav}}}}\n",
            "lines.support.prompts.goodbye", "is no address of audio",
        ),
        (LINE, f"{LINE}    language: English\n", "lines.support.language", "'English' is no language; expected"),
        (LINE, f"{LINE}    voice: Joanna the great\n", "lines.support.voice", "is no voice of Twilio's"),
    ],
)  # fmt: skip
def test_it_names_what_nobody_would_hear(old: str, new: str, place: str, words: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_policy(agreement((old, new)))
    (line,) = (mistake for mistake in caught.value.mistakes if f", {place}: " in mistake)
    assert words in line


@pytest.mark.parametrize(
    ("language", "voice"),
    [
        ("es-MX", "Polly.Mia-Neural"),
        ("cmn-CN", "Google.cmn-CN-Wavenet-A"),
        ("en", "woman"),
        ("zh-Hant-TW", "alice"),
    ],
)
def test_it_takes_the_languages_and_voices_that_there_are(language: str, voice: str) -> None:
    policy = parse_policy(agreement((LINE, f"{LINE}    language: {language}\n    voice: {voice}\n")))
    said = policy.say("goodbye", "support")
    assert (said.voice.language, said.voice.name) == (language, voice)


def test_it_still_reads_a_stored_policy_with_audio_that_is_none() -> None:
    policy = parse_policy(agreement((GOODBYE, "  goodbye: {audio: banana}")), stored=True)
    assert policy.prompts["goodbye"].audio == "banana"


def test_it_warns_of_audio_in_place_of_a_case_number() -> None:
    audio = "{audio: 'https://files.example/a.wav'}"
    text = agreement(
        (GOODBYE, f"  goodbye: {audio}"), (LINE, f"{LINE}    prompts: {{case_paged: {audio}}}\n")
    )
    (finding,) = findings(parse_policy(text), NOW)
    assert finding.place == ("lines", "support", "prompts", "case_paged")
    assert finding.message == "audio is the same for everybody; nobody hears {case_digits}, {due}"
