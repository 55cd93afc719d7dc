"""What an opaque S/MIME signature wraps: the signed mail, for its text. Nothing is verified here (RFC 5652)."""

from __future__ import annotations

_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
_DATA = bytes.fromhex("06092a864886f70d010701")


def wrapped_content(data: bytes) -> bytes | None:
    """The content of CMS signed data; None where there is none, or where it is encrypted."""
    if _SIGNED_DATA not in data[:100]:
        return None
    at = data.find(_DATA, 0, 10_000)
    if at < 0:
        return None
    position = at + len(_DATA)
    explicit = _header(data, position)
    if explicit is None or explicit[0] != 0xA0:
        return None
    return _octets(data, explicit[1])


def _header(data: bytes, position: int) -> tuple[int, int, int | None] | None:
    """Tag, where the content starts, and its length; None as length where it is indefinite."""
    if position + 2 > len(data):
        return None
    tag, length = data[position], data[position + 1]
    position += 2
    if length == 0x80:
        return tag, position, None
    if length > 0x80:
        count = length & 0x7F
        if count > 4 or position + count > len(data):
            return None
        length = int.from_bytes(data[position : position + count], "big")
        position += count
    return tag, position, length


def _octets(data: bytes, position: int) -> bytes | None:
    """An OCTET STRING, in one piece or in several."""
    head = _header(data, position)
    if head is None:
        return None
    tag, start, length = head
    if tag == 0x04 and length is not None:
        return data[start : start + length]
    if tag != 0x24:
        return None
    end = len(data) if length is None else min(start + length, len(data))
    out: list[bytes] = []
    while start < end:
        piece = _header(data, start)
        if piece is None or piece[0] != 0x04 or piece[2] is None:
            break
        out.append(data[piece[1] : piece[1] + piece[2]])
        start = piece[1] + piece[2]
    return b"".join(out)
