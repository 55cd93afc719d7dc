"""winmail.dat unpacked: the attachments and the text that Outlook packed into it (MS-OXTNEF).

Written here rather than left to a library: the one there is counts up to four thousand million at the word of
the sender, and copies what is left of the file for every attribute in it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from intake.mail.parsing import bounds
from intake.mail.parsing.charsets import Charsets

_SIGNATURE = 0x223E9F78
_BODY, _CODEPAGE, _MAPI = 0x800C, 0x9007, 0x9003
_BEGINS, _TITLE, _DATA, _ATTACHMENT = 0x9002, 0x8010, 0x800F, 0x9005
# Properties of a message, and of an attachment (MS-OXPROPS).
_TEXT, _HTML, _RTF, _INTERNET_CODEPAGE, _SUBJECT = 0x1000, 0x1013, 0x1009, 0x3FDE, 0x0037
_OBJECT, _NAME, _LONG_NAME, _MIME, _CONTENT_ID, _DISPLAY = 0x3701, 0x3704, 0x3707, 0x370E, 0x3712, 0x3001
_SIZES = {0x0002: 4, 0x0003: 4, 0x0004: 4, 0x0005: 8, 0x0006: 8, 0x0007: 8, 0x000A: 4, 0x000B: 4,
          0x0014: 8, 0x0040: 8, 0x0048: 16}  # fmt: skip
_MESSAGE_OBJECT = bytes.fromhex("0703020000000000c000000000000046")


@dataclass(slots=True)
class Packed:
    """An attachment in a winmail.dat."""

    name: str = ""
    content_type: str = ""
    content_id: str = ""
    data: bytes = b""


@dataclass(slots=True)
class Winmail:
    """What a winmail.dat holds."""

    text: str = ""
    html: str = ""
    rtf: bytes = b""
    attachments: list[Packed] = field(default_factory=list)


def unpack(data: bytes, charsets: Charsets, depth: int = 0) -> Winmail | None:
    """The contents of a winmail.dat; None if it is none. What is broken in it ends it there."""
    if len(data) < 6 or len(data) > bounds.TNEF or struct.unpack_from("<I", data)[0] != _SIGNATURE:
        return None
    found = Winmail()
    codepage = "cp1252"
    for name, content in _attributes(data):
        if name == _CODEPAGE and len(content) >= 4:
            codepage = f"cp{struct.unpack_from('<I', content)[0]}"
        elif name == _BODY:
            found.text = found.text or charsets.decode(bytes(content).rstrip(b"\0"), codepage)
        elif name == _MAPI:
            _message(found, content, charsets, codepage)
        elif name == _BEGINS:
            if len(found.attachments) >= bounds.PARTS:
                break
            found.attachments.append(Packed())
        elif found.attachments:
            _attachment(found, name, content, charsets, codepage, depth)
    return found


def _attributes(data: bytes) -> Iterator[tuple[int, memoryview]]:
    view = memoryview(data)
    position = 6
    while position + 11 <= len(data):
        name, length = struct.unpack_from("<H2xI", data, position + 1)
        if data[position] not in (1, 2) or position + 9 + length > len(data):
            return
        yield name, view[position + 9 : position + 9 + length]
        position += 11 + length


def _message(found: Winmail, content: memoryview, charsets: Charsets, codepage: str) -> None:
    properties = dict(_properties(content))
    number = properties.get(_INTERNET_CODEPAGE)
    internet = f"cp{struct.unpack_from('<I', number[1])[0]}" if number and len(number[1]) >= 4 else codepage
    if _TEXT in properties:
        found.text = _string(properties[_TEXT], charsets, codepage) or found.text
    if _HTML in properties:
        found.html = _string(properties[_HTML], charsets, internet)
    if _RTF in properties:
        found.rtf = bytes(properties[_RTF][1])


def _attachment(
    found: Winmail, name: int, content: memoryview, charsets: Charsets, codepage: str, depth: int
) -> None:
    packed = found.attachments[-1]
    if name == _TITLE:
        packed.name = packed.name or charsets.decode(bytes(content[:1_000]).rstrip(b"\0"), codepage)
    elif name == _DATA:
        packed.data = bytes(content)
    elif name == _ATTACHMENT:
        properties = dict(_properties(content))
        names = (_string(properties[each], charsets, codepage) for each in (_LONG_NAME, _NAME, _DISPLAY)
                 if each in properties)  # fmt: skip
        packed.name = next(filter(None, names), packed.name)
        packed.content_type = _string(properties.get(_MIME), charsets, codepage)[:100]
        packed.content_id = _string(properties.get(_CONTENT_ID), charsets, codepage)[:300]
        if _OBJECT in properties:
            _object(found, packed, bytes(properties[_OBJECT][1]), charsets, depth)


def _object(found: Winmail, packed: Packed, data: bytes, charsets: Charsets, depth: int) -> None:
    """An attachment that is a message of its own: its text and its attachments are brought out."""
    if not data.startswith(_MESSAGE_OBJECT):
        packed.data = packed.data or data
        return
    packed.data = data[len(_MESSAGE_OBJECT) :]
    inner = unpack(packed.data, charsets, depth + 1) if depth < 5 else None
    if inner is not None:
        if inner.text:
            packed.content_type, packed.data = "text/plain", inner.text.encode("utf-8")
            packed.name = f"{packed.name or 'message'}.txt"
        elif inner.html:
            packed.content_type, packed.data = "text/html", inner.html.encode("utf-8")
            packed.name = f"{packed.name or 'message'}.html"
        found.attachments[-1:] = [packed, *inner.attachments][: bounds.PARTS]


def _properties(view: memoryview) -> Iterator[tuple[int, tuple[int, memoryview]]]:
    """Property number, and its type with its first value. Ends at what does not fit in the bytes."""
    if len(view) < 4:
        return
    (count,) = struct.unpack_from("<I", view)
    position = 4
    try:
        for _ in range(min(count, len(view) // 8)):
            kind, number = struct.unpack_from("<HH", view, position)
            position += 4
            if number >= 0x8000:
                position = _skip_name(view, position)
            value, position = _value(view, kind, position)
            yield number, (kind & 0x0FFF, value)
    except (struct.error, ValueError):
        return


def _skip_name(view: memoryview, position: int) -> int:
    (kind,) = struct.unpack_from("<I", view, position + 16)
    if kind == 0:
        return position + 24
    length: int = struct.unpack_from("<I", view, position + 20)[0]
    return position + 24 + (length + 3) // 4 * 4


def _value(view: memoryview, kind: int, position: int) -> tuple[memoryview, int]:
    several = bool(kind & 0x1000)
    kind &= 0x0FFF
    size = _SIZES.get(kind)
    count = 1
    if several or size is None:
        (count,) = struct.unpack_from("<I", view, position)
        position += 4
    if size is not None:
        if several and kind == 0x0002:
            size = 2
        end = position + (count * size + 3) // 4 * 4
        if end > len(view):
            raise ValueError("a property is longer than its attribute")
        return view[position : position + size], end
    if kind not in (0x001E, 0x001F, 0x0102, 0x000D) or count > len(view):
        raise ValueError("a property of an unknown type")
    first = view[position:position]
    for number in range(count):
        (length,) = struct.unpack_from("<I", view, position)
        if position + 4 + length > len(view):
            raise ValueError("a property is longer than its attribute")
        first = view[position + 4 : position + 4 + length] if number == 0 else first
        position += 4 + (length + 3) // 4 * 4
    return first, position


def _string(value: tuple[int, memoryview] | None, charsets: Charsets, codepage: str) -> str:
    if value is None:
        return ""
    kind, content = value
    if kind == 0x001F:
        return charsets.decode(bytes(content), "utf-16-le").rstrip("\0")
    return charsets.decode(bytes(content).rstrip(b"\0"), codepage)
