"""Two cases that are one matter: the one is closed, and whatever comes for it goes onto the other."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.models import Case, CaseStatus, Event, Person, record
from routing import handling
from routing.clocks import cycles
from routing.clocks.rules import Excuse, NotPossible
from routing.correspondence.models import ConsentRequest, ConsentState

_MOST_STEPS = 20


def merge(session: Session, case: Case, into: Case, person: Person, now: datetime) -> None:
    """``case`` is a duplicate of ``into``: it is closed as such, if it is open, and goes on there.

    Only cases of one customer: the answers to one must not reach the other's. An answer that was given, and a
    promise that was broken, stay on the record of ``case``. :class:`NotPossible` says what is in the way.
    """
    if case.id == into.id or goes_on_in(session, into).id == case.id:
        raise NotPossible(f"case {case.id} cannot go on in itself")
    if case.merged_into is not None:
        raise NotPossible(f"case {case.id} goes on in case {case.merged_into} already")
    if case.customer_id != into.customer_id or (
        case.customer_id is None and case.from_address != into.from_address
    ):
        raise NotPossible(f"cases {case.id} and {into.id} are of different customers")
    if case.status == CaseStatus.OPEN and _is_asked(session, case, now):
        raise NotPossible(
            f"the customer of case {case.id} was asked by mail, and the answer would be lost; merge it when they "
            "have answered or the time for it is over, or merge the other one into it"
        )
    if case.status == CaseStatus.OPEN:
        cycle = cycles.current_cycle(session, case)
        unanswered = cycle is None or cycle.standing.awaits_answer
        handling.close(session, case, person, now, Excuse.DUPLICATE if unanswered else None)
    case.merged_into = into.id
    record(session, "case.merged", now, case_id=case.id, person=person.key, into=into.id)
    record(session, "case.merged-here", now, case_id=into.id, person=person.key, merged=case.id)


def _is_asked(session: Session, case: Case, now: datetime) -> bool:
    """Whether a question about charges, or about who wrote, can still be answered."""
    asked = sa.exists().where(
        ConsentRequest.case_id == case.id,
        ConsentRequest.state == ConsentState.ASKED,
        ConsentRequest.expires_at > now,
    )
    return bool(session.scalar(sa.select(asked)))


def unanswered_after_all(session: Session, case: Case, now: datetime) -> None:
    """The answer that merged ``case`` had was none, and was taken back: no other is owed on it, as ``merge`` has it.

    Its customer waits for one on the case that it goes on in.
    """
    cycle = cycles.locked_cycle(session, case)
    if cycle.standing.awaits_answer:
        by = sa.select(Event.person).where(Event.case_id == case.id, Event.kind == "case.merged")
        person = session.scalar(by.order_by(Event.id.desc()).limit(1))
        cycles.excuse(session, cycle, Excuse.DUPLICATE, person, now)


def goes_on_in(session: Session, case: Case) -> Case:
    """The case that ``case`` goes on in; itself, if it was not merged."""
    for _ in range(_MOST_STEPS):
        following = session.get(Case, case.merged_into) if case.merged_into is not None else None
        if following is None:
            break
        case = following
    return case


def merged_here(session: Session, case: Case) -> list[Case]:
    """The cases that go on in ``case``, those that were merged into them included."""
    found: list[Case] = []
    waiting = [case]
    while waiting and len(found) < _MOST_STEPS:
        into = waiting.pop()
        events = sa.select(Event.data).where(Event.case_id == into.id, Event.kind == "case.merged-here")
        numbers = [data["merged"] for data in session.scalars(events)]
        merged = session.scalars(
            sa.select(Case).where(Case.id.in_(numbers), Case.merged_into == into.id)
        ).all()
        found += merged
        waiting += merged
    return found
