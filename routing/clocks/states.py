"""The states of a response cycle: a table of what may follow what. Pure."""

from __future__ import annotations

import enum
from datetime import datetime

from core.state_tables import state_after


class CycleState(enum.StrEnum):
    """Where a cycle stands."""

    UNPROMISED = "unpromised"  # nothing was promised, and nobody has answered
    RUNNING = "running"  # the promise runs
    OVERDUE = "overdue"  # its instant went by, and nobody has answered
    KEPT = "kept"  # answered in time
    LATE = "late"  # answered, too late
    ANSWERED = "answered"  # answered where nothing was promised
    EXCUSED = "excused"  # closed without an answer, for a reason that somebody gave

    @property
    def awaits_answer(self) -> bool:
        """Whether the customer is still to be answered."""
        return self in AWAITING

    @property
    def is_answered(self) -> bool:
        """Whether a human has answered the customer."""
        return self in (CycleState.KEPT, CycleState.LATE, CycleState.ANSWERED)

    @property
    def verdict(self) -> Verdict:
        """What is said of the promise in this state."""
        return _VERDICTS[self]


class Verdict(enum.StrEnum):
    """What is said of a promise. Only kept and missed ones are counted."""

    RUNNING = "running"
    KEPT = "kept"
    MISSED = "missed"
    EXCUSED = "excused"
    NONE = "none"  # nothing was promised


class CycleEvent(enum.StrEnum):
    """What can happen to a cycle."""

    PROMISED = "promised"  # a promise runs: the priority changed, or an excuse was taken back
    STILL_OVERDUE = "still-overdue"  # the priority changed, and the new promise is broken already too
    NOT_PROMISED = "not-promised"  # the same, and nothing is promised now
    IN_TIME = "answered-in-time"
    TOO_LATE = "answered-too-late"
    WITHOUT_PROMISE = "answered-without-promise"
    DUE_PASSED = "due-passed"
    WITHDRAWN = "withdrawn"  # it was no person who answered
    EXCUSED = "excused"


AWAITING = (CycleState.UNPROMISED, CycleState.RUNNING, CycleState.OVERDUE)

_VERDICTS = {
    CycleState.UNPROMISED: Verdict.NONE,
    CycleState.RUNNING: Verdict.RUNNING,
    CycleState.OVERDUE: Verdict.MISSED,
    CycleState.KEPT: Verdict.KEPT,
    CycleState.LATE: Verdict.MISSED,
    CycleState.ANSWERED: Verdict.NONE,
    CycleState.EXCUSED: Verdict.EXCUSED,
}

# Whatever is not listed cannot happen. An answer that is there is not changed by a priority: no edge for it.
# OVERDUE -> KEPT: somebody says afterwards that they had answered in time.
TABLE: dict[tuple[CycleState, CycleEvent], CycleState] = {
    (CycleState.UNPROMISED, CycleEvent.PROMISED): CycleState.RUNNING,
    (CycleState.UNPROMISED, CycleEvent.NOT_PROMISED): CycleState.UNPROMISED,
    (CycleState.UNPROMISED, CycleEvent.WITHOUT_PROMISE): CycleState.ANSWERED,
    (CycleState.UNPROMISED, CycleEvent.EXCUSED): CycleState.EXCUSED,
    (CycleState.RUNNING, CycleEvent.PROMISED): CycleState.RUNNING,
    (CycleState.RUNNING, CycleEvent.NOT_PROMISED): CycleState.UNPROMISED,
    (CycleState.RUNNING, CycleEvent.IN_TIME): CycleState.KEPT,
    (CycleState.RUNNING, CycleEvent.TOO_LATE): CycleState.LATE,
    (CycleState.RUNNING, CycleEvent.DUE_PASSED): CycleState.OVERDUE,
    (CycleState.RUNNING, CycleEvent.EXCUSED): CycleState.EXCUSED,
    (CycleState.OVERDUE, CycleEvent.PROMISED): CycleState.RUNNING,
    (CycleState.OVERDUE, CycleEvent.STILL_OVERDUE): CycleState.OVERDUE,
    (CycleState.OVERDUE, CycleEvent.NOT_PROMISED): CycleState.UNPROMISED,
    (CycleState.OVERDUE, CycleEvent.IN_TIME): CycleState.KEPT,
    (CycleState.OVERDUE, CycleEvent.TOO_LATE): CycleState.LATE,
    (CycleState.OVERDUE, CycleEvent.EXCUSED): CycleState.EXCUSED,
    (CycleState.KEPT, CycleEvent.WITHDRAWN): CycleState.RUNNING,
    (CycleState.LATE, CycleEvent.WITHDRAWN): CycleState.OVERDUE,
    (CycleState.ANSWERED, CycleEvent.WITHDRAWN): CycleState.UNPROMISED,
    (CycleState.EXCUSED, CycleEvent.PROMISED): CycleState.RUNNING,
    (CycleState.EXCUSED, CycleEvent.NOT_PROMISED): CycleState.UNPROMISED,
}


def after(state: CycleState, event: CycleEvent) -> CycleState:
    """The state that follows; :class:`Unlisted` when the table has no such edge."""
    return state_after(TABLE, state, event, "cycle")


def answered(due_at: datetime | None, answered_at: datetime) -> CycleEvent:
    """What an answer is to a promise: at the due instant itself it is in time."""
    if due_at is None:
        return CycleEvent.WITHOUT_PROMISE
    return CycleEvent.IN_TIME if answered_at <= due_at else CycleEvent.TOO_LATE


def promised(state: CycleState, due_at: datetime | None, now: datetime) -> CycleEvent:
    """What a newly computed promise is to a cycle that awaits its answer."""
    if due_at is None:
        return CycleEvent.NOT_PROMISED
    if state is CycleState.OVERDUE and due_at <= now:
        return CycleEvent.STILL_OVERDUE
    return CycleEvent.PROMISED
