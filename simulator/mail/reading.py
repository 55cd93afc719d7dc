"""The bytes of a mail as a mailbox shows them. Any bytes are a mail: what cannot be understood is shown as it is."""

from __future__ import annotations

import email
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses
from functools import lru_cache

_WITH_PEOPLE = {"from", "sender", "reply-to", "to", "cc"}
_TYPES = {"message/rfc822": "eml", "text/calendar": "ics", "message/delivery-status": "txt"}


@dataclass(frozen=True)
class Part:
    """Something attached, or an image that the HTML shows by its Content-ID."""

    name: str
    type: str
    content: bytes
    content_id: str


@dataclass(frozen=True)
class Mail:
    """``headers`` in their order, decoded and on one line each. ``people``: (header, name, address)."""

    headers: list[tuple[str, str]]
    people: list[tuple[str, str, str]]
    text: str
    html: str
    parts: list[Part]

    def header(self, name: str) -> str:
        """The first header of that name, or an empty text."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    def addresses(self, *names: str) -> list[tuple[str, str]]:
        """(name, address) of every address in those headers, which are given in lower case."""
        return [(name, address) for header, name, address in self.people if header in names]


@lru_cache(maxsize=32)
def read(raw: bytes) -> Mail:
    """Read a mail. Never raises.

    A large one takes seconds: whoever has another thread than the engine's reads it there first, for the cache.
    """
    message = email.message_from_bytes(raw)
    headers = [(name, _decoded(value)) for name, value in message.raw_items()]
    people = [person for name, value in message.raw_items() for person in _people(name.lower(), value)]
    text: list[str] = []
    html: list[str] = []
    parts: list[Part] = []
    for leaf in _leaves(message):
        kind = leaf.get_content_type()
        is_file = leaf.get_content_disposition() == "attachment" or leaf.get_filename() is not None
        if kind == "text/plain" and not is_file:
            text.append(_words(leaf))
        elif kind == "text/html" and not is_file and not html:
            html.append(_words(leaf))
        else:
            parts.append(_part(leaf, len(parts) + 1))
    return Mail(headers, people, "\n".join(text), "".join(html), parts)


def _leaves(message: Message) -> Iterator[Message]:
    """The parts that hold something; an enclosed mail is one part, not several."""
    if message.get_content_maintype() == "multipart" and isinstance(message.get_payload(), list):
        for child in message.get_payload():
            if isinstance(child, Message):
                yield from _leaves(child)
    else:
        yield message


def _people(header: str, value: object) -> Iterator[tuple[str, str, str]]:
    """The addresses are found first and the names decoded then: a name may have a comma."""
    if header in _WITH_PEOPLE:
        for name, address in getaddresses([_utf8(value)]):
            if "@" in address:
                yield header, _decoded(name), address


def _decoded(value: object) -> str:
    text = _utf8(value)
    with suppress(HeaderParseError, LookupError, ValueError):
        text = str(make_header(decode_header(text)))
    return " ".join(text.split())


def _utf8(value: object) -> str:
    """What is beyond ASCII in a header is UTF-8 (RFC 6532); the parser keeps it as surrogates."""
    return str(value).encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _words(leaf: Message) -> str:
    content = _content(leaf)
    try:
        words = content.decode(leaf.get_content_charset("utf-8"), "replace")
    except (LookupError, ValueError):
        words = content.decode("utf-8", "replace")
    return words.replace("\r\n", "\n")


def _content(leaf: Message) -> bytes:
    if not leaf.is_multipart():
        payload = leaf.get_payload(decode=True)
        return payload if isinstance(payload, bytes) else b""
    enclosed = [child for child in leaf.get_payload() if isinstance(child, Message)]
    return b"\n".join(_as_bytes(child) for child in enclosed)


def _as_bytes(message: Message) -> bytes:
    try:
        return message.as_bytes()
    except Exception:  # noqa: BLE001 - the standard library raises many kinds on malformed mails
        return str(message.get_payload()).encode("utf-8", "replace")


def _part(leaf: Message, number: int) -> Part:
    kind = leaf.get_content_type()
    name = _decoded(leaf.get_filename() or "").replace("\\", "/").rpartition("/")[2]
    subtype = re.sub(r"\W", "", kind.partition("/")[2])[:8]
    fallback = f"part-{number}.{_TYPES.get(kind, subtype or 'bin')}"
    content_id = str(leaf.get("Content-ID", "")).strip().strip("<>")
    return Part(name or fallback, kind, _content(leaf), content_id)
