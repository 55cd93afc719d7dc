"""What is wrong in prompts, or legal and still foolish: audio for a sentence, languages and voices. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from routing.policy_contracts import Mistake
from routing.prompts import CATALOGUE, mistakes_in, placeholders, shipped_sentence

if TYPE_CHECKING:
    from routing.policy import Policy
    from routing.prompt_texts import PromptText

# Twilio fetches it before it goes on: it must be a whole address.
_AUDIO = re.compile(r"https?://[^\s/?#]+(/\S*)?")
# BCP 47, as far as the telephone company uses it.
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_VOICE = re.compile(r"man|woman|alice|[A-Z]\w*\.[A-Za-z0-9_-]+", re.ASCII)
_WRITTEN = ("sms_", "note_", "mail_", "receipt_", "text_")
_ALWAYS_THE_SAME = {"company", "line"}


def prompt_mistakes(policy: Policy) -> Iterator[Mistake]:
    """Prompts, languages and voices that cannot be used."""
    for place, prompts in _places(policy):
        for key, prompt in prompts.items():
            for words in [*mistakes_in(key, prompt.text), *_of_audio(key, prompt)]:
                yield Mistake((*place, key), words)
    for key in sorted(set(CATALOGUE) - set(policy.prompts)):
        yield Mistake(("prompts", key), "is missing")
    for key, line in policy.lines.items():
        if not _LANGUAGE.fullmatch(line.language):
            words = f"{line.language!r} is no language; expected a tag such as en-US or es-MX"
            yield Mistake(("lines", key, "language"), words)
        if not _VOICE.fullmatch(line.voice):
            words = f"{line.voice!r} is no voice of Twilio's; expected such as Polly.Joanna or Google.en-US-Neural2-F"
            yield Mistake(("lines", key, "voice"), words)


def prompt_findings(policy: Policy) -> Iterator[Mistake]:
    """Audio that cannot say what its sentence says: a case number, a promise, an hour."""
    for place, prompts in _places(policy):
        for key, prompt in prompts.items():
            unsaid = sorted(placeholders(shipped_sentence(key)) - _ALWAYS_THE_SAME) if prompt.audio else []
            if unsaid:
                named = ", ".join(f"{{{name}}}" for name in unsaid)
                yield Mistake((*place, key), f"audio is the same for everybody; nobody hears {named}")


def _places(policy: Policy) -> Iterator[tuple[tuple[str, ...], Mapping[str, PromptText]]]:
    yield ("prompts",), policy.prompts
    for key, line in policy.lines.items():
        yield ("lines", key, "prompts"), line.prompts
    for key, box in policy.mailboxes.items():
        yield ("mailboxes", key, "prompts"), box.prompts


def _of_audio(key: str, prompt: PromptText) -> Iterator[str]:
    if not prompt.text and not prompt.audio:
        yield "says nothing; expected text or the address of audio"
    if not prompt.audio:
        return
    if key.startswith(_WRITTEN):
        yield "is written and not spoken; expected text, and no audio"
    elif not _AUDIO.fullmatch(prompt.audio):
        yield f"{prompt.audio!r} is no address of audio; expected such as https://files.example/{key}.wav"
