"""A promise's instant goes by: the cycle is marked, once; whoever had the case is told, and others are rung."""

from __future__ import annotations

from core import due
from core.models import Case, record
from routing.clocks.cycles import locked_cycle, move
from routing.clocks.models import ResponseCycle
from routing.clocks.states import CycleEvent, CycleState
from routing.context import Context
from routing.paging import pages


def breach(context: Context, claim: due.Claim) -> None:
    """Due work: nobody has answered by the promised instant."""
    now = context.clock.now()
    with due.finishing(context.database, claim) as session:
        case_id = session.get_one(ResponseCycle, claim.payload["cycle"]).case_id
        case = session.get_one(Case, case_id)
        pages.locked_pages(session, case)
        cycle = locked_cycle(session, case)
        if cycle.id != claim.payload["cycle"] or cycle.standing is not CycleState.RUNNING:
            return
        if cycle.due_at is None or now < cycle.due_at:
            return  # planned anew meanwhile; another row waits for that
        move(cycle, CycleEvent.DUE_PASSED)
        record(
            session, "case.breached", now, case_id=case.id, cycle=cycle.number, target=cycle.target,
            due_at=cycle.due_at.isoformat(), priority=cycle.priority,
        )  # fmt: skip
        session.flush()
        pages.broken(session, context, case, now)
