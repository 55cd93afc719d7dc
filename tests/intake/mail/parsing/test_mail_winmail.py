"""winmail.dat: what Outlook packs away comes out again."""

from __future__ import annotations

import base64
import struct

import tnefparse
from hypothesis import given
from hypothesis import strategies as st

from intake.mail.parsing import read_mail
from intake.mail.parsing.charsets import Charsets
from intake.mail.parsing.tnef import unpack
from tests.intake.mail.parsing.letters import part, parts


def attribute(level: int, name: int, kind: int, data: bytes) -> bytes:
    return struct.pack("<BHHI", level, name, kind, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)


def text_property(number: int, value: str) -> bytes:
    data = value.encode("utf-16-le") + b"\0\0"
    return struct.pack("<HHII", 0x1F, number, 1, len(data)) + data + b"\0" * (-len(data) % 4)


def bytes_property(number: int, data: bytes) -> bytes:
    return struct.pack("<HHII", 0x102, number, 1, len(data)) + data + b"\0" * (-len(data) % 4)


def properties(*each: bytes) -> bytes:
    return struct.pack("<I", len(each)) + b"".join(each)


def winmail(*files: tuple[str, bytes], text: str = "packed words") -> bytes:
    out = struct.pack("<IH", 0x223E9F78, 1) + attribute(1, 0x9006, 8, struct.pack("<I", 0x10000))
    out += attribute(1, 0x9007, 6, struct.pack("<II", 1252, 0))
    out += attribute(
        1, 0x9003, 6, properties(text_property(0x1000, text), bytes_property(0x1013, b"<p>packed</p>"))
    )
    for name, data in files:
        out += attribute(2, 0x9002, 6, b"\0" * 14) + attribute(2, 0x8010, 1, b"SHORT~1.TXT\0")
        out += attribute(2, 0x800F, 6, data)
        out += attribute(
            2, 0x9005, 6, properties(text_property(0x3707, name), text_property(0x370E, "text/plain"))
        )
    return out


def test_it_unpacks_a_winmail_and_keeps_it() -> None:
    data = winmail(("a long name – ü.txt", b"one"), ("second.txt", b"two"))
    body = base64.encodebytes(data).decode()
    read = read_mail(parts(part(body, "Content-Type: application/ms-tnef; name=winmail.dat",
                                "Content-Transfer-Encoding: base64")))  # fmt: skip
    assert [(each.name, each.data, each.unpacked_from) for each in read.attachments] == [
        ("winmail.dat", data, None),
        ("a long name – ü.txt", b"one", "winmail.dat"),
        ("second.txt", b"two", "winmail.dat"),
    ]
    assert (read.text, read.safe_html) == ("packed words", "<p>packed</p>")


def test_it_reads_what_another_reader_reads() -> None:
    data = winmail(("one.txt", b"one" * 100), ("two.txt", bytes(range(256))), text="same words")
    theirs = tnefparse.TNEF(data)
    ours = unpack(data, Charsets())
    assert ours is not None
    assert [(each.name, each.data) for each in ours.attachments] == [
        (each.long_filename(), each.data) for each in theirs.attachments
    ]
    assert ours.text == theirs.body.rstrip("\0")


def test_it_unpacks_a_message_inside() -> None:
    signature = bytes.fromhex("0703020000000000c000000000000046")
    inner = winmail(("deep.txt", b"deep"), text="inner words")
    data = winmail() + attribute(2, 0x9002, 6, b"\0" * 14)
    data += attribute(
        2, 0x9005, 6, properties(text_property(0x3001, "inner"), bytes_property(0x3701, signature + inner))
    )
    found = unpack(data, Charsets())
    assert found is not None
    assert [(each.name, each.data) for each in found.attachments] == [
        ("inner.txt", b"inner words"),
        ("deep.txt", b"deep"),
    ]


def test_it_counts_no_further_than_the_bytes_go() -> None:
    liar = struct.pack("<IH", 0x223E9F78, 1) + attribute(
        1, 0x9003, 6, struct.pack("<I", 0xFFFFFFFF) + b"\x0b\0\1\0"
    )
    found = unpack(liar, Charsets())
    assert found is not None
    assert found.attachments == []


@given(st.data())
def test_it_never_raises_on_a_broken_winmail(data: st.DataObject) -> None:
    whole = bytearray(winmail(("one.txt", b"one"), ("two.txt", b"two")))
    for _ in range(data.draw(st.integers(0, 5))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(whole[: data.draw(st.integers(0, len(whole)))])
    found = unpack(cut, Charsets())
    assert found is None or len(found.attachments) <= 2
