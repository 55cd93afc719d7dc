"""A policy document as text: read safely, with the line of every key, whatever somebody has put into the file."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

LARGEST = 4 * 1024 * 1024
"""Bytes of a document; a thousand customers take about a tenth of it."""
_MOST_REPEATED = 100_000
"""So many values may come from aliases; a few lines can ask for billions."""

_DEEPEST = 100
"""So many brackets may be open at once. YAML's reader finds deep nesting out as well, but takes seconds for it."""
_BRACKET = re.compile(r"[\[\]{}]")

Place = tuple[str | int, ...]
_EXPECTED = "expected a mapping with company, calendars, services, ..."


class PolicyError(Exception):
    """A policy document cannot be used; ``mistakes`` has a line for each, with its place and its key."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


@dataclass(frozen=True)
class Document:
    """The values of a document, and where they stand."""

    values: dict[Any, Any]
    root: Node

    def line_of(self, place: Place) -> int:
        """The line of the innermost key of ``place`` that the document has; lines are counted from 1."""
        node, line = self.root, 1
        for part in place:
            found = _child(node, part)
            if found is None:
                break
            line, node = found
        return line

    def said(self, place: Place, message: str) -> str:
        """``line 12, lines.support.ring_s: ...``."""
        return f"line {self.line_of(place)}, {'.'.join(map(str, place)) or 'policy'}: {message}"


class _Constructor(SafeConstructor):
    """Leaves as text what has the form of a date or of a number but is none, so that its key can be named."""

    def construct_yaml_timestamp(self, node: Any, values: Any = None) -> Any:
        try:
            return super().construct_yaml_timestamp(node, values)
        except ValueError:
            return self.construct_scalar(node)

    def construct_yaml_int(self, node: Any) -> Any:
        try:
            return super().construct_yaml_int(node)
        except ValueError:  # thousands of digits
            return self.construct_scalar(node)


for _kind, _construct in (
    ("timestamp", _Constructor.construct_yaml_timestamp),
    ("int", _Constructor.construct_yaml_int),
):
    _Constructor.add_constructor(f"tag:yaml.org,2002:{_kind}", _construct)


def decoded(raw: bytes) -> str:
    """The text of a file; :class:`PolicyError` for one that is no text, or too large."""
    if len(raw) > LARGEST:
        raise PolicyError([f"line 1: the file has {len(raw):,} bytes; a policy has at most {LARGEST:,}"])
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise PolicyError(
            [f"line {line}: byte {error.start + 1} is not UTF-8; save the file as UTF-8 text"]
        ) from None
    if "\0" in text:
        raise PolicyError([f"line {text.count(chr(10), 0, text.index(chr(0))) + 1}: the file is binary"])
    return text


def read_document(text: str) -> Document:
    """The YAML document in ``text``; :class:`PolicyError` with one clear line for what is none."""
    if len(text) > LARGEST:
        raise PolicyError([f"line 1: {len(text):,} characters; a policy has at most {LARGEST:,}"])
    _refuse_brackets(text)
    try:
        return _read(text)
    except RecursionError:
        raise PolicyError(["line 1: the document is nested far too deeply"]) from None
    except MarkedYAMLError as error:
        raise PolicyError([_marked(error)]) from None
    except (YAMLError, ValueError) as error:
        raise PolicyError([" ".join(str(error).split())]) from None


def _read(text: str) -> Document:
    yaml = YAML(typ="safe", pure=True)  # in Python: deep nesting is an error there, and no crash
    yaml.Constructor = _Constructor
    root = yaml.compose(io.StringIO(text))
    if root is None:
        raise PolicyError([f"line 1: the document is empty; {_EXPECTED}"])
    if not isinstance(root, MappingNode):
        raise PolicyError([f"line 1: {_EXPECTED}"])
    _refuse_bombs(root)
    _refuse_odd_characters(root)
    return Document(yaml.constructor.construct_document(root), root)


def _refuse_brackets(text: str) -> None:
    # Those in quotes and comments are counted too: they come in pairs there, or are few.
    depth = 0
    for found in _BRACKET.finditer(text):
        depth = depth + 1 if found[0] in "[{" else max(0, depth - 1)
        if depth > _DEEPEST:
            line = text.count("\n", 0, found.start()) + 1
            raise PolicyError([f"line {line}: the document is nested far too deeply"])


def _marked(error: MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    problem = " ".join(part for part in (error.context, error.problem) if part)
    place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "line 1"
    return f"{place}: not readable as YAML: {' '.join(problem.split())}"


def _child(node: Node, part: str | int) -> tuple[int, Node] | None:
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if isinstance(key, ScalarNode) and key.value == str(part):
                return key.start_mark.line + 1, value
    elif isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part].start_mark.line + 1, node.value[part]
    return None


def _children(node: Node) -> Iterator[Node]:
    if isinstance(node, MappingNode):
        for key, value in node.value:
            yield key
            yield value
    elif isinstance(node, SequenceNode):
        yield from node.value


def _refuse_bombs(root: Node) -> None:
    """Refuse aliases that stand for more than anybody writes, and those that contain themselves."""
    sizes: dict[int, int] = {}
    if _size(root, sizes, set()) > len(sizes) + _MOST_REPEATED:
        raise PolicyError(["line 1: the document's aliases (*name) repeat too much; write the parts out"])


def _size(node: Node, sizes: dict[int, int], within: set[int]) -> int:
    if id(node) in sizes:
        return sizes[id(node)]
    if id(node) in within:
        line = node.start_mark.line + 1
        raise PolicyError([f"line {line}: an alias (*name) stands inside of what it names"])
    within.add(id(node))
    size = 1 + sum(_size(child, sizes, within) for child in _children(node))
    within.remove(id(node))
    sizes[id(node)] = size
    return size


def _refuse_odd_characters(root: Node) -> None:
    """Refuse what a database cannot keep: NUL, and halves of characters; escapes can write both."""
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        waiting += _children(node)
        if isinstance(node, ScalarNode) and any(c == "\0" or "\ud800" <= c <= "\udfff" for c in node.value):
            line = node.start_mark.line + 1
            raise PolicyError([f"line {line}: the text has a character that cannot be stored (an escape)"])
