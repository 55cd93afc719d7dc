"""What is foolish in schedules and escalations: nobody on call, steps that come too late. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from routing import oncall
from routing.business_hours import BusinessCalendar
from routing.escalation import begins, schedules_in
from routing.policy import Escalation, Policy
from routing.policy_contracts import Mistake
from routing.wording import written_instant

LOOK_AHEAD = timedelta(days=366)
"""How far ahead gaps are looked for."""
_SHOWN = 3


def schedules(policy: Policy, at: datetime) -> Iterator[Mistake]:
    used = {key for escalation in policy.escalations.values() for key in schedules_in(escalation)}
    for key, schedule in policy.schedules.items():
        place = ("schedules", key)
        if key not in used:
            yield Mistake(place, "no escalation uses this schedule")
        gaps = list(_gaps(policy, key, at))
        if gaps:
            zone = BusinessCalendar.around_the_clock(schedule.zone).zone
            said = [f"{written_instant(start, zone)} to {written_instant(end, zone)}" for start, end in gaps]
            words = f"nobody is on call in the next {LOOK_AHEAD.days} days from {some(said)}"
            yield Mistake(place, f"{words}; everybody would be rung")
        for number, layer in enumerate(schedule.layers):
            if len(set(layer.members)) == 1 and not layer.hours:
                words = f"{layer.members[0]} alone is on call around the clock, with nobody to take over"
                yield Mistake((*place, "layers", number, "members"), words)
        ends = [(("overrides", number), change.end) for number, change in enumerate(schedule.overrides)]
        ends += [(("absences", number), change.end) for number, change in enumerate(schedule.absences)]
        for inner, end in ends:
            if end <= at:
                yield Mistake((*place, *inner), "it is over, and can be removed")


def _gaps(policy: Policy, schedule: str, at: datetime) -> Iterator[tuple[datetime, datetime]]:
    """When nobody is on call while a desk that the schedule serves is closed; the open desk needs nobody."""
    desks = [
        policy.calendars[service.calendar]
        for service in policy.services.values()
        if any(schedule in schedules_in(policy.escalations[key]) for key in service.escalations)
    ]
    for start, end in oncall.gaps(policy.schedules[schedule], at, at + LOOK_AHEAD):
        if not desks:
            yield start, end
        closed = {period for desk in desks for period in _closed(desk, start, end)}
        yield from sorted(closed)


def _closed(desk: BusinessCalendar, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    for opens, closes in desk.open_windows(start, end):
        if start < opens:
            yield start, opens
        start = closes
    if start < end:
        yield start, end


def escalations(policy: Policy) -> Iterator[Mistake]:
    used = {key for service in policy.services.values() for key in service.escalations}
    for key, escalation in policy.escalations.items():
        if key not in used:
            yield Mistake(("escalations", key), "no service uses this escalation")
        yield from _late_steps(policy, key, escalation)
        for number, step in enumerate(escalation.steps):
            if step.everyone_must and step.ring != "everyone":
                words = f"everyone must acknowledge, but {step.ring!r} is one person: the usual step says the same"
                yield Mistake(("escalations", key, "steps", number, "everyone_must"), words)
        everybody = policy.schedules[escalation.schedule].members
        if len(everybody) > 1 and {step.ring for step in escalation.steps} == {"on-call"}:
            words = "only the person on call is ever rung: one who sleeps through it stops everything"
            yield Mistake(("escalations", key, "steps"), words)


def _late_steps(policy: Policy, key: str, escalation: Escalation) -> Iterator[Mistake]:
    """Steps that the shortest promise would pull forward, or that it leaves no time to ring in.

    A share is never later than the promise, but what follows it may be.
    """
    shortest = shortest_promise(policy, key)
    if shortest is None:
        return
    length, words = shortest
    begun = datetime.min.replace(tzinfo=UTC)
    freely = [at - begun for at in _unhurried(escalation, length)]
    planned = [at - begun for at in begins(escalation, begun, begun + length)]
    ring = timedelta(seconds=escalation.ring_s)
    for number, (wanted, at) in enumerate(zip(freely, planned, strict=True)):
        place = ("escalations", key, "steps", number)
        if wanted >= length:
            late = f"it begins {minutes(wanted)} after the voicemail, but {words} is due by then"
            yield Mistake(place, f"{late}; it would be pulled forward to {minutes(at)}")
        elif number and at - planned[number - 1] < ring:
            short = f"{seconds(at - planned[number - 1])} after the step before it, less than a ring"
            yield Mistake(place, f"for {words} it begins {short} of {escalation.ring_s} s")


def _unhurried(escalation: Escalation, length: timedelta) -> list[datetime]:
    """When each step would begin if nothing were pulled forward."""
    found = [datetime.min.replace(tzinfo=UTC)]
    for before, step in pairwise(escalation.steps):
        at = found[-1] + timedelta(seconds=before.wait_s)
        if step.after is not None:
            at = found[0] + step.after
        elif step.share is not None:
            at = found[0] + length * float(step.share)
        found.append(max(at, found[-1]))
    return found


def shortest_promise(policy: Policy, escalation: str) -> tuple[timedelta, str] | None:
    """The shortest around-the-clock target that an escalation serves, and its name; None if there is none."""
    found: list[tuple[timedelta, str]] = []
    for tier in policy.tiers.values():
        for priority, promise in tier.targets.items():
            serves = policy.escalation_of(tier.service, priority) == escalation
            if serves and promise.target.runs_around_the_clock:
                length = promise.target.length(policy.calendar_of(tier.service))
                found.append((length, f"{tier.name} priority {priority} ({promise.respond})"))
    return min(found, default=None)


def some(entries: Sequence[str]) -> str:
    more = len(entries) - _SHOWN
    return "; ".join(entries[:_SHOWN]) + (f"; and {more} more" if more > 0 else "")


def day_text(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b %Y}"


def minutes(length: timedelta) -> str:
    hours, rest = divmod(int(length / timedelta(minutes=1)), 60)
    return f"{hours} h {rest:02} min" if hours else f"{rest} min"


def seconds(length: timedelta) -> str:
    return f"{length.total_seconds():g} s"
