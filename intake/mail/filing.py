"""Where a mail goes: whose it is, which case it belongs to, and what that leads to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import due
from core.mail_addresses import SignedAddresses
from core.models import Case, CaseStatus, Message, record
from intake import callers
from intake.callers import Caller
from intake.cases import Intake, MailParts, add_to_case, opened_case, reopened_lately, told_lately
from intake.mail.coming_back import Came, dealt_with
from intake.mail.consents import answer, would_accept
from intake.mail.models import InboundMail, MailState
from intake.mail.parsing import Kind, ParsedMail
from intake.mail.parsing.authentication import Method
from intake.mail.said import Said, said_in, title_of
from intake.mail.topics import topic_key
from intake.mail.trust import trust_in
from intake.mail.urgency import asked_with
from intake.mail.urgent import ask_for_more, words_for_more
from intake.mail.which_case import Found, Search, find_case
from routing.context import Context
from routing.coverage import Consent, ContactFacts
from routing.coverage_mail import FORGED, PROVEN
from routing.mailboxes import Mailbox
from routing.paging import pages
from routing.policies import CurrentPolicy

CHANNEL = "mail"
_EARLIER_MAIL_MAY_TAKE = timedelta(minutes=2)
_LOOK_AGAIN = timedelta(seconds=1)
_TERMS = {"beforehand": Consent.BEFOREHAND, "never": Consent.NEVER}


class Waiting(Exception):
    """The mail answers one that has come, and has not been taken in yet; look again at ``until``."""

    def __init__(self, until: datetime) -> None:
        super().__init__("the mail that it answers has not been taken in yet")
        self.until = until


@dataclass(frozen=True)
class _Filing:
    """A mail on its way: the row, what it says, whose it is, and the rules that hold."""

    row: InboundMail
    mail: ParsedMail
    said: Said
    caller: Caller
    trust: str
    sender: str
    key: str
    box: Mailbox
    current: CurrentPolicy


def file_mail(session: Session, context: Context, row: InboundMail, mail: ParsedMail) -> None:
    """Open a case with a mail, or add it to one, in the caller's transaction. ``row`` is locked, and stored only."""
    filing = _filing(context, row, mail)
    row.sender, row.topic = filing.sender[:400] or None, topic_key(mail.subject)
    if _is_our_own(context, mail):
        _note_our_own(session, context, row, mail)
        return
    came, now = Came(row, mail, filing.said, filing.trust), context.clock.now()
    taken = dealt_with(session, context, came, now)
    if taken is not None:
        _settle(row, mail, taken.case, taken.message, now)
        return
    search = Search(mail, row, filing.caller, filing.trust, filing.sender, filing.box.service)
    found = find_case(session, _signed(context), search, filing.box.join_h, now)
    taken = dealt_with(session, context, came, now, found.case) if found.case is not None else None
    if taken is not None:
        _settle(row, mail, taken.case, taken.message, now)
        return
    if found.case is None:
        _wait_for_what_it_answers(session, context, row, mail)
        case, message = _open(session, context, filing, found)
    else:
        case, message = found.case, _add(session, context, filing, found.case)
        _ask_for_more(session, context, filing, case)
    session.flush()
    _settle(row, mail, case, message, now)
    _note_what_is_odd(session, context, filing, case, found)


def _settle(row: InboundMail, mail: ParsedMail, case: Case, message: Message | None, now: datetime) -> None:
    """Write down where the mail went; an engineer's vacation notice is no message."""
    row.case_id, row.message_row, row.taken_at = case.id, message.id if message else None, now
    row.state = MailState.POISON if mail.damaged else MailState.TAKEN
    row.error = mail.damaged[:500] if mail.damaged else None


def _filing(context: Context, row: InboundMail, mail: ParsedMail) -> _Filing:
    current = context.policies.current()
    boxes = current.policy.mailboxes
    key = row.mailbox if row.mailbox in boxes else next(iter(boxes), None)
    if key is None:
        raise due.TryAgain("the policy has no mailbox; add one under mailboxes, and the mail is taken in")
    box = boxes[key]
    own = None if row.authentication is None else [Method(**each) for each in row.authentication]  # type: ignore[arg-type]
    trust = trust_in(mail, own)
    sender = mail.sender.key if mail.sender else ""
    day = row.received_at.astimezone(current.policy.calendar_of(box.service).zone).date()
    caller = Caller() if trust == FORGED else callers.by_address(current.directory, sender, box.service, day)
    return _Filing(row, mail, said_in(mail, trust, own), caller, trust, sender, key, box, current)


def _signed(context: Context) -> SignedAddresses:
    return SignedAddresses(context.settings.secret_key.get_secret_value())


