"""The life of a page: begun with a case, sent on when more is asked for, called off when it is not needed.

Who has the case is :mod:`routing.paging.acceptance`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import due
from core.models import Case, Person, record
from routing.context import Context
from routing.paging import bundles, sending
from routing.paging.models import Attempt, Page, Purpose
from routing.paging.rows import RING, locked_page, locked_pages, move, stop
from routing.paging.states import PageEvent, PageState
from routing.paging.steps import advance, people_of, pull_forward
from routing.policies import CurrentPolicy
from routing.policy import Policy

__all__ = ["locked_page", "locked_pages"]


def start_page(
    session: Session,
    case: Case,
    current: CurrentPolicy,
    now: datetime,
    position: int = 0,
    asked: str | None = None,
) -> Page:
    """Begin to ring for ``case``, in the transaction that opens or escalates it; with others, if many ring.

    ``position`` is where a page goes on from an earlier one; there is always somebody left to ring. ``asked`` is
    whom the case is handed to (a key).
    """
    policy = current.policy
    key = policy.escalation_of(case.service, case.priority)
    if key is None:
        raise ValueError(f"the service {case.service!r} has no escalation, yet a case of it wants a page")
    last = len(policy.escalations[key].steps) - 1
    page = _new(case, current.version, key, min(position, last), now)
    page.asked = asked
    bundles.one_at_a_time(session, key)
    lead = bundles.lead_for(session, page, case, policy.escalations[key], now) if asked is None else None
    session.add(page)
    session.flush()
    record(session, "page.started", now, case_id=case.id, page=page.id)
    if lead is None:
        due.enqueue(session, RING, page.subject, now, page=page.id, position=page.position)
        return page
    bundles.join(session, page, lead, case, now)
    if lead.state == PageState.ACKNOWLEDGED and lead.acknowledged_by is not None:
        bundles.accept_members(session, lead, now)
    else:
        pull_forward(session, lead, case.due_at, now)
    return page


def _new(case: Case, version: int, key: str, position: int, now: datetime) -> Page:
    return Page(
        case_id=case.id, policy_version=version, escalation=key, state=PageState.RINGING, position=position,
        started_at=now, due_at=case.due_at,
    )  # fmt: skip


def notify_on_call(
    session: Session, case: Case, policy: Policy, purpose: Purpose, now: datetime, also: Iterable[str] = ()
) -> None:
    """Send whoever has ``case``, or else the on-call engineer, and ``also`` these a quiet message; nobody is rung."""
    key = policy.escalation_of(case.service, case.priority)
    people = [case.engineer] if case.engineer in policy.people else []
    if not people and key is not None:
        people = list(people_of(session, policy, policy.escalations[key], 0, now))
    sending.tell(session, case, policy, dict.fromkeys((*also, *people)), purpose, now)


def escalate(session: Session, context: Context, case: Case, now: datetime) -> None:
    """The customer asks for more: the next step of a ringing page, or a new page that begins at the second."""
    page = _latest(locked_pages(session, case))
    record(session, "case.escalated", now, case_id=case.id, by="caller")
    if page is not None and page.state == PageState.JOINED:
        bundles.leave(session, page)
    if page is not None and page.state == PageState.RINGING:
        advance(session, context, page, page.position, at_once=True)
    else:
        start_page(session, case, context.policies.current(), now, position=1 if page else 0)


def broken(session: Session, context: Context, case: Case, now: datetime) -> None:
    """The promise of ``case`` is broken: whoever has it is told, and the next level is rung.

    The pages of the case are locked. One that rings goes on ringing; of a case that nobody was ever rung for, whoever
    is on call is told.
    """
    page, current = _latest(locked_pages(session, case)), context.policies.current()
    if page is None and case.closed_at is None and case.engineer is None:
        notify_on_call(session, case, current.policy, Purpose.WAITS, now)
    if page is None or page.state != PageState.ACKNOWLEDGED or case.closed_at is not None:
        return
    fresh = start_page(session, case, current, now, page.position + 1)
    if fresh.lead_id is None:  # of many that break at once it is said once
        sending.tell(session, case, current.policy, [page.acknowledged_by or ""], Purpose.BROKEN, now)


def answered(session: Session, case: Case, now: datetime) -> None:
    """The customer has been answered: nobody is rung or reminded any more. The pages are locked before the cycle."""
    call_off(session, case, now)


def resume(session: Session, case: Case, now: datetime) -> None:
    """An answer was none: somebody has to be rung again, unless somebody has the case."""
    former = _latest(locked_pages(session, case))
    if former is None or former.state != PageState.CANCELLED or case.closed_at is not None:
        return
    page = _new(case, former.policy_version, former.escalation, former.position, now)
    session.add(page)
    session.flush()
    record(session, "page.started", now, case_id=case.id, page=page.id)
    due.enqueue(session, RING, page.subject, now, page=page.id, position=page.position)


def call_off(session: Session, case: Case, now: datetime) -> None:
    """Nobody is to be rung for ``case`` any more; who is being rung is hung up on. Its bundle goes on without it."""
    for page in locked_pages(session, case):
        rang = page.state == PageState.RINGING
        if move(page, PageEvent.CALLED_OFF):
            record(session, "page.called-off", now, case_id=case.id)
        stop(session, page, now)
        if rang:
            bundles.promote(session, page, now)
        else:
            bundles.succeed(session, page, now)


def _latest(pages: list[Page]) -> Page | None:
    return pages[-1] if pages else None


def latest_page(session: Session, case: Case) -> Page | None:
    """The latest page of a case; all of them are locked."""
    return _latest(locked_pages(session, case))


def standing(session: Session, case: Case) -> str | None:
    """``ringing``, or ``had`` by somebody who has not answered the customer; None where nobody is wanted."""
    latest = sa.select(Page.state).where(Page.case_id == case.id).order_by(Page.id.desc()).limit(1)
    state = session.scalar(latest)
    if case.closed_at is not None or state is None:
        return None
    if state == PageState.ACKNOWLEDGED:
        return "had" if case.responded_at is None else None
    return "ringing" if state in (PageState.RINGING, PageState.JOINED) else None


def rung_at(session: Session, page: Page, person: Person) -> int:
    """The latest step at which the person was rung; somebody who never was speaks of the present one."""
    position = session.scalar(
        sa.select(sa.func.max(Attempt.position)).where(
            Attempt.page_id == page.id, Attempt.person_key == person.key
        )
    )
    return page.position if position is None else position
