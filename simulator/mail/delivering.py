"""Handing mail to the product's listener, by SMTP or LMTP, as a mail server would."""

from __future__ import annotations

import queue
import smtplib
import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from simulator.mail.letters import Envelope, Reply
from simulator.scheduler import LiveScheduler

PATIENCE_S = 60.0
Replies = dict[str, Reply]
"""What was said of each recipient."""


class Carrier(Protocol):
    """Hands one envelope over and gives the replies to ``done`` on the engine's thread."""

    def carry(self, envelope: Envelope, done: Callable[[Replies], None]) -> None: ...


class InlineCarrier:
    """Virtual time: ``deliver`` is called right here."""

    def __init__(self, deliver: Callable[[Envelope], Replies]) -> None:
        self.deliver = deliver

    def carry(self, envelope: Envelope, done: Callable[[Replies], None]) -> None:
        done(self.deliver(envelope))


class PooledCarrier:
    """Real time: a few daemon threads do the waiting, so that a slow listener never blocks the engine."""

    def __init__(
        self, scheduler: LiveScheduler, deliver: Callable[[Envelope], Replies], threads: int = 4
    ) -> None:
        self._scheduler, self.deliver = scheduler, deliver
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        for number in range(threads):
            threading.Thread(target=self._work, name=f"mail-{number}", daemon=True).start()

    def carry(self, envelope: Envelope, done: Callable[[Replies], None]) -> None:
        def job() -> None:
            replies = self.deliver(envelope)
            self._scheduler.after(0, lambda: done(replies))

        self._jobs.put(job)

    def _work(self) -> None:
        while True:
            self._jobs.get()()


@dataclass(frozen=True)
class Listener:
    """Where the product takes mail: ``smtp://host:port``, ``lmtp://host:port`` or ``lmtp+unix:///path``."""

    url: str
    name: str = "mx.example"

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        at_port = parts.scheme in {"smtp", "lmtp"} and parts.hostname and parts.port
        if not at_port and not (parts.scheme == "lmtp+unix" and parts.path):
            raise ValueError(f"{self.url} is not smtp://host:port, lmtp://host:port or lmtp+unix:///path")

    def __call__(self, envelope: Envelope) -> Replies:
        """Hand it over; what was said of each recipient. Never raises for what the other side does."""
        try:
            server = self._connected()
        except (OSError, smtplib.SMTPException) as error:
            return _all(envelope.recipients, _failure(error, f"nobody takes mail at {self.url}"))
        try:
            return _conversation(server, envelope)
        except (OSError, smtplib.SMTPException) as error:
            return _all(envelope.recipients, _failure(error, "the connection broke"))
        finally:
            _take_leave(server)

    def _connected(self) -> smtplib.SMTP:
        parts = urlsplit(self.url)
        kind = smtplib.SMTP if parts.scheme == "smtp" else smtplib.LMTP
        host, port = (
            (parts.path, 0) if parts.scheme == "lmtp+unix" else (parts.hostname or "", parts.port or 0)
        )
        server = kind(host, port, local_hostname=self.name, timeout=PATIENCE_S)
        try:
            server.ehlo()
            if server.has_extn("starttls"):
                server.starttls(context=_opportunistic())
                server.ehlo()
        except BaseException:
            server.close()
            raise
        return server


def _opportunistic() -> ssl.SSLContext:
    """Between mail servers any certificate is better than none (RFC 7435)."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _conversation(server: smtplib.SMTP, envelope: Envelope) -> Replies:
    international = not all(each.isascii() for each in (envelope.sender, *envelope.recipients))
    if international and not server.has_extn("smtputf8"):
        return _all(envelope.recipients, Reply(553, "5.6.7 the listener takes no addresses beyond ASCII"))
    options = [f"SIZE={len(envelope.raw)}"] if server.has_extn("size") else []
    options += ["BODY=8BITMIME"] if server.has_extn("8bitmime") else []
    options += ["SMTPUTF8"] if international else []
    if international:
        server.command_encoding = "utf-8"
    said = _reply(server.mail(envelope.sender, options))
    if not said.is_good:
        return _all(envelope.recipients, said)
    replies = {recipient: _reply(server.rcpt(recipient)) for recipient in envelope.recipients}
    taken = [recipient for recipient, reply in replies.items() if reply.is_good]
    return replies | _data(server, taken, envelope.raw)


def _data(server: smtplib.SMTP, taken: Sequence[str], raw: bytes) -> Replies:
    if not taken:
        return {}
    try:
        said = _reply(server.data(raw))
    except smtplib.SMTPDataError as error:  # it did not ask for the mail at all
        return _all(taken, _reply((error.smtp_code, error.smtp_error)))
    if not isinstance(server, smtplib.LMTP):
        return _all(taken, said)
    # LMTP answers for each recipient (RFC 2033, 4.2); smtplib has read the first of them.
    return {recipient: _reply(server.getreply()) if index else said for index, recipient in enumerate(taken)}


def _all(recipients: Sequence[str], reply: Reply) -> Replies:
    return dict.fromkeys(recipients, reply)


def _reply(said: tuple[int, bytes | str]) -> Reply:
    code, text = said
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return Reply(code, " ".join(words.split()))


def _failure(error: Exception, what: str) -> Reply:
    if isinstance(error, smtplib.SMTPResponseException):
        return _reply((error.smtp_code, error.smtp_error))
    return Reply(0, f"{what} ({getattr(error, 'strerror', None) or error or type(error).__name__})")


def _take_leave(server: smtplib.SMTP) -> None:
    try:
        server.quit()
    except (OSError, smtplib.SMTPException):
        server.close()
