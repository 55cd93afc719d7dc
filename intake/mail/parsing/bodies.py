"""Which parts of a mail are its text, which its HTML, and which its attachments.

The rule is that of JMAP (RFC 8621, 4.1.4), which writes down what mail programs do, with three additions: a
named text that is shown is an attachment too, a text that only exists as another kind of text is shown, and the
root of multipart/related is looked for where it is not the first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from intake.mail.parsing.charsets import Charsets
from intake.mail.parsing.parameters import Valued, read_valued
from intake.mail.parsing.tree import Part

MESSAGES = ("message/rfc822", "message/global", "message/news")


@dataclass(slots=True)
class Arranged:
    """The parts of a mail by what they are for; a part may be in more than one list."""

    text: list[Part] = field(default_factory=list)
    html: list[Part] = field(default_factory=list)
    attached: list[Part] = field(default_factory=list)
    dispositions: dict[int, Valued] = field(default_factory=dict)

    def disposition(self, part: Part, charsets: Charsets) -> Valued:
        found = self.dispositions.get(id(part))
        if found is None:
            found = read_valued(part.fields.first(b"content-disposition"), charsets)
            self.dispositions[id(part)] = found
        return found

    def filename(self, part: Part, charsets: Charsets) -> str:
        """What the sender calls a part, empty if nothing."""
        parameters = self.disposition(part, charsets).parameters
        return parameters.get("filename") or part.kind.parameters.get("name") or parameters.get("name") or ""


def arrange(root: Part, charsets: Charsets) -> Arranged:
    """The parts below ``root``, and ``root`` itself, sorted. An attached mail is one attachment."""
    arranged = Arranged()
    text: list[Part] | None = arranged.text
    html: list[Part] | None = arranged.html
    _sort(arranged, charsets, [root], "mixed", False, text, html)
    return arranged


def _sort(
    arranged: Arranged, charsets: Charsets, parts: list[Part], kind: str, alternative: bool,
    text: list[Part] | None, html: list[Part] | None,
) -> None:  # fmt: skip
    texts, htmls = len(text or ()), len(html or ())
    root = _root(parts) if kind == "related" else 0
    for number, part in enumerate(parts):
        if part.children and part.is_multipart:
            sub = part.type.partition("/")[2]
            _sort(arranged, charsets, part.children, sub, alternative or sub == "alternative", text, html)
            continue
        shown = _is_shown(arranged, charsets, part, kind, number == root)
        if not shown:
            arranged.attached.append(part)
            continue
        is_html = part.type == "text/html"
        if kind == "alternative":
            target = html if is_html else text
            if target is not None:
                target.append(part)
            continue
        if alternative:
            if is_html:
                text = None
            else:
                html = None
        for target in (text, html):
            if target is not None:
                target.append(part)
        if not is_html and part.type == "text/plain" and arranged.filename(part, charsets):
            arranged.attached.append(part)
    if kind == "alternative" and text is not None and html is not None:
        if len(text) == texts and len(html) > htmls:
            text.extend(html[htmls:])
        elif len(html) == htmls and len(text) > texts:
            html.extend(text[texts:])


def _root(parts: list[Part]) -> int:
    """The part of multipart/related that refers to the others: the first text or multipart."""
    for number, part in enumerate(parts):
        if part.is_multipart or part.type in ("text/html", "text/plain"):
            return number
    return 0


def _is_shown(arranged: Arranged, charsets: Charsets, part: Part, kind: str, first: bool) -> bool:
    if part.type not in ("text/plain", "text/html") and not part.is_multipart:
        return False
    if arranged.disposition(part, charsets).value == "attachment":
        return False
    if first or kind == "alternative":
        return True
    return kind != "related" and not arranged.filename(part, charsets)


def walk(part: Part) -> Iterator[Part]:
    """A part and all below it, but not what is inside of attached mails."""
    stack = [part]
    while stack:
        part = stack.pop()
        yield part
        if part.is_multipart:
            stack.extend(reversed(part.children))
