"""Message-ID, In-Reply-To and References, however they were folded, cut or strung together; and Date."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from intake.mail.parsing import bounds
from intake.mail.parsing.charsets import Charsets
from intake.mail.parsing.words import decode_words, unfold

_BRACKETED = re.compile(rb"<([^<>]{1,2000})>?")
_BARE = re.compile(rb"[^\s<>,;()\"]{1,1000}@[^\s<>,;()\"]{1,300}")
_COMMENT = re.compile(r"\([^()]*\)")
_BLANK = re.compile(rb"[\x00-\x20\x7f]+")


def read_ids(raw: bytes | None, charsets: Charsets) -> tuple[str, ...]:
    """The Message-IDs of a field, with their angle brackets, in their order, each once.

    White space inside the brackets comes from folding and is left out. Words beside them, as in
    ``Your message of Monday <id>``, are no IDs; a field without brackets is read for what looks like one.
    """
    if raw is None:
        return ()
    raw = unfold(raw)
    if b"=?" in raw:
        raw = decode_words(charsets.decode(raw), charsets).encode("utf-8", "replace")
    found = [_BLANK.sub(b"", inside) for inside in _BRACKETED.findall(raw)]
    if not any(found):
        found = _BARE.findall(raw) or ([raw.strip(b"<>")] if b" " not in raw and len(raw) < 300 else [])
    ids = dict.fromkeys(f"<{_text(each)}>" for each in found if each)
    return (
        tuple(ids)[: bounds.IDS] if len(ids) <= bounds.IDS else tuple(ids)[:1] + tuple(ids)[1 - bounds.IDS :]
    )


def _text(raw: bytes) -> str:
    return "".join(character for character in raw.decode("utf-8", "replace") if character.isprintable())


def read_date(raw: bytes | None) -> datetime | None:
    """What the sender says when it was written, in UTC; for display only. None if it cannot be read."""
    if raw is None:
        return None
    text = unfold(raw[:200]).decode("latin-1")
    try:
        for _ in range(3):
            text = _COMMENT.sub(" ", text)
        written = parsedate_to_datetime(text.strip())
    except (ValueError, TypeError, IndexError, OverflowError, KeyError):
        return None
    try:
        return written.replace(tzinfo=UTC) if written.tzinfo is None else written.astimezone(UTC)
    except (OverflowError, ValueError):
        return None
