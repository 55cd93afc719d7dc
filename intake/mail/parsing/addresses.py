"""Addresses of a mail: From, To and their like, as they should be (RFC 5322, RFC 6532) and as they are sent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from core.mail_addresses import address_key
from intake.mail.parsing import bounds
from intake.mail.parsing.charsets import Charsets
from intake.mail.parsing.words import decode_words, one_line, unfold

_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|<([^<>]*)(?:>|$|(?=<))|([^",:;<>()\\]+)|(\\.|.)', re.DOTALL)
_ADDRESS = re.compile(
    r"[^\s<>()\[\],;:\"\\@][^\s<>()\[\],;:\"\\]{0,63}@(?:[^\s<>()\[\],;:\"\\@]{1,253}|\[[\w.:]{1,60}\])"
)
_QUOTED_LOCAL = re.compile(r'"[^"\r\n]{1,64}"@[^\s<>()\[\],;:"\\@]{1,253}')
_UNSAFE = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]+")
_ROUTE = re.compile(r"^@[^:]{1,500}:(?=[^:]*@)")
_COMMENT = re.compile(r"\((?:[^()\\]|\\.)*\)?")
_SPACED = re.compile(r"\s[.@]\s*\S|@\s")
_MARKS = re.compile(r'[<>"]|\[\s*\]|\[mailto:\s*\]')
_PHRASE_QUOTES = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Address:
    """A mailbox. ``address`` is as written, with its domain in small letters; empty where none could be read."""

    name: str = ""
    address: str = ""

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2] if "@" in self.address else ""

    @property
    def key(self) -> str:
        """What to compare addresses by: all in small letters, an international domain in its ASCII form."""
        return address_key(self.address)

    @property
    def readable(self) -> str:
        """The address for people: an international domain in its own letters."""
        local, at, domain = self.address.rpartition("@")
        return f"{local}{at}{_readable_domain(domain)}"

    def __str__(self) -> str:
        if not self.name or not self.address:
            return self.address or self.name
        plain = re.fullmatch(r"[^\x00-\x1f()<>@,;:\\\".\[\]]+", self.name) is not None
        name = self.name if plain else '"' + self.name.replace("\\", "\\\\").replace('"', '\\"') + '"'
        return f"{name} <{self.address}>"


@lru_cache(maxsize=1024)
def _readable_domain(domain: str) -> str:
    if "xn--" not in domain or len(domain) > 253:
        return domain
    try:
        readable = domain.encode("ascii").decode("idna")
    except UnicodeError:
        return domain
    return readable if readable.isprintable() else domain


def read_addresses(raw: bytes | None, charsets: Charsets) -> tuple[Address, ...]:
    """The mailboxes of a field; members of a group count, its name does not. At most ``bounds.ADDRESSES``."""
    if raw is None or not raw.strip():
        return ()
    text = charsets.decode(unfold(raw))
    reader = _Reader(charsets)
    depth = 0
    for found in _TOKEN.finditer(text):
        other = found[4]
        if depth or other == "(":
            depth = reader.comment(found[0], depth)
        elif found[1] is not None:
            reader.quoted(found[1])
        elif found[2] is not None:
            reader.angle(found[2])
        elif found[3] is not None:
            reader.phrase(found[3])
        elif other in (",", ";"):
            reader.flush()
        elif other == ":":
            reader.colon()
        elif other not in (">", "<"):
            reader.phrase(other[-1])
        if len(reader.found) >= bounds.ADDRESSES:
            return tuple(reader.found)
    reader.flush()
    return tuple(reader.found)


class _Reader:
    """One mailbox at a time: its phrase, its bracketed address, its comments."""

    def __init__(self, charsets: Charsets) -> None:
        self.charsets = charsets
        self.found: list[Address] = []
        self.clear()

    def clear(self) -> None:
        self.words: list[str] = []
        self.raw: list[str] = []
        self.comments: list[str] = []
        self.brackets: str | None = None

    def comment(self, mark: str, depth: int) -> int:
        if mark == "(":
            self.comments.append("(" if depth else "")
            return depth + 1
        if mark == ")" and depth == 1:
            return 0
        self.comments[-1] += mark.removeprefix("\\")
        return depth - (mark == ")")

    def quoted(self, text: str) -> None:
        text = _PHRASE_QUOTES.sub(r"\1", text) if "\\" in text else text
        self.words.append(text if not self.words or self.words[-1].endswith(" ") else f" {text}")
        self.raw.append(f'"{text}"')

    def angle(self, text: str) -> None:
        if self.brackets is None or ("@" not in self.brackets and "@" in text):
            self.brackets = text
        self.raw.append(f"<{text}>")

    def phrase(self, text: str) -> None:
        if (
            self.words
            and not text[0].isspace()
            and self.raw
            and self.raw[-1].endswith('"')
            and text[0] != "@"
        ):
            self.words.append(" ")
        self.words.append(text)
        self.raw.append(text)

    def colon(self) -> None:
        """The end of a group's name; in a name that is not quoted, or before a scheme, a character as others."""
        before = "".join(self.raw)
        if self.brackets is None and "@" not in before and not before.lower().endswith("[mailto"):
            self.words, self.raw = [], []
            self.comments = []
        else:
            self.phrase(":")

    def flush(self) -> None:
        if self.raw or self.comments:
            found = self._mailbox()
            if found.address or found.name:
                self.found.append(found)
        self.clear()

    def _mailbox(self) -> Address:
        words = "".join(self.words)
        comment = " ".join(text.strip() for text in self.comments)
        if self.brackets is not None:
            address = _clean_address(decode_words(self.brackets, self.charsets))
            if address:
                return Address(self._name(words) or self._name(comment), address)
        whole = "".join(self.raw)
        if "@" in whole and _SPACED.search(whole):
            whole = _tight(whole)
        found = _QUOTED_LOCAL.search(whole) or _ADDRESS.search(whole) or _ADDRESS.search(_tight(whole))
        if found is None and "=?" in whole:  # encoded name and all, as some programs do
            whole = decode_words(whole, self.charsets)
            found = _ADDRESS.search(whole)
        if found is None and "@" in comment:  # in brackets that were never closed
            found = _ADDRESS.search(comment)
            comment = comment.partition("<")[0] if found else comment
        if found is None:
            return Address(self._name(words) or self._name(comment), "")
        name = self._name(_MARKS.sub(" ", whole.replace(found[0], " ")))
        return Address(name or self._name(comment), _clean_address(found[0]))

    def _name(self, text: str) -> str:
        name = one_line(decode_words(text.strip(), self.charsets)).strip("'\" \t,;")
        return _UNSAFE.sub(" ", name).strip()


def _tight(text: str) -> str:
    return re.sub(r"\s*([.@])\s*", r"\1", text[:2_000])


def _clean_address(text: str) -> str:
    """An address without white space, controls, route and the marks around it; empty if it is none."""
    if "(" in text:
        text = _COMMENT.sub("", text[:1_000])
    text = _UNSAFE.sub(" " if '"' in text else "", _ROUTE.sub("", text.strip()[:1_000])).strip("'<>,; ")
    text = text[7:].partition("?")[0] if text[:7].lower() == "mailto:" else text
    text = text[1:-1] if len(text) > 2 and text[0] == text[-1] == '"' else text
    local, at, domain = text.rpartition("@")
    domain = domain.strip(".'\"").lower()
    if not at or not local or not domain or len(text) > 400:
        return ""
    return f"{local}@{domain}"
