"""Many cases at once ring once: pages of the same people join the one that rings, and are accepted with it.

A page that rings for itself and for others is their lead. The first one is never delayed; the later ones within the
window join it. What is more urgent than everything in the bundle rings anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import due
from core.models import Case, record
from routing.paging.models import Page
from routing.paging.rows import RING, locked_page, move, plan_duty
from routing.paging.states import PageEvent, PageState
from routing.policy import Escalation

MEMBERS, CLOSED = "page.members", "page.bundle-closed"
# What is written of the members.
ACCEPT, PASS, TAKE = "accept", "pass", "take"
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
    follow(session, lead, heir, PageState.JOINED)
    heir.due_at = earliest_promise(session, heir, now)
    due.enqueue(session, RING, heir.subject, now, page=heir.id, position=heir.position)


def succeed(session: Session, lead: Page, now: datetime) -> None:
    """The accepted lead's own case needs nobody any more: the most urgent of those that wait stands for the bundle.

    The former lead is one of the others from now on. While the worker still writes them, it comes here at its end;
    ``lead`` is locked, so that one of the two does it.
    """
    if lead.lead_id is not None or lead.state != PageState.ACKNOWLEDGED or _are_written(session, lead):
        return
    heir = session.scalar(
        sa.select(Page)
        .join(Case, Case.id == Page.case_id)
        .where(
            Page.lead_id == lead.id, Page.state == PageState.ACKNOWLEDGED,
            Page.acknowledged_by == lead.acknowledged_by, Case.responded_at.is_(None), Case.closed_at.is_(None),
        )
        .order_by(Case.priority, Page.id)
        .limit(1)
        .with_for_update(of=Page)
    )  # fmt: skip
    if heir is None:
        return
    heir.lead_id, heir.joined_at, heir.open_until = None, lead.joined_at, lead.open_until
    session.flush()
    follow(session, lead, heir, PageState.JOINED, PageState.ACKNOWLEDGED)
    lead.lead_id, lead.open_until = heir.id, None
    for closing in _live(session, lead, CLOSED):
        due.enqueue(session, CLOSED, subject(heir), closing.due_at, **{**closing.payload, "lead": heir.id})
    due.cancel(session, subject(lead), (CLOSED,))
    plan_duty(session, heir, now, None)


def spoken_for(session: Session, page: Page) -> Page:
    """The page that is meant by one which stood for its bundle, and whose own case needs nobody any more; locked."""
    if page.lead_id is None or page.joined_at is None:
        return page
    if page.case.responded_at is None and page.case.closed_at is None:
        return page
    lead = locked_page(session, page.lead_id)
    return lead if lead.acknowledged_by == page.acknowledged_by else page


def follow(session: Session, lead: Page, other: Page, *states: PageState) -> None:
    """Whoever is in one of ``states`` with ``lead`` is so with ``other`` from now on. Locked in their order."""
    session.flush()
    followers = sa.select(Page.id).where(Page.lead_id == lead.id, Page.state.in_(states))
    ids = session.scalars(followers.order_by(Page.id).with_for_update()).all()
    session.execute(
        sa.update(Page)
        .where(Page.id.in_(ids))
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


def accept_members(session: Session, lead: Page, now: datetime) -> None:
    """Let the worker write that whoever has ``lead`` has everything that has joined it; it is planned once."""
    planned = sa.exists().where(
        due.Due.subject == subject(lead), due.Due.kind == MEMBERS, due.Due.state == due.DueState.READY
    )
    if not session.scalar(sa.select(planned)):
        due.enqueue(session, MEMBERS, subject(lead), now, lead=lead.id, do=ACCEPT)


def pass_members(session: Session, lead: Page, people: Iterable[str], now: datetime) -> None:
    """Let the worker pass on whatever these ``people`` have of the bundle."""
    due.enqueue(session, MEMBERS, subject(lead), now, lead=lead.id, do=PASS, people=sorted(set(people)))


def take_members(session: Session, lead: Page, former: str, now: datetime) -> None:
    """Let the worker write that whoever has ``lead`` has taken over what ``former`` has of the bundle."""
    due.enqueue(session, MEMBERS, subject(lead), now, lead=lead.id, do=TAKE, people=[former])


def being_taken_from(session: Session, lead: Page) -> set[str]:
    """Who may have cases of the bundle still, since taking them over has not come to its end."""
    return {key for work in _live(session, lead, MEMBERS) for key in work.payload.get("people", ())}


def _are_written(session: Session, lead: Page) -> bool:
    return bool(_live(session, lead, MEMBERS))


def _live(session: Session, lead: Page, kind: str) -> Sequence[due.Due]:
    """The due work of one kind that a bundle waits for."""
    live = due.Due.state.in_((due.DueState.READY, due.DueState.LEASED))
    return session.scalars(
        sa.select(due.Due).where(due.Due.subject == subject(lead), due.Due.kind == kind, live)
    ).all()


def close_later(session: Session, lead: Page, person: str, now: datetime) -> None:
    """When the window is over, ``person`` is told how many cases have followed."""
    if lead.open_until is not None:
        at = now.isoformat()
        due.enqueue(session, CLOSED, subject(lead), lead.open_until, lead=lead.id, person=person, at=at)


def some_members(session: Session, lead: Page, most: int, *which: sa.ColumnElement[bool]) -> list[int]:
    """The ids of some pages of a bundle for which all of ``which`` hold, the earliest first."""
    found = sa.select(Page.id).where(Page.lead_id == lead.id, *which)
    return list(session.scalars(found.order_by(Page.id).limit(most)))


def left_alone(session: Session) -> list[Page]:
    """Pages that wait with a lead which rings no more, though nothing is planned for them.

    Not as a join: with one, SQLite goes through everything that ever joined, and not through what waits.
    """
    lead = sa.orm.aliased(Page)
    rings = sa.exists().where(lead.id == Page.lead_id, lead.state == PageState.RINGING)
    pending = sa.exists().where(
        due.Due.kind == MEMBERS, due.Due.state.in_((due.DueState.READY, due.DueState.LEASED)),
        due.Due.subject == sa.literal("bundle:") + sa.cast(Page.lead_id, sa.String),
    )  # fmt: skip
    return list(session.scalars(sa.select(Page).where(_JOINED, ~rings, ~pending)))
