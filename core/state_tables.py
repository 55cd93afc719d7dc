"""State machines as tables: ``(state, event) -> state``. What is not in the table cannot happen."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

State = TypeVar("State", bound=StrEnum)
Event = TypeVar("Event", bound=StrEnum)


class Unlisted(Exception):
    """The event cannot happen in this state."""


def state_after(table: Mapping[tuple[State, Event], State], state: State, event: Event, what: str) -> State:
    """The state that follows; :class:`Unlisted`, which names ``what`` it is a state of, without such an edge."""
    try:
        return table[state, event]
    except KeyError:
        raise Unlisted(f"{event} cannot happen to a {what} that is {state}") from None
