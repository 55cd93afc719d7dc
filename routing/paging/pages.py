"""The life of a page: begun with a case, accepted by a person, passed on, called off when it is not needed."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import due
from core.models import Case, Person, record
from routing.clocks import cycles, reminders
from routing.context import Context
from routing.notices import notices
from routing.paging import bundles, everyone, sending
from routing.paging.models import Attempt, Page, Purpose
from routing.paging.rows import RING, locked_page, locked_pages, move, plan_duty, stop, stop_for
from routing.paging.states import PageEvent, PageState
from routing.paging.steps import advance, people_of, pull_forward
from routing.policies import CurrentPolicy
from routing.policy import Policy

__all__ = ["Answer", "locked_page", "locked_pages"]


class Answer(enum.StrEnum):
    """What became of somebody's wish to accept or to pass on a page."""

    DONE = "done"
    ALREADY_YOURS = "already-yours"
    TAKEN = "taken"  # by somebody else
    OVER = "over"  # nothing rings any more, or this step is not the current one


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

    The pages of the case are locked. One that rings goes on ringing.
    """
    page = _latest(locked_pages(session, case))
    if page is None or page.state != PageState.ACKNOWLEDGED or case.closed_at is not None:
        return
    current = context.policies.current()
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
