"""What became of an attempt: the telephone company's word for calls and texts, asked for where it does not come."""

from __future__ import annotations

import sqlalchemy as sa

from core import due
from core.models import record
from core.telephony import FINAL_CALL_STATUSES, UNKNOWN_CALL
from routing.context import Context
from routing.paging import rows, steps
from routing.paging.delivery import AFTER_RINGING, kind_of, locked_attempt
from routing.paging.models import Attempt, AttemptState

_ENDINGS = {
    "completed": AttemptState.NO_KEY,
    "busy": AttemptState.BUSY,
    "no-answer": AttemptState.NO_ANSWER,
    "failed": AttemptState.FAILED,
    "canceled": AttemptState.CANCELLED,
    UNKNOWN_CALL: AttemptState.FAILED,
}


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
            again = context.clock.now() + AFTER_RINGING
            due.enqueue(session, rows.CHECK, claim.subject, again, attempt=claim.payload["attempt"])


def hang_up(context: Context, claim: due.Claim) -> None:
    """Due work: end a call that is not needed any more."""
    context.telephony.end_call(claim.payload["sid"])
    with due.finishing(context.database, claim):
        pass


def settle_call(
    session: sa.orm.Session, context: Context, attempt_id: int, status: str, sequence: int | None
) -> None:
    """Take in what the telephone company says of a page call.

    Callbacks come in any order: an older ``sequence`` changes nothing, and what has ended stays ended.
    """
    attempt = locked_attempt(session, attempt_id)
    if not attempt.is_live or (sequence is not None and sequence <= attempt.sequence):
        return
    attempt.sequence = sequence if sequence is not None else attempt.sequence
    if status == "in-progress":
        attempt.state = AttemptState.ANSWERED
    elif status in _ENDINGS:
        attempt.state = _ENDINGS[status]
        now = context.clock.now()
        record(
            session, kind_of(attempt, "unanswered"), now, case_id=attempt.case_id, person=attempt.person_key,
            how=attempt.state,
        )  # fmt: skip
        steps.failed(session, context, attempt)


def settle_text(session: sa.orm.Session, sid: str, status: str, error_code: str | None) -> None:
    """Take in what became of a text."""
    attempt = session.scalar(sa.select(Attempt).where(Attempt.provider_sid == sid))
    if attempt is None or not attempt.is_live:
        return
    if status == "delivered":
        attempt.state = AttemptState.DELIVERED
    elif status in ("failed", "undelivered"):
        attempt.state, attempt.error = AttemptState.FAILED, f"error {error_code}" if error_code else status