def _is_our_own(context: Context, mail: ParsedMail) -> bool:
    """Whether we have sent it ourselves: to take that in would be to talk with ourselves for ever."""
    marked = any(sign.reason == "own-loop-marker" for sign in mail.verdict.signs)
    return marked or (mail.message_id is not None and _signed(context).thread_of(mail.message_id) is not None)


def _note_our_own(session: Session, context: Context, row: InboundMail, mail: ParsedMail) -> None:
    now = context.clock.now()
    thread = _signed(context).thread_of(mail.message_id) if mail.message_id else None
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


def _open(session: Session, context: Context, filing: _Filing, found: Found) -> tuple[Case, Message]:
    caller = filing.caller
    intake = Intake(
        origin=f"mail:{filing.row.id}",
        facts=_facts(filing),
        title=title_of(filing.mail),
        body=filing.said.body,
        customer_id=caller.customer_id,
        contact_id=caller.contact_id,
        from_address=filing.sender[:400] or None,
        needs_look=filing.trust == FORGED or filing.mail.damaged is not None,
        parts=_parts(filing),
    )
    return opened_case(session, context, intake, filing.current)


def _facts(filing: _Filing) -> ContactFacts:
    caller, automatic = filing.caller, _is_automatic_reply(filing.mail)
    return ContactFacts(
        at=filing.row.received_at,
        channel=CHANNEL,
        service=filing.box.service,
        mailbox=filing.key,
        customer=caller.customer,
        customer_key=caller.customer_key,
        identified_by=caller.identified_by,
        tier=None if automatic else caller.tier,
        consent=_TERMS.get(caller.consent_terms),
        sender=filing.trust,
        asked_with=None if filing.mail.damaged else asked_with(filing.mail, filing.box.urgent),
        entitled=caller.may_request_priority_1 or None,
        automatic=automatic or None,
    )


def _parts(filing: _Filing) -> MailParts:
    author = "system" if filing.mail.verdict.kind is Kind.BOUNCE else "customer"
    return MailParts(filing.said.mail_message_id, filing.said.html, filing.said.details, author)


def _is_automatic_reply(mail: ParsedMail) -> bool:
    """Whether it is a machine's answer to somebody's mail; a machine that reports by itself has something to say."""
    return not mail.verdict.may_reopen


def _add(session: Session, context: Context, filing: _Filing, case: Case) -> Message:
    """Add to a case; automatic replies open nothing again, and nobody is told of them."""
    proven = filing.trust == PROVEN
    consents = would_accept(session, context, case, filing.mail, proven=proven)
    if consents:
        pages.locked_pages(session, case)  # before the case, as everywhere
    session.refresh(case, with_for_update={"key_share": True})
    now = context.clock.now()
    heard = not _is_automatic_reply(filing.mail)
    capped = (
        heard
        and case.status == CaseStatus.CLOSED
        and reopened_lately(session, case, now) >= filing.box.reopens_per_day
    )
    if capped:
        record(session, "mail.not-reopened", now, case_id=case.id, times=filing.box.reopens_per_day)
    message = add_to_case(
        session,
        context,
        case,
        filing.said.body,
        filing.current,
        channel=CHANNEL,
        tell=heard
        and not consents
        and _is_to_be_told(filing, case, now)
        and not told_lately(session, case, now),
        contact_at=filing.row.received_at,
        at=filing.row.received_at,
        may_reopen=heard and not capped,
        parts=_parts(filing),
    )
    session.flush()
    answer(session, context, case, filing.mail, now, proven=proven)
    return message


def _ask_for_more(session: Session, context: Context, filing: _Filing, case: Case) -> None:
    """An entitled contact of the case's customer may ask for priority 1 with any mail."""
    words = None if filing.mail.damaged else words_for_more(filing.mail, filing.box.urgent, case)
    if words is None or _is_automatic_reply(filing.mail) or filing.caller.customer_id != case.customer_id:
        return
    facts = replace(_facts(filing), service=case.service, tier=case.tier, asked_with=words)
    ask_for_more(session, context, case, facts, filing.current, context.clock.now())


def _is_to_be_told(filing: _Filing, case: Case, now: datetime) -> bool:
    """Outside of business hours mail wakes nobody, but for what somebody is awake for."""
    calendar = filing.current.policy.calendar_of(case.service)
    return calendar.is_open(now) or case.engineer is not None or case.priority == 1


def _note_what_is_odd(session: Session, context: Context, filing: _Filing, case: Case, found: Found) -> None:
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
        if stranger and not _is_automatic_reply(mail):
            record(session, "mail.from-elsewhere", now, case_id=case.id, mail=filing.row.id)
