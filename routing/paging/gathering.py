"""Quiet messages are gathered: a number that has got enough for now gets one message for many cases.

Ten thousand mails of strangers must not become ten thousand texts, nor texts that go out for days.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.models import record
from routing.paging.models import Attempt, AttemptState, Purpose

GATHERED = frozenset({Purpose.NOTIFY, Purpose.ADDED})


def joins_another(session: Session, attempt: Attempt, now: datetime) -> bool:
    """Whether an earlier message of the same kind waits for this number; then that one tells of this case as well.

    ``attempt`` is locked. The earliest waits, and locks are taken from the later to the earlier.
    """
    if attempt.purpose not in GATHERED or attempt.page_id is not None:
        return False
    waiting = session.scalar(
        sa.select(Attempt)
        .where(
            Attempt.state == sa.literal_column("'queued'"),  # as in the partial index
            Attempt.address == attempt.address,
            Attempt.channel == attempt.channel,
            Attempt.purpose == attempt.purpose,
            Attempt.page_id.is_(None),
            Attempt.id < attempt.id,
        )
        .order_by(Attempt.id)
        .limit(1)
        .with_for_update()
    )
    if waiting is None:
        return False
    attempt.state, attempt.told_with = AttemptState.GATHERED, waiting.id
    record(
        session, "page.gathered", now, case_id=attempt.case_id, person=attempt.person_key,
        channel=attempt.channel, told_with=waiting.case_id,
    )  # fmt: skip
    return True


def others(session: Session, attempt: Attempt) -> int:
    """Of how many other cases ``attempt`` tells."""
    if attempt.purpose not in GATHERED:
        return 0
    cases = sa.select(sa.func.count(sa.distinct(Attempt.case_id)))
    return (
        session.scalar(cases.where(Attempt.told_with == attempt.id, Attempt.case_id != attempt.case_id)) or 0
    )
