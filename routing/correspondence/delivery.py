"""Sending what the outbox holds, and what the mail server says of it.

A mail is marked ``sending`` before the server is spoken to. A worker that dies there leaves it so; the next one
sends the same bytes again under the same Message-ID: at least once, and mailboxes that look at it show it once.
Each recipient is spoken of by itself: who has it does not get it again because somebody else could not.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.orm import Session, undefer

from core import due
from core.mail import MailError
from core.models import record
from routing.context import Context
from routing.correspondence import undelivered
from routing.correspondence.lanes import Lanes
from routing.correspondence.models import MailKind, OutboundMail
from routing.correspondence.reports import Failure, failure_said
from routing.correspondence.states import MailEvent, MailState, after

_FIRST_RETRY, _LONGEST_RETRY = timedelta(seconds=5), timedelta(minutes=15)
# An engineer's answer is worth waiting for; that a case is open is no news half a day later.
_PATIENCE = {MailKind.REPLY: timedelta(days=2), MailKind.ENGINEER_NOTICE: timedelta(days=1)}
_PATIENCE_FOR_NEWS = timedelta(hours=4)
# The customer waits, and their clock may have been stopped: somebody should know that the answer is still here.
_ALARMING = timedelta(minutes=15)

_LANES = Lanes(2)  # of the worker's four threads

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Outgoing:
    id: int
    recipients: tuple[str, ...] = field(repr=False)
    envelope_from: str = field(repr=False)
    raw: bytes = field(repr=False)


def deliver(context: Context, claim: due.Claim) -> None:
    """Due work: hand a mail over to the mail server, for everybody who has not got it yet."""
    with _LANES.lane() as free:
        if free:
            _deliver(context, claim)
            return
    with context.database.writing() as session:
        due.again(session, claim, context.clock.now() + _LANES.pause, **claim.payload)


def _deliver(context: Context, claim: due.Claim) -> None:
    outgoing = _prepare(context, claim)
    if outgoing is None:
        return
    _note(context, claim, outgoing, _hand_over(context, outgoing))


def _hand_over(context: Context, outgoing: _Outgoing) -> Mapping[str, MailError]:
    """Who could not be served, and why."""
    if not context.mailer.configured:
        error = MailError("no mail server is set; set NIGHTBELL_SMTP_URL", permanent=False)
        return dict.fromkeys(outgoing.recipients, error)
    try:
        return context.mailer.hand_over(
            outgoing.raw, outgoing.recipients, envelope_from=outgoing.envelope_from
        )
    except MailError as error:
        return dict.fromkeys(outgoing.recipients, error)


def _prepare(context: Context, claim: due.Claim) -> _Outgoing | None:
    now = context.clock.now()
    with context.database.writing() as session:
        if not due.holds(session, claim):
            raise due.LeaseLost(claim.subject)
        mail = _locked(session, claim.payload["mail"])
        if not mail.standing.is_under_way or _held_back(session, mail, now):
            due.finish(session, claim)
            return None
        _move(mail, MailEvent.BEGUN)
        mail.tries += 1
        return _Outgoing(mail.id, tuple(map(str, mail.remaining)), mail.envelope_from, mail.raw)


def _held_back(session: Session, mail: OutboundMail, now: datetime) -> bool:
    """Whether nobody needs an automatic mail any more; then that is written down."""
    if not mail.purpose.is_automatic or mail.standing is not MailState.WAITING:
        return False
    why = ""
    if now - mail.created_at > _patience(mail):
        why = "it could not be sent in time"
    elif mail.purpose is MailKind.ACCEPTED and mail.case.responded_at is not None:
        why = "they had been answered before"
    if why:
        _move(mail, MailEvent.HELD_BACK)
        mail.error = why
        record(session, "mail.held-back", now, case_id=mail.case_id, mail=mail.kind, why=why)
    return bool(why)


def _note(context: Context, claim: due.Claim, outgoing: _Outgoing, refused: Mapping[str, MailError]) -> None:
    now = context.clock.now()
    with context.database.writing() as session:
        mail = _locked(session, outgoing.id)
        lost = [failure_said(to, error) for to, error in refused.items() if error.permanent]
        waiting = {to: error for to, error in refused.items() if not error.permanent}
        mail.remaining = list(waiting)
        _settle(session, context, mail, lost, waiting, now)
        again = mail.standing is MailState.WAITING
        pause = min(_FIRST_RETRY * 2 ** min(mail.tries - 1, 16), _LONGEST_RETRY)
        ours = (
            due.again(session, claim, now + pause, error=mail.error, **claim.payload)
            if again
            else due.finish(session, claim)
        )
        if not ours:
            raise due.LeaseLost(claim.subject)


def _settle(
    session: Session, context: Context, mail: OutboundMail, lost: list[Failure],
    waiting: Mapping[str, MailError], now: datetime,
) -> None:  # fmt: skip
    """What the server said, as the mail's state; with everything that follows from a refusal."""
    given_up = bool(waiting) and now - mail.created_at > _patience(mail)
    if given_up:
        lost += [failure_said(to, error, given_up=True) for to, error in waiting.items()]
        mail.remaining = []
    undelivered.write_down(session, mail, lost, now)
    if mail.reached_nobody:
        _move(mail, MailEvent.REFUSED)
        undelivered.nobody_got_it(session, context, mail, now)
    elif waiting and not given_up:
        _move(mail, MailEvent.PUT_OFF)
        mail.error = next(str(error) for error in waiting.values())[:300]
        _sound_alarm(session, mail, now)
    else:
        _move(mail, MailEvent.TAKEN)
        mail.sent_at, mail.error = mail.sent_at or now, None
        record(session, "mail.sent", now, case_id=mail.case_id, person=mail.person, mail=mail.kind)
    if given_up:
        log.error("a mail of case %s was tried for long and given up", mail.case_id)


def _sound_alarm(session: Session, mail: OutboundMail, now: datetime) -> None:
    """Say once that an engineer's answer does not get out."""
    if mail.purpose is MailKind.REPLY and not mail.alarmed and now - mail.created_at >= _ALARMING:
        mail.alarmed = True
        log.error("an answer on case %s has not left for %s", mail.case_id, now - mail.created_at)
        record(session, "mail.delayed", now, case_id=mail.case_id, person=mail.person, error=mail.error)


def _patience(mail: OutboundMail) -> timedelta:
    return _PATIENCE.get(mail.purpose, _PATIENCE_FOR_NEWS)


def _move(mail: OutboundMail, event: MailEvent) -> None:
    mail.state = after(mail.standing, event)


def _locked(session: Session, mail_id: int) -> OutboundMail:
    return session.get_one(
        OutboundMail, mail_id, with_for_update=True, populate_existing=True,
        options=[undefer(OutboundMail.raw)],
    )  # fmt: skip
