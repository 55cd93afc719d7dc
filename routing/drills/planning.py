"""Drills at work: begun before shifts and on demand, proved by a key or a text, told of when they fail."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import due
from core.models import record
from routing import oncall
from routing.context import Context
from routing.drills.content import zone_of
from routing.drills.models import Drill
from routing.drills.rules import DrillEvent, DrillRule, DrillState, drill_at
from routing.paging import reach
from routing.paging.models import Attempt, AttemptState, Purpose
from routing.paging.rows import SEND, end_attempts
from routing.policies import NoPolicy
from routing.policy import Policy
from routing.rosters.changes import schedules_of

LOOK, OVER = "drill.look", "drill.over"
_SUBJECT = "drills"
_EVERY = timedelta(minutes=5)
_AHEAD = timedelta(hours=49)  # a drill is at most a day and an evening before its shift
_LATE = timedelta(hours=2)
_TURN = 1_042_008

log = logging.getLogger(__name__)


def ensure_scheduled(session: Session, now: datetime) -> None:
    """See to it that exactly one look for drills is waiting or under way."""
    due.enqueue_once(session, LOOK, _SUBJECT, now, turn=_TURN)


def look(context: Context, claim: due.Claim) -> None:
    """Due work, every few minutes: begin the drills whose time has come. A row that comes late drills late."""
    now = context.clock.now()
    with context.database.writing() as session:
        following = now + _EVERY
        for at, key, shift, rule in _planned(session, context, now):
            if at > now:
                following = min(following, at)
            elif not _held(session, key, shift):
                begin(session, context, key, shift.person, now, rule, shift_start=shift.start)
        if not due.again(session, claim, following):
            raise due.LeaseLost(claim.subject)


def _planned(
    session: Session, context: Context, now: datetime
) -> Iterator[tuple[datetime, str, oncall.Shift, DrillRule]]:
    """The drills of the shifts that begin soon: when, schedule, shift, rule."""
    try:
        policy = context.policies.current().policy
    except NoPolicy:
        return
    keys = [key for key in policy.drills if key in policy.schedules]
    for key, schedule in schedules_of(session, policy, keys, now).items() if keys else ():
        rule, zone = policy.drills[key], zone_of(policy, key)
        for shift in oncall.shifts(schedule, now, now + _AHEAD):
            if shift.start > now and shift.person in policy.people:
                yield drill_at(shift.start, rule, zone), key, shift, rule


def _held(session: Session, schedule: str, shift: oncall.Shift) -> bool:
    found = sa.exists().where(
        Drill.schedule == schedule, Drill.person_key == shift.person, Drill.shift_start == shift.start
    )
    return bool(session.scalar(sa.select(found)))


def begin(
    session: Session,
    context: Context,
    schedule: str,
    person: str,
    now: datetime,
    rule: DrillRule,
    *,
    shift_start: datetime | None = None,
) -> Drill:
    """Page ``person`` (a key) as for a case, by their own rules, and say that it is a drill."""
    policy = context.policies.current().policy
    length = timedelta(minutes=rule.wait_min)
    drill = Drill(
        schedule=schedule, person_key=person, shift_start=shift_start, begun_at=now, ends_at=now + length
    )
    session.add(drill)
    session.flush()
    contacts = reach.plan(policy.people[person], Purpose.DRILL, length)
    record(session, "oncall.drill", now, person=person, schedule=schedule, drill=drill.id)
    _write(session, policy, drill, person, contacts, Purpose.DRILL, now, drill.ends_at)
    # Who has no verified phone cannot be rung, and so has failed at once.
    due.enqueue(
        session, OVER, drill.subject, drill.ends_at if reach.is_loud(contacts) else now, drill=drill.id
    )
    return drill


def _write(
    session: Session,
    policy: Policy,
    drill: Drill,
    person: str,
    contacts: tuple[reach.Planned, ...],
    purpose: Purpose,
    now: datetime,
    until: datetime,
) -> None:
    number = next(iter(policy.lines.values())).number
    for contact in contacts:
        attempt = Attempt(
            drill_id=drill.id, person_key=person, channel=contact.channel, method=contact.method,
            number_of_try=contact.number_of_try, purpose=purpose, address=contact.address, from_number=number,
            created_at=now, planned_for=now + contact.after, menu="drill",
        )  # fmt: skip
        session.add(attempt)
        session.flush()
        due.enqueue(
            session, SEND, attempt.subject, now + contact.after, attempt=attempt.id, until=until.isoformat()
        )


def prove(session: Session, drill: Drill, by: str, now: datetime) -> bool:
    """The person has acknowledged; ``by`` is ``voice`` or ``sms``. False if they had before."""
    if not drill.move(DrillEvent.ACKNOWLEDGED):
        return False
    drill.proved_at, drill.proved_by = now, by
    record(session, "oncall.drill-proved", now, person=drill.person_key, schedule=drill.schedule, by=by)
    end_attempts(session, now, Attempt.drill_id == drill.id, Attempt.purpose == Purpose.DRILL)
    session.flush()
    due.cancel(session, drill.subject, (OVER,))
    return True


def over(context: Context, claim: due.Claim) -> None:
    """Due work: nobody has acknowledged. The person on call now is told, and the operator by an event."""
    now = context.clock.now()
    with due.finishing(context.database, claim) as session:
        drill = session.get_one(Drill, claim.payload["drill"], with_for_update=True)
        if not drill.move(DrillEvent.TIME_OVER):
            return
        log.error("%s did not answer the drill of the schedule %s", drill.person_key, drill.schedule)
        record(
            session, "oncall.drill-failed", now, person=drill.person_key, schedule=drill.schedule,
            shift_start=drill.shift_start.isoformat() if drill.shift_start else None,
        )  # fmt: skip
        session.execute(
            sa.update(Attempt)
            .where(Attempt.drill_id == drill.id, Attempt.state == AttemptState.QUEUED)
            .values(state=AttemptState.CANCELLED)
            .execution_options(synchronize_session=False)
        )
        _tell_on_call(session, context, drill, now)


def _tell_on_call(session: Session, context: Context, drill: Drill, now: datetime) -> None:
    policy = context.policies.current().policy
    if drill.schedule not in policy.schedules:
        return
    schedule = schedules_of(session, policy, (drill.schedule,), now)[drill.schedule]
    told = [key for key in oncall.on_call(schedule, now) if key in policy.people and key != drill.person_key]
    for key in told:
        contacts = reach.plan(policy.people[key], Purpose.UNREACHED, _EVERY)
        _write(session, policy, drill, key, contacts, Purpose.UNREACHED, now, now + _AHEAD)


def waiting_for(session: Session, person: str, now: datetime) -> Drill | None:
    """The latest drill of a person that waits for an acknowledgement, or has waited in vain a while ago."""
    found = sa.select(Drill).where(
        Drill.person_key == person, Drill.state != DrillState.PROVED, Drill.ends_at > now - _LATE
    )
    return session.scalar(found.order_by(Drill.id.desc()).limit(1).with_for_update())
