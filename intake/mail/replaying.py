"""Taking a mail in once more: what could not be read before, what got stuck, what was kept apart as a copy."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import due
from core.models import Case, Message, record
from intake.mail.models import InboundMail, MailState
from intake.mail.parsing import Envelope, ParsedMail
from intake.mail.parsing.authentication import Method
from intake.mail.raw_bytes import raw_bytes
from intake.mail.receiving import TAKE_IN
from intake.mail.said import said_in, title_of
from intake.mail.taking_in import ours_of
from intake.mail.timely import Unread, read_in_time
from intake.mail.trust import trust_in
from routing.clocks.rules import NotPossible
from routing.context import Context
from routing.coverage_mail import FORGED

_MAY_TAKE_S = 60.0


def replay(context: Context, id: int) -> str:
    """Take mail ``id`` in once more; what came of it, in words. :class:`NotPossible` for what cannot be."""
    with context.database.reading() as session:
        row = session.get(InboundMail, id)
        if row is None:
            raise NotPossible(f"there is no mail {id}; list them with: nightbell mail list")
        raw = raw_bytes(session, row) if row.state == MailState.POISON else b""
    if row.state == MailState.TAKEN:
        raise NotPossible(f"mail {id} was read and is on {_place(row)}; there is nothing to do")
    if row.state != MailState.POISON:
        return _queue(context, id)
    envelope = Envelope(row.envelope_from, tuple(row.addressed))
    unread = Unread(raw, envelope, ours_of(context), context.settings.authserv_id or None)
    (mail,) = read_in_time([unread], _MAY_TAKE_S)
    if mail.damaged:
        raise NotPossible(
            f"mail {id} still cannot be read: {mail.damaged}; it stays as it is on {_place(row)}"
        )
    with context.database.writing() as session:
        row = session.get_one(InboundMail, id, with_for_update=True)
        if row.state == MailState.POISON:
            _put_right(session, row, mail, context.clock.now())
    return f"mail {id} was read; case {row.case_id} says now what it says"


def _place(row: InboundMail) -> str:
    return f"case {row.case_id}" if row.case_id else "no case: it was ours"


def _queue(context: Context, id: int) -> str:
    """Have the worker take it in, as if it had just come."""
    with context.database.writing() as session:
        row = session.get_one(InboundMail, id, with_for_update=True)
        row.state, row.case_id = MailState.STORED, None
        due.cancel(session, f"mail:{id}", (TAKE_IN,))
        due.enqueue(session, TAKE_IN, f"mail:{id}", context.clock.now(), mail=id)
    return f"mail {id} will be taken in"


def _put_right(session: Session, row: InboundMail, mail: ParsedMail, now: datetime) -> None:
    """Let the case say what its mail says. Who wrote it, and what was promised, is for somebody who looks."""
    own = None if row.authentication is None else [Method(**each) for each in row.authentication]  # type: ignore[arg-type]
    trust = trust_in(mail, own)
    said = said_in(mail, trust, own)
    message = session.get_one(Message, row.message_row)
    message.body, message.html, message.details = said.body, said.html, said.details
    message.mail_message_id = said.mail_message_id
    row.state, row.error, row.sender = MailState.TAKEN, None, mail.sender.key[:400] if mail.sender else None
    case = session.get_one(Case, row.case_id)
    if case.origin == f"mail:{row.id}":
        case.title, case.from_address = title_of(mail)[:200], case.from_address or row.sender
    session.flush()
    case.needs_look = trust == FORGED or _has_another(session, case)
    record(session, "mail.replayed", now, case_id=case.id, mail=row.id)


def _has_another(session: Session, case: Case) -> bool:
    others = sa.select(InboundMail.id).where(
        InboundMail.case_id == case.id, InboundMail.state == MailState.POISON
    )
    return session.scalar(others.limit(1)) is not None
