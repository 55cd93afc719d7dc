"""Connections to the mail server, kept for the mails that follow at once.

Most of what a mail costs is the way to the server: its greeting, TLS, the sign-in. A connection is kept for a few
seconds after a mail that went well. Before it is used again it is asked to forget the last mail (RSET): one that the
server has closed meanwhile is found out then, when nothing of the next mail has been said, and another one is made.
What is lost later is lost as on a new connection: nobody knows whether the mail was taken, and it is tried again.
"""

from __future__ import annotations

import functools
import smtplib
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

PATIENCE_S = 10
KEPT_S = 3.0
MOST_MAILS = 50  # on one connection: servers get tired of guests


@dataclass
class _Kept:
    """A connection at rest: since when (time.monotonic), and how many mails have gone over it."""

    server: smtplib.SMTP
    since: float
    mails: int

    def close(self) -> None:
        """Say goodbye, and do not wait for the answer: a server that hangs must not hold anybody up."""
        with suppress(smtplib.SMTPException, OSError):
            self.server.putcmd("quit")
        self.server.close()

    def __del__(self) -> None:
        self.server.close()


class Connections:
    """Connections to the server at a URL; safe to use from many threads, each of which has one of its own."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._kept: list[_Kept] = []

    @contextmanager
    def server(self) -> Iterator[smtplib.SMTP]:
        """A server that waits for a mail; kept if the block ends well. Errors are those of ``smtplib``."""
        kept = self._waiting() or _Kept(_connected(self._url), time.monotonic(), 0)
        try:
            yield kept.server
        except BaseException:
            kept.close()
            raise
        kept.mails, kept.since = kept.mails + 1, time.monotonic()
        if kept.server.sock is None or kept.mails >= MOST_MAILS:
            kept.close()
            return
        with self._lock:
            self._kept.append(kept)

    def tidy(self, longer_than_s: float = KEPT_S) -> None:
        """Close what has not been used for so long."""
        until = time.monotonic() - longer_than_s
        with self._lock:
            old = [each for each in self._kept if each.since <= until]
            self._kept = [each for each in self._kept if each.since > until]
        for each in old:
            each.close()

    def _waiting(self) -> _Kept | None:
        """One that was used a moment ago, and still answers."""
        while True:
            with self._lock:
                if not self._kept:
                    return None
                kept = self._kept.pop()
            if time.monotonic() - kept.since < KEPT_S and _answers(kept.server):
                return kept
            kept.close()


def _answers(server: smtplib.SMTP) -> bool:
    try:
        return server.rset()[0] == 250
    except (smtplib.SMTPException, OSError):
        return False


@functools.cache
def _trust() -> ssl.SSLContext:
    """The certificates that this machine trusts; reading them takes longer than handing over a mail."""
    return ssl.create_default_context()


def _connected(url_of_server: str) -> smtplib.SMTP:
    url = urlsplit(url_of_server)
    host = url.hostname or ""
    server: smtplib.SMTP
    if url.scheme == "smtps":
        server = smtplib.SMTP_SSL(host, url.port or 465, timeout=PATIENCE_S, context=_trust())
    else:
        server = smtplib.SMTP(host, url.port or 25, timeout=PATIENCE_S)
    try:
        server.ehlo()
        if url.scheme == "smtp" and server.has_extn("starttls"):
            server.starttls(context=_trust())
            server.ehlo()
        if url.username:
            server.login(unquote(url.username), unquote(url.password or ""))
    except BaseException:
        server.close()
        raise
    return server
