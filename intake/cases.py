"""The one door: whatever the channel, every contact becomes a case here, with its promise and its decision."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.models import Case, CaseStatus, Contact, Message, record
from routing.clocks.cycles import begin
from routing.context import Context
from routing.coverage import ContactFacts, Outcome, decide
from routing.decisions import keep_decision
from routing.handling import reopen
from routing.notices import notices
from routing.paging import pages
from routing.paging.models import Purpose
from routing.policies import CurrentPolicy
from routing.responses import stamp_response


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


def open_case(session: Session, context: Context, intake: Intake, current: CurrentPolicy) -> Case:
    """Open the case of ``intake`` under the ``current`` policy, or return the one that it has opened before.

    Case, decision, event and due work are committed together by the caller's transaction.
    """
    existing = session.scalar(sa.select(Case).where(Case.origin == intake.origin))
    if existing is not None:
        return existing
    now = context.clock.now()
    facts, decision = intake.facts, decide(intake.facts, current.policy)
    if decision.outcome is Outcome.NEAR_MISS:
        raise ValueError("a contact without a message is a near miss, not a case")
    case = Case(
        origin=intake.origin,
        channel=facts.channel,
        service=facts.service,
        line=facts.line,
        customer_id=intake.customer_id,
        contact_id=intake.contact_id,
        verified=facts.customer is not None,
        tier=facts.tier,
        title=intake.title[:200],
        priority=decision.priority,
        from_number=intake.from_number,
        callback_number=intake.callback_number,
        contact_at=facts.at,
        opened_at=now,
        target=decision.target,
        due_at=decision.due_at,
        consented_at=intake.consented_at,
    )
    session.add(case)
    session.flush()
    begin(session, case, current, facts.at)
    session.add(
        Message(case_id=case.id, at=facts.at, channel=facts.channel, author="customer", body=intake.body)
    )
    keep_decision(session, decision, facts, current.version, now, case_id=case.id, call_sid=intake.call_sid)
    record(
        session, "case.opened", now, case_id=case.id, call_sid=intake.call_sid, outcome=decision.outcome,
        channel=facts.channel, priority=decision.priority,
    )  # fmt: skip
    if decision.outcome is Outcome.PAGE:
        pages.start_page(session, case, current, now)
    elif decision.outcome is Outcome.NOTIFY:
        pages.notify_on_call(session, case, current.policy, Purpose.NOTIFY, now)
    elif decision.outcome is Outcome.ANSWERED:
        stamp_response(session, case, now, "call", None)
    notices.opened(session, case, current.policy, decision.outcome, now, on_the_line=intake.on_the_line)
    return case


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
) -> None:
    """The customer adds something to a case: it moves no clock, and whoever has the case is told.

    A case that was closed meanwhile is open again, with a clock from the contact.
    """
    now = context.clock.now()
    if case.status == CaseStatus.CLOSED:
        reopen(session, case, None, now, current, contact_at)
    session.add(Message(case_id=case.id, at=now, channel=channel, author="customer", body=body))
    record(session, "case.added-to", now, case_id=case.id)
    if tell:
        pages.notify_on_call(session, case, current.policy, Purpose.ADDED, now)


def contact_name(session: Session, contact_id: int | None) -> str | None:
    """The name of a contact."""
    contact = session.get(Contact, contact_id) if contact_id is not None else None
    return contact.name if contact else None
