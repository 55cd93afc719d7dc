"""Who has a case: a page is accepted, acknowledged by those who must, passed on, handed over and taken over."""

from __future__ import annotations

import enum
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from core import due
from core.models import Case, Person, record
from routing.clocks import cycles, reminders
from routing.context import Context
from routing.notices import notices
from routing.paging import bundles, everyone, sending
from routing.paging.models import Page, Purpose
from routing.paging.pages import start_page
from routing.paging.rows import locked_pages, move, plan_duty, stop, stop_for
from routing.paging.states import PageEvent, PageState
from routing.paging.steps import advance
from routing.policies import CurrentPolicy
from routing.policy import Policy


class Answer(enum.StrEnum):
    """What became of somebody's wish to accept or to pass on a page."""

    DONE = "done"
    ALREADY_YOURS = "already-yours"
    TAKEN = "taken"  # by somebody else
    OVER = "over"  # nothing rings any more, or this step is not the current one


def accept(session: Session, context: Context, page: Page, person: Person) -> Answer:
    """``person`` takes the case: the ringing ends for everybody, the response clock goes on.

    The pages of the case are locked. Whoever had it before is told. With a lead, everything in its bundle is
    accepted, by the worker in a moment, and what follows within the window, too.
    """
    now = context.clock.now()
    policy = context.policies.current().policy
    if page.state == PageState.RINGING and everyone.rows_of(session, page):
        outcome = _acknowledge(session, context, page, person, policy, now)
    else:
        outcome = _accept_for_all(session, context, page, person, policy, now)
    if outcome is Answer.DONE and bundles.others(session, page):
        rule = context.policies.version(page.policy_version).escalations[page.escalation]
        page.open_until = now + timedelta(seconds=rule.bundle_s)
        bundles.accept_members(session, page, now)
        bundles.close_later(session, page, person.key, now)
    return outcome


def _accept_for_all(
    session: Session, context: Context, page: Page, person: Person, policy: Policy, now: datetime
) -> Answer:
    if page.state == PageState.ACKNOWLEDGED:
        return Answer.ALREADY_YOURS if page.acknowledged_by == person.key else Answer.TAKEN
    return Answer.DONE if take(session, context, page, person.key, policy, now) else Answer.OVER


def _acknowledge(
    session: Session, context: Context, page: Page, person: Person, policy: Policy, now: datetime
) -> Answer:
    """One of those who must has acknowledged: the first one has the case, the others are rung on."""
    if not everyone.note(session, page, person.key, now):
        return Answer.ALREADY_YOURS
    if page.acknowledged_by is None:
        page.acknowledged_at, page.acknowledged_by = now, person.key
        _hand_over(session, context, page, person.key, policy, now)
    _note_acknowledged(session, page, person, now)
    return Answer.DONE


def _note_acknowledged(session: Session, page: Page, person: Person, now: datetime) -> None:
    """Write who is still missing; once nobody is, the page is done."""
    missing = [row.person_key for row in everyone.rows_of(session, page) if row.is_missing]
    record(
        session, "page.acknowledged", now, case_id=page.case_id, person=person.key, people=missing,
        passed=person.key not in everyone.done_by(session, page),
    )  # fmt: skip
    if missing or page.acknowledged_by is None:
        move(page, PageEvent.ACKNOWLEDGED_BY_ONE)
        stop_for(session, page, person.key, now)
    elif move(page, PageEvent.ACCEPTED):
        stop(session, page, now)


def take(session: Session, context: Context, page: Page, person: str, policy: Policy, now: datetime) -> bool:
    """``person`` has the case of a locked page; False if that comes too late."""
    rang = page.state == PageState.RINGING
    if not move(page, PageEvent.ACCEPTED):
        return False
    page.acknowledged_at, page.acknowledged_by = now, person
    if (
        rang
    ):  # one that joined another has nothing planned or under way of its own, and there may be a thousand
        stop(session, page, now)
    _hand_over(session, context, page, person, policy, now)
    return True


def _hand_over(
    session: Session, context: Context, page: Page, person: str, policy: Policy, now: datetime
) -> None:
    """``person`` has the case of ``page`` from now on; whoever had it before is told, and so is the customer."""
    case = session.get_one(Case, page.case_id)
    record(session, "page.accepted", now, case_id=case.id, person=person)
    for other in locked_pages(session, case):
        if other is not page and move(other, PageEvent.LET_GO):
            stop(session, other, now)
            # Of many that were let go at once it is said once.
            if page.lead_id is None and other.acknowledged_by not in (None, person):
                sending.tell(session, case, policy, [other.acknowledged_by or ""], Purpose.RELIEVED, now)
    _owned_by(session, case, person, now)
    if page.lead_id is None:  # of a bundle one is looked at when the duty changes
        plan_duty(session, page, now, None)
    notices.accepted(session, context, case, policy, now)


