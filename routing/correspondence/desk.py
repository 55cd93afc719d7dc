"""The desk that a case's mail goes out from: its mailbox, its words, its addresses."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from pydantic import SecretStr

from core.mail_addresses import Kind, SignedAddresses, without_tag
from core.models import Case
from routing.context import Context
from routing.correspondence.letters import Party
from routing.mailboxes import Mailbox
from routing.policy import Policy
from routing.prompts import shipped_sentence


@dataclass(frozen=True)
class Desk:
    """A mailbox of the policy, and how its addresses are signed."""

    policy: Policy
    mailbox: Mailbox
    signed: SignedAddresses = field(repr=False)

    @property
    def sender(self) -> Party:
        """Whom a machine's mail comes from."""
        return Party(f"{self.policy.company} {self.mailbox.name}", self.mailbox.address)

    def sender_of(self, name: str) -> Party:
        """Whom a person's mail comes from."""
        return Party(f"{name}, {self.policy.company}", self.mailbox.address)

    def say(self, key: str, /, **values: object) -> str:
        """The sentence ``key`` as the mailbox says it."""
        prompt = self.mailbox.prompts.get(key) or self.policy.prompts.get(key)
        text = prompt.text if prompt and prompt.text else shipped_sentence(key)
        return text.format_map({"company": self.policy.company, "line": self.mailbox.name} | values)

    def customer_address(self, case: Case) -> str:
        """Where the customer's answer goes."""
        if not self.mailbox.address_tags:
            return self.mailbox.address
        return self.signed.case_address(self.mailbox.address, case.id)

    def engineer_address(self, case_number: int, person: str) -> str:
        """Where an engineer's answer goes."""
        if not self.mailbox.address_tags:
            return self.mailbox.address
        return self.signed.engineer_address(self.mailbox.address, case_number, person)

    def bounce_address(self, outbound: int) -> str:
        """Where a report goes that a mail could not be delivered."""
        if not self.mailbox.address_tags:
            return self.mailbox.address
        return self.signed.bounce_address(self.mailbox.address, outbound)

    def page_reference(self, case_number: int, person: str) -> str:
        """What all mails about a case to one engineer refer to, so that they are one conversation there."""
        return self.message_id(case_number, Kind.ENGINEER, seed=f"person {person}")

    def message_id(self, case_number: int, kind: Kind = Kind.CUSTOMER, seed: str = "") -> str:
        """A Message-ID that says which case its mail is about: a new one, or always the same for a ``seed``."""
        return self.signed.message_id(self.mailbox.address, case_number, kind, seed)


def signed_addresses(context: Context) -> SignedAddresses:
    """How this installation signs its addresses."""
    return _signed(context.settings.secret_key)


@lru_cache(maxsize=2)
def _signed(secret_key: SecretStr) -> SignedAddresses:
    return SignedAddresses(secret_key.get_secret_value())


def desk_of(context: Context, policy: Policy, case: Case) -> Desk | None:
    """The mailbox that the case came to, else the first one of its service."""
    box = policy.mailboxes.get(case.mailbox) if case.mailbox else None
    if box is None:
        box = next((each for each in policy.mailboxes.values() if each.service == case.service), None)
    return Desk(policy, box, signed_addresses(context)) if box is not None else None


def is_ours(policy: Policy, address: str) -> bool:
    """Whether an address is one of our mailboxes, with a tag or without."""
    return without_tag(address) in policy.mailbox_by_address
