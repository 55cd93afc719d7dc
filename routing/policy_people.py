"""What is foolish about people: rung by phones that are not known to be theirs, or never rung at all. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from routing.paging.channels import CHANNELS
from routing.paging.reach import methods_of, plan, verified_numbers
from routing.policy import Policy
from routing.policy_checks import named_in
from routing.policy_contracts import Mistake
from routing.policy_duty import some
from routing.policy_parts import PersonEntry


def people(policy: Policy) -> Iterator[Mistake]:
    rung = _rung(policy)
    lines = policy.line_by_number
    holders = Counter(number for person in policy.people.values() for number in _numbers(person))
    for key, person in policy.people.items():
        if key in rung:
            yield from _unverified(key, person, rung[key])
        else:
            yield Mistake(("people", key), f"{person.name} is in no rotation and in no step: never rung")
        for number in sorted(_numbers(person)):
            place = ("people", key, "phone" if number == person.phone else "methods")
            if holders[number] > 1:
                yield Mistake(place, f"two people have the number {number}")
            if number in lines:
                yield Mistake(
                    place, f"{person.name}'s phone is the line {lines[number]!r}: it would ring itself"
                )


def _unverified(key: str, person: PersonEntry, rung_by: list[str]) -> Iterator[Mistake]:
    if not any(CHANNELS[contact.channel].rings for contact in plan(person, "page", timedelta.max)):
        if verified_numbers(person):
            words = f"they call no verified phone, but {person.name} is rung by {some(rung_by)}"
            yield Mistake(("people", key, "rules"), words)
        else:
            words = f"{person.name}'s phone is not verified, but is rung by {some(rung_by)}"
            yield Mistake(("people", key, "methods" if person.methods else "verified"), words)
        return
    methods = methods_of(person)
    for number, rule in enumerate(person.rules):
        method = methods[rule.use]
        if CHANNELS[method.channel].needs_verified and method.address not in verified_numbers(person):
            words = f"{rule.use!r} is not verified: this rule reaches nobody"
            yield Mistake(("people", key, "rules", number, "use"), words)


def _numbers(person: PersonEntry) -> set[str]:
    """All telephone numbers that the person is reached at."""
    return {m.address for m in methods_of(person).values() if CHANNELS[m.channel].needs_verified}


def _rung(policy: Policy) -> dict[str, list[str]]:
    """Person -> by what they are rung."""
    found: dict[str, list[str]] = {}
    for key, schedule in policy.schedules.items():
        for person in dict.fromkeys(person for _, person in named_in(schedule)):
            found.setdefault(person, []).append(f"the schedule {key!r}")
    for key, escalation in policy.escalations.items():
        for step in escalation.steps:
            if step.ring in policy.people:
                found.setdefault(step.ring, []).append(f"a step of the escalation {key!r}")
    return found
