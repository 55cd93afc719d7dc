"""The text after DATA: what a sender encodes by the rule is what is read, however it is cut up on the way."""

from __future__ import annotations

import asyncio
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.mail.ways_in.transfer import NoRoom, TooBig, read_text

TEXTS = st.lists(
    st.sampled_from([b".", b"\r\n", b"\n", b"\r", b"a", b"\x00", b"..", b"QUIT"]), max_size=30
).map(b"".join)


def encoded(text: bytes) -> bytes:
    """As RFC 5321 has it: lines end with CR LF, a dot at the beginning of a line is doubled, a lone dot ends it."""
    return re.sub(rb"^\.|(?<=\r\n)\.", b"..", text) + b".\r\n"


def read(sent: bytes, cuts: list[int], limit: int = 100_000, room: int = 10**9) -> tuple[bytes, bytes]:
    """What is read of ``sent`` when it comes in pieces, and what is left for the dialogue."""

    async def run() -> tuple[bytes, bytes]:
        reader, left = asyncio.StreamReader(limit=64), [room]

        async def feed() -> None:
            start = 0
            for cut in [*cuts, len(sent)]:
                reader.feed_data(sent[start:cut])
                start = max(start, cut)
                await asyncio.sleep(0)

        def has_room(count: int) -> bool:
            left[0] -= count
            return left[0] >= 0

        feeding = asyncio.create_task(feed())
        text = await read_text(reader, limit, has_room)
        await feeding
        reader.feed_eof()
        return text, await reader.read()

    return asyncio.run(run())


@given(TEXTS.filter(lambda text: not text or text.endswith(b"\r\n")), st.data())
def test_it_reads_what_was_meant(text: bytes, data: st.DataObject) -> None:
    sent = encoded(text) + b"QUIT\r\n"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=6)))
    assert read(sent, cuts) == (text, b"QUIT\r\n")


@given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=6))
def test_it_ends_at_the_first_end_and_nowhere_else(noise: bytes, cuts: list[int]) -> None:
    sent = noise + b"\r\n.\r\n"
    first = (b"\r\n" + sent).index(b"\r\n.\r\n")
    text, left = read(sent, sorted(cut for cut in cuts if cut <= len(sent)))
    assert left == (b"\r\n" + sent)[first + 5 :]
    assert text == (b"\r\n" + sent)[: first + 2].replace(b"\r\n.", b"\r\n")[2:]


def test_it_says_what_was_too_much() -> None:
    mail = b"x" * 998 + b"\r\n"
    assert read(mail + b".\r\n", [], limit=1_000)[0] == mail
    with pytest.raises(TooBig) as drained:
        read(mail * 2 + b".\r\n", [], limit=1_000)
    assert drained.value.drained
    with pytest.raises(TooBig) as left:
        read(mail * 9 + b".\r\n", [], limit=1_000)
    assert not left.value.drained
    with pytest.raises(NoRoom):
        read(mail + b".\r\n", [], room=500)
