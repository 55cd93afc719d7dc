"""Whom a step rings. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from routing import oncall
from routing.escalation.rules import ROLES, Escalation
from routing.oncall import Schedule

if TYPE_CHECKING:
    from routing.policy import Policy


def people_at(
    policy: Policy,
    escalation: Escalation,
    position: int,
    at: datetime,
    schedules: Mapping[str, Schedule] | None = None,
) -> tuple[str, ...]:
    """Whom to ring at ``position``, the first step being 0. Past the last step, the last one is repeated.

    A step that would ring nobody (a gap in the rotation) rings everybody in its schedule: a promise is running.
    ``schedules`` are the ones of ``schedules_in`` with the changes of the day; without, as the policy has them.
    """
    position = min(position, len(escalation.steps) - 1)
    step = escalation.steps[position]
    if step.ring not in ROLES:
        return (step.ring,)
    key = step.of or escalation.schedule
    schedule = (schedules or policy.schedules)[key]
    if step.ring == "on-call":
        people = oncall.on_call(schedule, at)[:1]
    elif step.ring == "next":
        earlier = escalation.steps[:position]
        people = _following(
            schedule, at, sum(s.ring == "next" and (s.of or escalation.schedule) == key for s in earlier)
        )
    else:
        # Those of the rotation in its order, then whoever else is in the schedule.
        people = tuple(dict.fromkeys((*oncall.order(schedule, at), *schedule.members)))
    return people or tuple(schedule.members)


def _following(schedule: Schedule, at: datetime, earlier: int) -> tuple[str, ...]:
    """The person ``earlier + 1`` places after the one on call."""
    others = oncall.order(schedule, at)[1:]
    return (others[earlier % len(others)],) if others else oncall.on_call(schedule, at)[:1]


def schedules_in(escalation: Escalation) -> tuple[str, ...]:
    """The keys of the schedules that an escalation asks, its own first."""
    others = [step.of for step in escalation.steps if step.of is not None]
    return tuple(dict.fromkeys((escalation.schedule, *others)))


def everybody(
    policy: Policy, escalation: Escalation, at: datetime, schedules: Mapping[str, Schedule] | None = None
) -> set[str]:
    """Whoever is rung at any step of an escalation."""
    steps = range(len(escalation.steps))
    return {key for position in steps for key in people_at(policy, escalation, position, at, schedules)}
