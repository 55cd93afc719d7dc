"""The steps of a page: each is rung, waits, and is followed by the next one until somebody accepts."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import due
from core.database import wake_after_commit
from core.models import Case, record
from routing import escalation
from routing.context import Context
from routing.paging import bundles, everyone, sending
from routing.paging.models import LIVE_STATES, Attempt, Page, Purpose
from routing.paging.rows import RING, STEP_OVER, VOICE, locked_page, move, plan_duty
from routing.paging.states import PageEvent, PageState
from routing.policies import policy_of_version
from routing.policy import Escalation, Policy
from routing.rosters.changes import schedules_of


def ring(context: Context, claim: due.Claim) -> None:
    """Due work: ring everybody of the page's current step, each by their own methods."""
    now = context.clock.now()
    with due.finishing(context.database, claim) as session:
        page = locked_page(session, claim.payload["page"])
        if page.state != PageState.RINGING or page.position != claim.payload["position"]:
            return
        policy = context.policies.version(page.policy_version)
        rule = policy.escalations[page.escalation]
        keys = _taken_together(session, policy, rule, page, now)
        loud = escalation.is_repeat(rule, page.position)
        record(
            session, "page.step", now, case_id=page.case_id, position=page.position, people=keys, loud=loud
        )
        wait = _over_at(rule, page, now) - now
        purpose = Purpose.LOUD if loud else Purpose.PAGE
        rung = sending.ring_step(session, context, page, keys, purpose, wait, now)
        if page.rung_at is None:
            plan_duty(session, page, now, None)
        page.rung_at = now
        if not rung:
            wait = timedelta()  # nobody of this step can be rung: the next one, at once
        due.enqueue(session, STEP_OVER, page.subject, now + wait, page=page.id, position=page.position)


def _taken_together(
    session: Session, policy: Policy, rule: Escalation, page: Page, now: datetime
) -> list[str]:
    """The people of the page's step, and of those that fall together with it: hardly anything is left."""
    keys = _of_step(session, policy, rule, page, now)
    asked = page.asked is not None and page.rung_at is None
    while (
        not asked and not escalation.is_repeat(rule, page.position + 1) and _over_at(rule, page, now) <= now
    ):
        page.position += 1
        keys += _of_step(session, policy, rule, page, now)
    return everyone.still_to_ring(session, page, list(dict.fromkeys(keys)))


def _of_step(session: Session, policy: Policy, rule: Escalation, page: Page, now: datetime) -> list[str]:
    """Whom the page's step rings; where everyone must acknowledge, that is written down."""
    if page.asked is not None and page.rung_at is None:
        return [page.asked]
    people = people_of(session, policy, rule, page.position, now)
    step = rule.steps[min(page.position, len(rule.steps) - 1)]
    if step.everyone_must and not escalation.is_repeat(rule, page.position):
        everyone.require(session, page, people, now)
    return [*people]


def people_of(
    session: Session, policy: Policy, rule: Escalation, position: int, now: datetime
) -> tuple[str, ...]:
    """Whom a step rings, with the changes of the day."""
    schedules = schedules_of(session, policy, escalation.schedules_in(rule), now)
    return escalation.people_at(policy, rule, position, now, schedules)


def _over_at(rule: Escalation, page: Page, rung_at: datetime) -> datetime:
    """When the page's step is over, by the promise as it is now."""
    promise = page.due_at or page.case.due_at
    return escalation.step_over_at(rule, page.position, rung_at, page.started_at, promise)


def step_over(context: Context, claim: due.Claim) -> None:
    """Due work: the step's time is over and nobody has accepted."""
    with context.database.writing() as session:
        page = locked_page(session, claim.payload["page"])
        # Finished first: the next step cancels what still waits of this one.
        if not due.finish(session, claim):
            raise due.LeaseLost(claim.subject)
        advance(session, context, page, claim.payload["position"])


