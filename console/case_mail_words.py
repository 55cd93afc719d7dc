"""A mail of a case in words, for its page and for who asks for JSON. Pure."""

from __future__ import annotations

import re
from typing import Any

from core.models import Message

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


def mail_in_words(message: Message, kept: bool) -> dict[str, Any] | None:
    """What the page shows of a mail besides its text; None for what is no mail. ``kept``: its bytes are here."""
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
        "kept": kept,
        "files": [{**file, "size": size_in_words(file["size"])} for file in said.get("attachments", ())],
    }


def size_in_words(size: int) -> str:
    """Bytes as people say them: 812 bytes, 9.1 kB, 3.4 MB."""
    if size < 1000:
        return f"{size} bytes"
    return f"{size / 1000:.1f} kB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"


def _party(party: dict[str, str]) -> str:
    name, address = party.get("name", ""), _TAG.sub("", party.get("address", ""))
    return f"{name} <{address}>" if name and address else address or name
