"""The first look at a mail: what tells two copies from each other and where it was sent, before it is read."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from typing import TypeVar

from intake.mail.parsing.addresses import read_addresses
from intake.mail.parsing.charsets import Charsets
from intake.mail.parsing.fields import Fields, read_fields
from intake.mail.parsing.ids import read_ids
from intake.mail.parsing.words import field_text

T = TypeVar("T")
_RECIPIENT_FIELDS = (b"delivered-to", b"x-original-to", b"envelope-to", b"x-envelope-to", b"to", b"cc")


class Heads:
    """What the header says, each read when it is asked for; empty where it cannot be read.

    ``body`` is where the body begins.
    """

    def __init__(self, fields: Fields | None = None, body: int = 0) -> None:
        self.body = body
        self._fields, self._charsets = fields or Fields(), Charsets()

    @cached_property
    def message_id(self) -> str:
        """The mail's Message-ID, in angle brackets."""
        ids = _read(lambda: read_ids(self._fields.first(b"message-id"), self._charsets))
        return ids[0] if ids else ""

    @property
    def sender(self) -> str:
        """The author's address, as addresses are compared."""
        senders = _read(lambda: read_addresses(self._fields.first(b"from"), self._charsets))
        return senders[0].key if senders else ""

    @property
    def subject(self) -> str:
        """The subject."""
        return self._text(b"subject")

    @property
    def date(self) -> str:
        """The date, as it was written."""
        return self._text(b"date")

    @property
    def received(self) -> bool:
        """Whether a server has dated it."""
        return self._fields.first(b"received") is not None

    @property
    def recipients(self) -> tuple[str, ...]:
        """Every address that it was sent to, as far as it says."""
        values = [value for name in _RECIPIENT_FIELDS for value in self._fields.every(name)]
        found = (_read(partial(read_addresses, value, self._charsets)) or () for value in values)
        return tuple(each.address for addresses in found for each in addresses if each.address)

    def _text(self, name: bytes) -> str:
        raw = self._fields.first(name)
        return "" if raw is None else _read(lambda: field_text(raw, self._charsets)) or ""


def _read(reading: Callable[[], T]) -> T | None:
    try:
        return reading()
    except Exception:  # noqa: BLE001  # whatever it is, the mail is kept
        return None


def peek(raw: bytes) -> Heads:
    """The header of ``raw``; empty where it cannot be read. Never raises, and costs nothing for a large body."""
    found = _read(lambda: read_header(raw))
    return Heads(*found) if found is not None else Heads()


def read_header(raw: bytes) -> tuple[Fields, int]:
    """The fields of the header, and where the body begins."""
    start = 0
    while raw[start : start + 1] in (b"\r", b"\n") and start < len(raw):
        start += 1
    if raw.startswith((b"From ", b">From "), start):  # an mbox line
        start = raw.find(b"\n", start) + 1
    return read_fields(raw, start, len(raw))
