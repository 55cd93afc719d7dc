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
from routing.paging.spoken import aloud
from routing.policy import Policy
from routing.wording import cases_that_follow, other_cases, still_waiting, time_left, written_instant

# Whoever writes a mail has not called, and withholds nothing.
_STRANGERS = {"mail": "an unknown sender"}
_NO_NUMBER = {"mail": "no number, answer by mail"}
# What the customer's latest words are, by the way they came.
_MESSAGES = {"mail": "the mail", "sms": "the text"}
# Characters that are spoken, a dozen in a second: before the menu, and when somebody wants to hear all.
_TRANSCRIPT_SPOKEN, _WRITTEN_SPOKEN, _LATER_SPOKEN = 400, 1_500, 600
_LATEST = 10


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
        "message": _MESSAGES.get(case.channel, "the voicemail"),
        "transcript": aloud(transcript_of(session, case.id) or "", _TRANSCRIPT_SPOKEN)[0],
        **_written_values(session, case),
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


_LATEST_TRANSCRIPT = (
    sa.select(Recording.transcript)
    .where(Recording.case_id == sa.bindparam("case"), Recording.transcript.is_not(None))
    .order_by(Recording.received_at.desc())
    .limit(1)
)


def transcript_of(session: Session, case_id: int) -> str | None:
    """What the latest voicemail said, where somebody has written it down."""
    return session.scalar(_LATEST_TRANSCRIPT, {"case": case_id})


def _written_values(session: Session, case: Case) -> dict[str, Any]:
    """What the customer wrote, to be spoken: in short, as a whole, and what they wrote last; empty for a call.

    ``cut`` says whether something of it is left out.
    """
    first, last = _written(session, case) if case.channel in _MESSAGES else ("", "")
    whole, cut = aloud(first, _WRITTEN_SPOKEN)
    later, cut_later = aloud(last, _LATER_SPOKEN)
    return {
        "excerpt": aloud(first, _TRANSCRIPT_SPOKEN)[0], "written": whole, "later": later, "cut": cut or cut_later,
    }  # fmt: skip


def _written(session: Session, case: Case) -> tuple[str, str]:
    """The words that a case began with, a mail's subject before them; and the latest, if a person wrote more."""
    theirs = sa.select(Message.id, Message.body, Message.details).where(
        Message.case_id == case.id, Message.author == "customer", Message.public.is_(True)
    )
    first = session.execute(theirs.order_by(Message.id).limit(1)).first()
    if first is None:
        return "", ""
    latest = session.execute(theirs.where(Message.id > first.id).order_by(Message.id.desc()).limit(_LATEST))
    later = next((row.body for row in latest if _is_by_person(row.details)), "")
    return (f"{case.title}. {first.body}" if case.channel == "mail" else first.body), later


def _is_by_person(details: dict[str, Any] | None) -> bool:
    return bool((details or {}).get("verdict", {}).get("kind", "person") == "person")


def latest_audio(session: Session, case_id: int) -> Recording | None:
    """The latest voicemail of a case whose audio we have."""
    return session.scalar(
        sa.select(Recording)
        .where(Recording.case_id == case_id, Recording.storage_key.is_not(None))
        .order_by(Recording.received_at.desc())
        .limit(1)
    )
