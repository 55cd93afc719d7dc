"""A mail of a case in words, for its page and for who asks for JSON. Pure."""

from __future__ import annotations

import re
from typing import Any

from core.models import Message
from routing.correspondence.models import OutboundMail
from routing.correspondence.states import MailState

_KINDS = {
    "loop": "ours, come back",
    "bounce": "could not be delivered",
    "read receipt": "read receipt",
    "out of office": "out of office",
    "calendar reply": "answer to an invitation",
    "auto reply": "automatic reply",
    "list": "by a list",
    "auto generated": "by a machine",
}
# What our own Reply-To has added to a mailbox's address; of interest to nobody who reads.
_TAG = re.compile(r"\+[ceb]\d+\.[a-z2-7]{12}(?=@)", re.IGNORECASE)
_TRUST = {"proven": "sender verified", "forged": "sender forged"}


def mail_in_words(message: Message, kept: bool, sent: OutboundMail | None = None) -> dict[str, Any] | None:
    """What the page shows of a mail besides its text; None for what is no mail. ``kept``: its bytes are here.

    ``sent`` is what became of it, if it is one of ours.
    """
    said = message.details
    if said is None:
        return None
    interleaved = said.get("interleaved")
    return {
        "id": message.id,
        "subject": said.get("subject", ""),
        "from": _party(said["from"]) if said.get("from") else "",
        "to": ", ".join(map(_party, said.get("to", ()))),
        "cc": ", ".join(map(_party, said.get("cc", ()))),
        "more_recipients": said.get("more_recipients", 0),
        "date": said.get("date"),
        "kind": _KINDS.get(said.get("verdict", {}).get("kind", "")),
        "trust": _TRUST.get(said.get("trust", "")),
        "protection": said.get("protection"),
        "damaged": said.get("damaged"),
        "quoted": "" if interleaved else said.get("quoted", ""),
        "signature": "" if interleaved else said.get("signature", ""),
        "outside": said.get("outside", ""),
        "interleaved": [{"kind": kind, "text": text} for kind, text in interleaved or ()],
        "remote_images": said.get("remote_images", 0),
        "problems": said.get("problems", []),
        "html": message.html is not None,
        "ours": sent is not None,
        "delivery": delivery_in_words(sent) if sent is not None else "",
        "undelivered": sent is not None and sent.standing in (MailState.BOUNCED, MailState.FAILED),
        "kept": kept,
        "files": [{**file, "size": size_in_words(file["size"])} for file in said.get("attachments", ())],
    }


def delivery_in_words(mail: OutboundMail) -> str:
    """How far a mail of ours has come; nothing more to say of one that was sent."""
    said = {
        MailState.WAITING: f"not sent yet: {mail.error}" if mail.error else "about to be sent",
        MailState.SENDING: "being sent",
        MailState.SENT: "",
        MailState.BOUNCED: f"came back: {mail.error}",
        MailState.FAILED: f"not delivered: {mail.error}",
        MailState.SUPPRESSED: f"not sent: {mail.error}",
    }[mail.standing]
    failed = len(mail.failures)
    return said or (f"not delivered to {failed} of {len(mail.recipients)}" if failed else "")


def size_in_words(size: int) -> str:
    """Bytes as people say them: 812 bytes, 9.1 kB, 3.4 MB."""
    if size < 1000:
        return f"{size} bytes"
    return f"{size / 1000:.1f} kB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"


def _party(party: dict[str, str]) -> str:
    name, address = party.get("name", ""), _TAG.sub("", party.get("address", ""))
    return f"{name} <{address}>" if name and address else address or name
