"""What header fields say: unfolded, encoded words read (RFC 2047, and what senders make of it), one line."""

from __future__ import annotations

import binascii
import re

from intake.mail.parsing import bounds
from intake.mail.parsing.charsets import Charsets, clean

_SPACES = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_FOLD = re.compile(rb"[ \t]*[\r\n]+[ \t]*")
_QUOTED = re.compile(rb"=([0-9A-Fa-f]{2})")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")
_START = re.compile(r"=\?([^?\s=]{1,60})\?([bBqQ])\?")


def one_line(text: str, limit: int = bounds.LINE) -> str:
    """Without line ends, NULs and other controls, in at most ``limit`` characters."""
    return _SPACES.sub(" ", text[: limit * 4]).strip()[:limit].rstrip()


def unfold(raw: bytes) -> bytes:
    """A field's value in one line; a fold is one space."""
    return _FOLD.sub(b" ", raw.strip()) if b"\n" in raw or b"\r" in raw else raw.strip()


def field_text(raw: bytes, charsets: Charsets, limit: int = bounds.LINE) -> str:
    """The value of an unstructured field, such as Subject."""
    return one_line(decode_words(charsets.decode(unfold(raw[: bounds.FIELD])), charsets), limit)


def decode_words(text: str, charsets: Charsets) -> str:
    """``text`` with its encoded words read. White space between two of them is none (RFC 2047, 6.2).

    Neighbours of one charset are read as one: many senders cut a character in two. Linear in the text.
    """
    if "=?" not in text:
        return text
    out: list[str] = []
    pending: list[bytes] = []
    charset = ""
    position = 0
    for start, end, name, data in _words(text):
        between = text[position:start]
        if pending and (between.strip() or name != charset):
            out.append(charsets.decode(b"".join(pending), charset))
            pending = []
        if between.strip() or not position:
            out.append(between)
        charset, position = name, end
        pending.append(data)
    if pending:
        out.append(charsets.decode(b"".join(pending), charset))
    out.append(text[position:])
    return clean("".join(out))


def _words(text: str) -> list[tuple[int, int, str, bytes]]:
    """Every encoded word: where it starts and ends, its charset in small letters, its bytes."""
    found = []
    position = 0
    while (start := text.find("=?", position)) >= 0:
        head = _START.match(text, start)
        if head is None:
            position = start + 2
            continue
        end = _end_of(text, head.end(), head[2])
        if end < 0:
            break
        body = text[head.end() : end]
        charset = head[1].partition("*")[0].lower()
        found.append((start, min(end + 2, len(text)), charset, _bytes_of(body, head[2])))
        position = end + 2
    return found


def _end_of(text: str, start: int, kind: str) -> int:
    end = text.find("?=", start)
    if end >= 0:
        return end
    # The last word was cut off: what is there is read, if it looks like one.
    rest = text[start:].rstrip("?")
    fits = re.fullmatch(r"[A-Za-z0-9+/=\s]+" if kind in "bB" else r"[!-~]+", rest[: bounds.FIELD])
    return start + len(rest) if fits else -1


def _bytes_of(body: str, kind: str) -> bytes:
    # Eight-bit characters stand in some words raw; the rest of the word is ASCII.
    raw = body.encode("utf-8", "replace")
    if kind in "qQ":
        return _QUOTED.sub(lambda hexed: bytes((int(hexed[1], 16),)), raw.replace(b"_", b" "))
    pieces = raw.split(b"=") if b"=" in raw.rstrip(b"= \t") else [raw]
    return b"".join(_base64(piece) for piece in pieces)


def _base64(raw: bytes) -> bytes:
    digits = _NOT_BASE64.sub(b"", raw)
    if len(digits) % 4 == 1:
        digits = digits[:-1]
    return binascii.a2b_base64(digits + b"=" * (-len(digits) % 4))
