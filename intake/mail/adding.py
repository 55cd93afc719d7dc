"""A mail goes onto a case that there is: who is told, whether it is open again, and what it asks or accepts."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from core.models import Case, CaseStatus, Message, record
from intake.cases import add_to_case, reopened_lately, told_lately
from intake.mail.consents import answer, would_accept
from intake.mail.mail_facts import CHANNEL, Filing
from intake.mail.urgent import ask_for_more, words_for_more
from routing.clocks import cycles
from routing.context import Context
from routing.correspondence import receipts
from routing.coverage import Outcome
from routing.paging import pages


def add_mail(session: Session, context: Context, filing: Filing, case: Case) -> Message:
    """Add a mail to ``case``. Automatic replies open nothing again, and nobody is told of them."""
    now = context.clock.now()
    consents = would_accept(session, context, case, filing.mail, trust=filing.trust)
    words = None if consents else _words_for_more(filing, case)
    if consents or words:
        pages.locked_pages(session, case)  # before the case, as everywhere
    _lock(session, case)
    was_closed = case.status == CaseStatus.CLOSED
    may_reopen = _may_reopen(session, filing, case, now)
    if was_closed and may_reopen:
        _begin_anew(session, filing, case, now)
    tell = not consents and _is_to_be_told(session, filing, case, now)
    message = add_to_case(
        session, context, case, filing.said.body, filing.current, channel=CHANNEL, tell=tell,
        contact_at=filing.row.received_at, at=filing.row.received_at,
        may_reopen=may_reopen, parts=filing.parts,
    )  # fmt: skip
    if case.consent_asked_at is not None:
        session.flush()
        answer(session, context, case, filing.mail, now, trust=filing.trust)
    asked = _ask_for_more(session, context, filing, case, words, now) if words else None
    if was_closed and case.status == CaseStatus.OPEN and not consents and asked is not Outcome.ASK_CONSENT:
        rung = asked is Outcome.PAGE
        receipts.reopened(session, context, case, filing.current.policy, now, rung=rung)
    return message


def _ask_for_more(
    session: Session, context: Context, filing: Filing, case: Case, words: str, now: datetime
) -> Outcome | None:
    facts = replace(filing.facts, service=case.service, tier=case.tier, asked_with=words)
    return ask_for_more(session, context, case, facts, filing.current, now)


def _lock(session: Session, case: Case) -> None:
    """Lock the case, and see it as it is now; on SQLite the whole database is ours already."""
    if session.get_bind().dialect.name == "postgresql":
        session.refresh(case, with_for_update={"key_share": True})


def _may_reopen(session: Session, filing: Filing, case: Case, now: datetime) -> bool:
    if not filing.is_heard or case.status != CaseStatus.CLOSED:
        return filing.is_heard
    if reopened_lately(session, case, now) < filing.box.reopens_per_day:
        return True
    record(session, "mail.not-reopened", now, case_id=case.id, times=filing.box.reopens_per_day)
    return False


def _begin_anew(session: Session, filing: Filing, case: Case, now: datetime) -> None:
    """What a case is opened again with is a request of its own: of the ordinary priority, unless it asks for more.

    Else it would have an hour that nobody has asked for, for which nobody is rung and nobody has accepted charges.
    A promise that was never kept stays as it is.
    """
    ordinary = filing.current.policy.services[case.service].ordinary_priority
    cycle = cycles.locked_cycle(session, case)
    if case.priority < ordinary and cycle.standing.is_answered:
        record(session, "case.ordinary-again", now, case_id=case.id, old=case.priority, priority=ordinary)
        case.priority = ordinary
        session.flush()


def _words_for_more(filing: Filing, case: Case) -> str | None:
    """The words with which a contact of the case's customer asks for priority 1, as any of their mails may."""
    if not filing.is_heard or filing.mail.damaged or filing.caller.customer_id != case.customer_id:
        return None
    return words_for_more(filing.mail, filing.box.urgent, case)


def _is_to_be_told(session: Session, filing: Filing, case: Case, now: datetime) -> bool:
    """Once in a while; outside of business hours mail wakes nobody, but for what somebody is awake for."""
    calendar = filing.current.policy.calendar_of(case.service)
    awake = calendar.is_open(now) or case.engineer is not None or case.priority == 1
    return filing.is_heard and awake and not told_lately(session, case, now)
