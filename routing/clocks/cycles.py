"""The response clocks at work: begun with a contact, stopped by an answer, computed again with the priority.

Whoever changes a cycle holds the lock of its case. It comes after page and attempts, and before due work. The
case shows its current cycle's target, due instant and answer; both are written here, and nowhere else.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import due
from core.models import Case, record
from core.straight import write
from routing.clocks import reminders
from routing.clocks.models import ResponseCycle
from routing.clocks.promise import Promise, promise_for
from routing.clocks.rules import Excuse, ResponseKind
from routing.clocks.states import CycleEvent, CycleState, after, answered, promised
from routing.decisions import TZ_VERSION, decision_of_case
from routing.policies import CurrentPolicy, PolicyVersion, policy_of_version

BREACH = "clock.breach"
_WHILE_UNANSWERED = (BREACH, reminders.REMIND)


def begin(session: Session, case: Case, current: CurrentPolicy, started_at: datetime) -> ResponseCycle:
    """Begin a cycle of ``case`` with a contact at ``started_at``, in the transaction of that contact."""
    last = session.scalar(
        sa.select(sa.func.max(ResponseCycle.number)).where(ResponseCycle.case_id == case.id)
    )
    cycle = _begun(session, case, current, started_at, (last or 0) + 1, _customer(case))
    _plan(session, case, cycle, started_at)
    return cycle


def begin_first(
    session: Session, case: Case, current: CurrentPolicy, started_at: datetime, customer: str | None
) -> ResponseCycle:
    """The same for a case that has just been opened, of the customer with that key: nothing was before it."""
    cycle = _begun(session, case, current, started_at, 1, customer)
    _await_breach(session, cycle)
    return cycle


def _begun(
    session: Session,
    case: Case,
    current: CurrentPolicy,
    started_at: datetime,
    number: int,
    customer: str | None,
) -> ResponseCycle:
    promise = promise_for(current.policy, case.service, case.tier, case.priority, started_at, customer)
    cycle = write(
        session,
        ResponseCycle,
        case_id=case.id,
        number=number,
        state=CycleState.UNPROMISED if promise.due_at is None else CycleState.RUNNING,
        service=case.service,
        tier=case.tier,
        customer=customer,
        started_at=started_at,
        policy_version=current.version,
        **_promised(case, promise),
    )
    _show(case, cycle)
    return cycle


def _customer(case: Case) -> str | None:
    return case.customer.key if case.customer else None


def locked_cycle(session: Session, case: Case) -> ResponseCycle:
    """The current cycle of ``case``; both are locked and read anew."""
    session.refresh(case, with_for_update={"key_share": True})
    return current_cycle(session, case) or _adopt(session, case)


def current_cycle(session: Session, case: Case) -> ResponseCycle | None:
    """The last cycle of ``case``; None for a case of an earlier release that nobody has touched."""
    return session.scalar(
        sa.select(ResponseCycle)
        .where(ResponseCycle.case_id == case.id)
        .order_by(ResponseCycle.number.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    )


def stamp_response(
    session: Session,
    case: Case,
    at: datetime,
    kind: str,
    person: str | None,
    *,
    how: str = "",
    said_at: datetime | None = None,
) -> bool:
    """Stop the response clock of ``case``; False if it had been stopped before.

    ``at`` is when the customer was answered, ``said_at`` when that was said, if later. ``kind`` is one of
    ``rules.ResponseKind`` (:class:`ValueError` otherwise), ``person`` the key of who answered.
    """
    answer = ResponseKind(kind)
    cycle = locked_cycle(session, case)
    if not cycle.standing.awaits_answer:
        return False
    move(cycle, answered(cycle.due_at, at))
    cycle.responded_at, cycle.response_kind, cycle.responded_by = at, answer, person
    cycle.said_how, cycle.said_at = how or None, said_at or at
    _show(case, cycle)
    record(
        session, "case.responded", said_at or at, case_id=case.id, person=person, how=answer,
        in_time=cycle.standing is not CycleState.LATE, answered_at=at.isoformat(), words=how, cycle=cycle.number,
    )  # fmt: skip
    session.flush()
    due.cancel(session, cycle.subject, _WHILE_UNANSWERED)
    return True


def withdraw_response(session: Session, case: Case, at: datetime, person: str | None) -> bool:
    """Let the response clock run on: it was no person who took ``person``'s call. False if it was no such call.

    What somebody else has answered, or answered in another way, is not taken back with it.
    """
    cycle = locked_cycle(session, case)
    if cycle.response_kind != ResponseKind.CALL or cycle.responded_by != person:
        return False
    return take_back_response(session, case, at, person)


def take_back_response(session: Session, case: Case, at: datetime, person: str | None) -> bool:
    """Let the response clock run on, whatever stopped it; False if it runs. It runs from the contact."""
    cycle = locked_cycle(session, case)
    if not cycle.standing.is_answered:
        return False
    move(cycle, CycleEvent.WITHDRAWN)
    cycle.responded_at = cycle.response_kind = cycle.responded_by = None
    cycle.said_how = cycle.said_at = None
    record(session, "case.response-withdrawn", at, case_id=case.id, person=person, cycle=cycle.number)
    if case.priority != cycle.priority:
        retarget(session, case, cycle, at)  # the priority was changed while the clock stood
    else:
        _show(case, cycle)
        _plan(session, case, cycle, at)
    return True


def retarget(session: Session, case: Case, cycle: ResponseCycle, now: datetime) -> None:
    """Compute the promise for the case's priority, from the same contact, under the policy of that contact.

    ``cycle`` is locked and awaits its answer, or is excused and is taken up again.
    """
    policy = policy_of_version(session, cycle.policy_version)
    promise = promise_for(policy, cycle.service, cycle.tier, case.priority, cycle.started_at, cycle.customer)
    event = promised(cycle.standing, promise.due_at, now)
    _promise(cycle, case, promise)
    move(cycle, event)
    cycle.excuse = cycle.excused_by = cycle.excused_at = None
    _show(case, cycle)
    _plan(session, case, cycle, now)


def restart(
    session: Session,
    case: Case,
    cycle: ResponseCycle,
    current: CurrentPolicy,
    started_at: datetime,
    now: datetime,
) -> ResponseCycle:
    """Let the promise run from ``started_at`` for the case's priority; the cycle that runs from then on.

    ``cycle`` is locked. One that was answered, or broken, keeps its verdict, and another one follows it.
    """
    if cycle.standing not in (CycleState.RUNNING, CycleState.UNPROMISED):
        return begin(session, case, current, started_at)
    cycle.started_at, cycle.policy_version = started_at, current.version
    retarget(session, case, cycle, now)
    return cycle


def excuse(session: Session, cycle: ResponseCycle, why: Excuse, person: str | None, now: datetime) -> None:
    """No answer is owed, for a reason; ``cycle`` is locked and awaits its answer."""
    move(cycle, CycleEvent.EXCUSED)
    cycle.excuse, cycle.excused_by, cycle.excused_at = why, person, now
    session.flush()
    due.cancel(session, cycle.subject, _WHILE_UNANSWERED)


def move(cycle: ResponseCycle, event: CycleEvent) -> None:
    """Let ``event`` happen to a locked cycle; :class:`core.state_tables.Unlisted` if it cannot."""
    cycle.state = after(cycle.standing, event)
    if cycle.standing in (CycleState.OVERDUE, CycleState.LATE):
        cycle.breached_at = cycle.due_at
    elif cycle.standing is not CycleState.EXCUSED:  # what is excused may have been broken before
        cycle.breached_at = None


def _promise(cycle: ResponseCycle, case: Case, promise: Promise) -> None:
    for name, value in _promised(case, promise).items():
        setattr(cycle, name, value)


def _promised(case: Case, promise: Promise) -> dict[str, Any]:
    """The columns of a cycle that say what is promised."""
    return {
        "priority": case.priority,
        "target": promise.target,
        "cover": promise.cover,
        "due_at": promise.due_at,
        "calendar_fingerprint": promise.calendar_fingerprint,
        "tz_version": TZ_VERSION,
    }


def _show(case: Case, cycle: ResponseCycle) -> None:
    for name in ("target", "due_at", "responded_at", "response_kind"):
        if getattr(case, name) != getattr(
            cycle, name
        ):  # what is set counts as changed, and is looked at again
            setattr(case, name, getattr(cycle, name))


def _plan(session: Session, case: Case, cycle: ResponseCycle, now: datetime) -> None:
    session.flush()
    due.cancel(session, cycle.subject, (BREACH,))
    _await_breach(session, cycle)
    reminders.plan(session, case, cycle, now)


def _await_breach(session: Session, cycle: ResponseCycle) -> None:
    if cycle.standing is CycleState.RUNNING and cycle.due_at is not None:
        due.enqueue(session, BREACH, cycle.subject, cycle.due_at, cycle=cycle.id)


def _adopt(session: Session, case: Case) -> ResponseCycle:
    """The first cycle of a case of an earlier release: what the case shows, and the rules of its decision."""
    decision = decision_of_case(session, case.id)
    version = decision.policy_version if decision else None
    version = version or session.scalars(sa.select(sa.func.max(PolicyVersion.version))).one()
    policy = policy_of_version(session, version)
    promise = promise_for(policy, case.service, case.tier, case.priority, case.contact_at, _customer(case))
    state = CycleState.UNPROMISED if case.due_at is None else CycleState.RUNNING
    cycle = ResponseCycle(
        case_id=case.id, number=1, state=state, service=case.service, tier=case.tier, customer=_customer(case),
        started_at=case.contact_at,
        policy_version=version,
    )  # fmt: skip
    _promise(cycle, case, Promise(case.target, promise.cover, case.due_at, promise.calendar_fingerprint))
    if case.responded_at is not None:
        move(cycle, answered(case.due_at, case.responded_at))
        cycle.responded_at, cycle.response_kind = case.responded_at, case.response_kind
    session.add(cycle)
    _plan(session, case, cycle, cycle.started_at)
    return cycle
