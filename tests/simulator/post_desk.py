"""A post office in virtual time, a product that takes its mail, and real listeners on this machine."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP
from aiosmtpd.smtp import Envelope as Incoming

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


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class MailServer:
    """Somebody's mail server; ``refusals`` by recipient, ``at_the_end`` is what it says to the mail itself."""

    refusals: dict[str, str] = field(default_factory=dict)
    at_the_end: str = "250 2.6.0 stored"
    taken: list[Incoming] = field(default_factory=list)
    options: list[str] = field(default_factory=list)
    url: str = ""

    async def handle_MAIL(  # noqa: N802
        self, _server: Any, _session: Any, envelope: Incoming, address: str, options: list[str]
    ) -> str:
        envelope.mail_from, self.options = address, options
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, _server: Any, _session: Any, envelope: Incoming, address: str, _options: list[str]
    ) -> str:
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Incoming) -> str:  # noqa: N802
        self.taken.append(envelope)
        if "lmtp" in self.url:
            return "\r\n".join(
                self.at_the_end if number == 0 else "250 OK" for number in range(len(envelope.rcpt_tos))
            )
        return self.at_the_end


@contextmanager
def mail_server(protocol: str = "smtp", **settings: Any) -> Iterator[MailServer]:
    """A mail server that is open on a free port; ``settings`` are aiosmtpd's."""
    server, port = MailServer(), free_port()
    server.url = f"{protocol}://127.0.0.1:{port}"
    kind: type[SMTP] = LMTP if protocol == "lmtp" else SMTP

    class Listening(Controller):
        def factory(self) -> SMTP:
            return kind(server, **self.SMTP_kwargs)

    controller = Listening(server, hostname="127.0.0.1", port=port, **settings)
    controller.start()
    try:
        yield server
    finally:
        controller.stop()
