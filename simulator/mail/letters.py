"""What a post office carries: envelopes, what became of each recipient, and the letters in a mailbox."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from simulator.mail import reading

WAITING, DELIVERED, REFUSED, GIVEN_UP = "waiting", "delivered", "refused", "given up"


@dataclass(frozen=True)
class Reply:
    """What a server said, or 0 and why nobody said anything (which is a failure for now)."""

    code: int
    text: str

    @property
    def is_good(self) -> bool:
        return 200 <= self.code < 300

    @property
    def is_final(self) -> bool:
        """Whether trying again is useless (RFC 5321, 4.2.1)."""
        return self.code >= 500

    def __str__(self) -> str:
        return f"{self.code} {self.text}" if self.code else self.text


@dataclass(frozen=True)
class Envelope:
    """``sender`` is empty for what must not be bounced; ``raw`` has CRLF line ends."""

    sender: str
    recipients: tuple[str, ...]
    raw: bytes


@dataclass(eq=False)
class Delivery:
    """One recipient of a letter that is on its way: WAITING, DELIVERED, REFUSED or GIVEN_UP."""

    recipient: str
    state: str = WAITING
    attempts: list[tuple[datetime, Reply]] = field(default_factory=list)
    next_at: datetime | None = None


@dataclass(eq=False)
class Letter:
    """One mail in one mailbox; ``direction`` is as its owner sees it: received or sent."""

    id: str
    mailbox: str
    direction: str
    envelope: Envelope
    at: datetime
    is_read: bool = False
    deliveries: Sequence[Delivery] = ()

    @cached_property
    def mail(self) -> reading.Mail:
        """What is in it; whatever the bytes are."""
        return reading.read(self.envelope.raw)
