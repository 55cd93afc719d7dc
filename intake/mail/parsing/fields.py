"""The header block of a mail or of a part: its fields, in their order, as bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from intake.mail.parsing import bounds

_NAME = re.compile(rb"([!-9;-~]{1,200})[ \t]*:")
_USUAL = re.compile(
    rb"(?:content-|x-|mime-version|from|to|cc|bcc|sender|reply-to|subject|date|message-id|in-reply-to"
    rb"|references|received|return-path|delivered-to|list-|dkim-|arc-|user-agent|importance|auto|thread-"
    rb"|precedence|priority|authentication-)[^\s:]*[ \t]*:",
    re.IGNORECASE,
)
# These are kept however many others there are before them.
_WANTED = frozenset(
    b"from to cc sender reply-to subject date message-id in-reply-to references return-path content-type"
    b" content-transfer-encoding content-disposition mime-version auto-submitted precedence".split()
)


@dataclass(slots=True)
class Fields:
    """Header fields by their name in small letters. ``cut`` is true if there were too many, or too long ones."""

    items: list[tuple[bytes, bytes]] = field(default_factory=list)
    cut: bool = False

    def first(self, name: bytes) -> bytes | None:
        """The value of the topmost field of a name, folds and all; an empty one only if there is no other."""
        empty = None
        for key, value in self.items:
            if key == name:
                if value.strip():
                    return value
                empty = value if empty is None else empty
        return empty

    def every(self, name: bytes) -> list[bytes]:
        """The values of all fields of a name, from the top."""
        return [value for key, value in self.items if key == name]


def read_fields(data: bytes, start: int, end: int, kept: int = 0) -> tuple[Fields, int]:
    """The fields that stand at ``start``, and where the body begins.

    ``kept`` is how many bytes of the mail's header fields are held already. A line that is no field ends the
    header block and begins the body, unless more of the usual fields follow it: then it belongs to the field
    above, as a line does that was folded without its space.
    """
    fields = Fields()
    room = bounds.HEADER_KEPT - kept
    name, value = b"", bytearray()
    limit = min(end, start + bounds.HEADER_BLOCK)
    position = start
    while position < end:
        if position >= limit:
            fields.cut = True
            position = _after_blank_line(data, position, end)
            break
        line_end = data.find(b"\n", position, end)
        after = end if line_end < 0 else line_end + 1
        line = (
            data[position:after]
            if after - position <= bounds.FIELD
            else data[position : position + bounds.FIELD]
        )
        fields.cut = fields.cut or after - position > bounds.FIELD
        if not line.strip(b"\r\n"):
            position = after
            break
        found = None if line[:1] in b" \t" else _NAME.match(line)
        if found is not None:
            room -= _keep(fields, name, value, room)
            name, value = found[1].lower(), bytearray(line[found.end() :])
        elif name and (line[:1] in b" \t" or _more_follow(data, after, limit)):
            if not line.strip() and not _is_fold(data, after, end):
                position = after
                break
            if len(value) < bounds.FIELD:
                value += line
        elif name or not _more_follow(data, after, limit, lines=1):
            break
        position = after
    _keep(fields, name, value, room)
    return fields, position


def _keep(fields: Fields, name: bytes, value: bytearray, room: int) -> int:
    if not name:
        return 0
    many = len(fields.items) >= bounds.FIELDS or len(value) > room
    if many and (name not in _WANTED or any(key == name for key, _ in fields.items)):
        fields.cut = True
        return 0
    fields.items.append((name, bytes(value)))
    return len(value) + len(name)


def _is_fold(data: bytes, position: int, end: int) -> bool:
    """Whether the line after one of blanks only goes on with the header: a fold of blanks is obsolete, and legal."""
    line_end = data.find(b"\n", position, min(end, position + bounds.FIELD))
    line = data[position : line_end if line_end >= 0 else end][:200]
    return bool(line.strip()) and (line[:1] in b" \t" or _USUAL.match(line) is not None)


def _more_follow(data: bytes, position: int, end: int, lines: int = 10) -> bool:
    """Whether one of the next lines of the block is a usual field."""
    for _ in range(lines):
        line_end = data.find(b"\n", position, min(end, position + bounds.FIELD))
        line = data[position:line_end] if line_end >= 0 else data[position : position + 200]
        if not line.strip() or line.startswith(b"--"):
            return False
        if _USUAL.match(line):
            return True
        if line_end < 0:
            return False
        position = line_end + 1
    return False


def _after_blank_line(data: bytes, position: int, end: int) -> int:
    ends = [at + len(blank) for blank in (b"\n\r\n", b"\n\n") if (at := data.find(blank, position, end)) >= 0]
    return min(ends, default=end)


def blocks(data: bytes) -> Iterator[Fields]:
    """The groups of fields of a delivery or disposition report, which stand between blank lines (RFC 3464)."""
    position = 0
    for _ in range(bounds.PARTS):
        while position < len(data) and data[position : position + 1] in b"\r\n \t":
            position += 1
        if position >= len(data):
            return
        fields, after = read_fields(data, position, len(data))
        if after <= position:
            line_end = data.find(b"\n", position)
            after = len(data) if line_end < 0 else line_end + 1
        if fields.items:
            yield fields
        position = after
