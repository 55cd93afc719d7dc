"""What no single part of a policy can see: names that lead nowhere, things held twice, sentences left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from routing.prompts import CATALOGUE, mistakes_in

if TYPE_CHECKING:
    from routing.policy import Policy, PromptText

_ROLES = ("on-call", "next", "everyone")


@dataclass(frozen=True)
class Mistake:
    """Where in the document something is wrong, and what."""

    place: tuple[str | int, ...]
    message: str


def check(policy: Policy) -> list[Mistake]:
    """All mistakes in ``policy``."""
    return [
        *_unknown_names(policy),
        *_held_twice(policy),
        *_nobody_to_ring(policy),
        *_wrong_prompts(policy),
    ]


def _known(name: str | None, among: Mapping[str, Any], what: str, *place: str | int) -> Iterator[Mistake]:
    if name is not None and name not in among:
        yield Mistake(place, f"no {what} is called {name!r}; known: {', '.join(among) or 'none'}")


def _unknown_names(policy: Policy) -> Iterator[Mistake]:
    for key, service in policy.services.items():
        yield from _known(service.calendar, policy.calendars, "calendar", "services", key, "calendar")
        yield from _known(service.escalation, policy.escalations, "escalation", "services", key, "escalation")
    for key, tier in policy.tiers.items():
        yield from _known(tier.service, policy.services, "service", "tiers", key, "service")
    for key, line in policy.lines.items():
        yield from _known(line.service, policy.services, "service", "lines", key, "service")
    for key, escalation in policy.escalations.items():
        yield from _known(escalation.schedule, policy.schedules, "schedule", "escalations", key, "schedule")
        for number, step in enumerate(escalation.steps):
            if step.ring not in _ROLES:
                yield from _known(
                    step.ring, policy.people, "person", "escalations", key, "steps", number, "ring"
                )
    for key, schedule in policy.schedules.items():
        for person in schedule.people:
            yield from _known(person, policy.people, "person", "schedules", key)
    for key, customer in policy.customers.items():
        for name, contract in customer.contracts.items():
            place = ("customers", key, "contracts", name)
            yield from _known(name, policy.services, "service", *place)
            yield from _known(contract.tier, policy.tiers, "tier", *place, "tier")


def _held_twice(policy: Policy) -> Iterator[Mistake]:
    numbers = {key: line.number for key, line in policy.lines.items()}
    for key in _repeated(numbers):
        yield Mistake(("lines", key, "number"), f"two lines have the number {numbers[key]}")
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


def _wrong_prompts(policy: Policy) -> Iterator[Mistake]:
    places: list[tuple[tuple[str, ...], Mapping[str, PromptText]]] = [(("prompts",), policy.prompts)]
    places += [(("lines", key, "prompts"), line.prompts) for key, line in policy.lines.items()]
    for place, prompts in places:
        for key, prompt in prompts.items():
            for mistake in mistakes_in(key, prompt.text):
                yield Mistake((*place, key), mistake)
            if not prompt.text and not prompt.audio:
                yield Mistake((*place, key), "says nothing; expected text or the address of audio")
    for key in sorted(set(CATALOGUE) - set(policy.prompts)):
        yield Mistake(("prompts", key), "is missing")
