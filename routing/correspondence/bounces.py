"""Reports that a mail of ours was not delivered: tied to the mail, to its case and to the address.

Anybody can write a report. It counts if it came to the signed address that was the envelope's sender, which only the
servers of the recipients have seen; or if it quotes the Message-ID, which whoever has read the mail knows, names a
recipient of that mail, and does not come from a forged sender. Any other changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.mail_addresses import Kind as Whose
from core.models import Case, Event, record
from routing.context import Context
from routing.correspondence import undelivered
from routing.correspondence.desk import signed_addresses
from routing.correspondence.models import MailKind, OutboundMail
from routing.correspondence.reports import Failure
from routing.correspondence.states import MailEvent, MailState, after
from routing.merging import goes_on_in

_LATELY = timedelta(days=5)  # as long as servers try (RFC 5321, 4.5.4.1)
_TOO_LATE = timedelta(days=14)
_NOTED_ONCE_IN = timedelta(days=1)


@dataclass(frozen=True)
class Returned:
    """A delivery report: the mail's id by the signed address that it came to, and the Message-ID that it quotes.

    ``forged``: the domain that its sender names disowns it.
    """

    outbound: int | None = None
    original_id: str | None = None
    failures: tuple[Failure, ...] = ()
    forged: bool = False


def note(session: Session, context: Context, returned: Returned, now: datetime) -> Case | None:
    """Take a report in; the case that it is about, or None if nothing proves that it is about a mail of ours.

    Of a case that was merged it is the one that it goes on in.

    A failure for good of everybody takes back what the mail stood for (``undelivered``), once. A delay is noted.
    """
    mail, failures = _proved(session, returned)
    if mail is None:
        case = _of_our_ids(session, context, returned, now)
        if case is None:
            _note_where_it_may_belong(session, returned, now)
        return case
    if now - (mail.sent_at or mail.created_at) > _TOO_LATE:
        # Somebody has kept it, or a server has woken up: nothing follows from it now.
        return goes_on_in(session, mail.case)
    undelivered.write_down(session, mail, failures, now)
    if mail.reached_nobody and mail.standing not in (MailState.BOUNCED, MailState.FAILED):
        mail.state = after(mail.standing, MailEvent.RETURNED)
        undelivered.nobody_got_it(session, context, mail, now)
    return goes_on_in(session, mail.case)


def _proved(session: Session, returned: Returned) -> tuple[OutboundMail | None, list[Failure]]:
    """The mail that a report proves to be about, and its recipients who failed.

    What came to the mail's own bounce address counts even from a sender whose domain disowns it: many servers send
    their reports in the name of a domain, and with nothing that its DMARC policy accepts.
    """
    one = sa.select(OutboundMail).with_for_update().execution_options(populate_existing=True)
    if returned.outbound is not None:
        found = session.scalar(one.where(OutboundMail.id == returned.outbound))
        if found is not None:
            return found, _of_recipients(found, returned.failures)
    if returned.original_id is None or returned.forged:
        return None, []
    found = session.scalar(one.where(OutboundMail.rfc_message_id == returned.original_id))
    failures = [failure for failure in returned.failures if found and failure.key in found.recipients]
    return (found, failures) if failures else (None, [])


def _of_recipients(mail: OutboundMail, failures: tuple[Failure, ...]) -> list[Failure]:
    """The failures with the addresses that we wrote to.

    A report may name the address that ours was forwarded to, or none: with one recipient it is clear who is meant.
    """
    known = [failure for failure in failures if failure.key in mail.recipients]
    if known or len(mail.recipients) > 1 or not failures:
        return known
    return [replace(failures[0], address=mail.to_address)]


def _of_our_ids(session: Session, context: Context, returned: Returned, now: datetime) -> Case | None:
    """What quotes a Message-ID of ours is kept on its case. A page that came back is noted: phones ring anyway."""
    thread = signed_addresses(context).thread_of(returned.original_id or "")
    case = session.get(Case, thread.case) if thread is not None and not returned.forged else None
    if case is None or thread is None:
        return None
    if thread.kind is Whose.ENGINEER:
        record(session, "mail.notification-returned", now, case_id=case.id)
    else:
        _note_unproven(session, case.id, now)
    return goes_on_in(session, case)


def _note_where_it_may_belong(session: Session, returned: Returned, now: datetime) -> None:
    """Write on the case of the mail that may be meant that such a report came; that is all."""
    keys = [failure.key for failure in returned.failures if failure.address]
    case = session.scalar(
        sa.select(OutboundMail.case_id)
        .where(
            OutboundMail.to_address.in_(keys), OutboundMail.kind == MailKind.REPLY,
            OutboundMail.created_at > now - _LATELY,
        )
        .order_by(OutboundMail.id.desc())
        .limit(1)
    )  # fmt: skip
    if case is not None and not returned.forged:
        _note_unproven(session, case, now)


def _note_unproven(session: Session, case: int, now: datetime) -> None:
    """Now and then: anybody can send such reports, and as many as they like."""
    kind = "mail.report-not-proven"
    noted = sa.exists().where(Event.case_id == case, Event.kind == kind, Event.at > now - _NOTED_ONCE_IN)
    if not session.scalar(sa.select(noted)):
        record(session, kind, now, case_id=case)
