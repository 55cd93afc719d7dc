"""The words of an RTF text, and RTF out of the compressed form that Outlook packs into a winmail.dat (MS-OXRTFCP)."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from intake.mail.parsing import bounds
from intake.mail.parsing.charsets import Charsets

_COMPRESSED, _PLAIN = 0x75465A4C, 0x414C454D
# What both sides know before the first byte (MS-OXRTFCP, 2.1.2.1).
_KNOWN = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor MS Sans Ser"
    rb"ifSymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0"
    b"\r\n"
    rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)
_TOKEN = re.compile(
    rb"\\([a-z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-z])|([{}])|[\r\n]+|([^\\{}\r\n]+)"
)
_BREAKS = {
    b"par": b"\n",
    b"line": b"\n",
    b"row": b"\n",
    b"sect": b"\n",
    b"page": b"\n",
    b"tab": b"\t",
    b"cell": b"\t",
}
_SIGNS = {b"lquote": "‘", b"rquote": "’", b"ldblquote": "“", b"rdblquote": "”", b"bullet": "•", b"endash": "–",
          b"emdash": "—"}  # fmt: skip
_NOT_SHOWN = frozenset(
    b"fonttbl colortbl stylesheet info pict object header footer headerl headerr footerl footerr listtable"
    b" listoverridetable generator xmlnstbl themedata datastore fldinst".split()
)
_UNITS = {b"~": b" ", b"_": b"-", b"{": b"{", b"}": b"}", b"\\": b"\\", b"\n": b"\n", b"\r": b"\n"}


def decompress(data: bytes) -> bytes | None:
    """The RTF in a compressed body; None if it is none. What is broken in it ends it there."""
    if len(data) < 16:
        return None
    _, length, kind, _ = struct.unpack_from("<IIII", data)
    limit = min(length, 2 * bounds.TEXT)
    if kind == _PLAIN:
        return data[16 : 16 + limit]
    return _unpacked(data, limit) if kind == _COMPRESSED else None


def _unpacked(data: bytes, limit: int) -> bytes:
    out = bytearray(
        _KNOWN
    )  # the window that is referred to is the last 4,096 bytes, and begins with what is known
    position = 16
    limit += len(_KNOWN)
    while position < len(data) and len(out) < limit:
        control = data[position]
        position += 1
        for bit in range(8):
            if position >= len(data) or len(out) >= limit:
                break
            if not control >> bit & 1:
                out.append(data[position])
                position += 1
                continue
            if position + 2 > len(data):
                return bytes(out[len(_KNOWN) :])
            reference = data[position] << 8 | data[position + 1]
            position += 2
            distance = (len(out) - (reference >> 4)) % 4096 or 4096
            if distance == 4096 or distance > len(out):  # the mark of the end, or nonsense
                return bytes(out[len(_KNOWN) :])
            for _ in range((reference & 15) + 2):
                out.append(out[-distance])
    return bytes(out[len(_KNOWN) : limit])


@dataclass(slots=True)
class _Group:
    """What holds up to the next closing brace."""

    shown: bool = True
    skip: int = 1
    """How many characters after one in Unicode say the same for old programs."""


def rtf_text(data: bytes, charsets: Charsets) -> str:
    """What is written in an RTF text, without its form. Linear in its length."""
    codepage = re.search(rb"\\ansicpg(\d{1,5})", data[:4_000])
    words = _Words(charsets, f"cp{int(codepage[1])}" if codepage else "cp1252")
    for found in _TOKEN.finditer(data[: 2 * bounds.TEXT]):
        word, number, byte, sign, brace, text = found.groups()
        if brace:
            words.brace(brace)
        elif word:
            words.control(word, int(number) if number else None)
        elif sign == b"*":
            words.group.shown = False  # a destination that need not be understood
        elif byte or text or sign:
            words.add(bytes((int(byte, 16),)) if byte else text or _UNITS.get(sign, b""))
    return words.whole()


class _Words:
    """The text so far, and the groups that are open."""

    def __init__(self, charsets: Charsets, codepage: str) -> None:
        self.charsets, self.codepage = charsets, codepage
        self.open: list[_Group] = []
        self.group = _Group()
        self.pending = bytearray()
        self.out: list[str] = []
        self.left_out = 0

    def brace(self, brace: bytes) -> None:
        if brace == b"{":
            self.open.append(self.group)
            self.group = _Group(self.group.shown, self.group.skip)
        elif self.open:
            self.group = self.open.pop()
        self.left_out = 0

    def control(self, word: bytes, number: int | None) -> None:
        if word in _NOT_SHOWN:
            self.group.shown = False
        elif word in _BREAKS:
            self.add(_BREAKS[word])
        elif word in _SIGNS:
            self._put(_SIGNS[word])
        elif word == b"uc" and number is not None:
            self.group.skip = min(max(number, 0), 10)
        elif word == b"u" and number is not None:
            code = number % 0x10000
            self._put(chr(code))
            self.left_out = self.group.skip

    def add(self, text: bytes) -> None:
        if self.left_out:
            kept = text[self.left_out :]
            self.left_out -= len(text) - len(kept)
            text = kept
        if self.group.shown:
            self.pending += text

    def _put(self, text: str) -> None:
        if self.group.shown:
            self._flush()
            self.out.append(text)

    def _flush(self) -> None:
        if self.pending:
            self.out.append(self.charsets.decode(bytes(self.pending), self.codepage))
            self.pending.clear()

    def whole(self) -> str:
        self._flush()
        text = "".join(self.out).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return text.replace("\0", "")
