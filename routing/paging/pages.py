"""The life of a page: begun with a case, rung step by step, accepted by a person or passed on."""

from __future__ import annotations

import enum
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import due
from core.database import wake_after_commit
from core.models import Case, Person, record
from routing import escalation
from routing.context import Context
from routing.notices import notices
from routing.paging import sending
from routing.paging.models import LIVE_STATES, Attempt, AttemptState, Page, PageState, Purpose
from routing.policies import CurrentPolicy, policy_of_version
from routing.policy import Escalation, Policy
from routing.rosters.changes import schedules_of

VOICE, SEND = sending.VOICE, sending.SEND
RING, STEP_OVER, CHECK, HANG_UP = (
    "page.ring",
    "page.step-over",
    "page.check",
    "page.hang-up",
)


class Answer(enum.StrEnum):
    """What became of somebody's wish to accept or to pass on a page."""

    DONE = "done"
    ALREADY_YOURS = "already-yours"
    TAKEN = "taken"  # by somebody else
    OVER = "over"  # nothing rings any more, or this step is not the current one


def start_page(
    session: Session, case: Case, current: CurrentPolicy, now: datetime, position: int = 0
) -> Page:
    """Begin to ring for ``case``, in the transaction that opens or escalates it."""
    key = current.policy.escalation_of(case.service, case.priority)
    if key is None:
        raise ValueError(f"the service {case.service!r} has no escalation, yet a case of it wants a page")
    page = Page(
        case_id=case.id, policy_version=current.version, escalation=key, position=position, started_at=now
    )
    session.add(page)
    session.flush()
    record(session, "page.started", now, case_id=case.id, page=page.id)
    due.enqueue(session, RING, page.subject, now, page=page.id, position=position)
    return page


def notify_on_call(session: Session, case: Case, policy: Policy, purpose: Purpose, now: datetime) -> None:
    """Send the on-call engineer a quiet message about ``case``; nobody is rung."""
    key = policy.escalation_of(case.service, case.priority)
    people = [case.engineer] if case.engineer in policy.people else []
    if not people and key is not None:
        rule = policy.escalations[key]
        people = list(_people(session, policy, rule, 0, now))
    sending.tell(session, case, policy, people, purpose, now)


def ring(context: Context, claim: due.Claim) -> None:
    """Due work: ring everybody of the page's current step, each by their own methods."""
    now = context.clock.now()
    with due.finishing(context.database, claim) as session:
        page = _locked(session, claim.payload["page"])
        if page.state != PageState.RINGING or page.position != claim.payload["position"]:
            return
        policy = context.policies.version(page.policy_version)
        rule = policy.escalations[page.escalation]
        keys = list(_people(session, policy, rule, page.position, now))
        # Steps that fall together, where little or nothing is left of the promise, are rung together.
        while not escalation.is_repeat(rule, page.position + 1) and _over_at(rule, page, now) <= now:
            page.position += 1
            keys += _people(session, policy, rule, page.position, now)
        keys = list(dict.fromkeys(keys))
        loud = escalation.is_repeat(rule, page.position)
        record(
            session,
            "page.step",
            now,
            case_id=page.case_id,
            position=page.position,
            people=keys,
            loud=loud,
        )
        wait = _over_at(rule, page, now) - now
        rung = sending.ring_step(
            session, context, page, keys, Purpose.LOUD if loud else Purpose.PAGE, wait, now
        )
        page.rung_at = now
        if not rung:
            wait = timedelta()  # nobody of this step can be rung: the next one, at once
        due.enqueue(session, STEP_OVER, page.subject, now + wait, page=page.id, position=page.position)


def _people(
    session: Session, policy: Policy, rule: Escalation, position: int, now: datetime
) -> tuple[str, ...]:
    """Whom a step rings, with the changes of the day."""
    schedules = schedules_of(session, policy, escalation.schedules_in(rule), now)
    return escalation.people_at(policy, rule, position, now, schedules)


def _over_at(rule: Escalation, page: Page, rung_at: datetime) -> datetime:
    """When the page's step is over, by the promise as it is now."""
    return escalation.step_over_at(rule, page.position, rung_at, page.started_at, page.case.due_at)


def replan(session: Session, case: Case, now: datetime) -> None:
    """The promise has moved: the step that rings is over when it says so by the new one.

    The case's pages have been locked by ``locked_pages``, before its cycle was.
    """
    for page in session.scalars(
        sa.select(Page).where(Page.case_id == case.id, Page.state == PageState.RINGING)
    ):
        if page.rung_at is None:
            continue
        rule = policy_of_version(session, page.policy_version).escalations[page.escalation]
        session.execute(
            sa.update(due.Due)
            .where(
                due.Due.subject == page.subject,
                due.Due.kind == STEP_OVER,
                due.Due.state == due.DueState.READY,
            )
            .values(due_at=max(now, _over_at(rule, page, page.rung_at)))
        )
        wake_after_commit(session)


