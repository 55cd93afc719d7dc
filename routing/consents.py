"""What waits becomes urgent: the customer asks for priority 1, accepts additional charges, or confirms a wish.

The promise runs from then, under the policy of then; a promise that was broken before stays broken.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.models import Case, CaseStatus, record
from routing.clocks import cycles
from routing.coverage import Consent, ContactFacts, Decision, Outcome, decide
from routing.coverage_mail import PROVEN, SENDER_ASKED
from routing.decisions import DecisionRecord, keep_decision
from routing.paging import pages, steps
from routing.paging.states import PageState
from routing.policies import CurrentPolicy


def accept_consent(
    session: Session, case: Case, at: datetime, current: CurrentPolicy, now: datetime, *, via: str
) -> bool:
    """Apply the consent that the customer of ``case`` gave at ``at``; False if there is nothing to consent to.

    The question went to the contact's own mailbox: whoever answers it is proven to be the sender. Priority, promise,
    decision, event and page are one transaction of the caller's. ``via`` is ``mail`` or ``link``.
    """
    pages.locked_pages(session, case)
    cycles.locked_cycle(session, case)
    asked = question_of(session, case) if awaits_consent(case) else None
    if asked is None:
        return False
    facts = replace(ContactFacts.of_json(asked.facts), at=at, sender=PROVEN)
    charged = not is_about_sender(asked)
    if charged:
        facts = replace(facts, consent=Consent.ACCEPTED)
    kind = "case.consented" if charged else "case.sender-confirmed"
    _become_urgent(session, case, facts, decide(facts, current.policy), current, now, kind, via=via)
    if charged:
        case.consented_at = at
    else:
        case.consent_asked_at = None
    return True


def ask_priority(
    session: Session, case: Case, facts: ContactFacts, current: CurrentPolicy, now: datetime
) -> Outcome | None:
    """The customer of an open ``case`` asks for priority 1 with a further mail, of which ``facts`` tell.

    What comes of it: a page, or ``ASK_CONSENT``, and then they are to be asked; None if it is refused, or changes
    nothing. Whatever was decided is kept.
    """
    pages.locked_pages(session, case)
    cycles.locked_cycle(session, case)
    decision = decide(facts, current.policy)
    wants_consent = decision.outcome is Outcome.ASK_CONSENT
    if case.status != CaseStatus.OPEN or not (wants_consent or decision.priority < case.priority):
        _refuse(session, case, facts, decision, current, now)
        return None
    if not wants_consent:
        _become_urgent(session, case, facts, decision, current, now, "case.priority-asked")
        return decision.outcome
    if awaits_consent(case) and not _was_asked_another_night(case, current, now):
        return None
    case.consent_asked_at, case.consented_at = now, None
    keep_decision(session, decision, facts, current.version, now, case_id=case.id)
    return decision.outcome


def _was_asked_another_night(case: Case, current: CurrentPolicy, now: datetime) -> bool:
    """Whether we have been open since the customer was asked, so that the question is over."""
    calendar = current.policy.calendar_of(case.service)
    return case.consent_asked_at is not None and calendar.next_opening(case.consent_asked_at) <= now


def awaits_consent(case: Case) -> bool:
    """Whether the customer was asked to accept additional charges, and has not yet."""
    return case.consent_asked_at is not None and case.consented_at is None and case.status == CaseStatus.OPEN


def _become_urgent(
    session: Session, case: Case, facts: ContactFacts, decision: Decision, current: CurrentPolicy, now: datetime,
    kind: str, **data: Any,
) -> None:  # fmt: skip
    """``case`` has the priority of ``decision``, and its promise runs from ``facts.at``. All is locked."""
    cycle = cycles.locked_cycle(session, case)
    data |= {
        "old": case.priority, "old_target": cycle.target, "old_started_at": cycle.started_at.isoformat(),
        "old_due_at": cycle.due_at.isoformat() if cycle.due_at else None,
    }  # fmt: skip
    case.priority = decision.priority
    cycle = cycles.restart(session, case, cycle, current, facts.at, now)
    keep_decision(session, decision, facts, current.version, now, case_id=case.id)
    record(
        session, kind, now, case_id=case.id, priority=case.priority, target=cycle.target,
        due_at=cycle.due_at.isoformat() if cycle.due_at else None, cycle=cycle.number, **data,
    )  # fmt: skip
    session.flush()
    if any(page.state == PageState.RINGING for page in pages.locked_pages(session, case)):
        steps.replan(session, case, now)
    elif decision.outcome is Outcome.PAGE:
        pages.start_page(session, case, current, now)


def _refuse(
    session: Session,
    case: Case,
    facts: ContactFacts,
    decision: Decision,
    current: CurrentPolicy,
    now: datetime,
) -> None:
    if case.priority <= decision.priority and decision.outcome is Outcome.PAGE:
        return  # it is urgent already
    keep_decision(session, decision, facts, current.version, now, case_id=case.id)
    why = next((reason for reason in decision.reasons if reason.code.startswith(_REFUSALS)), None)
    if why is not None:
        record(session, "case.priority-refused", now, case_id=case.id, code=why.code, why=why.sentence)


_REFUSALS = ("priority-not-", "consent-not-given", "urgent-by-telephone")


def is_about_sender(question: DecisionRecord) -> bool:
    """Whether the contact was asked if it was they who wrote; else they were asked to accept charges."""
    return any(reason["code"] == SENDER_ASKED for reason in question.reasons)


def question_of(session: Session, case: Case) -> DecisionRecord | None:
    """The decision by which the customer was asked last."""
    return session.scalar(
        sa.select(DecisionRecord)
        .where(DecisionRecord.case_id == case.id, DecisionRecord.outcome == Outcome.ASK_CONSENT)
        .order_by(DecisionRecord.id.desc())
        .limit(1)
    )
