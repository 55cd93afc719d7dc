"""What no single part of a policy can see: names that lead nowhere, things held twice, sentences left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from routing.escalation.rules import ROLES
from routing.policy_contracts import Mistake, contract_mistakes
from routing.policy_mail import mail_mistakes
from routing.policy_prompts import prompt_mistakes
from routing.policy_words import nearest

if TYPE_CHECKING:
    from routing.escalation.rules import Step
    from routing.oncall import Schedule
    from routing.policy import Policy

_SHOWN = 20


# The widths of the columns that keys and names are written to.
_LONGEST_KEY = 40
_LONGEST_NAME = 200
_LONGEST_ADDRESS = 320


def check(policy: Policy) -> list[Mistake]:
    """All mistakes in ``policy``."""
    unknown = [*_unknown_names(policy), *_too_long(policy)]
    return [
        *unknown,
        # These look things up by name: where a name leads nowhere that is said, and nothing else.
        *([] if unknown else contract_mistakes(policy)),
        *_held_twice(policy),
        *mail_mistakes(policy),
        *_nobody_to_ring(policy),
        *prompt_mistakes(policy),
    ]


def _known(name: str | None, among: Mapping[str, Any], what: str, *place: str | int) -> Iterator[Mistake]:
    if name is not None and name not in among:
        known = ", ".join(list(among)[:_SHOWN]) + (", ..." if len(among) > _SHOWN else "")
        yield Mistake(place, f"no {what} is called {name!r}{nearest(name, among)}; known: {known or 'none'}")


def _unknown_names(policy: Policy) -> Iterator[Mistake]:
    for key, service in policy.services.items():
        yield from _known(service.calendar, policy.calendars, "calendar", "services", key, "calendar")
        yield from _known(service.escalation, policy.escalations, "escalation", "services", key, "escalation")
        for priority, own in service.escalation_by_priority.items():
            own_place = ("services", key, "escalation_by_priority", priority)
            yield from _known(own, policy.escalations, "escalation", *own_place)
    for key, tier in policy.tiers.items():
        yield from _known(tier.service, policy.services, "service", "tiers", key, "service")
    for key, line in policy.lines.items():
        yield from _known(line.service, policy.services, "service", "lines", key, "service")
    for key, box in policy.mailboxes.items():
        yield from _known(box.service, policy.services, "service", "mailboxes", key, "service")
    for key, escalation in policy.escalations.items():
        yield from _known(escalation.schedule, policy.schedules, "schedule", "escalations", key, "schedule")
        for number, step in enumerate(escalation.steps):
            yield from _unknown_in_step(policy, step, ("escalations", key, "steps", number))
    for key in policy.drills:
        yield from _known(key, policy.schedules, "schedule", "drills", key)
    for key, schedule in policy.schedules.items():
        for place, person in named_in(schedule):
            yield from _known(person, policy.people, "person", "schedules", key, *place)
    for key, customer in policy.customers.items():
        yield from _known(customer.calendar, policy.calendars, "calendar", "customers", key, "calendar")
        for name, contract in customer.contracts.items():
            at = ("customers", key, "contracts", name)
            yield from _known(name, policy.services, "service", *at)
            yield from _known(contract.tier, policy.tiers, "tier", *at, "tier")
            yield from _known(contract.calendar, policy.calendars, "calendar", *at, "calendar")


def _unknown_in_step(policy: Policy, step: Step, place: tuple[str | int, ...]) -> Iterator[Mistake]:
    yield from _known(step.of, policy.schedules, "schedule", *place, "of")
    if step.ring in ROLES:
        return
    if step.ring in policy.schedules and step.ring not in policy.people:
        words = f"{step.ring!r} is a schedule; write: ring: on-call, of: {step.ring}"
        yield Mistake((*place, "ring"), words)
        return
    yield from _known(step.ring, policy.people, "person", *place, "ring")
    if step.of is not None:
        yield Mistake((*place, "of"), f"{step.ring!r} is a person and needs no schedule; remove it")


def named_in(schedule: Schedule) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Everybody that a schedule names, with the place inside of it."""
    for number, layer in enumerate(schedule.layers):
        for position, member in enumerate(layer.members):
            yield ("layers", number, "members", position), member
    for number, override in enumerate(schedule.overrides):
        for role, person in (("person", override.by), ("instead_of", override.replaces)):
            if person is not None:
                yield ("overrides", number, role), person
    for number, swap in enumerate(schedule.swaps):
        for turn in (swap.one, swap.other):
            yield ("swaps", number, turn.person), turn.person
    for number, absence in enumerate(schedule.absences):
        yield ("absences", number, "person"), absence.person


def _too_long(policy: Policy) -> Iterator[Mistake]:
    for part in (
        "calendars",
        "services",
        "tiers",
        "lines",
        "mailboxes",
        "people",
        "schedules",
        "escalations",
        "customers",
    ):
        for key, entry in getattr(policy, part).items():
            if not 0 < len(key) <= _LONGEST_KEY:
                yield Mistake(
                    (part, key), f"has a key of {len(key)} characters; expected 1 to {_LONGEST_KEY}"
                )
            yield from _too_long_name(getattr(entry, "name", None), part, key, "name")
            yield from _too_long_name(
                getattr(entry, "email", None), part, key, "email", most=_LONGEST_ADDRESS
            )
    for key, customer in policy.customers.items():
        for number, contact in enumerate(customer.contacts):
            at = ("customers", key, "contacts", number)
            yield from _too_long_name(contact.name, *at, "name")
            yield from _too_long_name(contact.email, *at, "email", most=_LONGEST_ADDRESS)


def _too_long_name(value: object, *place: str | int, most: int = _LONGEST_NAME) -> Iterator[Mistake]:
    if isinstance(value, str) and not 0 < len(value.strip()) <= len(value) <= most:
        yield Mistake(place, f"has {len(value)} characters; expected 1 to {most}, and not spaces alone")


def _held_twice(policy: Policy) -> Iterator[Mistake]:
    numbers = {key: line.number for key, line in policy.lines.items()}
    for key in _repeated(numbers):
        yield Mistake(("lines", key, "number"), f"two lines have the number {numbers[key]}")
    names: dict[tuple[str, str], int] = {}
    for key, customer in policy.customers.items():
        for number, contact in enumerate(customer.contacts):
            first = names.setdefault((key, contact.name), number)
            if first != number:
                at = ("customers", key, "contacts", number, "name")
                yield Mistake(at, f"two contacts of the customer are called {contact.name!r}")
    ids = {key: customer.support_id for key, customer in policy.customers.items()}
    for key in _repeated(ids):
        yield Mistake(("customers", key, "support_id"), f"two customers have the support ID {ids[key]}")


def _repeated(values: Mapping[str, str]) -> Iterable[str]:
    counts = Counter(values.values())
    return [key for key, value in values.items() if counts[value] > 1]


def _nobody_to_ring(policy: Policy) -> Iterator[Mistake]:
    on_the_phone = {line.service for line in policy.lines.values()}
    around_the_clock = {tier.service for tier in policy.tiers.values() if tier.covered_priorities}
    for key, service in policy.services.items():
        if service.escalation is None and key in on_the_phone | around_the_clock:
            yield Mistake(
                ("services", key, "escalation"),
                "is missing; a service with a line, or with a tier that covers 24x7, needs somebody to ring",
            )
