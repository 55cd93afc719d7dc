"""Outbound mail: one message handed to the configured SMTP server, and what became of it."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from email.message import EmailMessage
from email.utils import parseaddr

from core.errors import ChannelError
from core.mail_connections import Connections
from core.settings import Settings


class MailError(ChannelError):
    """A message was not taken. ``permanent``: it never will be (RFC 5321: a 5xx reply); else try again later."""


class Mailer:
    """Sends over the server of ``NIGHTBELL_SMTP_URL``, mails that follow each other over one connection."""

    def __init__(self, settings: Settings) -> None:
        self._url = settings.smtp_url.get_secret_value()
        self._connections = Connections(self._url)
        self.sender = settings.mail_from

    @property
    def configured(self) -> bool:
        """Whether there is a server to send over; without one nothing is written to be sent."""
        return bool(self._url)

    def send(self, message: EmailMessage, to: str, *, envelope_from: str | None = None) -> None:
        """Hand ``message`` over for ``to``; :class:`MailError` if it was not taken.

        ``envelope_from`` is where bounces go: our address by default, ``""`` for what must not be bounced
        (RFC 3834). A message without a sender gets ours.
        """
        if "From" not in message:
            message["From"] = self.sender
        with self._server() as server, _errors():
            sender = parseaddr(self.sender)[1] if envelope_from is None else envelope_from
            server.send_message(message, sender, [to])

    def hand_over(self, raw: bytes, recipients: Sequence[str], *, envelope_from: str) -> dict[str, MailError]:
        """Hand a finished message over; what the server said of each recipient that it did not take.

        ``raw`` has CRLF line ends and is sent as it is. :class:`MailError` if the server took nothing at all, for
        a reason that is none of a recipient's. Addresses beyond ASCII need a server with SMTPUTF8 (RFC 6531).
        """
        international = not all(each.isascii() for each in (envelope_from, *recipients))
        with self._server() as server, _errors():
            server.ehlo_or_helo_if_needed()
            if international and not server.has_extn("smtputf8"):
                raise MailError("the mail server takes no addresses beyond ASCII (SMTPUTF8)", permanent=True)
            options = ["SMTPUTF8", "BODY=8BITMIME"] if international else []
            try:
                refused = server.sendmail(envelope_from, list(recipients), raw, options)
            except smtplib.SMTPRecipientsRefused as error:
                # It went to nobody; after a 421 the rest were not even asked for.
                last = list(error.recipients.values())[-1]
                refused = dict.fromkeys(recipients, last) | error.recipients
            return {address: _refusal(*reply) for address, reply in refused.items()}

    def tidy(self) -> None:
        """Close connections that no mail has used for some seconds; whoever sends calls this over and over."""
        self._connections.tidy()

    def close(self) -> None:
        """Close all connections; another mail opens one."""
        self._connections.tidy(0)

    @contextmanager
    def _server(self) -> Iterator[smtplib.SMTP]:
        if not self.configured:
            raise MailError("no mail server is set; set NIGHTBELL_SMTP_URL", permanent=True)
        with ExitStack() as stack:
            with _errors(connecting=True):
                server = stack.enter_context(self._connections.server())
            yield server


@contextmanager
def _errors(*, connecting: bool = False) -> Iterator[None]:
    """Say what went wrong with a server as a :class:`MailError`.

    What it says before it has seen a message is said of us or of itself, and may be better tomorrow.
    """
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        raise _refusal(*next(iter(error.recipients.values()))) from None
    except smtplib.SMTPResponseException as error:
        refusal = _refusal(error.smtp_code, error.smtp_error)
        raise MailError(str(refusal), permanent=refusal.permanent and not connecting) from None
    except (smtplib.SMTPException, OSError) as error:
        raise MailError(f"the mail server does not answer: {type(error).__name__}", permanent=False) from None


def _refusal(code: int, text: bytes | str) -> MailError:
    return MailError(f"{code} {_shown(text)}", permanent=code >= 500)


def _shown(text: bytes | str) -> str:
    return (text.decode("utf-8", "replace") if isinstance(text, bytes) else text)[:200]
