"""Repeats of the last step: never silent, and never more for a number than carriers tolerate, where both can be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from routing.paging.pacing import spread
from routing.paging.reach import LIMIT_WINDOW

NIGHT = datetime(2026, 3, 4, 8, 10, tzinfo=UTC)
EVERY = timedelta(minutes=2)
ALL = ("dana", "luis", "priya", "sam")


def night(numbers: int, allowed: int, every_s: int, repeats: int = 120) -> tuple[list[int], bool, int]:
    """How many phones each repeat calls, whether a number ever got too much, and the most within 15 minutes."""
    sent: dict[str, list[datetime]] = {f"+1713555{n:04}": [] for n in range(numbers)}
    calls, over, most = [], False, 0
    for repeat in range(repeats):
        now = NIGHT + repeat * timedelta(seconds=every_s)
        chosen = spread(sent, allowed, timedelta(seconds=every_s), now)
        for number in chosen.numbers:
            sent[number].append(now)
            most = max(most, sum(now - LIMIT_WINDOW < at for at in sent[number]))
        calls.append(len(chosen.numbers))
        over |= chosen.over_limit
    return calls, over, most


def test_it_calls_everybody_while_there_is_room_and_then_takes_turns() -> None:
    calls, over, most = night(numbers=4, allowed=6, every_s=120)
    assert calls[:5] == [4] * 5
    assert min(calls) >= 1
    assert not over
    assert most == 6


def test_it_calls_the_only_one_there_is_over_the_limit_rather_than_nobody() -> None:
    calls, over, _ = night(numbers=1, allowed=6, every_s=120)
    assert calls == [1] * 120
    assert over


def test_it_calls_whoever_has_been_silent_for_longest() -> None:
    sent = {key: [NIGHT - timedelta(minutes=n + 1)] * 6 for n, key in enumerate(ALL)}
    chosen = spread(sent, 6, EVERY, NIGHT)
    assert (chosen.numbers, chosen.over_limit) == ({"sam"}, True)


def test_it_forgets_what_is_longer_ago_than_a_quarter_of_an_hour() -> None:
    sent = {key: [NIGHT - LIMIT_WINDOW] * 6 for key in ALL}
    assert spread(sent, 6, EVERY, NIGHT).numbers == set(ALL)


def test_it_has_nothing_to_choose_from_nobody() -> None:
    assert spread({}, 6, EVERY, NIGHT).numbers == frozenset()
    assert not spread({}, 6, EVERY, NIGHT).over_limit


@given(numbers=st.integers(1, 8), allowed=st.integers(1, 12), every_s=st.integers(30, 600))
def test_it_is_never_silent_and_keeps_the_limit_where_it_can(
    numbers: int, allowed: int, every_s: int
) -> None:
    calls, over, most = night(numbers, allowed, every_s, repeats=80)
    assert min(calls) >= 1
    in_a_window = -(-LIMIT_WINDOW // timedelta(seconds=every_s))
    if numbers * allowed >= in_a_window:
        assert not over
        assert most <= allowed
