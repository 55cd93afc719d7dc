"""What contracts and their tiers must fit: the service, its calendar, and what the agreement lets it have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from routing.business_hours.errors import CalendarError

if TYPE_CHECKING:
    from routing.policy import Policy
    from routing.policy_parts import ContractEntry, Tier, TierTarget

# The agreement: "all work will be tracked against the monthly contracted hours" of Managed Services; cases are
# created "for contracted data degradation or failures" of Managed Operations; "the annual amount charged for the
# cloud system" is that of a customer of the product and its support.
_BELONGS_TO = {
    "monthly_hours": "managed-services",
    "checks": "managed-operations",
    "cloud_systems": "support",
}
_CALLED = {
    "monthly_hours": "contracted monthly hours",
    "checks": "contracted checks",
    "cloud_systems": "cloud systems",
}
_FAR_AHEAD = datetime(2060, 1, 4, tzinfo=UTC)
"""A calendar that opens on dates of the past or of the near future alone is one that never opens."""


@dataclass(frozen=True)
class Mistake:
    """Where in the document something is wrong, and what."""

    place: tuple[str | int, ...]
    message: str


def contract_mistakes(policy: Policy) -> Iterator[Mistake]:
    """Mistakes of tiers and contracts in a policy whose names all lead somewhere."""
    yield from _wrong_contracts(policy)
    yield from _never_due(policy)


def _wrong_contracts(policy: Policy) -> Iterator[Mistake]:
    for key, customer in policy.customers.items():
        for service, contract in customer.contracts.items():
            place = ("customers", key, "contracts", service)
            of = policy.tiers[contract.tier].service
            if of != service:
                words = f"the tier {contract.tier!r} is one of the service {of!r}, not of {service!r}"
                own = [name for name, tier in policy.tiers.items() if tier.service == service]
                yield Mistake((*place, "tier"), f"{words}; expected one of {', '.join(own) or 'its own'}")
            if contract.starts and contract.ends and contract.ends < contract.starts:
                words = f"the contract ends on {contract.ends}, before it starts on {contract.starts}"
                yield Mistake((*place, "ends"), words)
            yield from _not_in_the_agreement(policy, service, contract, place)


def _not_in_the_agreement(
    policy: Policy, service: str, contract: ContractEntry, place: tuple[str, ...]
) -> Iterator[Mistake]:
    kind = policy.kind_of(service)
    for field, belongs_to in _BELONGS_TO.items():
        if getattr(contract, field) and kind != belongs_to:
            words = f"{_CALLED[field]} belong to a contract for {belongs_to}, not to one for {service!r}"
            yield Mistake((*place, field), f"{words} (kind: {kind})")
    if contract.consent != "ask" and policy.services[service].consent is None:
        words = f"the service {service!r} asks for no consent to additional charges"
        yield Mistake((*place, "consent"), words)


def _never_due(policy: Policy) -> Iterator[Mistake]:
    """A target on a calendar that never opens is refused when it is written, not when it is needed."""
    for key, tier in policy.tiers.items():
        for name in sorted(_calendars_of(policy, key, tier)):
            for priority, promise in tier.targets.items():
                problem = _problem(policy, name, promise)
                if problem is not None:
                    words = f"{promise.respond!r} is never due on the calendar {name!r}: {problem}"
                    yield Mistake(("tiers", key, "targets", priority, "respond"), words)


def _calendars_of(policy: Policy, key: str, tier: Tier) -> set[str]:
    """The calendars that the targets of a tier run on: its service's, and those of customers who have it."""
    found = {policy.services[tier.service].calendar}
    for customer in policy.customers.values():
        contract = customer.contracts.get(tier.service)
        if contract is not None and contract.tier == key:
            found |= {name for name in (contract.calendar or customer.calendar,) if name}
    return found


def _problem(policy: Policy, calendar: str, promise: TierTarget) -> str | None:
    if promise.target.runs_around_the_clock:
        return None
    try:
        promise.target.due_at(_FAR_AHEAD, policy.calendars[calendar])
    except CalendarError as error:
        return error.sentence
    return None
