"""The ledger: every recording that the telephone company has must be one of ours, or become a case now.

What the static fallback document caught while we were down, and what a lost callback hid, is found here.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import due
from core.models import Recording
from core.telephony import TelephonyError
from intake import voicemail
from intake.phone import calls
from intake.phone.models import Call
from routing.context import Context
from routing.paging import steps

RECONCILE, ADOPT = "reconcile", "voicemail.adopt"
_EVERY = timedelta(minutes=1)
_OVERLAP = timedelta(minutes=15)
_FIRST_LOOK_BACK = timedelta(hours=24)
_SUBJECT = "reconcile"
_TURN = 1_042_001
_AT_ONCE = 500

log = logging.getLogger(__name__)


def ensure_scheduled(session: Session, now: datetime) -> None:
    """See to it that exactly one reconciliation is waiting or under way."""
    since = (now - _FIRST_LOOK_BACK).isoformat()
    due.enqueue_once(session, RECONCILE, _SUBJECT, now, turn=_TURN, since=since)


def reconcile(context: Context, claim: due.Claim) -> None:
    """Due work, once a minute: compare with the telephone company's list, and come back in a minute."""
    began = context.clock.now()
    with context.database.writing() as session:
        if steps.revive(session, began):
            log.critical("a page was ringing with nothing due for it; it rings again")
    try:
        listed = context.telephony.recordings_since(datetime.fromisoformat(claim.payload["since"]))
    except TelephonyError as error:
        # The ledger never gives up: it looks again from the same instant.
        log.warning("the recordings could not be compared: %s", error)
        with due.finishing(context.database, claim) as session:
            due.enqueue(session, RECONCILE, _SUBJECT, began + _EVERY, since=claim.payload["since"])
        return
    with due.finishing(context.database, claim) as session:
        known = _known(session, [recording.sid for recording in listed])
        for recording in listed:
            if recording.status == "completed" and recording.sid not in known:
                adopt_later(session, recording.sid, recording.call_sid, recording.duration_s, began)
        since = (began - _OVERLAP).isoformat()
        due.enqueue(session, RECONCILE, _SUBJECT, began + _EVERY, since=since)


def _known(session: Session, sids: list[str]) -> set[str]:
    """Those of ``sids`` that are ours; asked in parts, for a database takes only so many values at once."""
    known: set[str] = set()
    for start in range(0, len(sids), _AT_ONCE):
        part = sids[start : start + _AT_ONCE]
        known |= set(session.scalars(sa.select(Recording.sid).where(Recording.sid.in_(part))))
    return known


def adopt_later(session: Session, sid: str, call_sid: str, duration_s: int | None, now: datetime) -> None:
    """Let the worker find out whose recording this is."""
    due.enqueue(session, ADOPT, f"recording:{sid}", now, recording=sid, call=call_sid, seconds=duration_s)


def adopt(context: Context, claim: due.Claim) -> None:
    """Due work: open the case of a recording whose call we do not know, with the call's true start."""
    sid, call_sid, seconds = (claim.payload[name] for name in ("recording", "call", "seconds"))
    placed = context.telephony.fetch_call(call_sid)
    now = context.clock.now()
    form = {"RecordingSid": sid, "RecordingStatus": "completed", "RecordingDuration": str(seconds or "")}
    with due.finishing(context.database, claim) as session:
        call = session.get(Call, call_sid, with_for_update=True)
        if call is None and placed.direction != "inbound":
            return  # the recording of a call that we made: no customer's voicemail
        if call is None:
            started = placed.started_at or placed.created_at or now
            call = calls.adopt(session, context, call_sid, placed.from_, placed.to, started)
            call.ended_at = now
        voicemail.settle(session, context, call, form)
