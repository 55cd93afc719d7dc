"""When the steps of a page begin. Pure: the rule, the page's beginning and the promise go in, instants come out.

Nothing is remembered between two steps but when the page began and when the last step was rung, so that a worker
which takes over finds the same instants.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from routing.escalation.rules import Escalation

_MICROSECOND = timedelta(microseconds=1)


def begins(escalation: Escalation, begun_at: datetime, due_at: datetime | None) -> tuple[datetime, ...]:
    """When each step begins at the latest, if nobody accepts: in order, the first one at once.

    With a promise that is still to be kept no step begins after ``due_at``.
    """
    found = [begun_at]
    for position in range(len(escalation.steps) - 1):
        found.append(step_over_at(escalation, position, found[-1], begun_at, due_at))
    return tuple(found)


def step_over_at(
    escalation: Escalation, position: int, rung_at: datetime, begun_at: datetime, due_at: datetime | None
) -> datetime:
    """When the step at ``position``, rung at ``rung_at``, is over and the next one begins.

    The next one's ``at`` counts from the page's beginning; without it the step waits its ``wait_s``. What would
    fall behind the promise is pulled forward: each step from the next one on gets a ring's length before it. Once
    the promise is broken, or where there is none, a share has nothing to be a share of: the step waits ``wait_s``.
    """
    steps = escalation.steps
    wait = timedelta(seconds=steps[min(position, len(steps) - 1)].wait_s)
    if position >= len(steps) - 1:
        return rung_at + wait
    following, left = steps[position + 1], _left(begun_at, due_at)
    over_at = rung_at + wait
    if following.after is not None:
        over_at = begun_at + following.after
    elif following.share is not None and left is not None:
        over_at = begun_at + _MICROSECOND * round(left // _MICROSECOND * following.share)
    if left is not None:
        over_at = min(over_at, _latest(escalation, position + 1, begun_at + left))
    return max(rung_at, over_at)


def _left(begun_at: datetime, due_at: datetime | None) -> timedelta | None:
    """The time that was left of the promise when the page began; None where there is no promise to keep."""
    return due_at - begun_at if due_at is not None and due_at > begun_at else None


def _latest(escalation: Escalation, position: int, due_at: datetime) -> datetime:
    """The last instant at which a step still leaves a ring's length for itself and for each one after it."""
    return due_at - timedelta(seconds=escalation.ring_s) * (len(escalation.steps) - position)


def is_repeat(escalation: Escalation, position: int) -> bool:
    """Whether all steps have been taken and nobody has accepted: from here on the page says so loudly."""
    return position >= len(escalation.steps)


def next_ring_at(escalation: Escalation, position: int, rung_at: datetime, now: datetime) -> datetime:
    """When the step at ``position`` rings, if the one before it, rung at ``rung_at``, is given up at ``now``.

    At once, except for a repeat of the last step: its phones are not rung in a tight loop.
    """
    if not is_repeat(escalation, position):
        return now
    return max(now, rung_at + timedelta(seconds=escalation.repeat_s))
