"""Mail that comes back on what we sent: an engineer's answer to a page, a delivery report, a vacation notice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.models import Case, Message, record
from intake.mail import engineers
from intake.mail.engineers import Taken
from intake.mail.models import InboundMail
from intake.mail.parsing import Kind, ParsedMail
from intake.mail.said import Said
from routing.context import Context
from routing.correspondence import bounces
from routing.correspondence.address_facts import heard_from
from routing.correspondence.bounces import Returned
from routing.correspondence.desk import signed_addresses
from routing.correspondence.reports import Failure
from routing.coverage_mail import FORGED

# Two machines may report to each other for ever: more than so many of a day are kept, and not shown.
_MOST_REPORTS = 20


@dataclass(frozen=True)
class Came:
    """A mail as it is taken in: its row, what it says, and the trust in its sender."""

    row: InboundMail
    mail: ParsedMail
    said: Said
    trust: str


def dealt_with(
    session: Session, context: Context, came: Came, now: datetime, case: Case | None = None
) -> Taken | None:
    """Deal with a mail that is about one of ours; None if it is a customer's, or anybody's.

    ``case`` is the one that it belongs to by its references, once that has been looked for.
    """
    person = came.mail.verdict.kind is Kind.PERSON and came.trust != FORGED
    if case is None and person and came.mail.sender is not None:
        heard_from(session, came.mail.sender.address)
    if came.mail.verdict.kind is Kind.BOUNCE and case is None:
        return _of_report(session, context, came, now)
    return engineers.take(
        session,
        context,
        came.mail,
        came.said.details,
        came.trust,
        now,
        case,
        partial(_dealt_with_before, session, came.row),
    )


def _dealt_with_before(session: Session, row: InboundMail) -> int | None:
    """The case that the same mail was filed under as it came to another of our mailboxes."""
    return session.scalar(
        sa.select(InboundMail.case_id)
        .where(
            InboundMail.dedupe_key == row.dedupe_key,
            InboundMail.id != row.id,
            InboundMail.message_row.is_not(None),
        )
        .limit(1)
    )


def outbound_of(context: Context, row: InboundMail, mail: ParsedMail) -> int | None:
    """The outgoing mail to whose envelope sender this one went: a report, or a vacation notice (RFC 3834, 4)."""
    signed = signed_addresses(context)
    for address in (*map(str, row.addressed), *(each.address for each in (*mail.delivered_to, *mail.to))):
        number = signed.bounced_of(address) if "+" in address else None
        if number is not None:
            return number
    return None


def _of_report(session: Session, context: Context, came: Came, now: datetime) -> Taken | None:
    bounce = came.mail.verdict.bounce
    failures = tuple(
        Failure(each.address, each.permanent, each.status, each.diagnostic)
        for each in (bounce.recipients if bounce else ())
        if each.permanent is not None
    )
    outbound = outbound_of(context, came.row, came.mail)
    original = bounce.original_id if bounce else None
    returned = Returned(outbound, original, failures, forged=came.trust == FORGED)
    case = bounces.note(session, context, returned, now)
    if case is None:
        return None
    if _reports(session, case, now) >= _MOST_REPORTS:
        return Taken(case, None)
    record(session, "mail.report", now, case_id=case.id, subject=came.said.details.get("subject", "")[:200])
    return Taken(case, _shown(session, case, came))


def _shown(session: Session, case: Case, came: Came) -> Message:
    said = came.said
    message = Message(
        case_id=case.id, at=came.row.received_at, channel="mail", author="system", body=said.body, public=False,
        mail_message_id=said.mail_message_id, html=said.html, details=said.details,
    )  # fmt: skip
    session.add(message)
    session.flush()
    return message


def _reports(session: Session, case: Case, now: datetime) -> int:
    shown = sa.select(sa.func.count()).where(
        Message.case_id == case.id, Message.author == "system", Message.public.is_(False),
        Message.at > now - timedelta(days=1),
    )  # fmt: skip
    return session.scalar(shown) or 0
