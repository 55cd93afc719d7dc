"""When an engineer who has a case, and has not answered the customer, is reminded; the ringing is ``paging``'s.

There is one row at a time: the next reminder. It is written again whenever the promise or the engineer changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from core import due
from core.models import Case, CaseStatus
from routing.clocks.models import ResponseCycle
from routing.clocks.states import CycleState
from routing.policies import policy_of_version

REMIND = "clock.remind"
# Whoever takes a case whose promise is broken is reminded so often until its customer is answered.
OVERDUE_EVERY = timedelta(minutes=15)


def next_reminder(
    started_at: datetime, due_at: datetime, shares: Sequence[float], now: datetime
) -> tuple[float, datetime] | None:
    """The first share of the response time that is used up after ``now``, and when; None if none is left."""
    found = ((share, started_at + (due_at - started_at) * share) for share in shares)
    return next(((share, at) for share, at in found if at > now), None)


def plan(session: Session, case: Case, cycle: ResponseCycle, now: datetime) -> None:
    """Write the next reminder of ``case``, in the transaction that changed it; both are locked."""
    session.flush()
    due.cancel(session, cycle.subject, (REMIND,))
    following = next_of(session, case, cycle, now)
    if following is not None:
        share, at = following
        due.enqueue(session, REMIND, cycle.subject, at, cycle=cycle.id, share=share)


def next_of(
    session: Session, case: Case, cycle: ResponseCycle, now: datetime
) -> tuple[float, datetime] | None:
    """The next reminder of a case that somebody has and nobody has answered."""
    if case.engineer is None or case.status != CaseStatus.OPEN or cycle.due_at is None:
        return None
    if cycle.standing is CycleState.OVERDUE:
        return 1.0, now + OVERDUE_EVERY
    if cycle.standing is not CycleState.RUNNING:
        return None
    return next_reminder(cycle.started_at, cycle.due_at, shares_of(session, cycle), now)


def shares_of(session: Session, cycle: ResponseCycle) -> Sequence[float]:
    """When to remind, by the policy of the contact: shares of the response time."""
    policy = policy_of_version(session, cycle.policy_version)
    key = policy.escalation_of(cycle.service, cycle.priority)
    return policy.escalations[key].remind_at if key is not None else ()
