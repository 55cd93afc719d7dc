"""Due work: a stored mail becomes a case, or goes onto one.

Mails are read first, outside of any transaction; then all that were read are taken in by one, in the order in which
they came, each with the end of its work. If that fails each is tried alone, so that none suffers for another; and
a mail that cannot be taken in as it was read is taken in as its envelope and bytes. Whoever lost a lease changes
nothing.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import due
from core.mail_addresses import SignedAddresses
from intake.mail.filing import Waiting, file_mail
from intake.mail.models import InboundMail, MailBytes, MailState
from intake.mail.parsing import Envelope, Ours, ParsedMail
from intake.mail.parsing.reading import salvage
from intake.mail.receiving import TAKE_IN
from intake.mail.timely import read_apart, read_in_time
from routing.context import Context

_AT_ONCE = 25
_BUSY_S = 4.0  # the rest is given back: leases must not run out over slow mails
_LEASE = timedelta(seconds=30)
_TAKE_TURNS = 7_265_114  # any number: the name of a lock


@dataclass(frozen=True)
class _Read:
    """A mail that has been read, and the work of taking it in."""

    claim: due.Claim
    raw: bytes
    envelope: Envelope
    mail: ParsedMail


def take_in(context: Context, claim: due.Claim) -> None:
    """Take in the mail of ``claim``, and others that wait, up to a number and a time."""
    reads, late = _read_all(context, [claim, *_more(context)])
    if late:
        with context.database.writing() as session:
            for each in late:
                due.again(session, each, context.clock.now(), **each.payload)
    if len(reads) == 1:
        _file_alone(context, reads[0])
        return
    try:
        _file(context, reads)
    except Exception:  # noqa: BLE001  # one of them is the reason; alone it says so itself
        _file_each(context, reads, claim)


def _more(context: Context) -> list[due.Claim]:
    now, lease = context.clock.now(), max(_LEASE, timedelta(seconds=context.settings.lease_seconds))
    with context.database.reading() as session:
        if not due.how_many(session, TAKE_IN, now, 1):
            return []
    with context.database.writing() as session:
        return due.claim_more(session, TAKE_IN, now, lease, _AT_ONCE - 1)


def _read_all(context: Context, claims: Sequence[due.Claim]) -> tuple[list[_Read], list[due.Claim]]:
    """What has been read, and what there was no time for."""
    ours = ours_of(context)
    until = time.monotonic() + _BUSY_S
    reads: list[_Read] = []
    for number, claim in enumerate(claims):
        if number and time.monotonic() > until:
            return reads, list(claims[number:])
        reads.append(_read(context, claim, ours))
    return reads, []


def _read(context: Context, claim: due.Claim, ours: Ours) -> _Read:
    with context.database.reading() as session:
        row = session.execute(
            sa.select(InboundMail.envelope_from, InboundMail.addressed, MailBytes.raw)
            .join(MailBytes, MailBytes.sha256 == InboundMail.sha256)
            .where(InboundMail.id == claim.payload["mail"])
        ).one()
    envelope = Envelope(row.envelope_from, tuple(row.addressed))
    # Whoever tried before has not come to an end: this mail may have taken its worker with it.
    read = read_apart if claim.attempts > 1 else read_in_time
    mail = read(row.raw, envelope, ours, context.settings.authserv_id or None)
    return _Read(claim, row.raw, envelope, mail)


def ours_of(context: Context) -> Ours:
    """How mail of this installation's own is known."""
    signed = SignedAddresses(context.settings.secret_key.get_secret_value())
    return Ours(loop_value=signed.loop_value())


def _file_each(context: Context, reads: Sequence[_Read], first: due.Claim) -> None:
    """Each in a transaction of its own; what fails is given back, and the first one's failure is the worker's."""
    failure: Exception | None = None
    for read in reads:
        try:
            _file_alone(context, read)
        except due.LeaseLost:
            continue
        except Exception as error:  # noqa: BLE001  # whatever it is, the work is not lost
            if read.claim is first:
                failure = error
            else:
                with context.database.writing() as session:
                    due.retry(session, read.claim, context.clock.now(), type(error).__name__)
    if failure is not None:
        raise failure


def _file_alone(context: Context, read: _Read) -> None:
    try:
        _file(context, [read])
    except (sa.exc.OperationalError, sa.exc.InterfaceError, due.LeaseLost, due.TryAgain):
        raise  # the database does not answer, or it is not the time: the mail is not at fault
    except Exception as error:  # whatever it is, the mail becomes a case
        if read.mail.damaged:
            raise
        reason = f"{type(error).__name__} while it was taken in"
        saved = salvage(read.raw, read.envelope, reason)
        _file(context, [_Read(read.claim, read.raw, read.envelope, saved)])


def _file(context: Context, reads: Sequence[_Read]) -> None:
    with context.database.writing() as session:
        one_after_the_other(session)
        for read in reads:
            try:
                _file_one(session, context, read)
            except Waiting as reason:
                due.again(session, read.claim, reason.until, error=str(reason), **read.claim.payload)


def _file_one(session: Session, context: Context, read: _Read) -> None:
    row = session.get_one(InboundMail, read.claim.payload["mail"], with_for_update=True)
    if row.state == MailState.STORED:
        file_mail(session, context, row, read.mail)
    session.flush()
    if not due.finish(session, read.claim):
        raise due.LeaseLost(read.claim.subject)


def one_after_the_other(session: Session) -> None:
    """Mails are taken in one at a time by all workers together: two that come at once may be one matter."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(_TAKE_TURNS)))
