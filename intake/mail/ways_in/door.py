"""What every way in needs of the house: is this address ours, and keep this mail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.mail_addresses import ascii_domain
from intake.mail import receiving
from intake.mail.parsing import Envelope
from intake.mail.parsing.authentication import Method
from routing.context import Context


@dataclass(frozen=True)
class Door:
    """The door that a way in knocks at; all three may block, and raise whatever a database raises.

    ``knows`` says whether mail to an address is for us, ``serves`` whether a domain is ours.
    ``store`` keeps a mail, its bytes as they came: once it has returned, the mail is safe. The verdicts on its
    sender are None where nobody looked, so that the mail's own fields may be read.
    """

    knows: Callable[[str], bool]
    serves: Callable[[str], bool]
    store: Callable[[bytes, Envelope, str, Sequence[Method] | None], object]


def door_of(context: Context) -> Door:
    """The door of the house."""

    def knows(address: str) -> bool:
        return receiving.known_recipient(context.policies.current().policy, address) is not None

    def serves(domain: str) -> bool:
        boxes = context.policies.current().policy.mailboxes.values()
        ours = (each for box in boxes for each in (box.address, *box.aliases))
        return ascii_domain(domain) in {ascii_domain(address.rpartition("@")[2]) for address in ours}

    def store(raw: bytes, envelope: Envelope, via: str, verdicts: Sequence[Method] | None) -> object:
        return receiving.store(context, raw, envelope, via, authentication=verdicts)

    return Door(knows, serves, store)
