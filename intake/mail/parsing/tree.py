"""The parts of a mail: one pass over its bytes, without recursion, in time linear in their number.

A line ``--boundary`` belongs to the innermost open multipart of that boundary; parts that are open inside it end
there. What is declared multipart and has no such line is looked at once more for a line that looks like one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import islice

from intake.mail.parsing import bounds
from intake.mail.parsing.charsets import Charsets
from intake.mail.parsing.decoding import encoding_name
from intake.mail.parsing.fields import Fields, read_fields
from intake.mail.parsing.parameters import Valued, read_valued

_DASHED = re.compile(rb"\n--([^\n]*)")
_CONTENT_FIELD = re.compile(rb"(?:Content-|MIME-Version)", re.IGNORECASE)
_HEAD_GOES_ON = re.compile(rb"(?:Content-Type|MIME-Version)[ \t]*:", re.IGNORECASE)
_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+")


@dataclass(slots=True)
class Part:
    """A part: its fields, and where its body lies in the mail's bytes."""

    source: bytes
    fields: Fields
    kind: Valued
    body: int
    end: int
    encoding: str = ""
    children: list[Part] = field(default_factory=list)
    depth: int = 0
    outside: list[tuple[int, int]] = field(default_factory=list)
    """For a multipart: the stretches before its first and after its last part."""

    @property
    def type(self) -> str:
        """The content type, such as ``text/plain``, in small letters."""
        return self.kind.value

    @property
    def view(self) -> memoryview:
        """The body as it was sent."""
        return memoryview(self.source)[self.body : self.end]

    @property
    def is_multipart(self) -> bool:
        return self.kind.value.startswith("multipart/")


@dataclass(slots=True)
class _Builder:
    data: bytes
    charsets: Charsets
    open: list[tuple[Part, bytes]] = field(default_factory=list)
    places: dict[bytes, list[int]] = field(default_factory=dict)
    count: int = 0
    kept: int = 0
    missed: int = 0
    problems: set[str] = field(default_factory=set)


def read_tree(data: bytes, charsets: Charsets, start: int = 0) -> tuple[Part, set[str]]:
    """The parts of the mail in ``data``, and what was wrong with their arrangement."""
    build = _Builder(data, charsets)
    root = _begin(build, start, len(data), default="text/plain")
    places = build.places
    for found in _DASHED.finditer(data, max(root.body - 2, 0)) if places else ():
        boundary = found[1][:300].strip()
        if boundary not in places and (boundary[-2:] != b"--" or boundary[:-2] not in places):
            continue
        if found.end() >= build.open[-1][0].body:
            at_line_end = (
                found.start() and data[found.start() - 1] == 13
            )  # the CR belongs to the delimiter, too
            _at_line(build, boundary, found.start() - bool(at_line_end), min(found.end() + 1, len(data)))
        if not places:
            break
    _close(build, 0, _end(build))
    return root, build.problems


def _end(build: _Builder) -> int:
    """Where the last part ends: before a closing boundary that comes last, and lost the line end before it."""
    tail = build.data[-2_000:]
    rest = tail.rstrip()
    for _, boundary in reversed(build.open):
        if boundary and rest.endswith(b"--" + boundary + b"--"):
            return len(build.data) - len(tail) + len(rest) - len(boundary) - 4
    return len(build.data)


def _at_line(build: _Builder, boundary: bytes, start: int, line_end: int) -> None:
    closing = boundary not in build.places
    boundary = boundary[:-2] if closing else boundary
    level = build.places[boundary][-1]
    _close(build, level + 1, start)
    parent, _ = build.open[level]
    _outside(parent, start)
    end = len(build.data)
    if closing:
        _forget(build, boundary)
        build.open[level] = (parent, b"")
        parent.outside.append((line_end, end))
        return
    if build.count >= bounds.PARTS:
        _rest(build, parent, line_end, end)
        return
    default = "message/rfc822" if parent.type == "multipart/digest" else "text/plain"
    parent.children.append(_begin(build, line_end, end, default=default))


def _outside(parent: Part, start: int) -> None:
    if not parent.children and not parent.outside:
        parent.outside.append((parent.body, max(start, parent.body)))


