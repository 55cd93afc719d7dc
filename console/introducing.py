"""Telling the simulated post office who is who: the policy's mailboxes, its people, and its customers' contacts."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import requests

from routing.policy import Policy
from routing.policy_parts import CustomerEntry

MOST_CONTACTS = 40  # a desk is to try things at: the first ones will do
_PATIENCE_S = 5
_CONSENT = {"beforehand": " (charges accepted beforehand)", "never": " (never accepts charges)"}


def introduce(policy: Policy, simulator: str) -> None:
    """Name every mail address of ``policy`` to the simulator at that URL. Raises requests.RequestException."""
    with requests.Session() as session:
        session.trust_env = False  # a proxy has no way to this machine
        for path, about in (*_lines(policy), *_engineers(policy), *list(_contacts(policy))[:MOST_CONTACTS]):
            session.post(
                f"{simulator}/control/mail{path}", json=about, timeout=_PATIENCE_S
            ).raise_for_status()


def _lines(policy: Policy) -> Iterator[tuple[str, dict[str, str]]]:
    for box in policy.mailboxes.values():
        for address in (box.address, *box.aliases):
            yield "/lines", {"address": address, "name": box.name}


def _engineers(policy: Policy) -> Iterator[tuple[str, dict[str, str]]]:
    for person in policy.people.values():
        if person.email:
            yield _mailbox(person.email), {"name": person.name, "role": "engineer"}


def _contacts(policy: Policy) -> Iterator[tuple[str, dict[str, str]]]:
    for customer in policy.customers.values():
        for contact in customer.contacts:
            if contact.email:
                note = ", ".join([customer.name, *_contracts(policy, customer)])
                yield _mailbox(contact.email), {"name": contact.name, "role": "customer", "note": note}


def _contracts(policy: Policy, customer: CustomerEntry) -> Iterator[str]:
    for key, contract in customer.contracts.items():
        service = policy.services[key]
        consent = _CONSENT.get(contract.consent, "") if service.consent else ""
        yield service.name + consent


def _mailbox(address: str) -> str:
    return f"/mailboxes/{quote(address, safe='@')}"
