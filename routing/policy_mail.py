"""Mail in a policy: addresses and domains held twice, public mail hosts, and what is legal and still foolish."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from core.mail_addresses import address_key, without_tag
from routing.policy_contracts import Mistake

if TYPE_CHECKING:
    from routing.policy import Policy


@cache
def public_mail_hosts() -> frozenset[str]:
    """Domains at which anybody can have a mail address: a sender there says nothing of a company."""
    lines = (Path(__file__).parent / "public_mail_hosts.txt").read_text().splitlines()
    return frozenset(host for line in lines if not line.startswith("#") for host in line.split())


def mail_mistakes(policy: Policy) -> Iterator[Mistake]:
    """What cannot be: a mail must lead to one mailbox, and to one customer at most."""
    yield from _addresses(policy)
    yield from _domains(policy)


def _addresses(policy: Policy) -> Iterator[Mistake]:
    holders: dict[str, str] = {}
    for key, box in policy.mailboxes.items():
        places: list[tuple[tuple[str | int, ...], str]] = [(("address",), box.address)]
        places += [(("aliases", number), alias) for number, alias in enumerate(box.aliases)]
        for place, address in places:
            at = ("mailboxes", key, *place)
            first = holders.setdefault(address, key)
            if first != key or (place != ("address",) and address == box.address):
                yield Mistake(at, f"the mailbox {first!r} has the address {address} already")
            if "+" in address.partition("@")[0]:
                yield Mistake(at, f"{address} has a tag; what follows a + is kept for case numbers")
    catching: dict[str, str] = {}
    for key, box in policy.mailboxes.items():
        if box.catch_all:
            domain = box.address.rpartition("@")[2]
            first = catching.setdefault(domain, key)
            if first != key:
                words = f"the mailbox {first!r} takes what comes for unknown names of {domain} already"
                yield Mistake(("mailboxes", key, "catch_all"), words)


def _domains(policy: Policy) -> Iterator[Mistake]:
    holders: dict[str, str] = {}
    own = {address.rpartition("@")[2] for address in policy.mailbox_by_address}
    for key, customer in policy.customers.items():
        for number, domain in enumerate(customer.domains):
            at = ("customers", key, "domains", number)
            if domain in public_mail_hosts():
                yield Mistake(at, f"{domain} is a public mail host: anybody can have an address there")
            if domain in own:
                yield Mistake(at, f"{domain} is the domain of a mailbox of yours")
            first = holders.setdefault(domain, key)
            if first != key or domain in customer.domains[:number]:
                yield Mistake(at, f"the customer {first!r} has the domain {domain} already")


def mail_findings(policy: Policy) -> Iterator[Mistake]:
    """What somebody should look at, of mailboxes and of the addresses of people."""
    contracted = Counter(name for customer in policy.customers.values() for name in customer.contracts)
    for key, box in policy.mailboxes.items():
        if not contracted[box.service]:
            words = f"no customer has a contract for its service {box.service!r}: nothing is promised by mail"
            yield Mistake(("mailboxes", key, "service"), words)
        if policy.services[box.service].escalation is None:
            words = f"its service {box.service!r} has no escalation: nobody is told of a mail"
            yield Mistake(("mailboxes", key, "service"), words)
    for key, person in policy.people.items():
        if person.email and without_tag(person.email) in policy.mailbox_by_address:
            words = f"{person.name}'s mail goes to a mailbox of yours: its own notifications would come back"
            yield Mistake(("people", key, "email"), words)
    yield from _contacts(policy)


def _contacts(policy: Policy) -> Iterator[Mistake]:
    holders: dict[str, str] = {}
    for key, customer in policy.customers.items():
        for number, contact in enumerate(customer.contacts):
            at: tuple[str | int, ...] = ("customers", key, "contacts", number)
            if contact.may_request_priority_1 and contact.email is None:
                words = f"{contact.name} may ask for priority 1 by mail, but has no mail address"
                yield Mistake((*at, "may_request_priority_1"), words)
            if contact.email is None:
                continue
            address = address_key(contact.email)
            other = holders.setdefault(address, key)
            if other != key:
                words = f"{contact.email} is also a contact of {other!r}: it identifies neither of them"
                yield Mistake((*at, "email"), words)
            if without_tag(address) in policy.mailbox_by_address:
                yield Mistake((*at, "email"), "it is one of your own mailboxes")
