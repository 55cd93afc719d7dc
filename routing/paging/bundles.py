"""Many cases at once ring once: pages of the same people join the one that rings, and are accepted with it.

A page that rings for itself and for others is their lead. The first one is never delayed; the later ones within the
window join it. What is more urgent than everything in the bundle rings anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import due
from core.models import Case, record
from routing.paging.models import Page
from routing.paging.rows import RING, move
from routing.paging.states import PageEvent, PageState
from routing.policy import Escalation

MEMBERS, CLOSED = "page.members", "page.bundle-closed"
# Written out as in the partial indexes, which databases use for nothing else.
_RINGING = Page.state == sa.literal_column("'ringing'")
_JOINED = Page.state == sa.literal_column("'joined'")


def subject(lead: Page) -> str:
    """What the due work of a bundle is filed under; it goes on when the lead's own work ends."""
    return f"bundle:{lead.id}"


def one_at_a_time(session: Session, escalation: str) -> None:
    """Of two cases at the same moment one is the lead: on PostgreSQL by a lock that the transaction holds."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(f"pages:{escalation}"))))


def lead_for(session: Session, page: Page, case: Case, rule: Escalation, now: datetime) -> Page | None:
    """The lead that the new ``page`` of ``case`` joins, locked: one that rings, or whose bundle is still open."""
    since = now - timedelta(seconds=rule.bundle_s)
    found = _latest_alike(
        session, page, case, _RINGING, Page.position >= page.position,
        sa.func.coalesce(Page.joined_at, Page.started_at) > since,
    )  # fmt: skip
    if found is not None and found.state == PageState.RINGING:
        return found
    if page.position:
        return None  # goes on from an earlier page, and is no part of a storm that begins
    found = _latest_alike(session, page, case, Page.open_until > now, Page.state == PageState.ACKNOWLEDGED)
    return found if found is not None and found.state == PageState.ACKNOWLEDGED else None


def _latest_alike(session: Session, page: Page, case: Case, *which: sa.ColumnElement[bool]) -> Page | None:
    """The latest lead for the same people that is at least as urgent, locked; few match, and they are not sorted.

    Whoever looks at it looks at its state again: it may have been accepted while the lock was waited for.
    """
    alike = (
        sa.select(Page.id)
        .join(Case, Case.id == Page.case_id)
        .where(
            *which, Page.lead_id.is_(None), Page.case_id != case.id, Page.escalation == page.escalation,
            Page.policy_version == page.policy_version, Case.priority <= case.priority,
        )
    )  # fmt: skip
    latest = max(session.scalars(alike), default=None)
    return session.get(Page, latest, with_for_update=True, populate_existing=True) if latest else None


def join(session: Session, page: Page, lead: Page, case: Case, now: datetime) -> None:
    """Let ``page`` ring, or be had, with ``lead``, which is locked."""
    page.lead_id, page.position = lead.id, lead.position
    page.state = PageState.JOINED
    lead.joined_at = now
    record(session, "page.joined", now, case_id=case.id, lead=lead.case_id)


def leave(session: Session, page: Page) -> bool:
    """Let a page that has joined another ring for itself from now on; its own row is for the caller to write."""
    lead = session.get(Page, page.lead_id) if page.lead_id is not None else None
    if not move(page, PageEvent.LEFT_ALONE):
        return False
    if lead is not None:
        page.position, page.rung_at = lead.position, lead.rung_at
    page.lead_id = None
    return True


def promote(session: Session, lead: Page, now: datetime) -> None:
    """The lead's own case needs nobody any more: the most urgent of the others takes its place, and rings at once."""
    heir = session.scalar(
        sa.select(Page)
        .join(Case, Case.id == Page.case_id)
        .where(Page.lead_id == lead.id, Page.state == PageState.JOINED)
        .order_by(Case.priority, Page.id)
        .limit(1)
        .with_for_update(of=Page)
    )
    if heir is None or not leave(session, heir):
        return
    heir.started_at, heir.joined_at = lead.started_at, lead.joined_at
    session.flush()
    follow(session, lead, heir)
    heir.due_at = earliest_promise(session, heir, now)
    due.enqueue(session, RING, heir.subject, now, page=heir.id, position=heir.position)


