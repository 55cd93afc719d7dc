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
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import due
from intake.mail.filing import Waiting, file_mail
from intake.mail.models import InboundMail, MailBytes, MailState
from intake.mail.parsing import Envelope, Ours, ParsedMail
from intake.mail.raw_bytes import LARGE, bytes_of
from intake.mail.receiving import TAKE_IN
from intake.mail.timely import Unread, read_apart, read_in_time
from routing.context import Context
from routing.correspondence.desk import signed_addresses

_AT_ONCE = 25
_BYTES_AT_ONCE = (
    4_000_000  # of mails that are read together: their attachments are in memory until they are filed
)
_TRANSACTION_S, _PAUSE_S = 0.1, 0.005  # a ringing phone waits for whoever writes
_LEASE = timedelta(seconds=60)  # no fewer than all of them may take, each its two seconds
_TAKE_TURNS = 7_265_114  # any number: the name of a lock


@dataclass(frozen=True)
class _Work:
    """A mail to be taken in: its claim, and its bytes."""

    claim: due.Claim
    unread: Unread


@dataclass(frozen=True)
class _Read:
    """A mail that has been read."""

    work: _Work
    mail: ParsedMail

    @property
    def claim(self) -> due.Claim:
        return self.work.claim


def take_in(context: Context, claim: due.Claim) -> None:
    """Take in the mail of ``claim``, and others that wait, up to a number and a size."""
    works = _load(context, [claim, *_more(context)])
    reads = _read_all(works)
    if len(reads) == 1:
        _file_alone(context, reads[0])
        return
    try:
        _file(context, reads)
    except Exception:  # noqa: BLE001  # one of them is the reason; alone it says so itself
        _file_each(context, reads, claim)


def ours_of(context: Context) -> Ours:
    """How mail of this installation's own is known."""
    return Ours(loop_value=signed_addresses(context).loop_value())


def _more(context: Context) -> list[due.Claim]:
    now, lease = context.clock.now(), max(_LEASE, timedelta(seconds=context.settings.lease_seconds))
    with context.database.reading() as session:
        if not due.how_many(session, TAKE_IN, now, 1):
            return []
    with context.database.writing() as session:
        return due.claim_more(session, TAKE_IN, now, lease, _AT_ONCE - 1)


_IDS: sa.BindParameter[Any] = sa.bindparam("ids", expanding=True)
_BYTES = (
    sa.select(
        InboundMail.id,
        InboundMail.size,
        InboundMail.sha256,
        InboundMail.envelope_from,
        InboundMail.addressed,
        sa.case((InboundMail.size <= LARGE, MailBytes.raw)).label("raw"),
    )
    .join(MailBytes, MailBytes.sha256 == InboundMail.sha256)
    .where(InboundMail.id.in_(_IDS))
)
_SIZES = sa.select(InboundMail.id, InboundMail.size).where(InboundMail.id.in_(_IDS))


def _load(context: Context, claims: Sequence[due.Claim]) -> list[_Work]:
    """The mails of the claims, as many as may be in memory at once; the others are given back."""
    by_id = {claim.payload["mail"]: claim for claim in claims}
    with context.database.reading() as session:
        ids = _that_fit(session, list(by_id))
        rows = {row.id: row for row in session.execute(_BYTES, {"ids": ids})}
        large = {id: bytes_of(session, row.sha256, row.size) for id, row in rows.items() if row.raw is None}
    late = [claim for id, claim in by_id.items() if id not in rows]
    if late:
        with context.database.writing() as session:
            for claim in late:
                due.again(session, claim, context.clock.now(), **claim.payload)
    ours, authserv_id = ours_of(context), context.settings.authserv_id or None
    return [
        _Work(by_id[id], Unread(large.get(id) or row.raw, _envelope(row), ours, authserv_id))
        for id, row in sorted(rows.items())
    ]


def _envelope(row: Any) -> Envelope:
    return Envelope(row.envelope_from, tuple(row.addressed))


def _that_fit(session: Session, ids: list[int]) -> list[int]:
    if len(ids) == 1:
        return ids
    sizes = {row.id: row.size for row in session.execute(_SIZES, {"ids": ids})}
    fitting, total = ids[:1], sizes[ids[0]]
    for id in ids[1:]:
        total += sizes[id]
        if total > _BYTES_AT_ONCE:
            break
        fitting.append(id)
    return fitting


def _read_all(works: Sequence[_Work]) -> list[_Read]:
    """Read them. Of whom a worker came to no end before reads apart: the mail may have taken it with it."""
    usual = [work for work in works if work.claim.attempts == 1]
    mails = dict(
        zip((work.claim.id for work in usual), read_in_time([work.unread for work in usual]), strict=True)
    )
    return [_Read(work, mails.get(work.claim.id) or read_apart(work.unread)) for work in works]


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
        saved = read.work.unread.saved(f"{type(error).__name__} while it was taken in")
        _file(context, [_Read(read.work, saved)])


_ROWS = (
    sa.select(InboundMail).where(InboundMail.id.in_(sa.bindparam("ids", expanding=True))).with_for_update()
)


def _file(context: Context, reads: Sequence[_Read]) -> None:
    """File them in as many transactions as it takes: nobody else who writes waits for long."""
    done = 0
    while done < len(reads):
        if done:
            time.sleep(_PAUSE_S)
        done += _file_some(context, reads[done:])


def _file_some(context: Context, reads: Sequence[_Read]) -> int:
    """File the first of them, in one transaction; how many."""
    with context.database.writing() as session:
        one_after_the_other(session)
        until = time.monotonic() + _TRANSACTION_S
        ids = [read.claim.payload["mail"] for read in reads]
        rows = {row.id: row for row in session.scalars(_ROWS, {"ids": ids})}
        finished, count = [], 0
        for read, id in zip(reads, ids, strict=True):
            if count and time.monotonic() > until:
                break
            count += 1
            try:
                if rows[id].state == MailState.STORED:
                    file_mail(session, context, rows[id], read.mail)
                finished.append(read.claim)
            except Waiting as reason:
                due.again(session, read.claim, reason.until, error=str(reason), **read.claim.payload)
        session.flush()
        if not due.finish_all(session, finished):
            raise due.LeaseLost(", ".join(claim.subject for claim in finished))
    return count


def one_after_the_other(session: Session) -> None:
    """Mails are taken in one at a time by all workers together: two that come at once may be one matter."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(_TAKE_TURNS)))
