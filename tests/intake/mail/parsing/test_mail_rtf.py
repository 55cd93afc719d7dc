"""The words of RTF, and RTF out of what Outlook compresses."""

from __future__ import annotations

import base64
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.mail.parsing import read_mail
from intake.mail.parsing.charsets import Charsets
from intake.mail.parsing.rtf import decompress, rtf_text
from tests.intake.mail.parsing.letters import part, parts
from tests.intake.mail.parsing.test_mail_winmail import attribute, bytes_property, properties

HEAD = rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}}{\*\generator Riched20;}"


def packed(rtf: bytes, kind: int = 0x414C454D) -> bytes:
    return struct.pack("<IIII", len(rtf) + 12, len(rtf), kind, 0) + rtf


@pytest.mark.parametrize(
    ("rtf", "text"),
    [
        (rb"Hello\par\b bold\b0  words\tab .", "Hello\nbold words\t."),
        (rb"Gr\'f6\'dfe \u8364? \{x\}", "Größe € {x}"),
        (rb"{\uc2 \u8212--}ab \u-10179?\u-8704?", "—ab 😀"),
        (rb"a{\*\htmltag84 <b>}\htmlrtf {\b \htmlrtf0 b}{\pict 0123}c", "abc"),
        (rb"split\r\n over\n lines".replace(b"\\r", b"\r").replace(b"\\n", b"\n"), "split over lines"),
        (rb"}}}}after too many braces", "after too many braces"),
    ],
)
def test_it_reads_the_words_of_rtf(rtf: bytes, text: str) -> None:
    assert rtf_text(HEAD + rtf + b"}", Charsets()) == text


def test_it_unpacks_what_is_known_before_and_what_was_said_before() -> None:
    # "ab" as it stands, eight bytes from two bytes back, then a reference to where the text ends: the end.
    tokens = bytes((0b00000100,)) + b"ab" + struct.pack(">H", 207 << 4 | 6)
    assert decompress(struct.pack("<IIII", 0, 100, 0x75465A4C, 0) + tokens) == b"ab" + b"abababab"
    known = struct.pack("<IIII", 0, 7, 0x75465A4C, 0) + bytes((1,)) + struct.pack(">H", 0 << 4 | 5)
    assert decompress(known) == rb"{\rtf1\a"[:7]


def test_it_unpacks_no_more_than_is_announced_and_stops_at_the_end() -> None:
    assert decompress(struct.pack("<IIII", 0, 3, 0x75465A4C, 0) + b"\0abcdefgh") == b"abc"
    end = bytes((0b00000010,)) + b"a" + struct.pack(">H", 208 << 4) + b"never"
    assert decompress(struct.pack("<IIII", 0, 100, 0x75465A4C, 0) + end) == b"a"
    assert decompress(packed(HEAD)) == HEAD
    assert decompress(packed(HEAD, kind=7)) is None
    assert decompress(b"short") is None


def test_the_text_of_a_winmail_may_be_rtf_alone() -> None:
    rtf = HEAD + rb"The cluster is down.\par Ann}"
    data = struct.pack("<IH", 0x223E9F78, 1) + attribute(
        1, 0x9003, 6, properties(bytes_property(0x1009, packed(rtf)))
    )
    body = base64.encodebytes(data).decode()
    read = read_mail(parts(part(body, "Content-Type: application/ms-tnef; name=winmail.dat",
                                "Content-Transfer-Encoding: base64")))  # fmt: skip
    assert read.text == "The cluster is down.\nAnn"
    assert [(each.name, each.data) for each in read.attachments] == [
        ("winmail.dat", data),
        ("message.rtf", rtf),
    ]


@given(st.binary(max_size=300), st.integers(0, 2**32 - 1))
def test_no_bytes_are_too_odd(data: bytes, length: int) -> None:
    out = decompress(struct.pack("<IIII", 0, length, 0x75465A4C, 0) + data)
    assert out is not None
    assert len(out) <= length
    assert "\0" not in rtf_text(data, Charsets())
