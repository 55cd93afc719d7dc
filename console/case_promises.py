"""A case's promises as its page and its JSON show them, and the form for an engineer who has answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.models import Case, Person
from routing import handling
from routing.clocks.cycles import current_cycle
from routing.clocks.models import ResponseCycle
from routing.context import Context
from routing.wording import written_instant

ANSWERED = "answered"  # the name of the form
# How an engineer answers a customer other than through us; what is chosen begins the words that are kept.
WAYS = ("called", "mailed", "met in person")


def promises_of(session: Session, case: Case, zone: ZoneInfo) -> list[dict[str, Any]]:
    """The cycles of a case, the earliest first, as plain values; instants in words of ``zone``."""
    cycles = session.scalars(
        sa.select(ResponseCycle).where(ResponseCycle.case_id == case.id).order_by(ResponseCycle.number)
    )
    names = {person.key: person.name for person in session.scalars(sa.select(Person))}
    return [_promise(cycle, names, zone) for cycle in cycles]


def _promise(cycle: ResponseCycle, names: Mapping[str, str], zone: ZoneInfo) -> dict[str, Any]:
    return {
        "number": cycle.number,
        "verdict": cycle.standing.verdict,
        "state": cycle.state,
        "priority": cycle.priority,
        "target": cycle.target,
        "cover": cycle.cover,
        "started_at": written_instant(cycle.started_at, zone),
        "due_at": written_instant(cycle.due_at, zone) if cycle.due_at else None,
        "responded_at": written_instant(cycle.responded_at, zone) if cycle.responded_at else None,
        "response_kind": cycle.response_kind,
        "responded_by": names.get(cycle.responded_by or "", cycle.responded_by),
        "how": cycle.said_how,
        "said_at": written_instant(cycle.said_at, zone) if cycle.said_at else None,
        "excuse": cycle.excuse,
        "excused_by": names.get(cycle.excused_by or "", cycle.excused_by),
        "policy_version": cycle.policy_version,
        "calendar": cycle.calendar_fingerprint,
        "tz_version": cycle.tz_version,
    }


def answer_form(
    session: Session, context: Context, case: Case, problem: str, given: Mapping[str, str], reader: str | None
) -> dict[str, Any] | None:
    """What the form "I have answered the customer" needs; None when there is nothing to answer."""
    cycle = current_cycle(session, case)
    awaits = cycle.standing.awaits_answer if cycle else case.responded_at is None
    if not awaits and not problem:
        return None
    zone = context.policies.current().policy.calendar_of(case.service).zone
    now = context.clock.now().astimezone(zone)
    return {
        "open": awaits,
        "problem": problem,
        "token": context.links.form_token(case.id),
        "people": handling.people_by_name(session),
        "person": given.get("person", reader or case.engineer or ""),
        "ways": WAYS,
        "way": given.get("way", WAYS[0]),
        "words": given.get("words", ""),
        "when": given.get("when", f"{now:%Y-%m-%dT%H:%M}"),
        "zone": zone.key,
    }
