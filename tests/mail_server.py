"""Somebody's mail server on this machine, by SMTP or LMTP: it keeps what it takes, and refuses as it is told."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP
from aiosmtpd.smtp import Envelope as Incoming


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
