"""Who the customers are: everybody that the current policy knows, in memory.

A ringing phone does not wait for a join over four tables. Customers change only when a policy is applied, so the
directory is read once for each version.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from core.mail_addresses import address_key
from core.models import Contact, Contract, Customer, CustomerDomain


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
    """A customer and, where a number or an address led to it, the contact and what they may ask for by mail."""

    customer_id: int
    customer: str
    contact_id: int | None
    contracts: Mapping[str, Terms]
    key: str | None = None
    contact: str | None = None
    may_request_priority_1: bool = False

    def terms(self, service: str, day: date) -> Terms | None:
        """The contract for ``service`` that is in force on ``day``."""
        found = self.contracts.get(service)
        return found if found is not None and found.run_on(day) else None


@dataclass(frozen=True)
class Directory:
    """Customers by their contacts' E.164 numbers and mail addresses, by support ID, and by their own domains.

    Addresses and domains are in the form in which they are compared (``core.mail_addresses``).
    """

    by_phone: Mapping[str, Sequence[Entry]]
    by_support_id: Mapping[str, Entry]
    by_email: Mapping[str, Sequence[Entry]] = field(default_factory=dict)
    by_domain: Mapping[str, Entry] = field(default_factory=dict)


def load_directory(session: Session) -> Directory:
    """Read everybody who is active."""
    customers = session.scalars(
        sa.select(Customer).where(Customer.active.is_(True)).options(selectinload(Customer.contracts))
    )
    entries = {customer.id: (customer.support_id, _entry(customer)) for customer in customers}
    by_phone: dict[str, list[Entry]] = {}
    by_email: dict[str, list[Entry]] = {}
    for contact in session.scalars(sa.select(Contact).where(Contact.active.is_(True))):
        if contact.customer_id not in entries:
            continue
        known = _with_contact(entries[contact.customer_id][1], contact)
        if contact.phone is not None:
            by_phone.setdefault(contact.phone, []).append(known)
        if contact.email is not None:
            by_email.setdefault(address_key(contact.email), []).append(known)
    by_domain = {
        row.domain: entries[row.customer_id][1]
        for row in session.scalars(sa.select(CustomerDomain))
        if row.customer_id in entries
    }
    return Directory(by_phone, dict(entries.values()), by_email, by_domain)


def _entry(customer: Customer) -> Entry:
    contracts = {contract.service: _terms(contract) for contract in customer.contracts}
    return Entry(customer.id, customer.name, None, contracts, customer.key)


def _with_contact(entry: Entry, contact: Contact) -> Entry:
    return replace(
        entry, contact_id=contact.id, contact=contact.name,
        may_request_priority_1=contact.may_request_priority_1,
    )  # fmt: skip


def _terms(contract: Contract) -> Terms:
    return Terms(contract.tier, contract.consent, contract.starts_on, contract.ends_on)
