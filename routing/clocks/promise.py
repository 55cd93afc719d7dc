"""What is promised for a contact: the tier's target for the priority, and the instant that it leads to. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from routing.policy import Policy


@dataclass(frozen=True)
class Promise:
    """A response target as the agreement prints it, its cover, and when it is due (UTC); empty: none."""

    target: str
    cover: str | None
    due_at: datetime | None
    calendar_fingerprint: str


def promise_for(
    policy: Policy,
    service: str,
    tier: str | None,
    priority: int,
    started_at: datetime,
    customer: str | None = None,
) -> Promise:
    """The promise for a contact of a customer (key) that began at ``started_at``, whenever it is asked for."""
    calendar = policy.calendar_of(service, customer)
    known = policy.tiers.get(tier) if tier else None
    if known is None:
        return Promise("", None, None, calendar.fingerprint)
    promised = known.target(priority)
    due_at = promised.target.due_at(started_at, calendar)
    return Promise(promised.respond, promised.cover, due_at, calendar.fingerprint)
