"""Content-Type and Content-Disposition: a value and its parameters (RFC 2045, RFC 2231, and what is sent)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from intake.mail.parsing.charsets import Charsets, clean
from intake.mail.parsing.words import decode_words, unfold

# A parameter: a name, "=", and a quoted value (its closing quote may be missing) or one up to the semicolon.
# A sender may leave out the semicolon between two: then a token ends where the next "name=" begins.
_PARAMETER = re.compile(
    r"""([^\s=;"]{1,80})[ ]*=[ ]*(?:"((?:[^"\\]|\\.)*)(?:"|$)|([^;]*?)(?=;|$|\s+[\w*.-]{1,40}[ ]*=(?!\?)))"""
)
_PIECE = re.compile(r"([^*]+)(?:\*(\d{1,4}))?(\*?)\**")
_ESCAPED = re.compile(r"\\(.)")
_TOKEN = re.compile(r"[\w!#$%&'*+.^`|~-]+(?:/[\w!#$%&'*+.^`|~-]+)?")


@dataclass(frozen=True, slots=True)
class Valued:
    """A value in small letters, such as ``text/plain`` or ``attachment``, and its parameters by small name."""

    value: str = ""
    parameters: dict[str, str] = field(default_factory=dict)


def read_valued(raw: bytes | None, charsets: Charsets) -> Valued:
    """The value and the parameters of a field; empty ones where there is nothing to understand."""
    if raw is None:
        return Valued()
    # Only the first 16 kB: no name is longer, and what is shorter is read in no time.
    text = charsets.decode(unfold(raw[:16_000]))
    head, _, rest = text.partition(";")
    if "=" in head:
        head, more = _missing_semicolon(head)
        rest = f"{more};{rest}"
    if "(" in head:
        head = _without_comments(head)
    value = head.replace(" ", "").replace("\t", "").strip('"').lower()
    if not rest.strip():
        return Valued(value)
    return Valued(value, _joined(rest, charsets))


def _missing_semicolon(head: str) -> tuple[str, str]:
    found = _TOKEN.match(head.strip())
    if found is None or head.strip()[found.end() : found.end() + 1] == "=":
        return "", head
    return found[0], head.strip()[found.end() :]


def _joined(text: str, charsets: Charsets) -> dict[str, str]:
    whole: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[bool, str]]] = {}
    for found in _PARAMETER.finditer(text):
        quoted = found[2] is not None
        value = (
            _ESCAPED.sub(r"\1", found[2]) if quoted and "\\" in found[2] else found[2] if quoted else found[3]
        )
        value = value if quoted else _unquoted(value)
        name = _PIECE.match(found[1].lower())
        if name is None:
            continue
        if name[2] is None and not name[3]:
            if value and name[1] not in whole:
                whole[name[1]] = decode_words(value, charsets)
        else:
            pieces.setdefault(name[1], {}).setdefault(int(name[2] or 0), (bool(name[3]), value))
    for name_, numbered in pieces.items():
        whole[name_] = _extended([numbered[number] for number in sorted(numbered)], charsets) or whole.get(
            name_, ""
        )
    return whole


def _unquoted(value: str) -> str:
    value = value.strip()
    # A comment after the token, as in "us-ascii (Plain text)"; a name may well contain a bracket.
    if value.endswith(")") and "." not in value and " (" in value:
        value = value.partition(" (")[0]
    return value.strip("'\" ") if value[:1] in "'\"" else value


def _extended(pieces: list[tuple[bool, str]], charsets: Charsets) -> str:
    """The pieces of a parameter (RFC 2231, 3 and 4): the first may name a charset, each may be percent-encoded."""
    charset = ""
    out: list[bytes] = []
    encoded_any = False
    for number, (encoded, value) in enumerate(pieces):
        if number == 0 and encoded and value.count("'") >= 2:
            charset, _, value = value.split("'", 2)
        if encoded or ("%" in value and encoded_any and "'" not in value):
            out.append(unquote_to_bytes(value) if encoded else value.encode("utf-8", "replace"))
            encoded_any = True
        else:
            out.append(
                value.encode(charset_of(charset), "replace") if charset else value.encode("utf-8", "replace")
            )
    joined = charsets.decode(b"".join(out), charset or None)
    return joined if encoded_any else decode_words(joined, charsets)


def charset_of(declared: str) -> str:
    """Python's codec for a declared charset, UTF-8 if there is none."""
    from intake.mail.parsing.charsets import codec_for

    return codec_for(declared) or "utf-8"


def _without_comments(text: str) -> str:
    out: list[str] = []
    depth = 0
    for character in text:
        if character == "(":
            depth += 1
        elif character == ")" and depth:
            depth -= 1
        elif not depth:
            out.append(character)
    return clean("".join(out))
