"""The one door: whatever the channel, every contact becomes a case here, with its promise and its decision."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.models import Case, CaseStatus, Contact, Event, Message, record
from core.prepared import Prepared
from core.straight import straight_rows, write
from routing.clocks.cycles import begin_first
from routing.context import Context
from routing.coverage import ContactFacts, Outcome, decide
from routing.decisions import keep_decision
from routing.handling import reopen
from routing.notices import notices
from routing.paging import pages
from routing.paging.models import Attempt, Purpose
from routing.policies import CurrentPolicy
from routing.responses import stamp_response

# Somebody's machine may write again and again: within this time whoever has the case is told only once.
ONE_WORD_IN = timedelta(minutes=10)


@dataclass(frozen=True)
class MailParts:
    """What a message has besides its text, if it came by mail: columns of ``Message``."""

    mail_message_id: str | None = None
    html: str | None = None
    details: dict[str, Any] | None = None
    author: str = "customer"

    @property
    def by_machine(self) -> dict[str, str]:
        """What kind of machine wrote it, and its subject, for the event; nothing where a person did."""
        details = self.details or {}
        kind = details.get("verdict", {}).get("kind", "person")
        return {} if kind == "person" else {"wrote": kind, "subject": details.get("subject", "")[:200]}


@dataclass(frozen=True)
class Intake:
    """A contact that wants a case. ``origin`` (``call:CA...``) is unique: the same contact opens one case.

    ``consented_at`` is when the additional charges were accepted, UTC; numbers are E.164.
    """

    origin: str
    facts: ContactFacts
    title: str
    body: str
    customer_id: int | None = None
    contact_id: int | None = None
    from_number: str | None = None
    callback_number: str | None = None
    consented_at: datetime | None = None
    call_sid: str | None = None
    on_the_line: bool = False  # the caller may still enter another number to call back
    from_address: str | None = None
    needs_look: bool = False
    parts: MailParts = MailParts()


def open_case(session: Session, context: Context, intake: Intake, current: CurrentPolicy) -> Case:
    """Open the case of ``intake`` under the ``current`` policy, or return the one that it has opened before.

    Case, decision, event and due work are committed together by the caller's transaction.
    """
    existing = session.scalar(sa.select(Case).where(Case.origin == intake.origin))
    return existing or opened_case(session, context, intake, current)[0]


def opened_case(
    session: Session, context: Context, intake: Intake, current: CurrentPolicy
) -> tuple[Case, Message]:
    """The same for a contact that has opened none before; with the message that the case begins with."""
    now = context.clock.now()
    facts, decision = intake.facts, decide(intake.facts, current.policy)
    if decision.outcome is Outcome.NEAR_MISS:
        raise ValueError("a contact without a message is a near miss, not a case")
    case = write(
        session,
        Case,
        origin=intake.origin,
        channel=facts.channel,
        service=facts.service,
        line=facts.line,
        mailbox=facts.mailbox,
        customer_id=intake.customer_id,
        contact_id=intake.contact_id,
        verified=facts.customer is not None,
        tier=facts.tier,
        title=intake.title[:200],
        priority=decision.priority,
        from_number=intake.from_number,
        callback_number=intake.callback_number,
        from_address=intake.from_address,
        needs_look=intake.needs_look,
        contact_at=facts.at,
        opened_at=now,
        target=decision.target,
        due_at=decision.due_at,
        consent_asked_at=now if decision.outcome is Outcome.ASK_CONSENT else None,
        consented_at=intake.consented_at,
    )
    begin_first(session, case, current, facts.at, facts.customer_key)
    message = _say(session, case, facts.at, facts.channel, intake.body, intake.parts)
    keep_decision(session, decision, facts, current.version, now, case_id=case.id, call_sid=intake.call_sid)
    record(
        session, "case.opened", now, case_id=case.id, call_sid=intake.call_sid, outcome=decision.outcome,
        channel=facts.channel, priority=decision.priority, **intake.parts.by_machine,
    )  # fmt: skip
    if decision.outcome is Outcome.PAGE:
        pages.start_page(session, case, current, now)
    elif decision.outcome is Outcome.NOTIFY:
        pages.notify_on_call(session, case, current.policy, Purpose.NOTIFY, now)
    elif decision.outcome is Outcome.ANSWERED:
        stamp_response(session, case, now, "call", None)
    notices.opened(
        session, context, case, current.policy, decision.outcome, now, message, on_the_line=intake.on_the_line
    )
    return case, message


def add_to_case(
    session: Session,
    context: Context,
    case: Case,
    body: str,
    current: CurrentPolicy,
    *,
    channel: str = "phone",
    tell: bool = True,
    contact_at: datetime | None = None,
    at: datetime | None = None,
    may_reopen: bool = True,
    parts: MailParts = MailParts(),
) -> Message:
    """The customer adds something to a case: it moves no clock, and whoever has the case is told.

    A case that was closed meanwhile is open again, with a clock from the contact, unless ``may_reopen`` is false:
    what machines write wakes no case. ``at`` is when it reached us, now if left out.
    """
    now = context.clock.now()
    if case.status == CaseStatus.CLOSED and may_reopen:
        reopen(session, case, None, now, current, contact_at)
    message = _say(session, case, at or now, channel, body, parts)
    record(session, "case.added-to", now, case_id=case.id, **parts.by_machine)
    if tell:
        pages.notify_on_call(session, case, current.policy, Purpose.ADDED, now)
    return message


_TOLD = Prepared(
    sa.select(Attempt.id)
    .where(
        Attempt.case_id == sa.bindparam("case"),
        Attempt.purpose == sa.bindparam("purpose"),
        Attempt.created_at > sa.bindparam("since"),
    )
    .limit(1)
)


def told_lately(session: Session, case: Case, now: datetime) -> bool:
    """Whether whoever has the case was told a moment ago that something was added to it."""
    return bool(straight_rows(session, _TOLD, case=case.id, purpose=Purpose.ADDED, since=now - ONE_WORD_IN))


def reopened_lately(session: Session, case: Case, now: datetime) -> int:
    """How often the customer has opened a case again in the last 24 hours."""
    events = session.scalars(
        sa.select(Event).where(
            Event.case_id == case.id, Event.kind == "case.reopened", Event.at > now - timedelta(days=1)
        )
    )
    return sum(1 for event in events if event.data.get("by") == "customer")


def _say(session: Session, case: Case, at: datetime, channel: str, body: str, parts: MailParts) -> Message:
    return write(
        session, Message, case_id=case.id, at=at, channel=channel, author=parts.author, body=body,
        mail_message_id=parts.mail_message_id, html=parts.html, details=parts.details,
    )  # fmt: skip


def contact_name(session: Session, contact_id: int | None) -> str | None:
    """The name of a contact."""
    contact = session.get(Contact, contact_id) if contact_id is not None else None
    return contact.name if contact else None
