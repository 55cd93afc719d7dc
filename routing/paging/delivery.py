"""Sending attempts, and what the telephone company says of them.

An attempt is written as ``sending`` before the request goes out. A worker that dies in between leaves it so; the
one that takes over first asks the telephone company whether the attempt happened, and sends again only if not:
at least once, never a storm.
"""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from core import due
from core.models import record
from core.telephony import FINAL_CALL_STATUSES, UNKNOWN_CALL, TelephonyError
from routing.context import Context
from routing.paging import pages
from routing.paging.channels import CHANNELS, Outgoing
from routing.paging.content import page_values
from routing.paging.models import Attempt, AttemptState, PageState

_AFTER_RINGING = timedelta(seconds=30)
_CLOCK_SKEW = timedelta(seconds=30)


def send(context: Context, claim: due.Claim) -> None:
    """Due work: make the call or send the text of one attempt."""
    outgoing, unsure = _prepare(context, claim)
    if outgoing is None:
        return
    channel = CHANNELS[outgoing.channel]
    sid = _already_sent(context, outgoing) if unsure else None
    try:
        sid = sid or channel.send(context, outgoing)
    except TelephonyError as error:
        if not error.permanent:
            raise
        _give_up(context, claim, str(error))
        return
    try:
        _note_sent(context, claim, outgoing, sid)
    except due.LeaseLost:
        _end_if_not_needed(context, outgoing, sid)
        raise


def _end_if_not_needed(context: Context, outgoing: Outgoing, sid: str) -> None:
    """Somebody accepted while this call was being placed: its phone need not ring on."""
    if outgoing.channel != pages.VOICE:
        return
    with context.database.writing() as session:
        page = _locked_attempt(session, outgoing.id).page
        if page is not None and page.state != PageState.RINGING:
            due.enqueue(session, pages.HANG_UP, f"attempt:{outgoing.id}", context.clock.now(), sid=sid)


def _note_sent(context: Context, claim: due.Claim, outgoing: Outgoing, sid: str) -> None:
    with due.finishing(context.database, claim) as session:
        attempt = session.get_one(Attempt, outgoing.id, with_for_update=True)
        attempt.provider_sid = sid
        if attempt.state == AttemptState.SENDING:
            attempt.state = AttemptState.SENT
        now = context.clock.now()
        record(
            session, f"page.{attempt.channel}-sent", now, case_id=attempt.case_id, person=attempt.person_key,
            purpose=attempt.purpose, attempt=attempt.id,
        )  # fmt: skip
        if attempt.channel == pages.VOICE:
            due.enqueue(
                session, pages.CHECK, f"attempt:{attempt.id}", now + _ring_time(context, outgoing),
                attempt=attempt.id,
            )  # fmt: skip


def _prepare(context: Context, claim: due.Claim) -> tuple[Outgoing | None, bool]:
    """Look at the page once more, write the attempt down as ``sending``; what to send, if it still must be.

    The second value says whether an earlier try may have gone out already.
    """
    now = context.clock.now()
    with context.database.writing() as session:
        if not due.holds(session, claim):
            raise due.LeaseLost(claim.subject)
        attempt = _locked_attempt(session, claim.payload["attempt"])
        page = attempt.page
        # A step that has been passed over is not sent any more: after an outage it would be one of many.
        over = page is not None and (page.state != PageState.RINGING or attempt.position < page.position)
        if over or AttemptState(attempt.state) not in (AttemptState.QUEUED, AttemptState.SENDING):
            if over and attempt.provider_sid is None:
                attempt.state = AttemptState.CANCELLED
            due.finish(session, claim)
            return None, False
        unsure = attempt.state == AttemptState.SENDING
        attempt.state = AttemptState.SENDING
        attempt.sent_at = attempt.sent_at or now
        version = page.policy_version if page else None
        policy = context.policies.version(version) if version else context.policies.current().policy
        values = page_values(session, attempt.case, policy, context.links, now)
        text = policy.say(f"sms_{attempt.purpose}", attempt.case.line, **values).text
        ring_s = policy.escalations[page.escalation].ring_s if page else 30
        return Outgoing(
            attempt.id, attempt.channel, attempt.to_number, attempt.from_number, text, ring_s, attempt.sent_at
        ), unsure  # fmt: skip


