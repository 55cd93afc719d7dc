"""Proving all stored verdicts: each cycle is computed again under the policy version that it names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session

from routing.clocks.models import ResponseCycle
from routing.clocks.proof import CycleRecord, prove
from routing.clocks.states import CycleState
from routing.context import Context
from routing.decisions import TZ_VERSION

_BATCH = 1000
_COPIED = tuple(field.name for field in fields(CycleRecord) if field.name != "state")


@dataclass(frozen=True)
class Difference:
    """A stored cycle that cannot be proved, and why."""

    case_id: int
    number: int
    why: str


def as_record(cycle: ResponseCycle) -> CycleRecord:
    """The cycle without the database."""
    return CycleRecord(state=CycleState(cycle.state), **{name: getattr(cycle, name) for name in _COPIED})


def prove_all(session: Session, context: Context, now: datetime) -> Iterator[Difference | None]:
    """For each cycle in turn its differences, and None when it is through with them."""
    cycles = session.scalars(
        sa.select(ResponseCycle).order_by(ResponseCycle.id).execution_options(yield_per=_BATCH)
    )
    for cycle in cycles:
        for why in _differences(context, cycle, now):
            yield Difference(cycle.case_id, cycle.number, why)
        yield None


def _differences(context: Context, cycle: ResponseCycle, now: datetime) -> list[str]:
    try:
        policy = context.policies.version(cycle.policy_version)
    except NoResultFound:
        return [f"its policy version {cycle.policy_version} is not there any more"]
    return prove(as_record(cycle), policy, TZ_VERSION, now)
