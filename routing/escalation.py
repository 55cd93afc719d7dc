"""Escalation: who is rung at which step, and what comes next. Pure; the rows are in ``routing.paging``."""

from __future__ import annotations

from datetime import datetime, timedelta

from routing import oncall
from routing.oncall import Schedule
from routing.policy import Escalation, Policy


def people_at(
    policy: Policy, escalation: Escalation, position: int, at: datetime, schedule: Schedule | None = None
) -> tuple[str, ...]:
    """Whom to ring at ``position``, the first step being 0. Past the last step, the last one is repeated.

    A step that would ring nobody (a gap in the rotation) rings everybody in the schedule: a promise is running.
    ``schedule`` is the escalation's with the changes of the day; without it, it is as the policy has it.
    """
    schedule = schedule or policy.schedules[escalation.schedule]
    position = min(position, len(escalation.steps) - 1)
    ring = escalation.steps[position].ring
    if ring == "on-call":
        people = oncall.on_call(schedule, at)[:1]
    elif ring == "next":
        earlier = sum(step.ring == "next" for step in escalation.steps[:position])
        people = _following(schedule, at, earlier)
    elif ring == "everyone":
        # Those of the rotation in its order, then whoever else is in the schedule.
        people = tuple(dict.fromkeys((*oncall.order(schedule, at), *schedule.members)))
    else:
        people = (ring,)
    return people or tuple(schedule.members)


def _following(schedule: Schedule, at: datetime, earlier: int) -> tuple[str, ...]:
    """The person ``earlier + 1`` places after the one on call."""
    others = oncall.order(schedule, at)[1:]
    return (others[earlier % len(others)],) if others else oncall.on_call(schedule, at)[:1]


def is_repeat(escalation: Escalation, position: int) -> bool:
    """Whether all steps have been taken and nobody has accepted: from here on the page says so loudly."""
    return position >= len(escalation.steps)


def wait_at(escalation: Escalation, position: int) -> timedelta:
    """How long the step at ``position`` waits for an acceptance."""
    return timedelta(seconds=escalation.steps[min(position, len(escalation.steps) - 1)].wait_s)


def next_ring_at(escalation: Escalation, position: int, rung_at: datetime, now: datetime) -> datetime:
    """When the step at ``position`` rings, if the one before it, rung at ``rung_at``, is given up at ``now``.

    At once, except for a repeat of the last step: its phones are not rung in a tight loop.
    """
    if not is_repeat(escalation, position):
        return now
    return max(now, rung_at + timedelta(seconds=escalation.repeat_s))
