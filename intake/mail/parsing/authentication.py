"""What our own receiver found out about a sender: Authentication-Results (RFC 8601).

Only a field of our own receiver counts, and of those only the topmost: whatever is below may have come with
the mail. ``behind`` tells how many servers handled the mail after that field was written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from intake.mail.parsing.fields import Fields
from intake.mail.parsing.words import unfold

_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"?|([;=()/])|([^\s"\\;=()/]+)|(\s+)|(.)', re.DOTALL)
_RESULTS = frozenset(
    (
        "none",
        "pass",
        "fail",
        "softfail",
        "neutral",
        "policy",
        "temperror",
        "permerror",
        "hardfail",
        "nxdomain",
        "discard",
    )
)


@dataclass(frozen=True, slots=True)
class Method:
    """One method's result, such as ``dkim`` ``pass``, with its properties such as ``header.d``."""

    name: str
    result: str
    reason: str = ""
    properties: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Authentication:
    """The results of our receiver; a method that is not named has the result ``none``."""

    authserv_id: str
    methods: tuple[Method, ...] = ()
    behind: int = 0

    def _result(self, name: str) -> str:
        results = [method.result for method in self.methods if method.name == name]
        return "pass" if "pass" in results else results[0] if results else "none"

    @property
    def spf(self) -> str:
        return self._result("spf")

    @property
    def dkim(self) -> str:
        return self._result("dkim")

    @property
    def dmarc(self) -> str:
        return self._result("dmarc")

    def domains(self, name: str) -> tuple[str, ...]:
        """The domains that a method vouches for: signers (dkim), envelope sender or HELO (spf), From (dmarc)."""
        keys = {
            "dkim": ("header.d", "header.i"),
            "spf": ("smtp.mailfrom", "smtp.helo"),
            "dmarc": ("header.from",),
        }
        found: dict[str, None] = {}
        for method in self.methods:
            if method.name == name and method.result == "pass":
                values = [method.properties[key] for key in keys.get(name, ()) if method.properties.get(key)]
                found.update(dict.fromkeys(value.rpartition("@")[2].lower() for value in values[:1]))
        return tuple(found)


def read_authentication(fields: Fields, authserv_id: str | None) -> Authentication | None:
    """The results of the receiver that calls itself ``authserv_id``; None without one, or without its field."""
    if not authserv_id:
        return None
    behind = 0
    for name, value in fields.items:
        if name == b"received":
            behind += 1
        if name == b"authentication-results":
            read = parse_results(unfold(value).decode("utf-8", "replace"))
            if read is not None and read.authserv_id == authserv_id.strip().lower().rstrip("."):
                return Authentication(read.authserv_id, read.methods, behind)
    return None


def parse_results(text: str) -> Authentication | None:
    """A field's value. None if it names no authserv-id. What cannot be understood in it is left out."""
    sections = _sections(text)
    if not sections or not sections[0]:
        return None
    authserv_id = sections[0][0].lower().rstrip(".")
    methods = [method for section in sections[1:51] if (method := _method(section))]
    return Authentication(authserv_id, tuple(methods))


def _sections(text: str) -> list[list[str]]:
    """The tokens between semicolons, without comments and blanks; quoted strings are marked by a NUL before."""
    sections: list[list[str]] = [[]]
    depth = 0
    for quoted, mark, word, blank, _ in _TOKEN.findall(text.replace("\0", "")):
        if mark == "(":
            depth += 1
        elif mark == ")":
            depth = max(depth - 1, 0)
        elif depth:
            continue
        elif mark == ";":
            sections.append([])
        elif mark:
            sections[-1].append(mark)
        elif word:
            sections[-1].append(word)
        elif not blank:
            sections[-1].append("\0" + re.sub(r"\\(.)", r"\1", quoted))
    return sections


def _method(tokens: list[str]) -> Method | None:
    """``method[/version] = result`` and then ``key = value`` pairs."""
    pairs = _pairs(tokens)
    if not pairs:
        return None
    name, result = pairs[0]
    result = result.lower()
    if result not in _RESULTS:
        return None
    rest = dict(reversed(pairs[1:]))
    reason = rest.pop("reason", "")
    return Method(name.partition("/")[0], "fail" if result == "hardfail" else result, reason, rest)


def _pairs(tokens: list[str]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for number, mark in enumerate(tokens):
        if mark != "=" or not number or number + 1 >= len(tokens):
            continue
        key = tokens[number - 1]
        if number >= 3 and tokens[number - 2] == "/":  # "dkim/1 = pass"
            key = tokens[number - 3]
        if key.startswith("\0") or key in "=/":
            continue
        pairs.append((key.lower(), _value(tokens, number + 1)))
    return pairs


def _value(tokens: list[str], number: int) -> str:
    """A value; one that holds "=" or "/" came as several tokens, as signatures do."""
    value = tokens[number].removeprefix("\0")
    while number + 2 < len(tokens) and tokens[number + 1] == "/" and not tokens[number].startswith("\0"):
        value += "/" + tokens[number + 2].removeprefix("\0")
        number += 2
    return "".join(character if character.isprintable() else " " for character in value)[:500]
