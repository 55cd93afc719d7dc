"""Escalation: who is rung at which step, and when the next one comes. Pure; the rows are in ``routing.paging``.

``rules`` is the part of the policy, ``people`` says whom a step rings, ``plan`` when it begins.
"""

from routing.escalation.people import everybody, people_at, schedules_in
from routing.escalation.plan import begins, is_repeat, next_ring_at, step_over_at

__all__ = [
    "begins",
    "everybody",
    "is_repeat",
    "next_ring_at",
    "people_at",
    "schedules_in",
    "step_over_at",
]
