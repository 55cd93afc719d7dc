"""What differs between two values of a policy, in words: the parts that have none of their own are told by their key.

Pure. Whatever has a field here is never left out, and a long value is shown where it differs, not where it begins.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import takewhile
from typing import Any

from pydantic import BaseModel

Value = Any
Differ = Callable[[str, Value, Value], Iterator[str]]
Summary = Callable[[Value], str]

_SHOWN = 70
_CONTEXT = 3


def keyed(
    title: str,
    before: Mapping[str, Value],
    after: Mapping[str, Value],
    differ: Differ,
    summary: Summary = lambda value: "",
) -> Iterator[str]:
    """What was added, what was removed, and what ``differ`` says of what both have."""
    for key in dict.fromkeys((*before, *after)):
        old, new = before.get(key), after.get(key)
        name = _named(title, key, old if new is None else new)
        if old is None:
            said = summary(new)
            yield f"{name}: added{f' ({said})' if said else ''}"
        elif new is None:
            yield f"{name}: removed"
        elif old != new:
            yield from differ(name, old, new)


def _named(title: str, key: str, value: Value) -> str:
    name = getattr(value, "name", None)
    return f"{title} {name if isinstance(name, str) else key}".strip()


def fields(name: str, before: BaseModel, after: BaseModel, leave_out: tuple[str, ...] = ()) -> Iterator[str]:
    """What differs in each field, by its key."""
    for field in type(after).model_fields:
        if field not in leave_out:
            yield from values(f"{name}, {field}", getattr(before, field, None), getattr(after, field, None))


def values(name: str, before: Value, after: Value) -> Iterator[str]:
    """The innermost values that differ, each with its path."""
    before, after = _plain(before), _plain(after)
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys((*before, *after)):
            yield from values(f"{name}, {key}", before.get(key), after.get(key))
    elif _is_list_of_mappings(before) and _is_list_of_mappings(after):
        for number in range(max(len(before), len(after))):
            old = before[number] if number < len(before) else None
            new = after[number] if number < len(after) else None
            yield from values(f"{name} {number + 1}", old, new)
    elif isinstance(before, str) and isinstance(after, str):
        yield f"{name}: {texts(before, after)}"
    elif _is_list(before) and _is_list(after) and max(len(_joined(v)) for v in (before, after)) > _SHOWN:
        yield f"{name}: {_lists(before, after)}"
    else:
        yield f"{name}: {shown(before)} -> {shown(after)}"


def texts(before: str, after: str) -> str:
    """``before -> after``. Long sentences mostly change in a word or two: what both begin with is left out."""
    if not before or not after:
        return f"{shown(before)} -> {shown(after)}"
    olds, news = before.split(" "), after.split(" ")
    alike = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(olds, news, strict=False)))
    start = max(0, alike - _CONTEXT)
    lead = "... " if start else ""
    return " -> ".join(shown(lead + " ".join(words[start:])) for words in (olds, news))


def shown(value: Value) -> str:
    """A value in few words; a long one is cut."""
    if value is None or value in ("", [], {}):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        text = _joined(value)
    elif isinstance(value, Mapping):
        text = ", ".join(f"{key} {shown(inner)}" for key, inner in value.items())
    else:
        text = f'"{value}"' if isinstance(value, str) and " " in value else str(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def given(value: BaseModel, leave_out: tuple[str, ...] = ()) -> str:
    """The fields of an entry that are not as usual: ``consent never, monthly_hours 7.5``."""
    plain = value.model_dump(mode="json", exclude_defaults=True, exclude=set(leave_out))
    return ", ".join(f"{key} {shown(inner)}" for key, inner in plain.items())


def listed(
    name: str, before: tuple[Value, ...], after: tuple[Value, ...], in_words: Summary
) -> Iterator[str]:
    """Entries without a name, as sentences: those that went, and those that came."""
    olds, news = Counter(map(in_words, before)), Counter(map(in_words, after))
    yield from (f"{name} removed: {entry}" for entry in (olds - news).elements())
    yield from (f"{name} added: {entry}" for entry in (news - olds).elements())


def _lists(before: Value, after: Value) -> str:
    """Of a long list what has come and what has gone."""
    olds, news = Counter(map(shown, before)), Counter(map(shown, after))
    gone, come = list((olds - news).elements()), list((news - olds).elements())
    said = [f"without {shown(gone)}"] if gone else []
    said += [f"with {shown(come)}"] if come else []
    return "; ".join(said) or "the same in another order"


def _joined(value: Value) -> str:
    return ", ".join(shown(entry) for entry in value)


def _plain(value: Value) -> Value:
    return value.model_dump(mode="json", exclude_none=True) if isinstance(value, BaseModel) else value


def _is_list(value: Value) -> bool:
    return isinstance(value, (list, tuple))


def _is_list_of_mappings(value: Value) -> bool:
    return _is_list(value) and bool(value) and all(isinstance(entry, Mapping) for entry in value)
