"""Absences from calendars: from a file once, or from an address that is looked at every hour."""

from __future__ import annotations

import logging
import re
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import due
from core.models import record
from routing.context import Context
from routing.oncall import Absence
from routing.policy import Policy
from routing.rosters.changes import in_force, known_or_refused, replace_absences, zone_of
from routing.rosters.confined import read_confined
from routing.rosters.fetching import FetchError, fetch, web_address
from routing.rosters.models import AbsenceFeed, ScheduleChange
from routing.rosters.reading import Reading
from routing.rosters.sieve import NotACalendar

IMPORT = "oncall.import"
_EVERY = timedelta(hours=1)
_MAX_PATTERN = 200

log = logging.getLogger(__name__)


def checked_pattern(matching: str | None) -> str | None:
    """``matching`` if it is a regular expression that we can keep; ``ValueError`` otherwise."""
    try:
        re.compile(matching or "")
    except re.error as error:
        raise ValueError(f"{matching!r} is not a pattern: {error}") from None
    if len(matching or "") > _MAX_PATTERN:
        raise ValueError(f"the pattern is longer than {_MAX_PATTERN} characters")
    return matching or None


def import_file(
    context: Context, person: str, data: bytes, name: str, *, matching: str | None, by: str
) -> tuple[Reading, int, int]:
    """Make the events of a file absences of ``person``, instead of those of an earlier file of that name.

    What was read, and how many absences are new and how many gone. ``UnknownName``, ``NotACalendar``; nothing
    is changed then.
    """
    policy, now = context.policies.current().policy, context.clock.now()
    known_or_refused("person", person, policy.people)
    reading = read_confined(data, zone_of(policy, None, person), now, checked_pattern(matching))
    with context.database.writing() as session:
        counts = _replace(session, policy, person, reading, f"file:{name}"[:120], by, now)
    return reading, *counts


def subscribe(
    context: Context, person: str, url: str, *, matching: str | None, by: str
) -> tuple[AbsenceFeed, Reading, int, int]:
    """Look at the calendar at ``url`` now, and every hour from now on.

    The same address again changes the pattern. Nothing is kept of an address that cannot be read at once:
    ``FetchError``, ``NotACalendar``, ``UnknownName`` or ``ValueError``.
    """
    policy, now = context.policies.current().policy, context.clock.now()
    known_or_refused("person", person, policy.people)
    url, matching = web_address(url), checked_pattern(matching)
    reading = read_confined(fetch(url), zone_of(policy, None, person), now, matching)
    with context.database.writing() as session:
        feed = session.scalar(
            sa.select(AbsenceFeed)
            .where(AbsenceFeed.person == person, AbsenceFeed.url == url, AbsenceFeed.withdrawn_at.is_(None))
            .with_for_update()
        )
        feed = feed or AbsenceFeed(person=person, url=url, created_at=now, created_by=by[:64])
        feed.matching, feed.fetched_at, feed.failed_at, feed.last_error = matching, now, None, None
        session.add(feed)
        session.flush()
        counts = _replace(session, policy, person, reading, feed.source, by, now)
        ensure_scheduled(session, now)
    return feed, reading, *counts


def end_subscription(session: Session, id: int, now: datetime, by: str) -> AbsenceFeed | None:
    """Look at a calendar no more, and withdraw its absences; None if there is no such subscription."""
    feed = session.get(AbsenceFeed, id, with_for_update=True)
    if feed is None or feed.withdrawn_at is not None:
        return None
    feed.withdrawn_at = now
    for row in _rows_of(session, feed, now):
        row.withdrawn_at = now
    record(session, "oncall.import-ended", now, person=feed.person, source=feed.source, by=by)
    due.cancel(session, _subject(feed))
    return feed


def subscriptions(session: Session) -> list[AbsenceFeed]:
    """The calendars that are looked at."""
    return list(
        session.scalars(
            sa.select(AbsenceFeed).where(AbsenceFeed.withdrawn_at.is_(None)).order_by(AbsenceFeed.id)
        )
    )


def ensure_scheduled(session: Session, now: datetime) -> None:
    """See to it that a look at each subscribed calendar is waiting or under way."""
    waiting = set(
        session.scalars(
            sa.select(due.Due.subject).where(
                due.Due.kind == IMPORT, due.Due.state.in_((due.DueState.READY, due.DueState.LEASED))
            )
        )
    )
    for feed in subscriptions(session):
        if _subject(feed) not in waiting:
            due.enqueue(session, IMPORT, _subject(feed), now + _EVERY, feed=feed.id)


def look(context: Context, claim: due.Claim) -> None:
    """Due work, once an hour: read a subscribed calendar again; the old absences stay if it cannot be read."""
    with context.database.reading() as session:
        feed = session.get_one(AbsenceFeed, claim.payload["feed"])
    policy, now = context.policies.current().policy, context.clock.now()
    reading, problem = _looked(feed, policy, now)
    with due.finishing(context.database, claim) as session:
        feed = session.get_one(AbsenceFeed, feed.id, with_for_update=True)
        if feed.withdrawn_at is not None:
            return
        if reading is None:
            _failed(session, feed, problem, now)
        else:
            feed.fetched_at, feed.failed_at, feed.last_error = now, None, None
            _replace(session, policy, feed.person, reading, feed.source, feed.created_by, now)
        due.enqueue(session, IMPORT, _subject(feed), now + _EVERY, feed=feed.id)


def _looked(feed: AbsenceFeed, policy: Policy, now: datetime) -> tuple[Reading | None, str]:
    try:
        zone = zone_of(policy, None, feed.person)
        return read_confined(fetch(feed.url), zone, now, feed.matching), ""
    except FetchError as error:
        return None, str(error)
    except NotACalendar as error:
        return None, f"the calendar {error}"


def _failed(session: Session, feed: AbsenceFeed, problem: str, now: datetime) -> None:
    if feed.failed_at is None:  # said once, not every hour
        log.warning("the calendar %s of %s was not read: %s", feed.source, feed.person, problem)
        record(session, "oncall.import-failed", now, person=feed.person, source=feed.source, problem=problem)
    feed.failed_at, feed.last_error = feed.failed_at or now, problem[:300]


def _replace(
    session: Session, policy: Policy, person: str, reading: Reading, source: str, by: str, now: datetime
) -> tuple[int, int]:
    absences = [Absence(person, start, end) for start, end in reading.periods]
    return replace_absences(session, policy, person, absences, source=source, by=by, now=now)


def _rows_of(session: Session, feed: AbsenceFeed, now: datetime) -> list[ScheduleChange]:
    return in_force(session, now, person=feed.person, source=feed.source)


def _subject(feed: AbsenceFeed) -> str:
    return f"oncall:import:{feed.id}"
