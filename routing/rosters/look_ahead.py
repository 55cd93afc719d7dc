"""Once a day: where is nobody on call in the weeks ahead? What is found new is an event; nobody is rung for it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from core import due
from core.models import record
from routing import oncall
from routing.context import Context
from routing.policies import NoPolicy
from routing.rosters import imports
from routing.rosters.changes import schedules_of

LOOK_AHEAD = "oncall.look-ahead"
AHEAD = timedelta(days=30)
_EVERY = timedelta(days=1)
_SUBJECT = "oncall:look-ahead"
_TURN = 1_042_006

Period = tuple[datetime, datetime]


def ensure_scheduled(session: Session, now: datetime) -> None:
    """See to it that exactly one look ahead is waiting or under way, and one at each subscribed calendar."""
    due.enqueue_once(session, LOOK_AHEAD, _SUBJECT, now, turn=_TURN, told={})
    imports.ensure_scheduled(session, now)


def look_ahead(context: Context, claim: due.Claim) -> None:
    """Due work, once a day: record the gaps of the next 30 days that were not told before."""
    now = context.clock.now()
    with due.finishing(context.database, claim) as session:
        found = _gaps(session, context, now)
        for schedule, periods in found.items():
            new = untold(periods, _read(claim.payload["told"].get(schedule, [])))
            if new:
                start, end = new[0]
                record(
                    session, "oncall.gap", now, schedule=schedule, count=len(new),
                    start=start.isoformat(), end=end.isoformat(),
                )  # fmt: skip
        imports.ensure_scheduled(session, now)
        told = {schedule: _written(periods) for schedule, periods in found.items()}
        due.enqueue(session, LOOK_AHEAD, _SUBJECT, now + _EVERY, told=told)


def untold(found: Iterable[Period], told: Iterable[Period]) -> list[Period]:
    """Those of ``found`` that neither overlap nor touch one that was ``told``: a gap grows and shrinks. Pure."""
    before = list(told)
    return [
        (start, end)
        for start, end in found
        if not any(start <= last and first <= end for first, last in before)
    ]


def _gaps(session: Session, context: Context, now: datetime) -> dict[str, list[Period]]:
    try:
        policy = context.policies.current().policy
    except NoPolicy:
        return {}
    schedules = schedules_of(session, policy, policy.schedules, now)
    return {key: oncall.gaps(schedule, now, now + AHEAD) for key, schedule in schedules.items()}


def _read(periods: Iterable[Iterable[str]]) -> list[Period]:
    return [
        (datetime.fromisoformat(start), datetime.fromisoformat(end)) for start, end in map(tuple, periods)
    ]


def _written(periods: Iterable[Period]) -> list[list[str]]:
    return [[start.isoformat(), end.isoformat()] for start, end in periods]
