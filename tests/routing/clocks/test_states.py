"""The table of a response cycle: a test for each of its edges, and for all that it leaves out."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from core.state_tables import Unlisted
from routing.clocks.states import (
    AWAITING,
    TABLE,
    CycleEvent,
    CycleState,
    Verdict,
    after,
    answered,
    promised,
)

S, E = CycleState, CycleEvent
DUE = datetime(2026, 3, 4, 9, 10, tzinfo=UTC)
SECOND = timedelta(seconds=1)

EDGES = [
    (S.UNPROMISED, E.PROMISED, S.RUNNING, "a priority that the tier promises something for"),
    (S.UNPROMISED, E.NOT_PROMISED, S.UNPROMISED, "another priority, and still no promise"),
    (S.UNPROMISED, E.WITHOUT_PROMISE, S.ANSWERED, "answered all the same"),
    (S.UNPROMISED, E.EXCUSED, S.EXCUSED, "closed as spam"),
    (S.RUNNING, E.PROMISED, S.RUNNING, "another priority"),
    (S.RUNNING, E.NOT_PROMISED, S.UNPROMISED, "a priority without a promise"),
    (S.RUNNING, E.IN_TIME, S.KEPT, "answered in time"),
    (S.RUNNING, E.TOO_LATE, S.LATE, "answered too late, before the worker had noticed"),
    (S.RUNNING, E.DUE_PASSED, S.OVERDUE, "nobody answered in time"),
    (S.RUNNING, E.EXCUSED, S.EXCUSED, "closed as a duplicate"),
    (S.OVERDUE, E.PROMISED, S.RUNNING, "a lower priority, whose promise still runs"),
    (S.OVERDUE, E.STILL_OVERDUE, S.OVERDUE, "another priority, whose promise is broken too"),
    (S.OVERDUE, E.NOT_PROMISED, S.UNPROMISED, "a priority without a promise"),
    (S.OVERDUE, E.IN_TIME, S.KEPT, "said afterwards to have been answered in time"),
    (S.OVERDUE, E.TOO_LATE, S.LATE, "answered too late"),
    (S.OVERDUE, E.EXCUSED, S.EXCUSED, "a duplicate, found too late"),
    (S.KEPT, E.WITHDRAWN, S.RUNNING, "it was a mailbox; the worker marks it if the time is over"),
    (S.LATE, E.WITHDRAWN, S.OVERDUE, "it was a mailbox, and the promise was broken before"),
    (S.ANSWERED, E.WITHDRAWN, S.UNPROMISED, "it was a mailbox"),
    (S.EXCUSED, E.PROMISED, S.RUNNING, "opened again: the excuse is taken back"),
    (S.EXCUSED, E.NOT_PROMISED, S.UNPROMISED, "the same, where nothing was promised"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("state", "event", "expected"),
    [edge[:3] for edge in EDGES],
    ids=[f"{state} {event}: {why}" for state, event, _, why in EDGES],
)
def test_it_goes_along_each_edge(state: CycleState, event: CycleEvent, expected: CycleState) -> None:
    assert after(state, event) is expected


def test_it_has_no_edge_but_these() -> None:
    assert {(state, event): to for state, event, to, _ in EDGES} == TABLE
    for state, event in itertools.product(S, E):
        if (state, event) not in TABLE:
            with pytest.raises(Unlisted):
                after(state, event)


@pytest.mark.parametrize("state", S)
def test_it_can_leave_every_state_and_reach_it(state: CycleState) -> None:
    assert any(start is state and to is not state for (start, _), to in TABLE.items())
    assert any(to is state and start is not state for (start, _), to in TABLE.items())


@pytest.mark.parametrize("state", [S.KEPT, S.LATE, S.ANSWERED])
def test_it_does_not_judge_an_answer_again_for_a_priority(state: CycleState) -> None:
    for event in (E.PROMISED, E.STILL_OVERDUE, E.NOT_PROMISED, E.DUE_PASSED, E.EXCUSED):
        assert (state, event) not in TABLE


@pytest.mark.parametrize("state", AWAITING)
def test_it_takes_an_answer_wherever_one_is_awaited(state: CycleState) -> None:
    answers = [E.WITHOUT_PROMISE] if state is S.UNPROMISED else [E.IN_TIME, E.TOO_LATE]
    assert all(after(state, event).is_answered for event in answers)


def test_it_has_one_verdict_for_each_state() -> None:
    assert {state: state.verdict for state in S} == {
        S.UNPROMISED: Verdict.NONE, S.RUNNING: Verdict.RUNNING, S.OVERDUE: Verdict.MISSED, S.KEPT: Verdict.KEPT,
        S.LATE: Verdict.MISSED, S.ANSWERED: Verdict.NONE, S.EXCUSED: Verdict.EXCUSED,
    }  # fmt: skip


def test_it_keeps_a_promise_to_its_very_instant() -> None:
    assert answered(DUE, DUE) is E.IN_TIME
    assert answered(DUE, DUE + SECOND) is E.TOO_LATE
    assert answered(None, DUE) is E.WITHOUT_PROMISE


def test_it_breaks_no_promise_twice() -> None:
    assert promised(S.OVERDUE, DUE, DUE) is E.STILL_OVERDUE
    assert promised(S.OVERDUE, DUE, DUE - SECOND) is E.PROMISED
    assert promised(S.RUNNING, DUE, DUE + SECOND) is E.PROMISED, "the worker marks it"
    assert promised(S.OVERDUE, None, DUE) is E.NOT_PROMISED
