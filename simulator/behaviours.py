"""Phones' behaviours as JSON: ``{"kind": "answers", "after": 5, "presses": "1"}`` or ``{"queue": [...]}``."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from simulator.phones import (
    Answers,
    Behaviour,
    Busy,
    Fails,
    Live,
    Mailbox,
    NeverAnswers,
    Phone,
    Screening,
)

KINDS: dict[str, Any] = {
    "answers": Answers,
    "mailbox": Mailbox,
    "busy": Busy,
    "never-answers": NeverAnswers,
    "fails": Fails,
    "screening": Screening,
    "live": Live,
}


class BadBehaviour(ValueError):
    """The description cannot be understood; the message says why."""


def read(description: Mapping[str, Any]) -> list[Behaviour]:
    """The behaviours of a description: one, or those of its queue. Raises BadBehaviour."""
    queue = description.get("queue", [description])
    if not isinstance(queue, list) or not queue:
        raise BadBehaviour("queue must be a list of behaviours")
    return [_one(item) for item in queue]


def _one(item: Any) -> Behaviour:
    if not isinstance(item, Mapping) or item.get("kind") not in KINDS:
        raise BadBehaviour(f"kind must be one of {', '.join(KINDS)}")
    kind = KINDS[item["kind"]]
    given = {name: value for name, value in item.items() if name != "kind"}
    known = {field.name for field in dataclasses.fields(kind)}
    if unknown := set(given) - known:
        raise BadBehaviour(
            f"{item['kind']} has no {', '.join(sorted(unknown))}; it has {', '.join(sorted(known))}"
        )
    for name, value in given.items():
        _check(name, value)
    behaviour: Behaviour = kind(**given)
    return behaviour


def _check(name: str, value: Any) -> None:
    if name == "presses":
        pairs = isinstance(value, list) and all(
            isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], int | float) for pair in value
        )
        if not (isinstance(value, str) or pairs):
            raise BadBehaviour("presses must be a text of keys or a list of [seconds, keys]")
    elif name in {"answered_by", "says"}:
        if not isinstance(value, str | None):
            raise BadBehaviour(f"{name} must be a text")
    elif not (isinstance(value, int | float) or (value is None and name == "hangs_up_after")):
        raise BadBehaviour(f"{name} must be a number of seconds")


def show(phone: Phone) -> dict[str, Any]:
    """The phone's behaviour as a description that ``read`` understands (a Python callable is ``custom``)."""
    shown = [_shown(item) for item in phone.behaviours or [phone.behaviour]]
    return shown[0] if len(shown) == 1 else {"queue": shown}


def _shown(behaviour: Behaviour) -> dict[str, Any]:
    for name, kind in KINDS.items():
        if isinstance(behaviour, kind):
            return {"kind": name, **dataclasses.asdict(behaviour)}
    return {"kind": "custom"}
