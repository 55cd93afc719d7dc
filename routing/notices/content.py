"""The words of a notice. What nobody has proved to be theirs, a customer's name or promise, stands in none of them
but the verified customer's own."""

from __future__ import annotations

from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from core.models import Case, Person
from routing.coverage import Outcome
from routing.decisions import decision_of_case
from routing.notices.models import NoticeKind
from routing.notices.routes import SMS
from routing.policy import Policy

_SUBJECTS = {
    NoticeKind.OPENED: "receipt_subject_opened",
    NoticeKind.ACCEPTED: "receipt_subject_accepted",
}


def text_of(
    session: Session, case: Case, policy: Policy, kind: NoticeKind, channel: str, now: datetime
) -> str:
    """What the customer is told, true at ``now``."""
    values: dict[str, object] = {"case": case.id, "due": "", "engineer": ""}
    if kind is NoticeKind.ACCEPTED:
        key = "receipt_accepted" if case.verified else "receipt_accepted_noted"
        engineer = session.get(Person, case.engineer) if case.engineer else None
        if engineer is None:
            key = "receipt_accepted_noted"
        else:
            values["engineer"] = engineer.name.split()[0]
        return policy.say(key, case.line, **values).text
    key = "receipt_opened_noted"
    if case.verified and case.due_at is not None and case.due_at > now:
        key = "receipt_opened_paged" if _is_being_rung(session, case) else "receipt_opened_waits"
        values["due"] = texted_instant(case.due_at, policy.calendar_of(case.service).zone, now)
    said = policy.say(key, case.line, **values).text
    return f"{said} {policy.say('receipt_reply', case.line).text}" if channel == SMS else said


def _is_being_rung(session: Session, case: Case) -> bool:
    decision = decision_of_case(session, case.id)
    return decision is not None and decision.outcome == Outcome.PAGE and case.engineer is None


def texted_instant(instant: datetime, zone: ZoneInfo, now: datetime) -> str:
    """``3:10 AM CST``, or with its day where that is another one: ``Thu Mar 5, 9 AM CST``."""
    local, today = instant.astimezone(zone), now.astimezone(zone).date()
    minute = f":{local:%M}" if local.minute else ""
    clock = f"{local.hour % 12 or 12}{minute} {local:%p %Z}"
    return clock if local.date() == today else f"{local:%a %b} {local.day}, {clock}"


def mail(case: Case, policy: Policy, kind: NoticeKind, text: str, to: str, sender: str) -> EmailMessage:
    """The notice as a message that no machine answers (RFC 3834).

    Its Message-ID is always the same for the same case and kind: a mailbox that gets it twice shows it once.
    """
    subject = policy.say(_SUBJECTS[kind], case.line, case=case.id).text
    message = EmailMessage()
    message["Subject"] = " ".join(subject.split())
    message["To"] = to
    message["Date"] = format_datetime(case.opened_at)
    message["Message-ID"] = message_id(case, kind, sender)
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(text + "\n")
    return message


def message_id(case: Case, kind: NoticeKind, sender: str) -> str:
    """``<case-1042.opened.1772611800@vendor.example>``; the instant tells it from another house's case 1042."""
    domain = parseaddr(sender)[1].rpartition("@")[2]
    return f"<case-{case.id}.{kind}.{int(case.opened_at.timestamp())}@{domain}>"