def _already_sent(context: Context, outgoing: Outgoing) -> str | None:
    """The SID under which an earlier try of this attempt went out, if it did."""
    found = CHANNELS[outgoing.channel].sent_since(context, outgoing, outgoing.since - _CLOCK_SKEW)
    with context.database.reading() as session:
        known = set(session.scalars(sa.select(Attempt.provider_sid).where(Attempt.provider_sid.in_(found))))
    return next((sid for sid in found if sid not in known), None)


def _give_up(context: Context, claim: due.Claim, error: str) -> None:
    with due.finishing(context.database, claim) as session:
        attempt = _locked_attempt(session, claim.payload["attempt"])
        attempt.state, attempt.error = AttemptState.FAILED, error[:200]
        record(
            session, "page.not-sent", context.clock.now(), case_id=attempt.case_id, person=attempt.person_key,
            channel=attempt.channel, error=error,
        )  # fmt: skip
        pages.failed(session, context, attempt)


def _ring_time(context: Context, outgoing: Outgoing) -> timedelta:
    return timedelta(seconds=outgoing.ring_s) + _AFTER_RINGING


def check(context: Context, claim: due.Claim) -> None:
    """Due work: the call should long have ended; if its callback was lost, ask how it ended."""
    with context.database.reading() as session:
        attempt = session.get_one(Attempt, claim.payload["attempt"])
        sid = attempt.provider_sid if attempt.is_live else None
    status = context.telephony.call_status(sid) if sid else None
    with due.finishing(context.database, claim) as session:
        if sid and status in FINAL_CALL_STATUSES:
            settle_call(session, context, claim.payload["attempt"], status, None)
        elif sid:
            again = context.clock.now() + _AFTER_RINGING
            due.enqueue(session, pages.CHECK, claim.subject, again, attempt=claim.payload["attempt"])


def hang_up(context: Context, claim: due.Claim) -> None:
    """Due work: end a call that is not needed any more."""
    context.telephony.end_call(claim.payload["sid"])
    with due.finishing(context.database, claim):
        pass


_ENDINGS = {
    "completed": AttemptState.NO_KEY,
    "busy": AttemptState.BUSY,
    "no-answer": AttemptState.NO_ANSWER,
    "failed": AttemptState.FAILED,
    "canceled": AttemptState.CANCELLED,
    UNKNOWN_CALL: AttemptState.FAILED,
}


def settle_call(
    session: sa.orm.Session, context: Context, attempt_id: int, status: str, sequence: int | None
) -> None:
    """Take in what the telephone company says of a page call.

    Callbacks come in any order: an older ``sequence`` changes nothing, and what has ended stays ended.
    """
    attempt = _locked_attempt(session, attempt_id)
    if not attempt.is_live or (sequence is not None and sequence <= attempt.sequence):
        return
    attempt.sequence = sequence if sequence is not None else attempt.sequence
    if status == "in-progress":
        attempt.state = AttemptState.ANSWERED
    elif status in _ENDINGS:
        attempt.state = _ENDINGS[status]
        now = context.clock.now()
        record(
            session, "page.unanswered", now, case_id=attempt.case_id, person=attempt.person_key,
            how=attempt.state,
        )  # fmt: skip
        pages.failed(session, context, attempt)


def _locked_attempt(session: sa.orm.Session, attempt_id: int) -> Attempt:
    """The attempt, locked; its page has been locked first."""
    page_id = session.scalar(sa.select(Attempt.page_id).where(Attempt.id == attempt_id))
    if page_id is not None:
        pages.locked_page(session, page_id)
    return session.get_one(Attempt, attempt_id, with_for_update=True, populate_existing=True)


def settle_text(session: sa.orm.Session, sid: str, status: str, error_code: str | None) -> None:
    """Take in what became of a text."""
    attempt = session.scalar(sa.select(Attempt).where(Attempt.provider_sid == sid))
    if attempt is None or not attempt.is_live:
        return
    if status == "delivered":
        attempt.state = AttemptState.DELIVERED
    elif status in ("failed", "undelivered"):
        attempt.state, attempt.error = AttemptState.FAILED, f"error {error_code}" if error_code else status
