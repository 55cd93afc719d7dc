"""The customer accepts additional charges after all: what waited becomes urgent, and its hour runs from then."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from core.models import Case, CaseStatus, record
from routing.clocks import cycles
from routing.coverage import Consent, ContactFacts, Outcome, decide
from routing.decisions import decision_of_case, keep_decision
from routing.paging import pages, steps
from routing.paging.states import PageState
from routing.policies import CurrentPolicy


def accept_consent(
    session: Session, case: Case, at: datetime, current: CurrentPolicy, now: datetime, *, via: str
) -> bool:
    """Apply the consent that the customer of ``case`` gave at ``at``; False if there is nothing to consent to.

    Priority, promise, decision, event and page are one transaction of the caller's. ``via`` is ``mail`` or ``link``.
    The promise runs from ``at``, under the ``current`` policy; a promise that was broken before stays broken.
    """
    ringing = [page for page in pages.locked_pages(session, case) if page.state == PageState.RINGING]
    cycle = cycles.locked_cycle(session, case)
    if not awaits_consent(case):
        return False
    facts = _facts(session, case, at)
    decision = decide(facts, current.policy)
    before: dict[str, Any] = {
        "old": case.priority, "old_target": cycle.target, "old_started_at": cycle.started_at.isoformat(),
        "old_due_at": cycle.due_at.isoformat() if cycle.due_at else None,
    }  # fmt: skip
    case.priority, case.consented_at = decision.priority, at
    cycle = cycles.restart(session, case, cycle, current, at, now)
    keep_decision(session, decision, facts, current.version, now, case_id=case.id)
    record(
        session, "case.consented", now, case_id=case.id, via=via, priority=case.priority, target=cycle.target,
        due_at=cycle.due_at.isoformat() if cycle.due_at else None, cycle=cycle.number, **before,
    )  # fmt: skip
    if ringing:
        session.flush()
        steps.replan(session, case, now)
    elif decision.outcome is Outcome.PAGE:
        pages.start_page(session, case, current, now)
    return True


def awaits_consent(case: Case) -> bool:
    """Whether the customer was asked to accept additional charges, and has not yet."""
    return case.consent_asked_at is not None and case.consented_at is None and case.status == CaseStatus.OPEN


def _facts(session: Session, case: Case, at: datetime) -> ContactFacts:
    """The facts of the contact as they were, with the consent, as of the consent."""
    decision = decision_of_case(session, case.id)
    known = ContactFacts.of_json(decision.facts) if decision else ContactFacts(at, case.channel, case.service)
    return replace(known, at=at, consent=Consent.ACCEPTED)
