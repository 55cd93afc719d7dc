"""What a page says: who, which tier and priority, what was said, how long is left."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import phone_numbers
from core.links import Links
from core.models import Case, Message, Person, Recording
from routing.paging import bundles, everyone
from routing.paging.models import Page
from routing.policy import Policy
from routing.wording import cases_that_follow, other_cases, still_waiting, time_left, written_instant

# Whoever writes a mail has not called, and withholds nothing.
_STRANGERS = {"mail": "an unknown sender"}
_NO_NUMBER = {"mail": "no number, answer by mail"}
_TRANSCRIPT_SPOKEN = 400  # characters: about half a minute of speech


def page_values(
    session: Session, case: Case, policy: Policy, links: Links, now: datetime, page: Page | None = None,
    person: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The values of the placeholders that an engineer's sentences may use.

    ``page`` is the one they are of, ``person`` (a key) whom they are said to.
    """
    number = case.callable_number
    tier = policy.tiers.get(case.tier) if case.tier else None
    engineer = session.get(Person, case.engineer) if case.engineer else None
    zone = policy.calendar_of(case.service).zone
    return {
        "case": case.id,
        "case_digits": phone_numbers.spoken(str(case.id)),
        "customer": case.customer.name
        if case.customer
        else _STRANGERS.get(case.channel, "an unknown caller"),
        "tier": f"{tier.name}" if tier else "no agreement found",
        "priority": case.priority,
        "left": "" if case.responded_at else time_left(case.due_at, now),
        "due": written_instant(case.due_at, zone) if case.due_at else "no time promised",
        "callback": phone_numbers.shown(number)
        if number
        else _NO_NUMBER.get(case.channel, "number withheld"),
        "transcript": (transcript_of(session, case.id) or _written(session, case))[:_TRANSCRIPT_SPOKEN],
        "engineer": engineer.name if engineer else "Somebody",
        "link": links.case_url(case.id, person),
        "line": policy.name_of(case.line, case.service),
        **_bundle_values(session, page, policy, now),
        "waiting": still_waiting(everyone.missing_names(session, page)) if page is not None else "",
    }


def _bundle_values(session: Session, page: Page | None, policy: Policy, now: datetime) -> dict[str, str]:
    """How many other cases ring, or were accepted, with this one, and what a key press accepts."""
    count = bundles.others(session, page) if page is not None else 0
    rule = policy.escalations.get(page.escalation) if page is not None else None
    follow = cases_that_follow(rule.bundle_s) if rule is not None and count else ""
    still_open = page is not None and page.open_until is not None and now < page.open_until
    return {
        "others": other_cases(count) + (f". {follow} are yours as well" if follow and still_open else ""),
        "it": f"all of them, and {follow[:1].lower()}{follow[1:]}" if follow else "the case",
    }


def transcript_of(session: Session, case_id: int) -> str | None:
    """What the latest voicemail said, where somebody has written it down."""
    return session.scalar(
        sa.select(Recording.transcript)
        .where(Recording.case_id == case_id, Recording.transcript.is_not(None))
        .order_by(Recording.received_at.desc())
        .limit(1)
    )


def _written(session: Session, case: Case) -> str:
    """Subject and words of the mail that a case began with; empty for what was no mail."""
    if case.channel != "mail":
        return ""
    first = session.scalar(
        sa.select(Message.body)
        .where(Message.case_id == case.id, Message.author == "customer")
        .order_by(Message.id)
        .limit(1)
    )
    return " ".join(f"{case.title}. {first or ''}".split())


def latest_audio(session: Session, case_id: int) -> Recording | None:
    """The latest voicemail of a case whose audio we have."""
    return session.scalar(
        sa.select(Recording)
        .where(Recording.case_id == case_id, Recording.storage_key.is_not(None))
        .order_by(Recording.received_at.desc())
        .limit(1)
    )
