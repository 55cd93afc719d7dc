"""Who has which address: the product's own, and the mailboxes of everybody else."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from simulator.mail.letters import Letter
from simulator.mail.manners import Accepts, Manner


@dataclass(eq=False)
class Mailbox:
    """One address. ``letters`` are in their order; ``role``: customer, engineer, or empty for a stranger.

    ``deferred`` counts what its manner has put off, ``answered`` whom it has told that its owner is away.
    """

    address: str
    name: str = ""
    role: str = ""
    note: str = ""
    manner: Manner = field(default_factory=Accepts)
    letters: list[Letter] = field(default_factory=list)
    deferred: int = 0
    answered: dict[str, date] = field(default_factory=dict)

    @property
    def received(self) -> list[Letter]:
        return [letter for letter in self.letters if letter.direction == "received"]


@dataclass(frozen=True)
class Line:
    """An address of the product's, as it is written."""

    address: str
    name: str


class Directory:
    """Finds the owner of an address. The part of an address after a + is a tag, and leads nowhere else."""

    def __init__(self) -> None:
        self.lines: dict[str, Line] = {}
        self.mailboxes: dict[str, Mailbox] = {}

    def mailbox(self, address: str) -> Mailbox:
        """The mailbox of an address; a new one if nobody has it yet."""
        key = _plain(address)
        found = self.mailboxes.get(key) or self.mailboxes.get(_untagged(key))
        if found is None:
            found = self.mailboxes[key] = Mailbox(key)
        return found

    def add_line(self, address: str, name: str) -> None:
        key = _plain(address)
        known = self.lines.get(key)
        self.lines[key] = Line(known.address if known else address, name or address)

    def is_products(self, address: str) -> bool:
        """Whether the product takes mail for it: a line, or an address that nobody has in a line's domain."""
        key = _untagged(_plain(address))
        if key in self.lines or key in self.mailboxes:
            return key in self.lines
        return _domain(key) in {_domain(line) for line in self.lines}


def _plain(address: str) -> str:
    return address.strip().strip("<>").lower()


def _untagged(address: str) -> str:
    local, _, domain = address.rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def _domain(address: str) -> str:
    return address.rpartition("@")[2]
