"""Outbound mail: one message handed to the configured SMTP server, and what became of it."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import parseaddr
from urllib.parse import unquote, urlsplit

from core.errors import ChannelError
from core.settings import Settings

_PATIENCE_S = 10


class MailError(ChannelError):
    """A message was not taken. ``permanent``: it never will be (RFC 5321: a 5xx reply); else try again later."""


class Mailer:
    """Sends over the server of ``NIGHTBELL_SMTP_URL``."""

    def __init__(self, settings: Settings) -> None:
        self._url = settings.smtp_url.get_secret_value()
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
        if not self.configured:
            raise MailError("no mail server is set; set NIGHTBELL_SMTP_URL", permanent=True)
        if "From" not in message:
            message["From"] = self.sender
        try:
            with self._connected() as server:
                sender = parseaddr(self.sender)[1] if envelope_from is None else envelope_from
                server.send_message(message, sender, [to])
        except smtplib.SMTPRecipientsRefused as error:
            code, text = next(iter(error.recipients.values()))
            raise MailError(f"{code} {_shown(text)}", permanent=code >= 500) from None
        except smtplib.SMTPResponseException as error:
            permanent = error.smtp_code >= 500 and not isinstance(error, smtplib.SMTPAuthenticationError)
            raise MailError(f"{error.smtp_code} {_shown(error.smtp_error)}", permanent=permanent) from None
        except (smtplib.SMTPException, OSError) as error:
            raise MailError(
                f"the mail server does not answer: {type(error).__name__}", permanent=False
            ) from None

    def _connected(self) -> smtplib.SMTP:
        url = urlsplit(self._url)
        host, context = url.hostname or "", ssl.create_default_context()
        server: smtplib.SMTP
        if url.scheme == "smtps":
            server = smtplib.SMTP_SSL(host, url.port or 465, timeout=_PATIENCE_S, context=context)
        else:
            server = smtplib.SMTP(host, url.port or 25, timeout=_PATIENCE_S)
        try:
            server.ehlo()
            if url.scheme == "smtp" and server.has_extn("starttls"):
                server.starttls(context=context)
                server.ehlo()
            if url.username:
                server.login(unquote(url.username), unquote(url.password or ""))
        except BaseException:
            server.close()
            raise
        return server


def _shown(text: bytes | str) -> str:
    return (text.decode("utf-8", "replace") if isinstance(text, bytes) else text)[:200]
