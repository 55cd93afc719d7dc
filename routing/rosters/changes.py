"""Changes of schedules as rows: a page asks who is on call now, whatever the policy was when it began to ring."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import due
from core.models import Person, record
from routing import oncall
from routing.oncall import Change, Schedule
from routing.policy import Policy
from routing.rosters.models import ScheduleChange

DUTY_CHANGED = "oncall.duty-changed"

log = logging.getLogger(__name__)


class UnknownName(ValueError):
    """A change names a person or a schedule that is not in the policy."""

    def __init__(self, what: str, name: str, known: Iterable[str]) -> None:
        super().__init__(f"no {what} is called {name!r}; known: {', '.join(sorted(known)) or 'none'}")


_STANDING = (
    sa.select(ScheduleChange.id, ScheduleChange.schedule, ScheduleChange.kind, ScheduleChange.data)
    .where(
        ScheduleChange.withdrawn_at.is_(None),
        ScheduleChange.to_at > sa.bindparam("since"),
        sa.or_(
            ScheduleChange.schedule.is_(None),
            ScheduleChange.schedule.in_(sa.bindparam("wanted", expanding=True)),
        ),
    )
    .order_by(ScheduleChange.id)
)


def schedule_of(session: Session, policy: Policy, key: str, since: datetime) -> Schedule:
    """The schedule ``key`` of ``policy`` with the changes that end after ``since`` and are not withdrawn.

    Changes are facts: they hold for a page that rings under an older policy, too.
    """
    return schedules_of(session, policy, (key,), since)[key]


def schedules_of(
    session: Session, policy: Policy, keys: Iterable[str], since: datetime
) -> dict[str, Schedule]:
    """``schedule_of`` for several schedules, with two questions to the database."""
    wanted = list(keys)
    session.flush()  # what was changed a moment ago counts
    rows = session.connection().execute(_STANDING, {"since": since, "wanted": wanted}).all()
    if not rows:
        return {key: policy.schedules[key] for key in wanted}
    here = set(session.scalars(sa.select(Person.key).where(Person.active.is_(True))))
    changes = [(row.schedule, change) for row in rows if (change := _usable(row, here)) is not None]
    return {
        key: oncall.compose(policy.schedules[key], [c for of, c in changes if of is None or of == key])
        for key in wanted
    }


def _usable(row: Any, here: set[str]) -> Change | None:
    """The change in a row; None if it names somebody who has left, or cannot be read: somebody is still rung."""
    try:
        change = change_in(row)
    except ValueError:
        log.error("change %s of a schedule cannot be read, and is left out", row.id)
        return None
    return change if here.issuperset(oncall.people_of(change)) else None


def change_in(row: Any) -> Change:
    """The change in a row; ``ValueError`` if it cannot be read."""
    return oncall.read_change(row.kind, row.data, ZoneInfo("UTC"))


def check_names(policy: Policy, change: Change, schedule: str | None) -> None:
    """Raise :class:`UnknownName` if ``change`` names a schedule or a person that the policy does not know."""
    if schedule is not None:
        known_or_refused("schedule", schedule, policy.schedules)
    for person in oncall.people_of(change):
        known_or_refused("person", person, policy.people)


def known_or_refused(what: str, name: str, known: Mapping[str, object]) -> None:
    """Raise :class:`UnknownName` if ``name`` is not in ``known``."""
    if name not in known:
        raise UnknownName(what, name, known)


def add_change(
    session: Session,
    policy: Policy,
    change: Change,
    schedule: str | None,
    *,
    source: str,
    by: str,
    now: datetime,
) -> ScheduleChange:
    """Write a change, in force from now on: the next step of an escalation that is running sees it.

    ``schedule`` is None for an absence. :class:`UnknownName` for names that the policy does not have.
    """
    check_names(policy, change, schedule)
    row = _row(change, zone_of(policy, schedule), schedule, source, by, now)
    session.add(row)
    session.flush()
    record(
        session, "oncall.changed", now, person=row.person, change=row.id, what=row.kind,
        schedule=schedule, start=row.from_at.isoformat(), end=row.to_at.isoformat(), by=by,
    )  # fmt: skip
    look_at_duty(session, now)
    return row


def look_at_duty(session: Session, now: datetime) -> None:
    """The duty may have changed: cases that somebody has are looked at anew."""
    due.enqueue(session, DUTY_CHANGED, "oncall:duty", now)


def _row(
    change: Change, zone: ZoneInfo, schedule: str | None, source: str, by: str, now: datetime
) -> ScheduleChange:
    start, end = oncall.span_of(change)
    return ScheduleChange(
        schedule=schedule,
        kind=oncall.kind_of(change),
        data=oncall.write_change(change, zone),
        from_at=start,
        to_at=end,
        person=next(iter(oncall.people_of(change)), None),
        source=source,
        created_at=now,
        created_by=by[:64],
    )


def withdraw(session: Session, id: int, now: datetime, by: str) -> ScheduleChange | None:
    """Take a change back; None if there is none with this number that is still in force."""
    row = session.get(ScheduleChange, id, with_for_update=True)
    if row is None or row.withdrawn_at is not None:
        return None
    row.withdrawn_at = now
    record(session, "oncall.withdrawn", now, person=row.person, change=row.id, what=row.kind, by=by)
    look_at_duty(session, now)
    return row


def replace_absences(
    session: Session,
    policy: Policy,
    person: str,
    absences: Iterable[oncall.Absence],
    *,
    source: str,
    by: str,
    now: datetime,
) -> tuple[int, int]:
    """Make ``absences`` all that is still to come of ``source``; how many are new, and how many are gone.

    What stays the same keeps its row.
    """
    wanted = {(each.start, each.end): each for each in absences}
    gone = 0
    for row in in_force(session, now, person=person, source=source):
        if wanted.pop((row.from_at, row.to_at), None) is None:
            row.withdrawn_at = now
            gone += 1
    zone = zone_of(policy, None, person)
    session.add_all(_row(each, zone, None, source, by, now) for each in wanted.values())
    if wanted or gone:
        record(
            session, "oncall.imported", now, person=person, source=source, new=len(wanted), gone=gone, by=by
        )
    return len(wanted), gone


def in_force(
    session: Session, now: datetime, *, person: str | None = None, source: str | None = None
) -> list[ScheduleChange]:
    """The changes that are not withdrawn and end after ``now``, the earliest first."""
    statement = sa.select(ScheduleChange).where(
        ScheduleChange.withdrawn_at.is_(None), ScheduleChange.to_at > now
    )
    if person is not None:
        statement = statement.where(ScheduleChange.person == person)
    if source is not None:
        statement = statement.where(ScheduleChange.source == source)
    return list(session.scalars(statement.order_by(ScheduleChange.from_at, ScheduleChange.id)))


def zone_of(policy: Policy, schedule: str | None, person: str | None = None) -> ZoneInfo:
    """The zone of a schedule; else that of the first rotation ``person`` is in; else of the first schedule."""
    if schedule is not None:
        return ZoneInfo(policy.schedules[schedule].zone)
    layers = (layer for each in policy.schedules.values() for layer in each.layers)
    zones = [layer.zone for layer in layers if person in layer.members]
    zones += [each.zone for each in policy.schedules.values()]
    return ZoneInfo(zones[0] if zones else "UTC")
