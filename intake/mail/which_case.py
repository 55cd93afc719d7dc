"""Which case a mail belongs to: what is signed first, then what the headers say, and the subject last.

A signed address or Message-ID is proof enough for whoever has it. Any other reference counts only for somebody who
belongs to the case, because it can be guessed or overheard; and not for a doubted sender. A forged one gets nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.mail_addresses import SignedAddresses, address_key
from core.models import Case, CaseStatus, Message
from intake.callers import Caller
from intake.mail.models import InboundMail
from intake.mail.parsing import Kind, ParsedMail
from routing.correspondence.models import OutboundMail
from routing.coverage_mail import DOUBTED, FORGED
from routing.merging import goes_on_in

_MOST_IDS = 60
_MOST_ADDRESSES = 200
_MOST_MESSAGES = 200
_FORWARDED = re.compile(r"\s*(?:fwd?|wg|tr|rv|enc|doorst|vs|vb|i)(?:\[\d{1,3}\])?\s?[::]", re.IGNORECASE)
_IN_SUBJECT = re.compile(r"\[case (\d{1,12})\]", re.IGNORECASE)


@dataclass(frozen=True)
class Found:
    """The case that a mail belongs to. ``claimed`` is one that it names without a right to it."""

    case: Case | None = None
    by: str = ""
    claimed: int | None = None


@dataclass(frozen=True)
class Search:
    """What is known of a mail when its case is looked for."""

    mail: ParsedMail
    row: InboundMail
    caller: Caller
    trust: str
    sender: str  # as addresses are compared
    topic: str | None
    service: str


def is_forward(mail: ParsedMail) -> bool:
    """Whether somebody passes on what others wrote, which is a matter of its own; its headers may say else."""
    return _FORWARDED.match(mail.subject) is not None


def find_case(session: Session, signed: SignedAddresses, search: Search, join_h: int, now: datetime) -> Found:
    """The case of a mail. What belongs to none opens a new one."""
    named = [
        *_by_address(signed, search),
        *_by_bounce_address(session, signed, search),
        *([] if is_forward(search.mail) else _by_ids(session, signed, search)),
    ]
    claimed = None
    for number, by in named:
        named_case = session.get(Case, number)
        case = goes_on_in(session, named_case) if named_case is not None else None
        if case is None or (
            case.status == CaseStatus.CLOSED and search.mail.verdict.kind is Kind.AUTO_GENERATED
        ):
            continue  # what a machine reports opens nothing again: it is a new matter
        believed = search.trust != DOUBTED and belongs(session, case, search)
        if search.trust != FORGED and (by.startswith("signed") or believed):
            return Found(case, by)
        claimed = claimed or case.id
    found = None if search.trust in (FORGED, DOUBTED) else _by_topic(session, search, join_h, now)
    return Found(found, "topic" if found else "", claimed)


def _by_address(signed: SignedAddresses, search: Search) -> Iterator[tuple[int, str]]:
    """The envelope first: it is what our own Reply-To led to."""
    mail = search.mail
    written = (each.address for each in (*mail.delivered_to, *mail.to, *mail.cc)[:_MOST_ADDRESSES])
    for address in (*search.row.addressed, *written):
        number = signed.case_of(str(address)) if "+" in str(address) else None
        if number is not None:
            yield number, "signed-address"


def _by_bounce_address(
    session: Session, signed: SignedAddresses, search: Search
) -> Iterator[tuple[int, str]]:
    """What answers to the envelope's sender, as vacation notices should (RFC 3834, 4)."""
    for address in map(str, search.row.addressed):
        number = signed.bounced_of(address) if "+" in address else None
        sent = session.get(OutboundMail, number) if number is not None else None
        if sent is not None:
            yield sent.case_id, "signed-bounce-address"


def _by_ids(session: Session, signed: SignedAddresses, search: Search) -> Iterator[tuple[int, str]]:
    mail = search.mail
    ids = list(dict.fromkeys((*mail.in_reply_to, *reversed(mail.references))))[:_MOST_IDS]
    for each in ids:
        thread = signed.thread_of(each)
        if thread is not None:
            yield thread.case, "signed-message-id"
    if ids:
        at = _messages(session, ids)
        yield from ((case, "reference") for each in ids for case in at.get(each, ()))
    tag = _IN_SUBJECT.search(mail.subject)
    if tag is not None:
        yield int(tag[1]), "subject"


# Of the table, and made once: mail comes in bursts, and most of it answers something.
# A mail that went to two mailboxes is on two cases; the one of the service that is written to is meant.
_COLUMNS = Message.__table__.c
_MESSAGES = (
    sa.select(_COLUMNS.mail_message_id, _COLUMNS.case_id)
    .where(
        _COLUMNS.mail_message_id.in_(sa.bindparam("ids", expanding=True)),
        _COLUMNS.mail_message_id.is_not(None),
    )
    .order_by(_COLUMNS.id)
)


def _messages(session: Session, ids: Sequence[str]) -> dict[str, list[int]]:
    """Message-ID -> cases, of those that are there. What this transaction has not written yet is written first."""
    if any(isinstance(each, Message) and each.mail_message_id in ids for each in session.new):
        session.flush()
    found: dict[str, list[int]] = {}
    for row in session.connection().execute(_MESSAGES, {"ids": ids}):
        found.setdefault(row.mail_message_id, []).append(row.case_id)
    return found


def belongs(session: Session, case: Case, search: Search) -> bool:
    """Whether the sender is of the case's customer, or has had part in the conversation."""
    if case.service != search.service:
        return False
    if case.customer_id is not None and case.customer_id == search.caller.customer_id:
        return True
    if not search.sender:
        return False
    if search.sender == case.from_address:
        return True
    wrote = sa.select(InboundMail.id).where(
        InboundMail.case_id == case.id, InboundMail.sender == search.sender
    )
    return session.scalar(wrote.limit(1)) is not None or search.sender in _addressed(session, case)


def _addressed(session: Session, case: Case) -> set[str]:
    """Everybody whom the public mails of a case were sent to."""
    details = session.scalars(
        sa.select(Message.details)
        .where(Message.case_id == case.id, Message.details.is_not(None), Message.public.is_(True))
        .order_by(Message.id.desc())
        .limit(_MOST_MESSAGES)
    )
    return {address_key(each["address"]) for said in details if said for each in _parties(said)}


def _parties(said: dict[str, list[dict[str, str]]]) -> Iterable[dict[str, str]]:
    return (*said.get("to", ()), *said.get("cc", ()))


def _by_topic(session: Session, search: Search, join_h: int, now: datetime) -> Case | None:
    """The open case that a machine's last mail of the same subject went to. A spoken message stands for itself."""
    row = search.row
    machine = search.mail.verdict.kind is not Kind.PERSON
    if not machine or not search.sender or search.topic is None or not join_h or _is_spoken(search.mail):
        return None
    return session.scalar(
        sa.select(Case)
        .join(InboundMail, InboundMail.case_id == Case.id)
        .where(
            InboundMail.sender == search.sender,
            InboundMail.topic == search.topic,
            InboundMail.recipient == row.recipient,
            InboundMail.taken_at > now - timedelta(hours=join_h),
            InboundMail.id != row.id,
            Case.status == CaseStatus.OPEN,
        )
        .order_by(InboundMail.id.desc())
        .limit(1)
    )


def _is_spoken(mail: ParsedMail) -> bool:
    return any(each.content_type.startswith("audio/") for each in mail.attachments)
