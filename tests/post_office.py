"""A real SMTP server on this machine, that keeps what it takes."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope


class PostOffice:
    """Mail that was taken, by recipient; ``refusals`` maps a recipient to the reply it gets instead."""

    def __init__(self) -> None:
        self.letters: list[Envelope] = []
        self.refusals: dict[str, str] = {}
        self.url = ""

    async def handle_RCPT(  # noqa: N802  # the name that aiosmtpd calls
        self, _server: Any, _session: Any, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take a recipient, or refuse it as told."""
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:  # noqa: N802
        """Keep a letter."""
        self.letters.append(envelope)
        return "250 kept"

    def mail_to(self, address: str) -> list[EmailMessage]:
        """The messages for an address, the earliest first."""
        found = (letter for letter in self.letters if address in letter.rcpt_tos)
        return [
            message_from_bytes(bytes(letter.content or b""), policy=policy.default)  # type: ignore[arg-type]
            for letter in found
        ]


@contextmanager
def post_office() -> Iterator[PostOffice]:
    """A post office that is open on a free port."""
    office = PostOffice()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(office, hostname="127.0.0.1", port=port)
    controller.start()
    office.url = f"smtp+plain://127.0.0.1:{port}"
    try:
        yield office
    finally:
        controller.stop()
