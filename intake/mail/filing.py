"""Where a mail goes: whose it is, which case it belongs to, and what that leads to."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from core.models import Case, Message, record
from core.prepared import Prepared
from core.straight import straight
from intake.cases import Intake, opened_case
from intake.mail.adding import add_mail
from intake.mail.coming_back import Came, dealt_with
from intake.mail.mail_facts import Filing, filing_of
from intake.mail.models import InboundMail, MailState
from intake.mail.parsing import ParsedMail
from intake.mail.said import title_of
from intake.mail.which_case import Found, Search, find_case
from routing.context import Context
from routing.correspondence.desk import signed_addresses
from routing.coverage_mail import FORGED

_EARLIER_MAIL_MAY_TAKE = timedelta(minutes=2)
_LOOK_AGAIN = timedelta(seconds=1)


class Waiting(Exception):
    """The mail answers one that has come, and has not been taken in yet; look again at ``until``."""

    def __init__(self, until: datetime) -> None:
        super().__init__("the mail that it answers has not been taken in yet")
        self.until = until


_SETTLED = Prepared(
    sa.update(InboundMail)
    .where(InboundMail.id == sa.bindparam("row"))
    .values({name: sa.bindparam(name) for name in (
        "sender", "topic", "taken_at", "case_id", "message_row", "error", "state"
    )})
)  # fmt: skip


def file_mail(session: Session, context: Context, row: InboundMail, mail: ParsedMail) -> None:
    """Open a case with a mail, or add it to one, in the caller's transaction. ``row`` is locked, and stored only."""
    filing = filing_of(context, row, mail)
    if _is_our_own(context, mail):
        _note_our_own(session, context, filing)
        return
    came, now = Came(row, mail, filing.said, filing.trust), context.clock.now()
    taken = dealt_with(session, context, came, now)
    if taken is not None:
        _settle(session, filing, taken.case, taken.message, now)
        return
    search = Search(mail, row, filing.caller, filing.trust, filing.sender, filing.topic, filing.box.service)
    found = find_case(session, signed_addresses(context), search, filing.box.join_h, now)
    taken = dealt_with(session, context, came, now, found.case) if found.case is not None else None
    if taken is not None:
        _settle(session, filing, taken.case, taken.message, now)
        return
    if found.case is None:
        _wait_for_what_it_answers(session, context, row, mail)
        case, message = _open(session, context, filing, found)
    else:
        case, message = found.case, add_mail(session, context, filing, found.case)
    _settle(session, filing, case, message, now)
    _note_what_is_odd(session, context, filing, case, found)


def _settle(session: Session, filing: Filing, case: Case, message: Message | None, now: datetime) -> None:
    """Write down where the mail went; an engineer's vacation notice is no message."""
    row, damaged = filing.row, filing.mail.damaged
    if message is not None and message.id is None:
        session.flush()
    values = {
        "sender": filing.sender[:400] or None, "topic": filing.topic, "taken_at": now, "case_id": case.id,
        "message_row": message.id if message else None, "error": damaged[:500] if damaged else None,
        "state": MailState.POISON if damaged else MailState.TAKEN,
    }  # fmt: skip
    straight(session, _SETTLED, row=row.id, **values)
    for name, value in values.items():
        set_committed_value(row, name, value)
    # The session forgets what nobody holds, and the next mail may be of the same case.
    set_committed_value(row, "case", case)


def _is_our_own(context: Context, mail: ParsedMail) -> bool:
    """Whether we have sent it ourselves: to take that in would be to talk with ourselves for ever."""
    marked = any(sign.reason == "own-loop-marker" for sign in mail.verdict.signs)
    return marked or (
        mail.message_id is not None and signed_addresses(context).thread_of(mail.message_id) is not None
    )


def _note_our_own(session: Session, context: Context, filing: Filing) -> None:
    row, mail, now = filing.row, filing.mail, context.clock.now()
    row.sender, row.topic = filing.sender[:400] or None, filing.topic
    thread = signed_addresses(context).thread_of(mail.message_id) if mail.message_id else None
    case = session.get(Case, thread.case) if thread else None
    row.state, row.taken_at, row.case_id = MailState.TAKEN, now, case.id if case else None
    record(session, "mail.own-came-back", now, case_id=row.case_id, mail=row.id)


def _wait_for_what_it_answers(session: Session, context: Context, row: InboundMail, mail: ParsedMail) -> None:
    """Of two mails that come at once the answer may be read first."""
    ids = (*mail.in_reply_to, *mail.references[-10:])
    if not ids:
        return
    now = context.clock.now()
    waits = sa.select(InboundMail.id).where(
        InboundMail.message_id.in_(ids), InboundMail.state == MailState.STORED, InboundMail.id != row.id,
        InboundMail.received_at > now - _EARLIER_MAIL_MAY_TAKE,
    )  # fmt: skip
    if session.scalar(waits.limit(1)) is not None:
        raise Waiting(now + _LOOK_AGAIN)


def _open(session: Session, context: Context, filing: Filing, found: Found) -> tuple[Case, Message]:
    caller = filing.caller
    intake = Intake(
        origin=f"mail:{filing.row.id}",
        facts=filing.facts,
        title=title_of(filing.mail),
        body=filing.said.body,
        customer_id=caller.customer_id,
        contact_id=caller.contact_id,
        from_address=filing.sender[:400] or None,
        needs_look=filing.trust == FORGED or filing.mail.damaged is not None,
        parts=filing.parts,
    )
    return opened_case(session, context, intake, filing.current)


def _note_what_is_odd(session: Session, context: Context, filing: Filing, case: Case, found: Found) -> None:
    """What somebody who looks at the case should know of how its mail came there."""
    now, mail = context.clock.now(), filing.mail
    if mail.damaged:
        case.needs_look = True
        record(session, "mail.unreadable", now, case_id=case.id, mail=filing.row.id, why=mail.damaged[:200])
    if filing.trust == FORGED:
        record(session, "mail.forged", now, case_id=case.id, mail=filing.row.id)
    if found.case is None and found.claimed is not None:
        record(session, "mail.claims-case", now, case_id=case.id, mail=filing.row.id, claimed=found.claimed)
    if found.case is not None and filing.sender != case.from_address:
        stranger = case.customer_id is None or case.customer_id != filing.caller.customer_id
        if stranger and filing.is_heard:
            record(session, "mail.from-elsewhere", now, case_id=case.id, mail=filing.row.id)
