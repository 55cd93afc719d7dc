"""Reminders: whoever has a case and has not answered its customer is rung again, before the promise is broken."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import due
from core.models import Case, record
from routing.clocks import cycles, reminders
from routing.clocks.models import ResponseCycle
from routing.clocks.states import CycleState
from routing.context import Context
from routing.paging import sending
from routing.paging.models import LIVE_STATES, Attempt, AttemptState, Page, Purpose
from routing.paging.rows import locked_pages

# Reminders of a bundle that fall within this time are one.
_TOGETHER = timedelta(minutes=5)


def remind(context: Context, claim: due.Claim) -> None:
    """Due work: a share of the response time is used up. A row that comes too late does nothing."""
    now = context.clock.now()
    with context.database.writing() as session:
        case = session.get_one(Case, session.get_one(ResponseCycle, claim.payload["cycle"]).case_id)
        pages = locked_pages(session, case)
        cycle = cycles.locked_cycle(session, case)
        if not due.finish(session, claim):
            raise due.LeaseLost(claim.subject)
        page = _had_by(pages)
        if cycle.id != claim.payload["cycle"] or page is None or not _is_forgotten(case, cycle, now):
            return
        following = reminders.next_of(session, case, cycle, now)
        until = following[1] if following else cycle.due_at or now
        record(
            session, "case.reminded", now, case_id=case.id, person=case.engineer,
            percent=round(claim.payload["share"] * 100), left_s=int((until - now).total_seconds()),
        )  # fmt: skip
        if not _is_reminded_with_others(session, page, now):
            sending.remind(session, context, page, until - now, now)
        reminders.plan(session, case, cycle, now)


def _had_by(pages: list[Page]) -> Page | None:
    """The page by which the case's engineer has it; it may still ring for others who must acknowledge."""
    return next((p for p in reversed(pages) if p.is_had), None)


def _is_reminded_with_others(session: Session, page: Page, now: datetime) -> bool:
    """Whether the engineer has just been reminded of another case of the same bundle: one ring says it of all."""
    lead = page.lead_id or page.id
    rung = sa.exists().where(
        Attempt.page_id == Page.id, sa.or_(Page.id == lead, Page.lead_id == lead),
        Attempt.purpose == Purpose.REMIND, Attempt.person_key == page.acknowledged_by,
        Attempt.created_at > now - _TOGETHER,
    )  # fmt: skip
    return bool(session.scalar(sa.select(rung)))


def _is_forgotten(case: Case, cycle: ResponseCycle, now: datetime) -> bool:
    """Whether somebody has the case, and it awaits its answer; at the due instant itself others are rung."""
    runs = cycle.standing is CycleState.RUNNING and cycle.due_at is not None and now < cycle.due_at
    awaits = runs or cycle.standing is CycleState.OVERDUE
    return awaits and case.engineer is not None and case.closed_at is None


def heard(session: Session, attempt: Attempt, now: datetime) -> None:
    """The engineer has pressed a key in a reminder: it is not repeated."""
    record(session, "case.reminder-heard", now, case_id=attempt.case_id, person=attempt.person_key)
    session.execute(
        sa.update(Attempt)
        .where(
            Attempt.page_id == attempt.page_id, Attempt.purpose == Purpose.REMIND, Attempt.id != attempt.id,
            Attempt.provider_sid.is_(None), Attempt.state.in_(LIVE_STATES),
        )
        .values(state=AttemptState.CANCELLED)
        .execution_options(synchronize_session=False)
    )  # fmt: skip
