"""The first look at a mail: what tells two copies from each other and where it was sent, before it is read."""

from __future__ import annotations

from dataclasses import dataclass

from intake.mail.parsing.addresses import read_addresses
from intake.mail.parsing.charsets import Charsets
from intake.mail.parsing.fields import Fields, read_fields
from intake.mail.parsing.ids import read_ids
from intake.mail.parsing.words import field_text

_RECIPIENT_FIELDS = (b"delivered-to", b"x-original-to", b"envelope-to", b"x-envelope-to", b"to", b"cc")


@dataclass(frozen=True, slots=True)
class Heads:
    """What the header says. ``body`` is where the body begins; ``received`` whether a server has dated it."""

    message_id: str = ""
    sender: str = ""
    subject: str = ""
    date: str = ""
    received: bool = False
    recipients: tuple[str, ...] = ()
    body: int = 0


def peek(raw: bytes) -> Heads:
    """The header of ``raw``; empty where it cannot be read. Never raises, and costs nothing for a large body."""
    try:
        return _peek(raw)
    except Exception:  # noqa: BLE001  # whatever it is, the mail is kept
        return Heads()


def read_header(raw: bytes) -> tuple[Fields, int]:
    """The fields of the header, and where the body begins."""
    start = 0
    while raw[start : start + 1] in (b"\r", b"\n") and start < len(raw):
        start += 1
    if raw.startswith((b"From ", b">From "), start):  # an mbox line
        start = raw.find(b"\n", start) + 1
    return read_fields(raw, start, len(raw))


def _peek(raw: bytes) -> Heads:
    fields, body = read_header(raw)
    charsets = Charsets()
    ids = read_ids(fields.first(b"message-id"), charsets)
    senders = read_addresses(fields.first(b"from"), charsets)
    return Heads(
        message_id=ids[0] if ids else "",
        sender=senders[0].key if senders else "",
        subject=_text(fields, b"subject", charsets),
        date=_text(fields, b"date", charsets),
        received=fields.first(b"received") is not None,
        recipients=tuple(
            each.address
            for name in _RECIPIENT_FIELDS
            for value in fields.every(name)
            for each in read_addresses(value, charsets)
            if each.address
        ),
        body=body,
    )


def _text(fields: Fields, name: bytes, charsets: Charsets) -> str:
    raw = fields.first(name)
    return "" if raw is None else field_text(raw, charsets)
