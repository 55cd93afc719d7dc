"""The text of a mail as it is sent after DATA (RFC 5321, 4.5.2): its end, its dots, its size.

Only CR LF . CR LF ends a mail. A dot alone between other line ends is text, so that nobody can hide a second
mail in one that another server has passed on; it can be a mistake, and is kept as it came.
"""

from __future__ import annotations

import io
from asyncio import LimitOverrunError, StreamReader
from collections.abc import Callable

_END = b"\r\n.\r\n"
_READ_ON = 4


class TooBig(Exception):
    """The mail has more bytes than allowed. ``drained``: all of it has been read, so the dialogue can go on."""

    def __init__(self, *, drained: bool) -> None:
        super().__init__("the mail is too big")
        self.drained = drained


class NoRoom(Exception):
    """There was no room for the mail; it has been read to its end."""


async def read_text(reader: StreamReader, limit: int, has_room: Callable[[int], bool]) -> bytes:
    """The mail, without its end and the dots that were added; :class:`TooBig` if it has over ``limit`` bytes.

    ``has_room`` is told the length of each piece; when it says no, the mail is read on and :class:`NoRoom` raised.
    What is many times the limit is not read to its end.
    """
    # The end may follow at once: its first line end is then the one of the DATA command.
    reader._buffer[:0] = b"\r\n"  # type: ignore[attr-defined]  # the reader has no way to unread
    text, size, room, ended = _Text(), -2, True, False
    while not ended:
        try:
            piece = (await reader.readuntil(_END))[: 2 - len(_END)]
            ended = True
        except LimitOverrunError as more:
            piece = await reader.read(more.consumed)
        size += len(piece)
        room = has_room(len(piece)) and room
        if size > limit * _READ_ON:
            raise TooBig(drained=False)
        if room and size <= limit:
            text.add(piece)
        else:
            text = _Text()  # its memory is needed by others
    if size > limit:
        raise TooBig(drained=True)
    if not room:
        raise NoRoom
    return text.whole()


class _Text:
    """Collects pieces without the first line end and without the dots that a sender adds to lines."""

    def __init__(self) -> None:
        self._out, self._held, self._skip = io.BytesIO(), b"", 2

    def add(self, piece: bytes) -> None:
        data = self._held + piece
        # A line end at the end of a piece waits for what the next piece begins with.
        self._held = b"\r\n" if data.endswith(b"\r\n") else b"\r" if data.endswith(b"\r") else b""
        self._write(data[: len(data) - len(self._held)].replace(b"\r\n.", b"\r\n"))

    def whole(self) -> bytes:
        self._write(self._held)
        return self._out.getvalue()

    def _write(self, data: bytes) -> None:
        if data:
            self._out.write(memoryview(data)[self._skip :])
            self._skip = 0
