"""Telling other systems of events, by signed webhooks: the event record is the outbox.

Whoever records an event, on the path of a ringing phone perhaps, does nothing for this. A piece of due work that
comes back every few seconds looks for new events and writes a ``hook.send`` for each that a webhook wants.

Numbers of events are given out before their transactions commit, so that 12 may appear after 13. The look therefore
begins some time back, behind what can still appear, and ``hook_deliveries`` says what of that has been seen.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from core import due, signed_post
from core.database import Base
from core.errors import ChannelError
from core.models import Case, Event
from routing.contact_methods import Hook

if TYPE_CHECKING:  # a policy is applied together with the work that its webhooks need
    from routing.context import Context

SCAN, SEND = "hook.scan", "hook.send"
_SUBJECT = "hooks"
_EVERY = timedelta(seconds=5)
_AT_ONCE = timedelta(milliseconds=500)
# Longer than any transaction may last, on either database.
_SETTLED = timedelta(minutes=1)
_BATCH = 200
_GIVE_UP_AFTER = timedelta(days=1)
_FIRST_RETRY, _LONGEST_RETRY = timedelta(seconds=2), timedelta(minutes=15)

log = logging.getLogger(__name__)


class HookDelivery(Base):
    """An event that a webhook has been given, as long as the look for new events may come across it."""

    __tablename__ = "hook_deliveries"

    hook: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    event_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


def schedule(session: Session, wanted: bool, now: datetime) -> None:
    """Begin to look for events, if the policy being applied has webhooks; they are told of what happens from now on.

    What looks already goes on from where it is.
    """
    live = (due.DueState.READY, due.DueState.LEASED)
    waiting = session.scalar(
        sa.select(due.Due).where(due.Due.subject == _SUBJECT, due.Due.state.in_(live)).limit(1)
    )
    # Replaced, not left: one that is under way may be about to end itself, for want of webhooks.
    payload = dict(waiting.payload) if waiting else {}
    due.cancel(session, _SUBJECT)
    if wanted:
        latest = session.scalar(sa.select(sa.func.max(Event.id))) or 0
        payload = payload or {"after": latest, "seen": latest, "seen_at": now.isoformat()}
        due.enqueue(session, SCAN, _SUBJECT, now, **payload)


def scan(context: Context, claim: due.Claim) -> None:
    """Due work, every few seconds while the policy has webhooks: write down what is to be sent."""
    hooks, now = context.policies.current().policy.webhooks, context.clock.now()
    with context.database.writing() as session:
        if not hooks:
            due.finish(session, claim)
            return
        after = int(claim.payload["after"])
        latest = session.scalar(sa.select(sa.func.max(Event.id))) or 0
        full = [name for name, hook in hooks.items() if _take(session, name, hook, after, now) == _BATCH]
        payload = dict(claim.payload)
        if not full and now - datetime.fromisoformat(payload["seen_at"]) >= _SETTLED:
            payload = {"after": payload["seen"], "seen": latest, "seen_at": now.isoformat()}
            session.execute(sa.delete(HookDelivery).where(HookDelivery.event_id <= payload["after"]))
        if not due.again(session, claim, now if full else now + _EVERY, **payload):
            raise due.LeaseLost(claim.subject)


def _take(session: Session, name: str, hook: Hook, after: int, now: datetime) -> int:
    """Write the work for the events since ``after`` that the webhook has not been given yet; how many."""
    given = sa.exists().where(HookDelivery.hook == name, HookDelivery.event_id == Event.id)
    kinds = [Event.kind.startswith(k[:-1]) if k.endswith("*") else Event.kind == k for k in hook.events]
    events = session.scalars(
        sa.select(Event).where(Event.id > after, sa.or_(*kinds), ~given).order_by(Event.id).limit(_BATCH)
    ).all()
    for event in events:
        session.add(HookDelivery(hook=name, event_id=event.id))
        # That an event could not be told is not told in turn, for ever.
        if event.data.get("work") != SEND:
            due.enqueue(
                session, SEND, _subject(name), now, hook=name, event=event.id, since=now.isoformat(), tries=0
            )
    return len(events)


def _subject(name: str) -> str:
    return f"hook:{name}"


def send(context: Context, claim: due.Claim) -> None:
    """Due work: tell one webhook of one event; tried again for a day. One at a time: phones are rung beside it."""
    hook = context.policies.current().policy.webhooks.get(claim.payload["hook"])
    with context.database.writing() as session:
        if hook is None:
            log.info("the webhook %s is no longer in the policy", claim.payload["hook"])
            due.finish(session, claim)
            return
        if _another_is_sending(session, claim):
            due.again(session, claim, context.clock.now() + _AT_ONCE, **claim.payload)
            return
        content = _content(session, session.get_one(Event, claim.payload["event"]))
    try:
        signed_post.post(hook.url, hook.secret, f"event-{content['id']}", content, context.clock.now())
    except ChannelError as error:
        _try_later(context, claim, error)
        return
    with due.finishing(context.database, claim):
        pass


def _another_is_sending(session: Session, claim: due.Claim) -> bool:
    """Whether an older piece of this work is under way: a receiver that hangs must not hold all threads."""
    other = sa.exists().where(
        due.Due.kind == SEND, due.Due.state == due.DueState.LEASED, due.Due.id < claim.id
    )
    return bool(session.scalar(sa.select(other)))


def _try_later(context: Context, claim: due.Claim, error: ChannelError) -> None:
    now, tries = context.clock.now(), int(claim.payload["tries"])
    if error.permanent or now - datetime.fromisoformat(claim.payload["since"]) >= _GIVE_UP_AFTER:
        raise ChannelError(str(error), permanent=True)
    pause = min(_FIRST_RETRY * 2 ** min(tries, 16), _LONGEST_RETRY)
    log.warning("the webhook %s was not told of an event: %s", claim.payload["hook"], error)
    with context.database.writing() as session:
        due.again(session, claim, now + pause, error=str(error), **{**claim.payload, "tries": tries + 1})
        # What waits for the same receiver need not find out the same.
        session.execute(
            sa.update(due.Due)
            .where(
                due.Due.subject == claim.subject,
                due.Due.state == due.DueState.READY,
                due.Due.due_at < now + pause,
            )
            .values(due_at=now + pause)
        )


def _content(session: Session, event: Event) -> Mapping[str, object]:
    """The event as JSON; instants in UTC, ISO 8601."""
    case = session.get(Case, event.case_id) if event.case_id else None
    return {
        "id": event.id, "kind": event.kind, "at": event.at.isoformat(), "person": event.person,
        "call_sid": event.call_sid, "data": event.data, "case": _case(case) if case else None,
    }  # fmt: skip


def _case(case: Case) -> dict[str, object]:
    """The case as it stands when the event is told."""
    return {
        "number": case.id, "service": case.service, "status": case.status, "priority": case.priority,
        "customer": case.customer.key if case.customer else None, "tier": case.tier,
        "title": case.title, "engineer": case.engineer, "due_at": _iso(case.due_at),
        "responded_at": _iso(case.responded_at),
    }  # fmt: skip


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
