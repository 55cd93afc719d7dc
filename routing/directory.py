"""Who the customers are: everybody that the current policy knows, in memory.

A ringing phone does not wait for a join over four tables. Customers change only when a policy is applied, so the
directory is read once for each version.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from core.models import Contact, Contract, Customer


@dataclass(frozen=True)
class Terms:
    """A customer's contract for one service."""

    tier: str
    consent: str
    starts_on: date | None
    ends_on: date | None

    def run_on(self, day: date) -> bool:
        """Whether the contract is in force on ``day``."""
        return (self.starts_on is None or self.starts_on <= day) and (
            self.ends_on is None or day <= self.ends_on
        )


@dataclass(frozen=True)
class Entry:
    """A customer and, where a number or an address led to it, the contact."""

    customer_id: int
    customer: str
    contact_id: int | None
    contracts: Mapping[str, Terms]
    key: str | None = None

    def terms(self, service: str, day: date) -> Terms | None:
        """The contract for ``service`` that is in force on ``day``."""
        found = self.contracts.get(service)
        return found if found is not None and found.run_on(day) else None


@dataclass(frozen=True)
class Directory:
    """Customers by their contacts' E.164 numbers, and by support ID."""

    by_phone: Mapping[str, Sequence[Entry]]
    by_support_id: Mapping[str, Entry]


def load_directory(session: Session) -> Directory:
    """Read everybody who is active."""
    customers = session.scalars(
        sa.select(Customer).where(Customer.active.is_(True)).options(selectinload(Customer.contracts))
    )
    entries = {customer.id: (customer.support_id, _entry(customer)) for customer in customers}
    by_phone: dict[str, list[Entry]] = {}
    contacts = sa.select(Contact).where(Contact.active.is_(True), Contact.phone.is_not(None))
    for contact in session.scalars(contacts):
        if contact.customer_id in entries and contact.phone is not None:
            _, entry = entries[contact.customer_id]
            known = Entry(entry.customer_id, entry.customer, contact.id, entry.contracts, entry.key)
            by_phone.setdefault(contact.phone, []).append(known)
    return Directory(by_phone, dict(entries.values()))


def _entry(customer: Customer) -> Entry:
    contracts = {contract.service: _terms(contract) for contract in customer.contracts}
    return Entry(customer.id, customer.name, None, contracts, customer.key)


def _terms(contract: Contract) -> Terms:
    return Terms(contract.tier, contract.consent, contract.starts_on, contract.ends_on)
