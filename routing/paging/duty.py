"""Handover: the duty changes while a page rings, or while a case is accepted and not answered.

A ringing page rings the new one as well. Whoever has a case keeps it; the new one is told what is open and can take
it over, and whoever has it is told that they can hand it on.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import due
from core.models import Case, record
from routing import oncall
from routing.context import Context
from routing.oncall import Schedule
from routing.paging import sending
from routing.paging.models import Attempt, Page, Purpose
from routing.paging.rows import DUTY, locked_page, plan_duty
from routing.paging.states import PageState
from routing.policy import Policy
from routing.rosters.changes import DUTY_CHANGED, schedule_of

_AHEAD = timedelta(days=8)


def next_change(schedule: Schedule, now: datetime) -> datetime | None:
    """When somebody else, or nobody, is on call for the first time after ``now``; None in the next days. Pure."""
    shifts = oncall.shifts(schedule, now, now + _AHEAD)
    edges = sorted({edge for shift in shifts for edge in (shift.start, shift.end) if edge > now})
    present = oncall.on_call(schedule, now)
    return next((at for at in edges if at < now + _AHEAD and oncall.on_call(schedule, at) != present), None)


def look(context: Context, claim: due.Claim) -> None:
    """Due work: the duty may have changed since the page rang or was accepted. One that is over needs nothing."""
    now = context.clock.now()
    with context.database.writing() as session:
        page = locked_page(session, claim.payload["page"])
        if not due.finish(session, claim):
            raise due.LeaseLost(claim.subject)
        case = session.get_one(Case, page.case_id)
        if case.closed_at is not None or case.responded_at is not None or not _is_open(page):
            return
        policy = context.policies.version(page.policy_version)
        schedule = schedule_of(session, policy, policy.escalations[page.escalation].schedule, now)
        present, former = oncall.on_call(schedule, now), tuple(claim.payload.get("was") or ())
        if present and former and present != former:
            record(
                session, "page.duty-changed", now, case_id=case.id, people=list(present), former=list(former)
            )
            if page.acknowledged_by is None:
                _ring(session, context, page, policy, present, now)
            else:
                _tell(session, context, page, case, present, now)
        plan_duty(session, page, next_change(schedule, now) or now + _AHEAD, present)


def _is_open(page: Page) -> bool:
    return page.state == PageState.RINGING or page.is_had


def _ring(
    session: Session, context: Context, page: Page, policy: Policy, people: tuple[str, ...], now: datetime
) -> None:
    """Ring the new ones in the step that rings, unless it rings them already."""
    step = (Attempt.page_id == page.id, Attempt.position == page.position)
    rung = set(session.scalars(sa.select(Attempt.person_key).where(*step)))
    new = [key for key in people if key not in rung]
    if new:
        wait = timedelta(seconds=policy.escalations[page.escalation].steps[0].wait_s)
        sending.ring_step(session, context, page, new, Purpose.PAGE, wait, now)


def _tell(
    session: Session, context: Context, page: Page, case: Case, people: tuple[str, ...], now: datetime
) -> None:
    """Tell the new ones what is open, and whoever has it that it stays theirs."""
    policy = context.policies.current().policy
    new = [key for key in people if key != page.acknowledged_by]
    if new:
        sending.tell(session, case, policy, new, Purpose.DUTY, now, page=page)
        sending.tell(session, case, policy, [page.acknowledged_by or ""], Purpose.OFF_DUTY, now, page=page)


def changed(context: Context, claim: due.Claim) -> None:
    """Due work: a change of the day was made or withdrawn. Each page that it may concern is looked at now."""
    now = context.clock.now()
    with due.finishing(context.database, claim) as session:
        session.execute(
            sa.update(due.Due)
            .where(due.Due.kind == DUTY, due.Due.state == due.DueState.READY, due.Due.due_at > now)
            .values(due_at=now)
        )


HANDLERS = {DUTY: look, DUTY_CHANGED: changed}
