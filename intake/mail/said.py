"""A mail as a message of its case: what was written, with everything else folded away beside it. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from intake.mail.parsing import Address, Attachment, ParsedMail
from intake.mail.parsing.authentication import Method
from routing.coverage_mail import FORGED

_MOST_ADDRESSES = 100
_MOST_REFERENCES = 50
_LONGEST_ID = 500
_LONGEST_DAMAGED = 20_000
_MOST_FILES = 10
NO_SUBJECT = "(no subject)"
NO_TEXT = "(no text)"


@dataclass(frozen=True)
class Said:
    """The columns of a message."""

    body: str
    mail_message_id: str | None
    html: str | None
    details: dict[str, Any]


def said_in(mail: ParsedMail, trust: str, own: Sequence[Method] | None = None) -> Said:
    """What ``mail`` says; ``trust`` is in its sender, ``own`` are our verdicts on it."""
    body = storable("\n\n".join(filter(None, (mail.written, mail.described))))
    html = storable(mail.safe_html) if mail.safe_html and mail.safe_html.strip() else None
    message_id = mail.message_id
    return Said(
        body=(body[:_LONGEST_DAMAGED] if mail.damaged else body) or _without_text(mail),
        mail_message_id=message_id if message_id and len(message_id) <= _LONGEST_ID else None,
        html=html,
        details={
            key: value
            for key, value in _details(mail, trust, own).items()
            if value not in (None, "", [], {}, 0)
        },
    )


def _without_text(mail: ParsedMail) -> str:
    """What a mail without text says: that, and what files it brings."""
    names = [storable(each.name) for each in mail.attachments[:_MOST_FILES]]
    return f"(no text; attached: {', '.join(names)})" if names else NO_TEXT


def storable(text: str) -> str:
    """Text that every database takes: no NULs, no halves of characters."""
    text = text.replace("\0", "")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def title_of(mail: ParsedMail) -> str:
    """What a case is called that a mail has opened."""
    return storable(mail.subject).strip() or NO_SUBJECT


def _details(mail: ParsedMail, trust: str, own: Sequence[Method] | None) -> dict[str, Any]:
    verdict = mail.verdict
    return {
        "subject": storable(mail.subject),
        "from": _party(mail.sender) if mail.sender else None,
        "reply_to": _parties(mail.reply_to),
        "to": _parties(mail.to),
        "cc": _parties(mail.cc),
        "more_recipients": max(0, len(mail.to) - _MOST_ADDRESSES) + max(0, len(mail.cc) - _MOST_ADDRESSES),
        "references": _references(mail),
        "date": mail.date.isoformat() if mail.date else None,
        "quoted": storable(mail.folded.quoted),
        "signature": storable(mail.folded.signature),
        "interleaved": _interleaved(mail),
        "outside": storable(mail.outside),
        "attachments": [_attachment(number, each) for number, each in enumerate(mail.attachments)],
        "remote_images": mail.remote_images,
        "authentication": _authentication(mail, own),
        "trust": trust,
        "forged": trust == FORGED or None,
        "verdict": {"kind": verdict.kind.value, "reason": verdict.reason, "may_answer": verdict.may_answer},
        "protection": mail.protection,
        "damaged": mail.damaged,
        "problems": list(mail.problems),
    }


def _party(address: Address) -> dict[str, str]:
    return {"name": storable(address.name), "address": storable(address.address)}


def _parties(addresses: Iterable[Address]) -> list[dict[str, str]]:
    return [_party(each) for each in addresses if each.address][:_MOST_ADDRESSES]


def _references(mail: ParsedMail) -> list[str]:
    """What came before, the oldest first."""
    ids = [each for each in dict.fromkeys((*mail.references, *mail.in_reply_to)) if len(each) <= _LONGEST_ID]
    return ids if len(ids) <= _MOST_REFERENCES else [ids[0], *ids[-(_MOST_REFERENCES - 1) :]]


def _interleaved(mail: ParsedMail) -> list[list[str]] | None:
    """The pieces in their order, where somebody wrote between what they quoted."""
    kinds = [piece.kind for piece in mail.folded.pieces if piece.text.strip()]
    if "quoted" not in kinds or "written" not in kinds[kinds.index("quoted") :]:
        return None
    return [[piece.kind, storable(piece.text)] for piece in mail.folded.pieces]


def _attachment(number: int, attachment: Attachment) -> dict[str, Any]:
    return {
        "index": number, "name": storable(attachment.name), "type": storable(attachment.content_type),
        "size": len(attachment.data), "inline": attachment.inline,
        "content_id": storable(attachment.content_id) if attachment.content_id else None,
        "sha256": hashlib.sha256(attachment.data).hexdigest(),
    }  # fmt: skip


def _authentication(mail: ParsedMail, own: Sequence[Method] | None) -> dict[str, Any] | None:
    if own is not None:
        return {"by": "us", "methods": [asdict(method) for method in own]}
    found = mail.authentication
    if found is None:
        return None
    methods = [asdict(method) for method in found.methods]
    return {"by": found.authserv_id, "methods": methods}
