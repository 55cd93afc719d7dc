"""Does a mail ask for priority 1, in the words that its mailbox knows? Pure."""

from __future__ import annotations

import re
from functools import lru_cache

from intake.mail.parsing import ParsedMail
from routing.mailboxes import Urgent

_LONGEST = 200_000
_NOT = r"(?<!\bnot )(?<!\bnon )(?<!\bnon-)(?<!\bno )(?<!\bnicht )(?<!\bpas )"


def asked_with(mail: ParsedMail, urgent: Urgent) -> str | None:
    """The words that ask for it: a word of the subject, or a keyword in what the sender wrote; None without.

    What is quoted does not count, or the answer to an urgent mail would ask again.
    """
    return in_subject(mail.subject, urgent) or in_text(mail, urgent)


def in_subject(subject: str, urgent: Urgent) -> str | None:
    """The marker in a subject."""
    return _first(tuple(urgent.subject), subject)


def in_text(mail: ParsedMail, urgent: Urgent) -> str | None:
    """The keyword in what the sender wrote."""
    return _first(tuple(urgent.keywords), mail.written[:_LONGEST])


def _first(words: tuple[str, ...], text: str) -> str | None:
    return next((word for word in words if _pattern(word).search(text)), None)


@lru_cache(maxsize=256)
def _pattern(word: str) -> re.Pattern[str]:
    spaced = r"\s+".join(map(re.escape, word.split()))
    return re.compile(rf"{_NOT}(?<!\w){spaced}(?!\w)", re.IGNORECASE)
