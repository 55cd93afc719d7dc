"""What came by mail while we were closed is told when we open: by night mail wakes nobody, and must not be forgotten.

A case may be new, or one that somebody has added to, or opened again. Whoever has it, else whoever is on call, gets a
quiet message; not of what somebody has been told of since, or has answered. On the day on which the promise of a mail
ends they are told once more, where nobody was rung for it and nobody has answered.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from core import due
from core.models import Case, CaseStatus, Message
from intake.mail.mail_facts import CHANNEL, QUIET
from intake.mail.models import InboundMail
from intake.mail.parsing import Kind
from routing.business_hours import BusinessCalendar
from routing.clocks.rules import ENGINEER
from routing.context import Context
from routing.paging import pages
from routing.paging.models import Attempt, Purpose
from routing.policies import NoPolicy
from routing.policy import Policy

LOOK = "mail.look-at-opening"
_SUBJECT = "mail openings"
_TURN = 1_042_009
_LATEST = timedelta(hours=1)  # the hours may be edited meanwhile
_SOON = timedelta(minutes=1)
_AT_ONCE = 100
_CLOSED_AT_MOST = timedelta(days=14)
# What wakes a case, as ``Verdict.may_reopen`` has it; no automatic reply is word from anybody.
_HEARD = (Kind.PERSON, Kind.LIST, Kind.AUTO_GENERATED)


def ensure_scheduled(session: Session, now: datetime) -> None:
    """See to it that exactly one look is waiting or under way."""
    due.enqueue_once(session, LOOK, _SUBJECT, now, turn=_TURN)


def look(context: Context, claim: due.Claim) -> None:
    """Due work, at each opening: tell what came while we were closed. A look that comes late tells late."""
    now = context.clock.now()
    with context.database.writing() as session:
        following, after = now + _LATEST, dict(claim.payload.get("after") or {})
        for service, calendar in _services(context):
            if not calendar.is_open(now):
                following = min(following, calendar.next_opening(now))
                continue
            _tell_of_last_days(session, context, service, calendar, now)
            last = _tell(session, context, service, calendar, after.pop(service, 0), now)
            if last is not None:
                following, after[service] = now + _SOON, last
        if not due.again(session, claim, following, after=after):
            raise due.LeaseLost(claim.subject)


def _services(context: Context) -> list[tuple[str, BusinessCalendar]]:
    """The services that get mail, each with its hours."""
    try:
        policy = context.policies.current().policy
    except NoPolicy:
        return []
    return [
        (key, policy.calendar_of(key)) for key in sorted({box.service for box in policy.mailboxes.values()})
    ]


def _tell(
    session: Session, context: Context, service: str, calendar: BusinessCalendar, after: int, now: datetime
) -> int | None:
    """Tell of what came while ``service`` was closed last; where to go on in a moment, if there is more."""
    windows = list(calendar.open_windows(now - _CLOSED_AT_MOST, now + timedelta(seconds=1)))
    closed = windows[-2][1] if len(windows) > 1 else now - _CLOSED_AT_MOST
    found = session.execute(_untold(service, closed, windows[-1][0], after)).all()
    policy, seen = context.policies.current().policy, set[int]()
    for mail, case, details in found:
        if case.id not in seen and _is_word(case, details, policy):
            seen.add(case.id)
            purpose = Purpose.NOTIFY if case.origin == f"mail:{mail}" else Purpose.ADDED
            pages.notify_on_call(session, case, policy, purpose, now)
    return found[-1][0] if len(found) == _AT_ONCE else None


def _tell_of_last_days(
    session: Session, context: Context, service: str, calendar: BusinessCalendar, now: datetime
) -> None:
    """Promises that end before we close, or when we do, and that nobody has been reminded of today."""
    policy = context.policies.current().policy
    *_, (opened, _) = calendar.open_windows(now - _CLOSED_AT_MOST, now + timedelta(seconds=1))
    closes = next(end for _, end in calendar.open_windows(now, now + timedelta(days=1)))
    told = sa.exists().where(Attempt.case_id == Case.id, Attempt.created_at >= opened)
    ends = sa.select(Case).where(
        Case.status == CaseStatus.OPEN, Case.channel == CHANNEL, Case.service == service,
        Case.responded_at.is_(None), Case.engineer.is_(None), Case.due_at > now, Case.due_at <= closes, ~told,
    )  # fmt: skip
    for case in session.scalars(ends.order_by(Case.due_at).limit(_AT_ONCE)):
        pages.notify_on_call(session, case, policy, Purpose.WAITS, now)


def _untold(service: str, closed: datetime, opened: datetime, after: int) -> sa.Select[Any]:
    """Mails of the time between on open cases, of which nobody was told and which nobody has answered."""
    came = InboundMail.received_at
    told = sa.exists().where(Attempt.case_id == Case.id, Attempt.created_at >= came)
    answer = aliased(Message)
    answered = sa.exists().where(
        answer.case_id == Case.id, answer.author == ENGINEER, answer.public.is_(True), answer.at >= came
    )
    return (
        sa.select(InboundMail.id, Case, Message.details)
        .join(Case, InboundMail.case_id == Case.id)
        .join(Message, InboundMail.message_row == Message.id)
        .where(came >= closed, came < opened, InboundMail.id > after, InboundMail.via != QUIET)
        .where(Case.status == CaseStatus.OPEN, Case.service == service, ~told, ~answered)
        .order_by(InboundMail.id)
        .limit(_AT_ONCE)
    )


def _is_word(case: Case, details: dict[str, Any] | None, policy: Policy) -> bool:
    """Whether somebody has something to say, and their mailbox lets no stranger's mail wait."""
    kind = ((details or {}).get("verdict") or {}).get("kind", Kind.PERSON)
    box = policy.mailboxes.get(case.mailbox or "")
    held = case.customer_id is None and box is not None and box.unknown_senders == "hold"
    return kind in _HEARD and not held