def _rest(build: _Builder, parent: Part, start: int, end: int) -> None:
    """After too many parts: all that follows as one text."""
    build.problems.add("too many parts")
    parent.children.append(
        Part(build.data, Fields(), Valued("text/plain"), start, end, depth=parent.depth + 1)
    )
    build.places.clear()


def _begin(build: _Builder, start: int, end: int, default: str) -> Part:
    """Opens the part whose header begins at ``start``, and the messages that begin right inside it."""
    first: Part | None = None
    above: Part | None = None
    while True:
        part = _read_part(build, start, end, default, whole=above is not None or not build.open)
        build.open.append((part, b""))
        if above is not None:
            above.children.append(part)
        first = first or part
        if part.depth >= bounds.DEPTH:
            if part.is_multipart or part.type == "message/rfc822":
                build.problems.add("parts nested too deep")
            return first
        if part.is_multipart:
            _expect(build, part)
            return first
        if part.type not in ("message/rfc822", "message/global", "message/news") or part.encoding:
            return first
        above, start, default = part, part.body, "text/plain"


def _read_part(build: _Builder, start: int, end: int, default: str, *, whole: bool) -> Part:
    """The header of a part, or of a ``whole`` mail."""
    build.count += 1
    fields, body = read_fields(build.data, start, end, build.kept)
    if whole and fields.first(b"content-type") is None and _HEAD_GOES_ON.match(build.data, body, end):
        build.problems.add("header broken by a blank line")
        more, body = read_fields(build.data, body, end, build.kept)
        fields.items.extend(more.items)
    build.kept += sum(len(name) + len(value) for name, value in fields.items)
    if fields.cut:
        build.problems.add("header fields cut")
    kind = read_valued(fields.first(b"content-type"), build.charsets)
    if not _TYPE.fullmatch(kind.value):
        # What cannot be read is text (RFC 2045, 5.2), unless its name is that of another file.
        implied = "multipart/mixed" if kind.value == "multipart" else default
        kind = Valued(implied, kind.parameters)
    encoding = encoding_name(fields.first(b"content-transfer-encoding"))
    return Part(build.data, fields, kind, body, end, encoding, depth=len(build.open))


def _expect(build: _Builder, part: Part) -> None:
    boundary = part.kind.parameters.get("boundary", "").encode("utf-8", "replace").rstrip()
    if not boundary or not _is_present(build, boundary, part.body):
        guessed = _guess_boundary(build, part)
        if guessed is None:
            if boundary:
                build.problems.add("no part with the declared boundary")
            return
        build.problems.add("boundary guessed")
        boundary = guessed
    build.open[-1] = (part, boundary)
    build.places.setdefault(boundary, []).append(len(build.open) - 1)


def _is_present(build: _Builder, boundary: bytes, position: int) -> bool:
    """Whether a boundary occurs at all. Searched for a few times only, for each search may go through all."""
    if build.missed > 20 or build.data.find(b"\n--" + boundary, max(position - 1, 0)) >= 0:
        return True
    build.missed += 1
    return False


def _guess_boundary(build: _Builder, part: Part) -> bytes | None:
    """The first line of the body that looks like a boundary and is followed by a field of a part."""
    if build.missed > 20:
        return None
    for found in islice(_DASHED.finditer(build.data, max(part.body - 1, 0)), 20):
        boundary = found[1][:300].strip()
        if boundary in build.places or boundary[:-2] in build.places:
            return None
        if boundary.strip(b"-") and len(boundary) < 200 and _CONTENT_FIELD.match(build.data, found.end() + 1):
            return boundary
    build.missed += 1
    return None


def _close(build: _Builder, level: int, end: int) -> None:
    """Ends the parts that are open from ``level`` on."""
    while len(build.open) > level:
        part, boundary = build.open.pop()
        part.end = max(part.body, min(part.end, end))
        part.outside = [(start, min(stop, part.end)) for start, stop in part.outside if start < part.end]
        if boundary:
            _forget(build, boundary)


def _forget(build: _Builder, boundary: bytes) -> None:
    places = build.places.get(boundary)
    if places:
        places.pop()
        if not places:
            del build.places[boundary]
