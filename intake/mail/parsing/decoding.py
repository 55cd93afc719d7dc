"""Content-Transfer-Encoding undone, leniently: what cannot be decoded stays as it was sent."""

from __future__ import annotations

import binascii
import re

_DIGITS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_OTHERS = bytes(byte for byte in range(256) if byte not in _DIGITS)
_KNOWN = _DIGITS + b"=\r\n\t "
_PADDED_SOFT_BREAK = re.compile(rb"=[ \t]+(?=\r?\n)")
_ENCODED_WORD = re.compile(rb"[ \t]*([A-Za-z0-9+/]{14,}={0,2})(?:\s|$)")
_ENCODED_LINES = re.compile(
    rb"\s*(?:[A-Za-z0-9+/]{40,}[ \t]*\r?\n)+(?:[A-Za-z0-9+/]*={0,2}[ \t]*(?:\r?\n|$))?"
)
_BEGIN = re.compile(rb"(?:^|\n)begin(?:-base64)? [0-7]{3,4} ([^\r\n]{1,300})\r?\n")
_UU_END = re.compile(rb"\n(?:end|====)[ \t]*(?:\r?\n|$)")


def encoding_name(raw: bytes | None) -> str:
    """What a Content-Transfer-Encoding means: ``base64``, ``quoted-printable``, ``x-uuencode`` or ``""``."""
    name = (raw or b"")[:200].decode("latin-1").strip().lower().partition(";")[0].strip(" \t\r\n\"'")
    plain = name.replace(" ", "").replace("-", "").replace("_", "")
    if plain in ("base64", "b64"):
        return "base64"
    if plain in ("quotedprintable", "qp"):
        return "quoted-printable"
    return "x-uuencode" if plain in ("xuuencode", "uuencode", "xuue", "uue") else ""


def transfer_decode(data: memoryview, encoding: str) -> bytes:
    """The bytes of a part. An unknown encoding is none."""
    if encoding == "base64":
        return _base64(data)
    if encoding == "quoted-printable":
        return _quoted_printable(bytes(data))
    if encoding == "x-uuencode":
        raw = bytes(data)
        found = uu_blocks(raw)
        # Some senders leave out the line "begin 644 name", since the part has a name already.
        bare = raw.strip(b"\r\n").removesuffix(b"end")
        return found[0][3] if found and found[0][3] else _uu(bare.split(b"\n")) or raw
    return bytes(data)


def _quoted_printable(data: bytes) -> bytes:
    if b"=" not in data:
        return data
    if b"= " in data or b"=\t" in data:
        data = _PADDED_SOFT_BREAK.sub(b"=", data)
    return binascii.a2b_qp(data)


def _base64(data: memoryview) -> bytes:
    try:
        decoded = binascii.a2b_base64(data)
    except binascii.Error:
        decoded = None
    # Whole, unless the reader stopped at padding inside, or the text was never base64: look closer then.
    if decoded is not None and len(decoded) * 4 // 3 >= len(data) * 0.9 - 8:
        return decoded
    return _base64_in_pieces(bytes(data))


def _base64_in_pieces(data: bytes) -> bytes:
    strange = len(data.translate(None, _KNOWN))
    if strange * 10 > len(data) or _is_prose(data):
        data = _encoded_head(data) or data
        strange = len(data.translate(None, _KNOWN))
        if strange or not data.strip():
            return data
    out: list[bytes] = []
    # Some senders pad every line, or join what was encoded apart: each piece ends with its padding.
    for piece in re.split(rb"=+[ \t]*(?=[\r\n]|$)", data):
        head, padding, rest = piece.partition(b"=")
        digits = (head if padding and rest.strip() else piece).translate(None, _OTHERS)
        if out and strange and not _looks_encoded(piece):
            break  # something that was added after the end, such as the footer of a list
        digits = digits[:-1] if len(digits) % 4 == 1 else digits
        out.append(binascii.a2b_base64(digits + b"=" * (-len(digits) % 4)))
        if padding and rest.strip():
            break
    return b"".join(out)


def _encoded_head(data: bytes) -> bytes:
    """The lines before what somebody added behind them, such as the footer of a list; empty if there are none."""
    found = _ENCODED_LINES.match(data)
    return found[0] if found is not None and found[0].count(b"\n") >= 3 else b""


def _is_prose(data: bytes) -> bool:
    lines = [line for line in data[:4_000].splitlines() if line.strip()]
    if lines and (found := _ENCODED_WORD.match(lines[0])) and len(found[1]) % 4 == 0:
        return False
    spaced = sum(1 for line in lines if b" " in line.strip())
    return spaced * 2 > len(lines)


def _looks_encoded(piece: bytes) -> bool:
    return not piece.strip().translate(None, _KNOWN) and b" " not in piece.strip()


def uu_blocks(data: bytes) -> list[tuple[int, int, bytes, bytes]]:
    """Files written into a text by uuencode: start and end in ``data``, name, content. At most 100."""
    found: list[tuple[int, int, bytes, bytes]] = []
    position = failed = 0
    while len(found) < 100 and failed < 10 and (begin := _BEGIN.search(data, position)):
        end = _UU_END.search(data, begin.end() - 1) or re.compile(rb"\Z").search(data)
        if end is None:
            break
        lines = data[begin.end() : end.start()].split(b"\n")
        based = data[begin.start() : begin.end()].lstrip(b"\n").startswith(b"begin-base64")
        content = _base64(memoryview(b"".join(lines))) if based else _uu(lines)
        if content is None:
            failed += 1
            position = begin.end() - 1
            continue
        start = begin.start() + (data[begin.start() : begin.start() + 1] == b"\n")
        found.append((start, end.end(), begin[1].strip(), content))
        position = end.end() - 1
    return found


def _uu(lines: list[bytes]) -> bytes | None:
    out: list[bytes] = []
    for line in lines:
        line = line.rstrip(b"\r\n")
        if not line or line in (b"`", b" "):
            continue
        count = (line[0] - 32) & 63
        if line[0] < 32 or line[0] > 96 or len(line) < 1 + (count * 8 + 5) // 6 - 3:
            return None  # prose that happens to begin with "begin 644 ..."
        try:
            out.append(binascii.a2b_uu(line))
        except binascii.Error:
            length = 1 + (count + 2) // 3 * 4
            try:
                out.append(binascii.a2b_uu(line[:length]))
            except binascii.Error:
                return None
    return b"".join(out)
