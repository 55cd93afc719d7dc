"""The SMTP server that the product hands its mail to. Loopback only."""

from __future__ import annotations

import logging

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Session
from aiosmtpd.smtp import Envelope as Incoming

from simulator.mail import letters, reading
from simulator.mail.office import PostOffice

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
MAX_BYTES = 60_000_000


class _Counter:
    """Asks the engine about each recipient, and hands it the mail."""

    def __init__(self, office: PostOffice) -> None:
        self._office = office

    async def handle_RCPT(  # noqa: N802 - the name that aiosmtpd calls
        self, _server: SMTP, _session: Session, envelope: Incoming, address: str, _options: list[str]
    ) -> str:
        """Take a recipient, or answer as its mailbox behaves."""
        office, sender = self._office, _sender(envelope)
        refusal = office.scheduler.ask(lambda: office.refusal(sender, address))
        if refusal is not None:
            return str(refusal)
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Incoming) -> str:  # noqa: N802
        """Put a mail into the mailboxes of its recipients."""
        office = self._office
        raw = envelope.original_content or b""
        reading.read(raw)
        taken = letters.Envelope(_sender(envelope), tuple(envelope.rcpt_tos), raw)
        return f"250 2.0.0 kept as {office.scheduler.ask(lambda: office.take(taken))}"

    async def handle_exception(self, error: Exception) -> str:
        """Whatever goes wrong here is no fault of the mail's: it is to be sent again."""
        log.error("the post office failed: %r", error)
        return "451 4.3.0 the post office has failed, try again later"


def _sender(envelope: Incoming) -> str:
    """The return path without its brackets; empty for the null one."""
    return (envelope.mail_from or "").strip("<>")


def listen(office: PostOffice, port: int) -> Controller:
    """Open the counter: it is taking mail when this returns. ``stop()`` closes it. Raises OSError."""
    controller = Controller(
        _Counter(office),
        hostname=HOST,
        port=port,
        data_size_limit=MAX_BYTES,
        enable_SMTPUTF8=True,
        server_hostname=office.name,
        ident="simulated post office",
    )
    controller.start()
    return controller