def _owned_by(session: Session, case: Case, person: str | None, now: datetime) -> None:
    """Write down who has the case, and when they are reminded of it."""
    case.engineer, case.acknowledged_at = person, now if person else None
    session.flush()
    cycle = cycles.locked_cycle(session, case)
    reminders.plan(session, case, cycle, now)


def pass_on(session: Session, context: Context, page: Page, person: Person, position: int) -> Answer:
    """``person`` lets the next step take it. ``position`` is the step they were rung at.

    Whoever has accepted may still pass: a new page begins at the next step. The pages of the case are locked.
    """
    now = context.clock.now()
    page = bundles.spoken_for(session, page)
    if page.state == PageState.ACKNOWLEDGED and page.acknowledged_by == person.key:
        return Answer.DONE if let_go(session, page, context.policies.current(), now) else Answer.OVER
    if page.state == PageState.JOINED and bundles.leave(session, page):
        position = page.position
    if page.state == PageState.RINGING and everyone.rows_of(session, page):
        return _pass_alone(session, context, page, person, now)
    if page.state != PageState.RINGING:
        return Answer.TAKEN if page.state == PageState.ACKNOWLEDGED else Answer.OVER
    record(session, "page.passed", now, case_id=page.case_id, person=person.key)
    return Answer.DONE if advance(session, context, page, position, at_once=True) else Answer.OVER


def _pass_alone(session: Session, context: Context, page: Page, person: Person, now: datetime) -> Answer:
    """One of those who must acknowledge passes: the others are rung on, and the next step if nobody is left."""
    if not everyone.note(session, page, person.key, now, passed=True):
        return Answer.OVER
    record(session, "page.passed", now, case_id=page.case_id, person=person.key)
    if page.acknowledged_by == person.key:
        heirs = everyone.done_by(session, page)
        page.acknowledged_by = heirs[0] if heirs else None
        _owned_by(session, session.get_one(Case, page.case_id), page.acknowledged_by, now)
        if heirs:
            bundles.take_members(session, page, person.key, now)
        else:
            bundles.pass_members(session, page, [person.key], now)
    _note_acknowledged(session, page, person, now)
    if page.acknowledged_by is None and not any(row.is_missing for row in everyone.rows_of(session, page)):
        advance(session, context, page, page.position, at_once=True)
    return Answer.DONE


def let_go(
    session: Session,
    page: Page,
    current: CurrentPolicy,
    now: datetime,
    *,
    to: str | None = None,
    position: int | None = None,
) -> bool:
    """Whoever accepted passes the case on, ``to`` somebody perhaps, and all of its bundle.

    It goes on at the next step, or at ``position``. False if the customer has been answered.
    """
    case = session.get_one(Case, page.case_id)
    if case.responded_at is not None or case.closed_at is not None or not move(page, PageEvent.LET_GO):
        return False  # nobody is rung for what is left to do
    if to is not None:
        record(session, "page.handed", now, case_id=case.id, person=page.acknowledged_by, people=[to])
    else:
        record(session, "page.passed", now, case_id=case.id, person=page.acknowledged_by)
    stop(session, page, now)
    _owned_by(session, case, None, now)
    fresh = start_page(session, case, current, now, page.position + 1 if position is None else position, to)
    if page.lead_id is None and bundles.others(session, page):
        people = {page.acknowledged_by or "", *bundles.being_taken_from(session, page)}
        due.cancel(session, bundles.subject(page))
        bundles.follow(session, page, fresh, PageState.JOINED)
        bundles.pass_members(session, page, people, now)
    return True


def hand_to(session: Session, context: Context, page: Page, person: Person, to: Person) -> Answer:
    """``person``, who has the case, hands it to somebody by name, who is rung first; then others are.

    The pages of the case are locked.
    """
    page = bundles.spoken_for(session, page)
    if page.state != PageState.ACKNOWLEDGED or page.acknowledged_by != person.key:
        return Answer.TAKEN if page.state == PageState.ACKNOWLEDGED else Answer.OVER
    handed = let_go(session, page, context.policies.current(), context.clock.now(), to=to.key)
    return Answer.DONE if handed else Answer.OVER


def take_over(session: Session, context: Context, page: Page, person: Person) -> Answer:
    """``person`` takes a case from whoever has it and has not answered; one that rings they accept."""
    page = bundles.spoken_for(session, page)
    case, former = session.get_one(Case, page.case_id), page.acknowledged_by
    if page.state != PageState.ACKNOWLEDGED or former == person.key:
        return accept(session, context, page, person)
    if case.responded_at is not None or case.closed_at is not None or not move(page, PageEvent.TAKEN_OVER):
        return Answer.OVER
    now, policy = context.clock.now(), context.policies.current().policy
    page.acknowledged_at, page.acknowledged_by = now, person.key
    stop(session, page, now)
    _hand_over(session, context, page, person.key, policy, now)
    if page.lead_id is None:
        sending.tell(session, case, policy, [former or ""], Purpose.RELIEVED, now)
        if bundles.others(session, page):
            bundles.take_members(session, page, former or "", now)
    return Answer.DONE