def step_over(context: Context, claim: due.Claim) -> None:
    """Due work: the step's time is over and nobody has accepted."""
    with context.database.writing() as session:
        page = _locked(session, claim.payload["page"])
        # Finished first: the next step cancels what still waits of this one.
        if not due.finish(session, claim):
            raise due.LeaseLost(claim.subject)
        advance(session, context, page, claim.payload["position"])


def advance(session: Session, context: Context, page: Page, position: int, *, at_once: bool = False) -> bool:
    """Take the step after ``position``; nothing happens if that has been done, or the page has ended.

    ``page`` is locked. ``at_once`` rings even where a repeat would still wait.
    """
    if page.state != PageState.RINGING or page.position != position:
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


def accept(session: Session, context: Context, page: Page, person: Person) -> Answer:
    """``person`` takes the case: the ringing ends for everybody, the response clock goes on. ``page`` is locked."""
    if page.state == PageState.ACKNOWLEDGED:
        return Answer.ALREADY_YOURS if page.acknowledged_by == person.key else Answer.TAKEN
    if page.state != PageState.RINGING:
        return Answer.OVER
    now = context.clock.now()
    page.state, page.acknowledged_at, page.acknowledged_by = PageState.ACKNOWLEDGED, now, person.key
    page.case.engineer, page.case.acknowledged_at = person.key, now
    record(session, "page.accepted", now, case_id=page.case_id, person=person.key)
    _stop(session, page, now)
    notices.accepted(session, page.case, context.policies.current().policy, now)
    return Answer.DONE


def pass_on(session: Session, context: Context, page: Page, person: Person, position: int) -> Answer:
    """``person`` lets the next step take it. ``position`` is the step they were rung at. ``page`` is locked."""
    if page.state != PageState.RINGING:
        return Answer.TAKEN if page.state == PageState.ACKNOWLEDGED else Answer.OVER
    record(session, "page.passed", context.clock.now(), case_id=page.case_id, person=person.key)
    return Answer.DONE if advance(session, context, page, position, at_once=True) else Answer.OVER


def escalate(session: Session, context: Context, case: Case, now: datetime) -> None:
    """The customer asks for more: the next step of a ringing page, or a new page that begins at the second."""
    page = session.scalar(
        sa.select(Page).where(Page.case_id == case.id).order_by(Page.id.desc()).limit(1).with_for_update()
    )
    record(session, "case.escalated", now, case_id=case.id, by="caller")
    if page is not None and page.state == PageState.RINGING:
        advance(session, context, page, page.position, at_once=True)
    else:
        start_page(session, case, context.policies.current(), now, position=1 if page else 0)


def failed(session: Session, context: Context, attempt: Attempt) -> None:
    """A call of the current step has ended without an acceptance: take the next step once none is left."""
    if attempt.channel != VOICE or attempt.page_id is None:
        return
    page = _locked(session, attempt.page_id)
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


def revive(session: Session, now: datetime) -> int:
    """Ring again where a page rings but nothing is due for it, whatever took its row away; how many pages."""
    waiting = sa.select(due.Due.subject).where(
        due.Due.kind.in_((RING, STEP_OVER)), due.Due.state.in_((due.DueState.READY, due.DueState.LEASED))
    )
    awaited = set(session.scalars(waiting))
    orphans = [
        page
        for page in session.scalars(sa.select(Page).where(Page.state == PageState.RINGING))
        if page.subject not in awaited
    ]
    for page in orphans:
        record(session, "page.revived", now, case_id=page.case_id, position=page.position)
        due.enqueue(session, RING, page.subject, now, page=page.id, position=page.position)
    return len(orphans)


def locked_page(session: Session, page_id: int) -> Page:
    """The page, locked until the end of the transaction."""
    return _locked(session, page_id)


def _locked(session: Session, page_id: int) -> Page:
    return session.get_one(Page, page_id, with_for_update=True, populate_existing=True)


def locked_pages(session: Session, case: Case) -> list[Page]:
    """All pages of a case, locked: before its cycle is, which is the order of the house."""
    pages = sa.select(Page).where(Page.case_id == case.id).order_by(Page.id).with_for_update()
    return list(session.scalars(pages.execution_options(populate_existing=True)))


def _stop(session: Session, page: Page, now: datetime) -> None:
    live = session.scalars(
        sa.select(Attempt).where(Attempt.page_id == page.id, Attempt.state.in_(LIVE_STATES)).with_for_update()
    )
    for attempt in live:
        if attempt.provider_sid is None:
            # Not yet out, or just going out: the sender looks at the page once more before it dials.
            attempt.state = AttemptState.CANCELLED
        elif attempt.channel == VOICE and attempt.state != AttemptState.ANSWERED:
            due.enqueue(session, HANG_UP, f"attempt:{attempt.id}", now, sid=attempt.provider_sid)
    # Locks are taken in one order everywhere: page, attempts, due work.
    session.flush()
    due.cancel(session, page.subject)


def call_off(session: Session, case: Case, now: datetime) -> None:
    """Nobody is to be rung for ``case`` any more; who is being rung is hung up on."""
    for page in locked_pages(session, case):
        if page.state == PageState.RINGING:
            page.state = PageState.CANCELLED
            record(session, "page.called-off", now, case_id=case.id)
        _stop(session, page, now)