def advance(session: Session, context: Context, page: Page, position: int, *, at_once: bool = False) -> bool:
    """Take the step after ``position``; nothing happens if that has been done, or the page has ended.

    ``page`` is locked. ``at_once`` rings even where a repeat would still wait.
    """
    if page.position != position or not move(page, PageEvent.STEP_TAKEN):
        return False
    now = context.clock.now()
    rule = context.policies.version(page.policy_version).escalations[page.escalation]
    page.position += 1
    ring_at = now
    if page.rung_at is not None and not at_once:
        ring_at = escalation.next_ring_at(rule, page.position, page.rung_at, now)
    due.cancel(session, page.subject, (RING, STEP_OVER))
    due.enqueue(session, RING, page.subject, ring_at, page=page.id, position=page.position)
    return True


def failed(session: Session, context: Context, attempt: Attempt) -> None:
    """A call of the current step has ended without an acceptance: take the next step once none is left."""
    if attempt.channel != VOICE or attempt.page_id is None:
        return
    page = locked_page(session, attempt.page_id)
    session.flush()
    alive = session.scalar(
        sa.select(sa.func.count())
        .select_from(Attempt)
        .where(
            Attempt.page_id == page.id,
            Attempt.position == attempt.position,
            Attempt.channel == VOICE,
            Attempt.state.in_(LIVE_STATES),
        )
    )
    if not alive:
        advance(session, context, page, attempt.position)


def replan(session: Session, case: Case, now: datetime) -> None:
    """The promise of ``case`` has moved: the step that rings is over when it says so by the new one.

    What has become more urgent than the bundle that it rings with rings for itself. The case's pages have been
    locked before its cycle was.
    """
    for page in session.scalars(sa.select(Page).where(Page.case_id == case.id)):
        if page.state == PageState.RINGING:
            page.due_at = bundles.earliest_promise(session, page, now)
            _move_end(session, page, now)
        elif page.state == PageState.JOINED:
            lead = session.get_one(Page, page.lead_id)
            if case.priority < session.get_one(Case, lead.case_id).priority:
                ring_alone(session, page, case.due_at, now)
            elif lead.state == PageState.RINGING:
                pull_forward(session, lead, case.due_at, now)


def ring_alone(session: Session, page: Page, due_at: datetime | None, now: datetime) -> None:
    """Let a page that has joined another ring for itself, at once."""
    if bundles.leave(session, page):
        page.due_at = due_at
        due.enqueue(session, RING, page.subject, now, page=page.id, position=page.position)


def pull_forward(session: Session, lead: Page, due_at: datetime | None, now: datetime) -> None:
    """A case with the promise ``due_at`` has joined: the steps are cut from the earliest one that is not broken."""
    held = lead.due_at if lead.due_at is not None and lead.due_at > now else None
    if due_at is not None and due_at > now and (held is None or due_at < held):
        lead.due_at = due_at
        _move_end(session, lead, now)


def _move_end(session: Session, page: Page, now: datetime) -> None:
    """Let the step that rings be over when the page's promise says so."""
    if page.rung_at is None:
        return
    rule = policy_of_version(session, page.policy_version).escalations[page.escalation]
    waiting = (due.Due.kind == STEP_OVER, due.Due.state == due.DueState.READY)
    over_at = max(now, _over_at(rule, page, page.rung_at))
    session.execute(
        sa.update(due.Due).where(due.Due.subject == page.subject, *waiting).values(due_at=over_at)
    )
    wake_after_commit(session)


def revive(session: Session, now: datetime) -> int:
    """Ring again where a page rings but nothing is due for it, whatever took its row away; how many pages."""
    awaited = sa.exists().where(
        due.Due.subject == sa.literal("page:") + sa.cast(Page.id, sa.String),
        due.Due.kind.in_((RING, STEP_OVER)),
        due.Due.state.in_((due.DueState.READY, due.DueState.LEASED)),
    )
    ringing = Page.state == sa.literal_column("'ringing'")  # as in the partial index
    orphans = session.scalars(sa.select(Page).where(ringing, ~awaited)).all()
    for page in orphans:
        record(session, "page.revived", now, case_id=page.case_id, position=page.position)
        due.enqueue(session, RING, page.subject, now, page=page.id, position=page.position)
    alone = bundles.left_alone(session)
    for page in alone:
        record(session, "page.revived", now, case_id=page.case_id, position=page.position)
        ring_alone(session, page, page.due_at, now)
    return len(orphans) + len(alone)
