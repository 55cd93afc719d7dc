"""What engineers do with a case: answer, take notes, change its priority, close it and open it again.

Each of them is one transaction of the caller's, locks in the order of the house (page, attempts, case, due work),
and writes its event. What cannot be done raises :class:`routing.clocks.rules.NotPossible` and changes nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.models import Case, CaseStatus, Message, Person, record
from routing.clocks import cycles
from routing.clocks.rules import (
    ENGINEER,
    Excuse,
    NotPossible,
    ResponseKind,
    excuses,
    is_response,
    stated_at,
)
from routing.clocks.states import CycleState
from routing.paging import pages, steps
from routing.policies import CurrentPolicy

PRIORITIES = range(1, 5)
MOST_CHARACTERS = 100_000


def somebody(session: Session, key: str) -> Person:
    """The person with ``key``; :class:`NotPossible` when there is none, or they have left."""
    person = session.get(Person, key)
    if person is None or not person.active:
        raise NotPossible(f"there is nobody with the key {key!r} among the people of the policy")
    return person


def people_by_name(session: Session) -> list[tuple[str, str]]:
    """Keys and names of everybody who can act, in the order of their names."""
    people = session.scalars(sa.select(Person).where(Person.active.is_(True)).order_by(Person.name))
    return [(person.key, person.name) for person in people]


def state_response(
    session: Session, case: Case, answered_at: datetime, how: str, person: Person, now: datetime
) -> None:
    """``person`` says that, and ``how``, the customer was answered at ``answered_at``."""
    pages.locked_pages(session, case)
    cycle = cycles.locked_cycle(session, case)
    at = stated_at(answered_at, how, cycle.started_at, now)
    if cycle.standing is CycleState.EXCUSED:
        raise NotPossible(f"case {case.id} was closed without an answer; reopen it first")
    words = " ".join(how.split())
    if not cycles.stamp_response(session, case, at, ResponseKind.STATED, person.key, how=words, said_at=now):
        raise NotPossible(f"case {case.id} was answered before; withdraw that answer first if it was none")
    pages.answered(session, case, now)


def withdraw(session: Session, case: Case, person: Person, now: datetime) -> None:
    """``person`` says that the answer was none: the clock runs on from the contact."""
    pages.locked_pages(session, case)
    if not cycles.take_back_response(session, case, now, person.key):
        raise NotPossible(f"case {case.id} has no answer that could be withdrawn")
    pages.resume(session, case, now)


def write(session: Session, case: Case, body: str, person: Person, now: datetime, *, public: bool,
          channel: str = "console") -> Message:  # fmt: skip
    """Keep what ``person`` writes to the customer (``public``), which answers them, or for colleagues."""
    if not body.strip():
        raise NotPossible("the text is empty")
    if len(body) > MOST_CHARACTERS:
        raise NotPossible(f"the text has more than {MOST_CHARACTERS} characters; shorten it")
    message = Message(case_id=case.id, at=now, channel=channel, author=ENGINEER, body=body, public=public)
    session.add(message)
    session.flush()
    record(session, "case.replied" if public else "case.noted", now, case_id=case.id, person=person.key)
    if is_response(message):
        pages.locked_pages(session, case)
        if cycles.stamp_response(session, case, now, ResponseKind.REPLY, person.key):
            pages.answered(session, case, now)
    return message


def change_priority(session: Session, case: Case, priority: int, person: Person, now: datetime) -> None:
    """The promise is computed again from the contact, unless the customer has been answered: that stands."""
    if priority not in PRIORITIES:
        raise NotPossible(f"there is no priority {priority}; expected 1 to 4")
    pages.locked_pages(session, case)
    cycle = cycles.locked_cycle(session, case)
    _require_open(case)
    if case.priority == priority:
        raise NotPossible(f"case {case.id} has priority {priority} already")
    before: dict[str, Any] = {
        "old": case.priority, "old_target": cycle.target,
        "old_due_at": cycle.due_at.isoformat() if cycle.due_at else None, "old_verdict": cycle.standing.verdict,
    }  # fmt: skip
    case.priority = priority
    moved = cycle.standing.awaits_answer
    if moved:
        cycles.retarget(session, case, cycle, now)
        session.flush()
        steps.replan(session, case, now)
    record(
        session, "case.priority-changed", now, case_id=case.id, person=person.key, cycle=cycle.number, new=priority,
        new_target=cycle.target, new_due_at=cycle.due_at.isoformat() if cycle.due_at else None, moved=moved,
        policy_version=cycle.policy_version, **before,
    )  # fmt: skip


def close(session: Session, case: Case, person: Person, now: datetime, reason: Excuse | None = None) -> None:
    """Close a case that was answered, or say why nobody answered: closing is no answer."""
    pages.call_off(session, case, now)
    cycle = cycles.locked_cycle(session, case)
    _require_open(case)
    if cycle.standing.awaits_answer:
        if reason is None:
            wanted = ", ".join(Excuse)
            raise NotPossible(
                f"nobody has answered the customer of case {case.id}; answer, or give a reason ({wanted})"
            )
        if excuses(reason, cycle.due_at, now):
            cycles.excuse(session, cycle, reason, person.key, now)
    elif reason is not None:
        raise NotPossible(f"the customer of case {case.id} was answered; close it without a reason")
    case.status, case.closed_at = CaseStatus.CLOSED, now
    record(
        session, "case.closed", now, case_id=case.id, person=person.key, reason=reason,
        verdict=cycle.standing.verdict, cycle=cycle.number,
    )  # fmt: skip


def reopen(session: Session, case: Case, person: Person | None, now: datetime, current: CurrentPolicy,
           started_at: datetime | None = None, *, by: str = "customer") -> None:  # fmt: skip
    """Open a closed case again, with a new clock from ``started_at`` (now, or when the customer came back).

    ``by`` says what did so where it was no ``person``: ``customer``, or the ``report`` that an answer did not arrive.

    The old verdict stays, where there is one. An excuse is taken back: that clock runs on, from its own contact;
    so does one that was never answered.
    """
    cycle = cycles.locked_cycle(session, case)
    if case.status != CaseStatus.CLOSED:
        raise NotPossible(f"case {case.id} is open")
    case.status, case.closed_at, case.merged_into = CaseStatus.OPEN, None, None
    if cycle.standing is CycleState.EXCUSED:
        cycles.retarget(session, case, cycle, now)
    elif cycle.standing.is_answered:
        cycle = cycles.begin(session, case, current, started_at or now)
    record(
        session, "case.reopened", now, case_id=case.id, person=person.key if person else None,
        cycle=cycle.number, by="engineer" if person else by,
    )  # fmt: skip


def _require_open(case: Case) -> None:
    if case.status != CaseStatus.OPEN:
        raise NotPossible(f"case {case.id} is closed; reopen it first")
