"""A further mail asks for priority 1 on a case that is open already."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from core.models import Case, CaseStatus
from intake.mail.parsing import ParsedMail
from intake.mail.urgency import asked_with, in_subject, in_text
from routing.consents import ask_priority
from routing.context import Context
from routing.correspondence import automatic, consents
from routing.correspondence.desk import desk_of
from routing.correspondence.models import MailKind
from routing.coverage import ContactFacts, Outcome
from routing.mailboxes import Urgent
from routing.policies import CurrentPolicy


def words_for_more(mail: ParsedMail, urgent: Urgent, case: Case) -> str | None:
    """The words that ask for it; a marker that the case's own subject has had all along asks for nothing new."""
    if in_subject(case.title, urgent):
        return in_text(mail, urgent)
    return asked_with(mail, urgent)


def ask_for_more(
    session: Session, context: Context, case: Case, facts: ContactFacts, current: CurrentPolicy, now: datetime
) -> Outcome | None:
    """Give priority 1 to the open ``case``, or ask for the consent that it needs; what came of it."""
    if case.status != CaseStatus.OPEN or facts.asked_with is None:
        return None
    outcome = ask_priority(session, case, facts, current, now)
    if outcome is Outcome.ASK_CONSENT:
        _ask_consent(session, context, case, current, now)
    return outcome


def _ask_consent(
    session: Session, context: Context, case: Case, current: CurrentPolicy, now: datetime
) -> None:
    desk = desk_of(context, current.policy, case)
    if desk is None:
        return
    session.flush()
    why = automatic.may_be_told(session, context, case, desk, now, count_alike=False)
    if why is not None:
        automatic.held_back(session, case, MailKind.CONSENT_REQUEST, why, now)
        return
    consents.ask(session, context, case, desk, now)
