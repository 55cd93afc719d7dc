"""Promises kept and missed: per service, tier and month of the contact, and the list of the missed ones."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from routing.clocks.models import ResponseCycle
from routing.clocks.rules import NotPossible
from routing.clocks.states import CycleState
from routing.policy import Policy

_MONTH = re.compile(r"(\d{4})-(\d\d)", re.ASCII)
_MOST_LISTED = 10_000


@dataclass(frozen=True)
class Month:
    """A calendar month in the company's zone; a contact belongs to the month in which it began."""

    year: int
    month: int
    zone: ZoneInfo

    @classmethod
    def parse(cls, text: str, zone: ZoneInfo) -> Month:
        """``2026-11``; :class:`NotPossible` for anything else."""
        match = _MONTH.fullmatch(text)
        if match is None or not 1 <= int(match[2]) <= 12 or not 1970 <= int(match[1]) <= 9998:
            raise NotPossible(f"{text!r} is not a month; expected such as 2026-11")
        return cls(int(match[1]), int(match[2]), zone)

    @classmethod
    def of(cls, instant: datetime, zone: ZoneInfo) -> Month:
        """The month that ``instant`` lies in."""
        local = instant.astimezone(zone)
        return cls(local.year, local.month, zone)

    @property
    def begins(self) -> datetime:
        """Its first instant, UTC."""
        return datetime(self.year, self.month, 1, tzinfo=self.zone).astimezone(UTC)

    @property
    def ends(self) -> datetime:
        """The first instant of the next month, UTC."""
        year, month = (self.year + 1, 1) if self.month == 12 else (self.year, self.month + 1)
        return datetime(year, month, 1, tzinfo=self.zone).astimezone(UTC)

    def __str__(self) -> str:
        return f"{self.year}-{self.month:02}"


@dataclass(frozen=True)
class Tally:
    """What became of the promises of a tier of a service. Kept and missed ones are counted, the rest is not."""

    service: str
    tier: str | None
    kept: int
    missed: int
    running: int
    excused: int

    @property
    def share(self) -> Fraction | None:
        """The share kept, exact; None where nothing has been decided."""
        decided = self.kept + self.missed
        return Fraction(self.kept, decided) if decided else None


def percentage(share: Fraction | None) -> str:
    """``97.3 %``, rounded down, so that 100.0 % means all of them; ``-`` for None."""
    if share is None:
        return "-"
    tenths = share * 1000 // 1
    return f"{tenths // 10}.{tenths % 10} %"


def company_zone(policy: Policy) -> ZoneInfo:
    """The zone that months are counted in: that of the first service's calendar."""
    return policy.calendar_of("").zone


def tallies(session: Session, month: Month, now: datetime, service: str | None = None) -> list[Tally]:
    """The promises of contacts of ``month``, per service and tier. One look at an index, whatever there is."""
    cycle = ResponseCycle
    overdue = sa.and_(cycle.state == CycleState.RUNNING, cycle.due_at <= now)  # not marked as such yet
    rows = session.execute(
        sa.select(
            cycle.service,
            cycle.tier,
            _count(cycle.state == CycleState.KEPT),
            _count(sa.or_(cycle.state.in_((CycleState.OVERDUE, CycleState.LATE)), overdue)),
            _count(sa.and_(cycle.state == CycleState.RUNNING, cycle.due_at > now)),
            _count(cycle.state == CycleState.EXCUSED),
        )
        .where(*_in(month, service))
        .group_by(cycle.service, cycle.tier)
        .order_by(cycle.service, cycle.tier)
    )
    return [found for row in rows if _says_something(found := Tally(*row))]


def breaches(
    session: Session, month: Month, now: datetime, service: str | None = None
) -> Sequence[ResponseCycle]:
    """The missed promises of contacts of ``month``, by contact; an excused one is none."""
    cycle = ResponseCycle
    marked = sa.and_(cycle.breached_at.is_not(None), cycle.state != CycleState.EXCUSED)
    passed = sa.and_(cycle.state == sa.literal_column("'running'"), cycle.due_at <= now)
    return _listed(session, month, service, marked) + _listed(session, month, service, passed)


def running(
    session: Session, month: Month, now: datetime, service: str | None = None
) -> Sequence[ResponseCycle]:
    """The promises of contacts of ``month`` that still run, by contact."""
    cycle = ResponseCycle
    return _listed(session, month, service, cycle.state == sa.literal_column("'running'"), cycle.due_at > now)


def excused(session: Session, month: Month, service: str | None = None) -> Sequence[ResponseCycle]:
    """The promises of contacts of ``month`` that no answer was owed for, as somebody said."""
    return _listed(session, month, service, ResponseCycle.state == CycleState.EXCUSED)


def _listed(
    session: Session, month: Month, service: str | None, *conditions: sa.ColumnElement[bool]
) -> list[ResponseCycle]:
    return list(
        session.scalars(
            sa.select(ResponseCycle)
            .where(*_in(month, service), *conditions)
            .order_by(ResponseCycle.started_at, ResponseCycle.id)
            .limit(_MOST_LISTED)
        )
    )


def _in(month: Month, service: str | None) -> list[sa.ColumnElement[bool]]:
    of_month = [ResponseCycle.started_at >= month.begins, ResponseCycle.started_at < month.ends]
    return [*of_month, ResponseCycle.service == service] if service else of_month


def _count(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.coalesce(sa.func.sum(sa.case((condition, 1), else_=0)), 0)


def _says_something(tally: Tally) -> bool:
    return bool(tally.kept or tally.missed or tally.running or tally.excused)
