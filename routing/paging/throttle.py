"""Not too much for one number: carriers block whoever calls or texts it too often, and a phone takes one call."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import due
from core.models import record
from routing.contact_methods import Limits
from routing.paging import gathering, reach
from routing.paging.channels import CHANNELS
from routing.paging.models import Attempt, AttemptState
from routing.paging.rows import VOICE

_LOOK_AGAIN = timedelta(seconds=10)
_ON_THE_LINE = (AttemptState.SENDING, AttemptState.SENT, AttemptState.ANSWERED)


def may_go_out(session: Session, claim: due.Claim, attempt: Attempt, limits: Limits, now: datetime) -> bool:
    """Whether the attempt goes out now; else it is put off within its step, or ended, and the claim is closed.

    The attempt and its page are locked.
    """
    if CHANNELS[attempt.channel].rings and _still_rings(session, attempt):
        # Not placed on top of the call before it: by the engineer's ear it would be the same call.
        _put_off(session, claim, attempt, now + _LOOK_AGAIN, AttemptState.CANCELLED, now)
        return False
    if "over_limit" in claim.payload:
        return True  # every number of a repeat has got too much: one is called rather than nobody
    free_at = _free_at(session, attempt, limits, now)
    if free_at is not None and gathering.joins_another(session, attempt, now):
        due.finish(session, claim)
    elif free_at is not None:
        _put_off(session, claim, attempt, free_at, AttemptState.LIMITED, now)
    return free_at is None


def _put_off(
    session: Session, claim: due.Claim, attempt: Attempt, to: datetime, otherwise: AttemptState, now: datetime
) -> None:
    until = claim.payload.get("until")
    if until is None or to < datetime.fromisoformat(until):
        due.again(session, claim, to, **claim.payload)
        return
    attempt.state = otherwise
    if otherwise is AttemptState.LIMITED:
        note_limited(session, attempt, now)
    due.finish(session, claim)


def note_limited(session: Session, attempt: Attempt, now: datetime) -> None:
    """The attempt is not made: its number has got as much as carriers tolerate, or gets it at the next repeat."""
    attempt.state = AttemptState.LIMITED
    record(
        session, "page.limited", now, case_id=attempt.case_id, person=attempt.person_key,
        channel=attempt.channel,
    )  # fmt: skip


def calls_of(session: Session, numbers: Collection[str], now: datetime) -> dict[str, list[datetime]]:
    """When each of the numbers was called within the last 15 minutes."""
    found: dict[str, list[datetime]] = {number: [] for number in sorted(numbers)}
    rows = session.execute(
        sa.select(Attempt.address, Attempt.sent_at).where(
            Attempt.address.in_(numbers), Attempt.channel == VOICE, Attempt.sent_at > now - reach.LIMIT_WINDOW
        )
    )
    for number, at in rows:
        if at is not None:
            found[number].append(at)
    return found


def _still_rings(session: Session, attempt: Attempt) -> bool:
    """Whether another call of the same page is on this phone."""
    found = sa.exists().where(
        Attempt.page_id == attempt.page_id, Attempt.id != attempt.id, Attempt.channel == attempt.channel,
        Attempt.address == attempt.address, Attempt.state.in_(_ON_THE_LINE),
    )  # fmt: skip
    return bool(session.scalar(sa.select(found)))


def _free_at(session: Session, attempt: Attempt, limits: Limits, now: datetime) -> datetime | None:
    """When the attempt's number may get more; None: now. The first page of a case to a phone is never held back."""
    allowed = reach.allowed(limits, attempt.channel)
    if allowed is None:
        return None
    same = (Attempt.address == attempt.address, Attempt.channel == attempt.channel)
    before = sa.exists().where(*same, Attempt.case_id == attempt.case_id, Attempt.sent_at.is_not(None))
    if attempt.page_id is not None and not session.scalar(sa.select(before)):
        return None
    sent = session.scalars(
        sa.select(Attempt.sent_at)
        .where(*same, Attempt.sent_at > now - reach.LIMIT_WINDOW)
        .order_by(Attempt.sent_at.desc())
        .limit(allowed)
    )
    return reach.free_at([at for at in sent if at is not None], allowed, now)
