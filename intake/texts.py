"""Texts from customers: words for an open case, or a new one. A text wakes nobody, and its answer says so.

The sender's number is as good a proof as a caller's: it says which case is meant, and learns nothing of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import phone_numbers
from core.models import Case, CaseStatus, Message, record
from core.prepared import reads_of
from intake import callers
from intake.cases import ONE_WORD_IN, Intake, add_to_case, open_case, told_lately
from routing.context import Context
from routing.coverage import ContactFacts
from routing.notices import notices
from routing.notices.content import texted_instant
from routing.notices.models import CustomerNotice, NoticeKind
from routing.notices.no_texts import remember_no_text, started_again
from routing.notices.routes import STOPPED
from routing.policy import Policy

CHANNEL = "sms"
# The words that the telephone company answers itself, and acts on.
# https://help.twilio.com/articles/223134027
_STOP = frozenset({"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"})
_START = frozenset({"start", "unstop"})
_HELP = frozenset({"help", "info"})
_YES = "yes"  # starts texts again where they were stopped; else it is an answer like any other
_NUMBER = re.compile(r"\d{4,9}")


def is_keyword(session: Session, number: str, form: Mapping[str, str], at: datetime) -> bool:
    """Whether a text is one of the telephone company's keywords, which are never answered; STOP is remembered."""
    word = form.get("OptOutType", "").lower() or form.get("Body", "").strip().lower()
    if word in _STOP:
        remember_no_text(session, number, STOPPED, at)
    elif word in _START or word == _YES:
        if not started_again(session, number) and word == _YES:
            return False
    elif word not in _HELP:
        return False
    record(session, "sms.keyword", at, word=word, message=form.get("MessageSid"))
    return True


def take_in(
    session: Session, context: Context, number: str, form: Mapping[str, str], at: datetime, *, heard: bool
) -> str | None:
    """Take in the text of a customer or a stranger (E.164); the text that answers it.

    ``heard`` says whether the answer still reaches them; what was spooled is answered with a notice instead.
    """
    policy = context.policies.current().policy
    line = policy.line_by_number.get(form.get("To", ""))
    if line is None:
        record(session, "sms.ignored", at, message=form.get("MessageSid"))
        return None
    _take_turns(session, number)
    case = _meant(_open_cases(session, number, policy.lines[line].service), form.get("Body", ""))
    if case is not None:
        return _added(session, context, policy, case, form)
    case = _opened(session, context, number, line, form, at)
    if not heard:
        notices.write(session, case, policy, NoticeKind.OPENED, context.clock.now())
        return None
    return _answer_to_new(policy, case, context.clock.now())


def _take_turns(session: Session, number: str) -> None:
    """Two texts that come at once open one case."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(int(number[1:]))))


def _open_cases(session: Session, number: str, service: str) -> Sequence[Case]:
    """The open cases of a number: it called, or we have texted it about them. The latest first."""
    told = sa.select(CustomerNotice.case_id).where(CustomerNotice.address == number)
    return session.scalars(
        sa.select(Case)
        .where(
            Case.status == CaseStatus.OPEN,
            Case.service == service,
            sa.or_(Case.from_number == number, Case.id.in_(told)),
        )
        .order_by(Case.id.desc())
        .limit(50)
    ).all()


def _meant(cases: Sequence[Case], body: str) -> Case | None:
    """The case that a text names, else the latest."""
    named = {int(number) for number in _NUMBER.findall(body)}
    return next((case for case in cases if case.id in named), next(iter(cases), None))


def _added(
    session: Session, context: Context, policy: Policy, case: Case, form: Mapping[str, str]
) -> str | None:
    since = context.clock.now() - ONE_WORD_IN
    talkative = session.scalar(
        sa.select(Message.id)
        .where(Message.case_id == case.id, Message.channel == CHANNEL, Message.at > since)
        .limit(1)
    )
    tell = not told_lately(session, case, context.clock.now())
    add_to_case(session, context, case, _words(form), context.policies.current(), channel=CHANNEL, tell=tell)
    if talkative is not None:
        return None
    return policy.say("text_added", case.line, case=case.id, phone=_phone(policy, case)).text


def _opened(
    session: Session, context: Context, number: str, line: str, form: Mapping[str, str], at: datetime
) -> Case:
    current = context.policies.current()
    service = current.policy.lines[line].service
    day = at.astimezone(current.policy.calendar_of(service).zone).date()
    caller = callers.by_number(reads_of(session), current.directory, number, service, day)
    intake = Intake(
        origin=f"sms:{form.get('MessageSid')}",
        facts=ContactFacts(
            at=at, channel=CHANNEL, service=service, line=line, customer=caller.customer,
            customer_key=caller.customer_key,
            identified_by=caller.identified_by, tier=caller.tier,
        ),
        title=f"Text from {caller.customer or 'an unknown sender'}",
        body=_words(form),
        customer_id=caller.customer_id,
        contact_id=caller.contact_id,
        from_number=number,
    )  # fmt: skip
    return open_case(session, context, intake, current)


def _answer_to_new(policy: Policy, case: Case, now: datetime) -> str:
    values: dict[str, object] = {"case": case.id, "phone": _phone(policy, case)}
    if not case.verified or case.due_at is None:
        return policy.say("text_opened_noted", case.line, **values).text
    values["due"] = texted_instant(case.due_at, policy.calendar_of(case.service).zone, now)
    return policy.say("text_opened_waits", case.line, **values).text


def _phone(policy: Policy, case: Case) -> str:
    line = policy.lines.get(case.line or "")
    return phone_numbers.shown(line.number) if line else ""


def _words(form: Mapping[str, str]) -> str:
    """What was written, and the addresses of what was attached; the telephone company keeps those."""
    media = [form[key] for key in sorted(form) if re.fullmatch(r"MediaUrl\d+", key)]
    return "\n".join([form.get("Body", ""), *media]).strip() or "(an empty text)"
