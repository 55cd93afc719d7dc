"""The fields of a mail's header, written by hand. Pure.

The library breaks identifiers that are longer than a line and writes encoded words with nothing in them, and takes
longer for one mail than everything else that a case needs.
"""

from __future__ import annotations

import base64
import re
import string
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T", str, bytes)

_WIDTH = 76
_LONGEST_WORD = 60  # of what stands as it is; a longer one could not be folded
_ENCODED = 52  # characters of an encoded word, so that one has room behind the field's name
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\u0080-\U0010ffff]+"
_DOT_ATOM = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_PHRASE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
_AS_IT_IS = frozenset(string.ascii_letters + string.digits + "!*+-/")
_STEERING = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})


def one_line(text: str) -> str:
    """``text`` in one line, without controls and what else can steer how it is shown."""
    if text.isprintable():  # none of them is
        return " ".join(text.split())
    kept = "".join(" " if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c for c in text)
    kept = "".join(c for c in kept if unicodedata.bidirectional(c) not in _STEERING)
    return " ".join(kept.split())


def field(name: str, words: Iterable[str]) -> str:
    """A field of these words, with a space between them, in lines that are not too long."""
    lines, line, is_empty = [], f"{name}:", True
    for word in words:
        if not is_empty and len(line) + len(word) > _WIDTH:
            lines.append(line)
            line = ""
        line, is_empty = f"{line} {word}", False
    return "\r\n".join([*lines, line, ""])


def text_words(text: str) -> Sequence[str]:
    """The words of a field that is any text."""
    words = text.split()
    is_plain = text.isascii() and "=?" not in text and max(map(len, words), default=0) < _LONGEST_WORD
    return words if is_plain else list(_encoded(" ".join(words)))


def mailbox_words(name: str, local: str, domain: str) -> Sequence[str]:
    """The words of a mailbox; a name of any script, and an address whose domain is ASCII."""
    local = local if _DOT_ATOM.fullmatch(local) else f'"{_escaped(local)}"'
    address = f"{local}@{domain}"
    return [*_name_words(name), f"<{address}>"] if name else [address]


def _name_words(name: str) -> Sequence[str]:
    if not name.isascii() or "=?" in name or max(map(len, name.split()), default=0) >= _LONGEST_WORD:
        return list(_encoded(name))
    return name.split() if _PHRASE.fullmatch(name) else f'"{_escaped(name)}"'.split(" ")


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _encoded(text: str) -> Iterator[str]:
    """``text`` as encoded words (RFC 2047), none of which ends inside of a character."""
    quoted = [_quoted(c) for c in text]
    if sum(map(len, quoted)) <= len(text.encode()) * 4 / 3:
        yield from (f"=?utf-8?q?{''.join(piece)}?=" for piece in _pieces(quoted, _ENCODED))
        return
    for piece in _pieces([c.encode() for c in text], _ENCODED * 3 // 4):
        yield f"=?utf-8?b?{base64.b64encode(b''.join(piece)).decode('ascii')}?="


def _pieces(items: Sequence[T], most: int) -> Iterator[list[T]]:
    """The items in order, in pieces of up to ``most`` characters or bytes."""
    piece: list[T] = []
    length = 0
    for item in items:
        if length + len(item) > most:
            yield piece
            piece, length = [], 0
        piece.append(item)
        length += len(item)
    if piece:
        yield piece


def _quoted(character: str) -> str:
    if character in _AS_IT_IS:
        return character
    return "_" if character == " " else "".join(f"={byte:02X}" for byte in character.encode())
