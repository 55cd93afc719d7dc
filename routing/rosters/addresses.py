"""Secret addresses of calendars: made, found again by their secret, and made void."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.models import record
from routing.policies import CurrentPolicy, PolicyVersion
from routing.rosters.calendars import LOOK_BACK, calendar_of_person, calendar_of_schedule, window
from routing.rosters.changes import schedules_of
from routing.rosters.models import CalendarFeed, ScheduleChange

PERSON, SCHEDULE = "person", "schedule"
_TOKEN_BYTES = 32


class AddressTaken(Exception):
    """There is an address already, and it cannot be shown again: only its fingerprint is kept."""

    def __init__(self, since: datetime) -> None:
        super().__init__(f"there is an address since {since}")
        self.since = since


def address_path(token: str) -> str:
    """Where the calendar of ``token`` is."""
    return f"/calendar/{token}.ics"


def make_address(session: Session, kind: str, key: str, *, renew: bool, by: str, now: datetime) -> str:
    """A new token for the calendar of a person or a schedule; it is nowhere to be found again.

    There is one address at a time: :class:`AddressTaken` if there is one and ``renew`` is not set, which makes
    the old one void.
    """
    old = session.scalars(
        sa.select(CalendarFeed)
        .where(CalendarFeed.kind == kind, CalendarFeed.key == key, CalendarFeed.void_at.is_(None))
        .with_for_update()
    ).all()
    if old and not renew:
        raise AddressTaken(old[0].created_at)
    for feed in old:
        feed.void_at = now
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    session.add(
        CalendarFeed(kind=kind, key=key, token_sha256=_fingerprint(token), created_at=now, created_by=by[:64])
    )
    record(session, "oncall.feed-made", now, of=kind, key=key, voided=len(old), by=by)
    return token


def calendar_at(session: Session, current: CurrentPolicy, token: str, now: datetime) -> bytes | None:
    """The calendar under the address with ``token``; None if there is none (any more)."""
    feed = session.scalar(
        sa.select(CalendarFeed).where(
            CalendarFeed.token_sha256 == _fingerprint(token), CalendarFeed.void_at.is_(None)
        )
    )
    if feed is None:
        return None
    # What ended a while before the window says when the first duty in it began.
    since = window(now)[0] - LOOK_BACK
    policy, stamp = current.policy, _changed_at(session, current.version)
    if feed.kind == SCHEDULE and feed.key in policy.schedules:
        names = {key: entry.name for key, entry in policy.people.items()}
        (schedule,) = schedules_of(session, policy, (feed.key,), since).values()
        return calendar_of_schedule(feed.key, schedule, names, now, stamp)
    if feed.kind == PERSON and feed.key in policy.people:
        schedules = schedules_of(session, policy, policy.schedules, since)
        return calendar_of_person(feed.key, policy.people[feed.key].name, schedules, now, stamp)
    return None  # the person has left, or the schedule is gone


def _fingerprint(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _changed_at(session: Session, version: int) -> datetime:
    """When the policy or a change of a schedule was made last; it moves only when a calendar may have."""
    instants = [
        session.scalar(sa.select(PolicyVersion.applied_at).where(PolicyVersion.version == version)),
        session.scalar(sa.select(sa.func.max(ScheduleChange.created_at))),
        session.scalar(sa.select(sa.func.max(ScheduleChange.withdrawn_at))),
    ]
    return max(instant for instant in instants if instant is not None)
