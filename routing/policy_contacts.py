"""The kinds of contact that a change of the policy is asked about: lines, tiers and answers. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from routing.policy import Policy
from routing.policy_parts import ContractEntry

STRANGER = "an unknown caller"
_NO_AGREEMENT = "a customer without an agreement for it"


@dataclass(frozen=True)
class Terms:
    """What of a contract decides whether somebody is rung. No tier: no agreement. Dates are inclusive."""

    tier: str | None = None
    consent: str = "ask"
    starts: date | None = None
    ends: date | None = None
    known: bool = True

    def on(self, day: date) -> Terms:
        """The terms that are in force on a local date."""
        if (self.starts and day < self.starts) or (self.ends and day > self.ends):
            return Terms()
        return self


@dataclass(frozen=True)
class Contact:
    """A kind of contact that a policy is asked about; ``accepted`` is the answer to additional charges."""

    service: str
    line: str | None
    before: Terms
    after: Terms
    who: str
    priority: int | None = None
    accepted: bool | None = None


def contacts(before: Policy, after: Policy) -> list[Contact]:
    """The kinds of contact that matter: each line and service, with each tier, each change of terms, each answer."""
    found: list[Contact] = []
    for service, line in _ways_in(before, after):
        found += _answers(before, after, Contact(service, line, Terms(), Terms(), _NO_AGREEMENT))
        if line is not None:
            stranger = Terms(known=False)
            found += _answers(before, after, Contact(service, line, stranger, stranger, STRANGER))
        for old, new, who in _terms(before, after, service):
            found += _answers(before, after, Contact(service, line, old, new, who))
    return found


def _ways_in(before: Policy, after: Policy) -> list[tuple[str, str | None]]:
    lines = [(line.service, key) for policy in (before, after) for key, line in policy.lines.items()]
    on_the_phone = {service for service, _ in lines}
    others = [key for policy in (before, after) for key in policy.services if key not in on_the_phone]
    return list(dict.fromkeys([*lines, *((key, None) for key in others)]))


def _answers(before: Policy, after: Policy, contact: Contact) -> Iterator[Contact]:
    """``contact`` with each priority or each answer that its caller can give."""
    asks = [
        policy.services[contact.service].consent is not None
        for policy in (before, after)
        if contact.service in policy.services
    ]
    if any(asks):
        yield from (replace(contact, accepted=accepted) for accepted in (True, False))
    if not all(asks):
        yield from (replace(contact, priority=priority) for priority in (1, 2, 3, 4))


def _terms(before: Policy, after: Policy, service: str) -> Iterator[tuple[Terms, Terms, str]]:
    """Terms before and after: those of each tier as it is, and those of each customer for whom they change."""
    for key, tier in (before.tiers | after.tiers).items():
        both = key in before.tiers and key in after.tiers
        if both and tier.service == service == before.tiers[key].service:
            yield Terms(key), Terms(key), f"{tier.name} customers"
    changed: dict[tuple[Terms, Terms], list[str]] = {}
    for key, customer in (before.customers | after.customers).items():
        old, new = _terms_of(before, key, service), _terms_of(after, key, service)
        if old != new:
            changed.setdefault((old, new), []).append(customer.name)
    for (old, new), names in changed.items():
        yield old, new, _listed(names)


def _terms_of(policy: Policy, customer: str, service: str) -> Terms:
    entry = policy.customers.get(customer)
    if entry is None:
        return Terms(known=False)
    contract = entry.contracts.get(service)
    return _terms_in(contract) if contract else Terms()


def _terms_in(contract: ContractEntry) -> Terms:
    return Terms(contract.tier, contract.consent, contract.starts, contract.ends)


def _listed(names: Sequence[str]) -> str:
    more = len(names) - 3
    return ", ".join(names[:3]) + (f" and {more} more" if more > 0 else "")
