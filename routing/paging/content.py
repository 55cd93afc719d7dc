"""What a page says: who, which tier and priority, what was said, how long is left."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import phone_numbers
from core.links import Links
from core.models import Case, Person, Recording
from routing.policy import Policy
from routing.wording import time_left, written_instant

_TRANSCRIPT_SPOKEN = 400  # characters: about half a minute of speech


def page_values(session: Session, case: Case, policy: Policy, links: Links, now: datetime) -> dict[str, Any]:
    """The values of the placeholders that an engineer's sentences may use."""
    number = case.callable_number
    tier = policy.tiers.get(case.tier) if case.tier else None
    engineer = session.get(Person, case.engineer) if case.engineer else None
    zone = policy.calendar_of(case.service).zone
    return {
        "case": case.id,
        "case_digits": phone_numbers.spoken(str(case.id)),
        "customer": case.customer.name if case.customer else "an unknown caller",
        "tier": f"{tier.name}" if tier else "no agreement found",
        "priority": case.priority,
        "left": "" if case.responded_at else time_left(case.due_at, now),
        "due": written_instant(case.due_at, zone) if case.due_at else "no time promised",
        "callback": phone_numbers.shown(number) if number else "number withheld",
        "transcript": (transcript_of(session, case.id) or "")[:_TRANSCRIPT_SPOKEN],
        "engineer": engineer.name if engineer else "Somebody",
        "link": links.case_url(case.id),
        "line": policy.name_of(case.line, case.service),
    }


def transcript_of(session: Session, case_id: int) -> str | None:
    """What the latest voicemail said, where somebody has written it down."""
    return session.scalar(
        sa.select(Recording.transcript)
        .where(Recording.case_id == case_id, Recording.transcript.is_not(None))
        .order_by(Recording.received_at.desc())
        .limit(1)
    )


def latest_audio(session: Session, case_id: int) -> Recording | None:
    """The latest voicemail of a case whose audio we have."""
    return session.scalar(
        sa.select(Recording)
        .where(Recording.case_id == case_id, Recording.storage_key.is_not(None))
        .order_by(Recording.received_at.desc())
        .limit(1)
    )
