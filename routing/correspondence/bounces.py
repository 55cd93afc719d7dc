"""Reports that a mail of ours was not delivered: tied to the mail, to its case and to the address.

Which mail is meant is told by the address that the report came to, which is signed, else by the Message-ID that it
quotes, which nobody can make up either, else by the address that could not be reached: that is believed least.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.models import Case, record
from routing.context import Context
from routing.correspondence import undelivered
from routing.correspondence.desk import signed_addresses
from routing.correspondence.models import MailKind, OutboundMail
from routing.correspondence.reports import Failure
from routing.correspondence.states import MailEvent, MailState, after

_LATELY = timedelta(days=5)  # as long as servers try (RFC 5321, 4.5.4.1)


@dataclass(frozen=True)
class Returned:
    """A delivery report: the mail's id by the signed address that it came to, and the Message-ID that it quotes."""

    outbound: int | None = None
    original_id: str | None = None
    failures: tuple[Failure, ...] = ()


def note(session: Session, context: Context, returned: Returned, now: datetime) -> Case | None:
    """Take a report in; the case that it is about, or None if it is about no mail of ours.

    A failure for good of everybody takes back what the mail stood for (``undelivered``), once. A delay is noted.
    """
    mail, proved = _meant(session, context, returned, now)
    if mail is None:
        return _of_notification(session, context, returned, now)
    if not proved:
        record(session, "mail.report-not-proven", now, case_id=mail.case_id)
        return mail.case
    undelivered.write_down(session, mail, _of_recipients(mail, returned.failures), now)
    if mail.reached_nobody and mail.standing not in (MailState.BOUNCED, MailState.FAILED):
        mail.state = after(mail.standing, MailEvent.RETURNED)
        undelivered.nobody_got_it(session, context, mail, now)
    return mail.case


def _meant(
    session: Session, context: Context, returned: Returned, now: datetime
) -> tuple[OutboundMail | None, bool]:
    """The mail that a report is about, and whether that is proved."""
    one = sa.select(OutboundMail).with_for_update().execution_options(populate_existing=True)
    if returned.outbound is not None:
        found = session.scalar(one.where(OutboundMail.id == returned.outbound))
        if found is not None:
            return found, True
    if returned.original_id is not None:
        signed = signed_addresses(context).thread_of(returned.original_id) is not None
        found = session.scalar(one.where(OutboundMail.rfc_message_id == returned.original_id))
        if found is not None or signed:
            return found, signed
    keys = [failure.key for failure in returned.failures if failure.address]
    lately = one.where(
        OutboundMail.to_address.in_(keys), OutboundMail.kind == MailKind.REPLY,
        OutboundMail.created_at > now - _LATELY,
    )  # fmt: skip
    return session.scalar(lately.order_by(OutboundMail.id.desc()).limit(1)), False


def _of_recipients(mail: OutboundMail, failures: tuple[Failure, ...]) -> list[Failure]:
    """The failures with the addresses that we wrote to.

    A report may name the address that ours was forwarded to, or none: with one recipient it is clear who is meant.
    """
    known = [failure for failure in failures if failure.key in mail.recipients]
    if known or len(mail.recipients) > 1 or not failures:
        return known
    return [replace(failures[0], address=mail.to_address)]


def _of_notification(session: Session, context: Context, returned: Returned, now: datetime) -> Case | None:
    """A page by mail that came back: its case knows of it, and the phone rings in any case."""
    thread = signed_addresses(context).thread_of(returned.original_id or "")
    case = session.get(Case, thread.case) if thread is not None else None
    if case is not None:
        record(session, "mail.notification-returned", now, case_id=case.id)
    return case
