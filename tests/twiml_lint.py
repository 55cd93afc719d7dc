"""Checks TwiML against Twilio's own classes: which verbs may stand in which, and which attributes they have."""

from __future__ import annotations

import inspect
import re
import xml.etree.ElementTree as ET
from functools import cache
from types import ModuleType

from twilio.twiml import TwiML, messaging_response, voice_response

_MAX_BYTES = 64 * 1024
_Rules = dict[tuple[str, str], set[str]]


def problems_in(document: str, kind: str = "voice") -> list[str]:
    """What Twilio would complain about; ``kind`` is ``voice`` or ``messaging``."""
    if not document.startswith("<?xml"):
        return ["12100: the document does not begin with the XML declaration"]
    if len(document.encode()) > _MAX_BYTES:
        return ["11750: the document is larger than 64 KB"]
    try:
        root = ET.fromstring(document)
    except ET.ParseError as error:
        return [f"12100: {error}"]
    if root.tag != "Response":
        return [f"12100: the root is <{root.tag}>"]
    return _walk(root, _rules(kind))


def _walk(parent: ET.Element, rules: _Rules) -> list[str]:
    problems = []
    for child in parent:
        allowed = rules.get((parent.tag, child.tag))
        if allowed is None:
            problems.append(f"12200: <{child.tag}> is not allowed in <{parent.tag}>")
            continue
        problems += [
            f"12200: <{child.tag}> has no attribute {name!r}" for name in child.attrib if name not in allowed
        ]
        problems += _walk(child, rules)
    return problems


@cache
def _rules(kind: str) -> _Rules:
    module, root = {
        "voice": (voice_response, voice_response.VoiceResponse),
        "messaging": (messaging_response, messaging_response.MessagingResponse),
    }[kind]
    rules: _Rules = {}
    waiting: list[type[TwiML]] = [root]
    seen: set[type[TwiML]] = set()
    while waiting:
        verb = waiting.pop()
        if verb in seen:
            continue
        seen.add(verb)
        for child, attributes in _children(module, verb):
            rules.setdefault((_tag(verb, root), _tag(child, root)), set()).update(attributes)
            waiting.append(child)
    return rules


def _children(module: ModuleType, verb: type[TwiML]) -> list[tuple[type[TwiML], set[str]]]:
    """The verbs that may stand in ``verb``: its methods that nest another class, with that class's attributes."""
    found = []
    for _name, method in inspect.getmembers(verb, inspect.isfunction):
        nested = re.search(r"self\.nest\(\s*(\w+)\(", inspect.getsource(method))
        child = getattr(module, nested.group(1), None) if nested else None
        if child is not None:
            names = {*inspect.signature(method).parameters, *inspect.signature(child.__init__).parameters}
            found.append((child, {_camel(name) for name in names}))
    return found


def _tag(verb: type[TwiML], root: type[TwiML]) -> str:
    if verb is root:
        return "Response"
    named = re.search(r'self\.name = "([^"]+)"', inspect.getsource(verb.__init__))
    assert named is not None
    return named.group(1)


def _camel(name: str) -> str:
    name = name.rstrip("_")
    return re.sub(r"_([a-z])", lambda match: match.group(1).upper(), name)
