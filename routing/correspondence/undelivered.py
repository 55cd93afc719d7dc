"""What follows when a mail does not reach its recipients.

An answer that reached nobody was no contact with the customer: the response that it stood for is taken back, the
clock runs on from the contact, and whoever has the case is told. An address that does not exist gets no automatic
mail any more, until a mail comes from it.

A case that was merged since then stays so: its customer waits for an answer on the one that it goes on in.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from core.models import Case, CaseStatus, Person, record
from routing import handling
from routing.clocks import cycles
from routing.clocks.rules import ResponseKind
from routing.context import Context
from routing.correspondence.address_facts import remember_no_mail
from routing.correspondence.models import MailKind, OutboundMail
from routing.correspondence.reports import Failure
from routing.merging import goes_on_in, unanswered_after_all
from routing.paging import pages
from routing.paging.models import Purpose


def write_down(session: Session, mail: OutboundMail, failures: Sequence[Failure], now: datetime) -> None:
    """Keep what was said of each recipient, on the mail and on the case."""
    for failure in failures:
        known = failure.key in mail.recipients
        if not known or mail.failed_for_good(failure.key):
            continue
        mail.failures = {
            **mail.failures,
            failure.key: {"status": failure.status, "permanent": failure.permanent, "said": failure.words},
        }
        kind = "mail.not-delivered" if failure.permanent else "mail.slow"
        record(
            session, kind, now, case_id=mail.case_id, person=mail.person, mail=mail.kind, error=failure.words,
            outbound=mail.id,
        )  # fmt: skip
        if failure.no_mailbox is not None:
            remember_no_mail(session, failure.key, f"{failure.status} {failure.no_mailbox}".strip(), now)


def nobody_got_it(session: Session, context: Context, mail: OutboundMail, now: datetime) -> None:
    """The mail has failed for everybody."""
    mail.error = next((str(each["said"]) for each in mail.failures.values()), None)
    if mail.purpose is not MailKind.REPLY:
        return
    case = mail.case
    pages.locked_pages(session, case)
    cycle = cycles.locked_cycle(session, case)
    written_at = mail.message.at if mail.message else mail.created_at
    following = goes_on_in(session, case)
    if cycle.response_kind == ResponseKind.REPLY and cycle.responded_at == written_at:
        cycles.take_back_response(session, case, now, None)
        if following is not case:
            unanswered_after_all(session, case, now)
            pages.locked_pages(session, following)
            cycles.locked_cycle(session, following)
        if following.status == CaseStatus.CLOSED:
            handling.reopen(session, following, None, now, context.policies.current(), by="report")
        if following is case:
            pages.resume(session, case, now)
    _tell_engineers(session, context, mail, following, now)


def _tell_engineers(
    session: Session, context: Context, mail: OutboundMail, case: Case, now: datetime
) -> None:
    """Whoever wrote it hears that it did not arrive; and whoever has the case, if that is somebody else."""
    policy = context.policies.current().policy
    writer = session.get(Person, mail.person) if mail.person else None
    told = [writer.key] if writer is not None and writer.active else []
    pages.notify_on_call(session, case, policy, Purpose.RETURNED, now, also=told)
