"""What changes between two policies, in words: tiers, customers, lines, people, steps and prompts by their names.

Pure. What has words of its own gets them; any other field is told by its key, so that a field that is added to the
policy is never left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import takewhile
from typing import Any

from pydantic import BaseModel

from core import phone_numbers
from routing.business_hours import BusinessCalendar
from routing.oncall import Schedule
from routing.policy import CustomerEntry, Escalation, Policy, Step, Tier, TierTarget
from routing.prompt_texts import PromptText
from routing.wording import hours_in_words

_SHOWN = 70
_CONTEXT = 3
_Value = Any
_Differ = Callable[[str, _Value, _Value], Iterator[str]]


def changes(before: Policy, after: Policy) -> list[str]:
    """A sentence for each change, in the order of the document; none if the two say the same."""
    found = [*_values("Company", before.company, after.company)]
    for name, differ in _PARTS.items():
        old, new = getattr(before, name), getattr(after, name)
        found += _keyed(_TITLES[name], old, new, differ)
    found += _keyed("Customer", before.customers, after.customers, _customers(before, after))
    return found + list(_prompts("Prompt", before.prompts, after.prompts))


def _keyed(
    title: str, before: Mapping[str, _Value], after: Mapping[str, _Value], differ: _Differ
) -> Iterator[str]:
    for key in dict.fromkeys((*before, *after)):
        old, new = before.get(key), after.get(key)
        name = _named(title, key, old if new is None else new)
        if old is None:
            yield f"{name}: added{_summary(new)}"
        elif new is None:
            yield f"{name}: removed"
        elif old != new:
            yield from differ(name, old, new)


def _named(title: str, key: str, value: _Value) -> str:
    name = getattr(value, "name", None)
    shown = name if isinstance(name, str) else key
    return f"{title} {shown}".strip()


def _summary(value: _Value) -> str:
    if isinstance(value, Tier):
        return " (" + ", ".join(f"priority {p}: {_target(t)}" for p, t in value.targets.items()) + ")"
    if isinstance(value, CustomerEntry):
        held = ", ".join(f"{service}: {contract.tier}" for service, contract in value.contracts.items())
        return f" ({held or 'no contract'})"
    if isinstance(value, Escalation):
        return f" ({_steps(value)})"
    number = getattr(value, "number", None) or getattr(value, "phone", None)
    return f" ({phone_numbers.shown(number)})" if isinstance(number, str) else ""


# Parts with words of their own


def _tier(name: str, before: Tier, after: Tier) -> Iterator[str]:
    bare = name.removeprefix("Tier ")
    for priority in sorted(before.targets | after.targets):
        old, new = before.targets.get(priority), after.targets.get(priority)
        if old != new:
            yield f"{bare} priority {priority}: {_target(old)} -> {_target(new)}"
    yield from _fields(name, before, after, leave_out=("targets",))


def _target(promise: TierTarget | None) -> str:
    if promise is None:
        return "none of its own"
    text = str(promise.target).lower()
    if promise.cover == "24x7":
        return f"{text} around the clock" if promise.target.runs_around_the_clock else f"{text}, covered 24x7"
    return text


def _escalation(name: str, before: Escalation, after: Escalation) -> Iterator[str]:
    if before.steps != after.steps:
        yield f"{name}, steps: {_steps(before)} -> {_steps(after)}"
    yield from _fields(name, before, after, leave_out=("steps",))


def _steps(escalation: Escalation) -> str:
    return ", then ".join(_step(step) for step in escalation.steps)


def _step(step: Step) -> str:
    told = ("ring", "of", "at", "wait_s")
    rest = {k: value for k, value in step.model_dump(exclude_defaults=True).items() if k not in told}
    whose = f" of {step.of}" if step.of else ""
    at = ""
    if step.at is not None:
        at = f" at {step.at}" if step.share is None else f" at {step.at} of the time left"
    words = f"{step.ring}{whose}{at} for {step.wait_s} s"
    return words + "".join(f", {key} {_shown(value)}" for key, value in rest.items())


def _calendar(name: str, before: BusinessCalendar, after: BusinessCalendar) -> Iterator[str]:
    old, new = before.to_dict(), after.to_dict()
    if old["hours"] != new["hours"]:
        yield f"{name}: {hours_in_words(before) or 'no hours'} -> {hours_in_words(after) or 'no hours'}"
    for key in ("zone", "holidays"):
        yield from _values(f"{name}, {key}", old.get(key), new.get(key))


def _schedule(name: str, before: Schedule, after: Schedule) -> Iterator[str]:
    yield from _values(name, before.to_dict(), after.to_dict())


def _prompts(name: str, before: Mapping[str, PromptText], after: Mapping[str, PromptText]) -> Iterator[str]:
    for key in dict.fromkeys((*before, *after)):
        old, new = before.get(key), after.get(key)
        if old != new:
            yield f"{name} {key}: {_said(old, new)}"


def _said(old: PromptText | None, new: PromptText | None) -> str:
    before, after = (prompt.audio or prompt.text if prompt else "" for prompt in (old, new))
    if not before or not after:
        return f"{_shown(before)} -> {_shown(after)}"
    # Long sentences mostly change in a word or two: what both begin with is left out, but for a few words.
    olds, news = before.split(" "), after.split(" ")
    alike = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(olds, news, strict=False)))
    start = max(0, alike - _CONTEXT)
    lead = "... " if start else ""
    return " -> ".join(_shown(lead + " ".join(words[start:])) for words in (olds, news))


def _line(name: str, before: BaseModel, after: BaseModel) -> Iterator[str]:
    yield from _fields(name, before, after, leave_out=("prompts",))
    yield from _prompts(f"{name}, prompt", getattr(before, "prompts", {}), getattr(after, "prompts", {}))


def _customers(before: Policy, after: Policy) -> _Differ:
    def differ(name: str, old: CustomerEntry, new: CustomerEntry) -> Iterator[str]:
        for service in dict.fromkeys((*old.contracts, *new.contracts)):
            was, becomes = old.contracts.get(service), new.contracts.get(service)
            known = after.services.get(service) or before.services.get(service)
            about = f"{name}, {known.name if known else service}"
            if was is None or becomes is None:
                tier = becomes or was
                assert tier is not None
                rules = after if becomes else before
                yield f"{about}: {_tier_name(rules, tier.tier)} {'added' if becomes else 'removed'}"
                continue
            if was.tier != becomes.tier:
                yield f"{about}: {_tier_name(before, was.tier)} -> {_tier_name(after, becomes.tier)}"
            yield from _fields(about, was, becomes, leave_out=("tier",))
        yield from _people_at(name, old, new)
        yield from _fields(name, old, new, leave_out=("contracts", "contacts"))

    return differ


def _tier_name(policy: Policy, key: str) -> str:
    tier = policy.tiers.get(key)
    return tier.name if tier else key


def _people_at(name: str, old: CustomerEntry, new: CustomerEntry) -> Iterator[str]:
    before = {contact.name: contact for contact in old.contacts}
    after = {contact.name: contact for contact in new.contacts}
    yield from _keyed(f"{name}, contact", before, after, _fields)


# Any part


def _fields(name: str, before: BaseModel, after: BaseModel, leave_out: tuple[str, ...] = ()) -> Iterator[str]:
    for field in type(after).model_fields:
        if field not in leave_out:
            old, new = getattr(before, field, None), getattr(after, field, None)
            yield from _values(f"{name}, {field}", old, new)


def _values(name: str, before: _Value, after: _Value) -> Iterator[str]:
    """The innermost values that differ, each with its path."""
    before, after = _plain(before), _plain(after)
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys((*before, *after)):
            yield from _values(f"{name}, {key}", before.get(key), after.get(key))
    elif _is_list_of_mappings(before) and _is_list_of_mappings(after):
        for number in range(max(len(before), len(after))):
            old = before[number] if number < len(before) else None
            new = after[number] if number < len(after) else None
            yield from _values(f"{name} {number + 1}", old, new)
    else:
        yield f"{name}: {_shown(before)} -> {_shown(after)}"


def _plain(value: _Value) -> _Value:
    return value.model_dump(mode="json", exclude_none=True) if isinstance(value, BaseModel) else value


def _is_list_of_mappings(value: _Value) -> bool:
    return isinstance(value, (list, tuple)) and bool(value) and all(isinstance(e, Mapping) for e in value)


def _shown(value: _Value) -> str:
    if value is None or value in ("", [], {}):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)) and all(isinstance(entry, (str, int, float)) for entry in value):
        text = ", ".join(str(entry) for entry in value)
    elif isinstance(value, Mapping):
        text = ", ".join(f"{key} {_shown(inner)}" for key, inner in value.items())
    else:
        text = f'"{value}"' if isinstance(value, str) and " " in value else str(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


_TITLES = {
    "calendars": "Calendar",
    "services": "Service",
    "tiers": "Tier",
    "lines": "Line",
    "mailboxes": "Mailbox",
    "people": "",
    "schedules": "Schedule",
    "escalations": "Escalation",
    "drills": "Drill before shifts of",
}
_PARTS: dict[str, _Differ] = {
    "calendars": _calendar,
    "services": _fields,
    "tiers": _tier,
    "lines": _line,
    "mailboxes": _line,
    "people": _fields,
    "schedules": _schedule,
    "escalations": _escalation,
    "drills": _fields,
}