def follow(session: Session, lead: Page, other: Page) -> None:
    """Whoever waits with ``lead`` waits with ``other`` from now on."""
    session.flush()
    session.execute(
        sa.update(Page)
        .where(Page.lead_id == lead.id, Page.state == PageState.JOINED)
        .values(lead_id=other.lead_id or other.id)
        .execution_options(synchronize_session=False)
    )


def earliest_promise(session: Session, lead: Page, now: datetime) -> datetime | None:
    """When the first promise of the bundle is due that is not broken yet."""
    inside = sa.or_(Page.id == lead.id, sa.and_(Page.lead_id == lead.id, Page.state == PageState.JOINED))
    found = sa.select(sa.func.min(Case.due_at)).join(Page, Page.case_id == Case.id)
    return session.scalar(found.where(inside, Case.due_at > now)) or lead.case.due_at


def others(session: Session, lead: Page) -> int:
    """How many other cases ring, or were accepted and wait for their answer, with ``lead``."""
    states = [PageState.JOINED, *([PageState.ACKNOWLEDGED] if lead.state != PageState.RINGING else [])]
    found = sa.select(sa.func.count()).select_from(Page).join(Case, Case.id == Page.case_id)
    waiting = (
        Page.lead_id == lead.id,
        Page.state.in_(states),
        Case.responded_at.is_(None),
        Case.closed_at.is_(None),
    )
    return session.scalar(found.where(*waiting)) or 0


def accept_members(session: Session, lead: Page, person: str, now: datetime) -> None:
    """Let the worker write that ``person`` has everything that has joined ``lead``; it is planned once."""
    planned = sa.exists().where(
        due.Due.subject == subject(lead), due.Due.kind == MEMBERS, due.Due.state == due.DueState.READY
    )
    if not session.scalar(sa.select(planned)):
        due.enqueue(session, MEMBERS, subject(lead), now, lead=lead.id, person=person, accept=True)


def pass_members(session: Session, lead: Page, now: datetime) -> None:
    """Let the worker pass on whatever was accepted with ``lead``."""
    work = {"lead": lead.id, "person": lead.acknowledged_by, "accept": False}
    due.enqueue(session, MEMBERS, subject(lead), now, **work)


def take_members(session: Session, lead: Page, person: str, former: str | None, now: datetime) -> None:
    """Let the worker write that ``person`` has taken over from ``former`` what was accepted with ``lead``."""
    if others(session, lead):
        work = {"lead": lead.id, "person": former, "to": person, "accept": False}
        due.enqueue(session, MEMBERS, subject(lead), now, **work)


def close_later(session: Session, lead: Page, person: str, now: datetime) -> None:
    """When the window is over, ``person`` is told how many cases have followed."""
    if lead.open_until is not None:
        at = now.isoformat()
        due.enqueue(session, CLOSED, subject(lead), lead.open_until, lead=lead.id, person=person, at=at)


def some_members(
    session: Session, lead_id: int, states: Iterable[PageState], most: int, had_by: str | None = None
) -> list[int]:
    """The ids of some pages of a bundle in one of ``states``, the earliest first; of one person's, if given."""
    found = sa.select(Page.id).where(Page.lead_id == lead_id, Page.state.in_(list(states)))
    if had_by is not None:
        found = found.where(Page.acknowledged_by == had_by)
    return list(session.scalars(found.order_by(Page.id).limit(most)))


def left_alone(session: Session) -> list[Page]:
    """Pages that wait with a lead which rings no more, though nothing is planned for them."""
    lead = sa.orm.aliased(Page)
    pending = sa.exists().where(
        due.Due.kind == MEMBERS, due.Due.state.in_((due.DueState.READY, due.DueState.LEASED)),
        due.Due.subject == sa.literal("bundle:") + sa.cast(lead.id, sa.String),
    )  # fmt: skip
    found = sa.select(Page).join(lead, lead.id == Page.lead_id)
    return list(session.scalars(found.where(_JOINED, lead.state != PageState.RINGING, ~pending)))
