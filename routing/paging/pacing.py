"""Which phones a repeat of the last step calls, so that no repeat is silent and no number gets too much. Pure.

Carriers block who calls a number too often; but a case that nobody has accepted must not fall silent. So while the
numbers have room for it everybody is called, and then the calls are spread over the repeats.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from routing.paging.reach import LIMIT_WINDOW

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Chosen:
    """The numbers to call now; ``over_limit``: none had room, and one is called all the same."""

    numbers: frozenset[str]
    over_limit: bool = False


def spread(sent: Mapping[str, Sequence[datetime]], allowed: int, every: timedelta, now: datetime) -> Chosen:
    """What a repeat at ``now`` calls of the numbers in ``sent``, each with the instants of its earlier calls.

    ``allowed`` is how many calls a number gets within 15 minutes, ``every`` the time between two repeats.
    """
    recent = {number: [at for at in times if now - LIMIT_WINDOW < at] for number, times in sent.items()}
    room = {number: allowed - len(times) for number, times in recent.items()}
    longest_silent = sorted(sent, key=lambda number: max(sent[number], default=_NEVER))
    with_room = [number for number in longest_silent if room[number] > 0]
    if not with_room:
        return Chosen(frozenset(longest_silent[:1]), over_limit=bool(sent))
    spare = sum(room[number] for number in with_room) - _repeats_to_come(recent, every, now)
    with_room.sort(key=lambda number: -room[number])
    return Chosen(frozenset(with_room[: max(1, spare)]))


def _repeats_to_come(recent: Mapping[str, Sequence[datetime]], every: timedelta, now: datetime) -> int:
    """How many repeats follow before the earliest call is forgotten, and makes room again."""
    earliest = min((at for times in recent.values() for at in times), default=now)
    return -(-(earliest + LIMIT_WINDOW - now) // every) - 1
