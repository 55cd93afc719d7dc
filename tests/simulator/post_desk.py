"""A post office in virtual time, and a product that takes its mail."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP as WIRE

from simulator.mail.delivering import Replies
from simulator.mail.letters import Envelope, Reply
from simulator.mail.office import PostOffice
from simulator.scheduler import VirtualScheduler

OURS = "MASsupport@nightbell.example"
GRACE, PRIYA = "grace@harbor.example", "priya@nightbell.example"


@dataclass
class Product:
    """Keeps what it takes; ``replies`` are given one after the other, then 250 for ever."""

    taken: list[Envelope] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)

    def __call__(self, envelope: Envelope) -> Replies:
        reply = self.replies.pop(0) if self.replies else Reply(250, "2.6.0 stored")
        if reply.is_good:
            self.taken.append(envelope)
        return dict.fromkeys(envelope.recipients, reply)


def new_office(product: Product) -> PostOffice:
    office = PostOffice(
        VirtualScheduler(datetime(2026, 3, 4, 8, 10, tzinfo=UTC)), product, name="mx.nightbell.example"
    )
    office.line(OURS, "Managed Services")
    office.mailbox(PRIYA).role = "engineer"
    return office


def pass_time(office: PostOffice, seconds: float) -> None:
    assert isinstance(office.scheduler, VirtualScheduler)
    office.scheduler.advance(seconds)


def mail(to: str = GRACE, **headers: str) -> bytes:
    """What the product sends: a mail with a Message-ID, and ``headers``."""
    message = EmailMessage(policy=WIRE)
    message["From"], message["To"], message["Subject"] = f"Services <{OURS}>", to, "Your case"
    message["Message-ID"] = "<c1042@nightbell.example>"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content("We have your mail. 🔔\n")
    return message.as_bytes()
