"""Sending a notice, and what becomes of it.

As with pages, a notice is written as ``sending``, with its words, before the request goes out. The worker that takes
over from a dead one asks the telephone company for a text with these words, and sends only if there is none. A mail
server cannot be asked: the mail goes out again under the same Message-ID.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import due
from core.mail import MailError
from core.models import record
from core.telephony import RETRY_RULE, TelephonyError
from routing.context import Context
from routing.notices import content, notices
from routing.notices.models import CustomerNotice, NoticeKind, NoticeState
from routing.notices.no_texts import no_text_reason, remember_no_text
from routing.notices.routes import MAIL, REMEMBERED_ERRORS, SMS, NoRoute, Reach, Route, route
from routing.policy import Policy

_TOO_LATE = timedelta(minutes=30)  # "your case is open" is no news any more
_OPENED_FIRST = timedelta(minutes=2)
_LOOK_AGAIN = timedelta(seconds=5)
_CLOCK_SKEW = timedelta(seconds=30)
_DAY = timedelta(days=1)
_UNDER_WAY = (NoticeState.WAITING, NoticeState.SENDING)
_NOT_DELIVERED = ("failed", "undelivered")


@dataclass(frozen=True)
class _Outgoing:
    id: int
    kind: NoticeKind
    case_id: int
    channel: str
    address: str
    from_number: str
    text: str
    since: datetime
    unsure: bool  # an earlier try may have gone out


def send(context: Context, claim: due.Claim) -> None:
    """Due work: tell a customer something, if there is still something to tell and a way to do it."""
    outgoing = _prepare(context, claim)
    if outgoing is None:
        return
    try:
        sid = _text(context, outgoing) if outgoing.channel == SMS else _mail(context, outgoing)
    except (TelephonyError, MailError) as error:
        if not error.permanent:
            raise
        _refused(context, claim, outgoing, error)
        return
    _note_sent(context, claim, outgoing, sid)


def _prepare(context: Context, claim: due.Claim) -> _Outgoing | None:
    now = context.clock.now()
    with context.database.writing() as session:
        if not due.holds(session, claim):
            raise due.LeaseLost(claim.subject)
        notice = _locked(session, claim.payload["notice"])
        policy = context.policies.current().policy
        outgoing = None
        if notice.state in _UNDER_WAY and not _is_over(session, notice, now):
            if _opened_comes_first(session, notice, now):
                due.enqueue(session, notices.SEND, claim.subject, now + _LOOK_AGAIN, notice=notice.id)
            else:
                outgoing = _written(session, context, notice, policy, now)
        if outgoing is None:
            due.finish(session, claim)
        return outgoing


def _is_over(session: Session, notice: CustomerNotice, now: datetime) -> bool:
    """Whether there is nothing left to tell; then that is written down."""
    if now - notice.created_at > _TOO_LATE:
        _skip(session, notice, "it could not be sent in time", now)
    elif notice.state == NoticeState.WAITING and notice.case.responded_at is not None:
        _skip(session, notice, "they had been answered before", now)
    else:
        return False
    return True


def _opened_comes_first(session: Session, notice: CustomerNotice, now: datetime) -> bool:
    """Nobody is told who has a case that they have not been told of. But not for ever."""
    if notice.kind != NoticeKind.ACCEPTED or now - notice.created_at > _OPENED_FIRST:
        return False
    waiting = sa.select(CustomerNotice.id).where(
        CustomerNotice.case_id == notice.case_id,
        CustomerNotice.kind == NoticeKind.OPENED,
        CustomerNotice.state.in_(_UNDER_WAY),
    )
    return session.scalar(waiting) is not None


def _written(
    session: Session, context: Context, notice: CustomerNotice, policy: Policy, now: datetime
) -> _Outgoing | None:
    """Write down where the notice goes and what it says; what was written before a crash stays as it is."""
    line = policy.lines.get(notice.case.line or "")
    unsure = notice.state == NoticeState.SENDING
    if not unsure:
        way = route(_reach(session, context, notice, policy, now)) if line else NoRoute("its line is gone")
        if isinstance(way, NoRoute):
            _skip(session, notice, way.reason, now)
            return None
        _address(session, notice, way, policy, now)
    assert notice.channel is not None
    assert notice.address is not None
    assert notice.text is not None
    assert notice.sent_at is not None
    return _Outgoing(
        notice.id, NoticeKind(notice.kind), notice.case_id, notice.channel, notice.address,
        line.number if line else "", notice.text, notice.sent_at, unsure,
    )  # fmt: skip


def _address(session: Session, notice: CustomerNotice, way: Route, policy: Policy, now: datetime) -> None:
    kind = NoticeKind(notice.kind)
    notice.text = content.text_of(session, notice.case, policy, kind, way.channel, now)
    notice.channel, notice.address = way.channel, way.address
    notice.state, notice.sent_at = NoticeState.SENDING, now


def _reach(
    session: Session, context: Context, notice: CustomerNotice, policy: Policy, now: datetime
) -> Reach:
    case, number = notice.case, notice.case.callable_number
    line = policy.lines[case.line or ""]
    return Reach(
        wanted=line.caller_receipts,
        number=number,
        line_number=line.number,
        own_numbers=frozenset(policy.line_by_number),
        verified=case.verified,
        entered=case.callback_number is not None,
        no_text_reason=no_text_reason(session, number),
        texts_today=_texts_since(session, number, now - _DAY),
        text_came_back=notice.channel == MAIL,
        email=case.contact.email if case.contact else None,
        mail_works=context.mailer.configured,
    )


def _texts_since(session: Session, number: str | None, since: datetime) -> int:
    sent = sa.select(sa.func.count()).where(
        CustomerNotice.address == number, CustomerNotice.channel == SMS, CustomerNotice.sent_at > since
    )
    return session.scalar(sent) or 0


def _text(context: Context, outgoing: _Outgoing) -> str:
    if outgoing.unsure:
        sent = context.telephony.messages_to(outgoing.address, outgoing.since - _CLOCK_SKEW)
        for sid, body in sent:
            if body == outgoing.text:  # the case number and the kind are in it
                return sid
    return context.telephony.send_sms(
        to=outgoing.address,
        from_=outgoing.from_number,
        body=outgoing.text,
        status_callback=context.address(f"/twilio/sms/status?notice={outgoing.id}{RETRY_RULE}"),
    )


def _mail(context: Context, outgoing: _Outgoing) -> str:
    policy = context.policies.current().policy
    with context.database.reading() as session:
        case = session.get_one(CustomerNotice, outgoing.id).case
        message = content.mail(
            case, policy, outgoing.kind, outgoing.text, outgoing.address, context.mailer.sender
        )
    context.mailer.send(message, outgoing.address, envelope_from="")
    return str(message["Message-ID"])


def _note_sent(context: Context, claim: due.Claim, outgoing: _Outgoing, sid: str) -> None:
    with due.finishing(context.database, claim) as session:
        notice = _locked(session, outgoing.id)
        if notice.channel == outgoing.channel:  # else the word that it came back was quicker
            notice.provider_sid = sid
        if notice.state == NoticeState.SENDING:
            notice.state = NoticeState.SENT
        record(
            session, "notice.sent", context.clock.now(), case_id=outgoing.case_id, notice=outgoing.kind,
            channel=outgoing.channel,
        )  # fmt: skip


def _refused(
    context: Context, claim: due.Claim, outgoing: _Outgoing, error: TelephonyError | MailError
) -> None:
    with due.finishing(context.database, claim) as session:
        notice = _locked(session, outgoing.id)
        code = error.code if isinstance(error, TelephonyError) else None
        _came_back(session, context, notice, code, str(error))


def settle(
    session: Session, context: Context, notice_id: int, sid: str, status: str, error_code: str | None
) -> None:
    """Take in what became of a text, as the telephone company says."""
    notice = session.get(CustomerNotice, notice_id, with_for_update=True, populate_existing=True)
    if notice is None or notice.channel != SMS or notice.state not in (NoticeState.SENDING, NoticeState.SENT):
        return
    notice.provider_sid = sid
    if status == "delivered":
        notice.state = NoticeState.DELIVERED
    elif status in _NOT_DELIVERED:
        code = int(error_code) if error_code and error_code.isdigit() else None
        _came_back(session, context, notice, code, f"error {code}" if code else status)


def _came_back(
    session: Session, context: Context, notice: CustomerNotice, code: int | None, error: str
) -> None:
    """A notice was not taken. Of a text its number may be remembered, and mail is tried instead."""
    now, channel = context.clock.now(), notice.channel
    if channel == SMS and notice.address and code in REMEMBERED_ERRORS:
        remember_no_text(session, notice.address, REMEMBERED_ERRORS[code], now)
    notice.error = error[:200]
    record(session, "notice.not-sent", now, case_id=notice.case_id, channel=channel, error=error[:200])
    contact = notice.case.contact
    if channel == SMS and contact is not None and contact.email and context.mailer.configured:
        notice.channel, notice.state, notice.provider_sid = MAIL, NoticeState.WAITING, None
        due.enqueue(session, notices.SEND, notices.subject(notice.case_id), now, notice=notice.id)
    else:
        notice.state = NoticeState.FAILED


def _skip(session: Session, notice: CustomerNotice, why: str, now: datetime) -> None:
    notice.state, notice.error = NoticeState.SKIPPED, why
    record(session, "notice.skipped", now, case_id=notice.case_id, notice=notice.kind, why=why)


def _locked(session: Session, notice_id: int) -> CustomerNotice:
    return session.get_one(CustomerNotice, notice_id, with_for_update=True, populate_existing=True)
