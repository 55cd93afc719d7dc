"""The listener: SMTP or LMTP in one thread with an event loop; whatever blocks is done in threads beside it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv6Address, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aiosmtpd.smtp import Envelope as Said
from aiosmtpd.smtp import Session

from core.settings import Settings
from core.start import CannotStart
from intake.mail.parsing import Envelope
from intake.mail.parsing.authentication import Method
from intake.mail.ways_in import replies
from intake.mail.ways_in.certificates import Certificates
from intake.mail.ways_in.dialogue import Dialogue, LocalDialogue, clean
from intake.mail.ways_in.door import Door

CONNECTIONS, CONNECTIONS_OF_ONE = 100, 50
STORING, CHECKING = 8, 16  # those that store share their commits
_MAILS_AT_ONCE = 8
_STOP_S = 10.0

# (address of the peer, HELO name, envelope sender, the mail) -> verdicts; None: it is trusted, nobody looks.
Check = Callable[[str, str, str, bytes], Sequence[Method] | None]

log = logging.getLogger(__name__)


class CannotListen(CannotStart):
    """One line: what is wrong with the place, and what to do."""


class Listener:
    """Takes mail in at the place of ``NIGHTBELL_SMTP_LISTEN``; :class:`BadCertificate` if its TLS cannot work."""

    def __init__(self, settings: Settings, door: Door, check: Check, hostname: str) -> None:
        self.hostname, self.max_bytes = hostname, settings.mail_max_bytes
        self._place = urlsplit(settings.smtp_listen)
        self._door, self._check = door, check
        self._certificates = Certificates(settings.smtp_certificate, settings.smtp_key)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="smtp", daemon=True)
        self._storing = ThreadPoolExecutor(STORING, "store")
        self._checking = ThreadPoolExecutor(CHECKING, "check")
        self._peers: dict[object, str] = {}
        self._held: Counter[object] = Counter()
        self._server: asyncio.Server | None = None

    @property
    def is_local(self) -> bool:
        """Whether it speaks LMTP."""
        return self._place.scheme.startswith("lmtp")

    @property
    def port(self) -> int:
        """The port that it listens on."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    def start(self) -> None:
        """Listen, in a thread of its own; :class:`CannotListen` if the place is taken."""
        try:
            self._server = self._loop.run_until_complete(self._listen())
        except OSError as error:
            self._loop.close()
            raise CannotListen(
                f"cannot take mail in at {self._place.geturl()} ({error.strerror or error}); stop what uses it, or "
                "set NIGHTBELL_SMTP_LISTEN to another place"
            ) from None
        self._thread.start()

    def stop(self) -> None:
        """Take no more connections, finish what is being stored, and end."""
        if self._loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._storing.shutdown(cancel_futures=True)
        self._checking.shutdown(wait=False, cancel_futures=True)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def is_alive(self) -> bool:
        """Whether its thread runs."""
        return self._thread.is_alive()

    async def _listen(self) -> asyncio.Server:
        if self._place.scheme == "lmtp+unix":
            server = await self._loop.create_unix_server(self._dialogue, self._place.path)
            Path(self._place.path).chmod(0o660)
            return server
        return await self._loop.create_server(self._dialogue, self._place.hostname, self._place.port or 25)

    def _dialogue(self) -> Dialogue:
        options: dict[str, Any] = {"loop": self._loop, "tls_context": self._certificates.context()}
        return LocalDialogue(self, **options) if self.is_local else Dialogue(self, **options)

    async def _close(self) -> None:
        assert self._server is not None
        self._server.close()
        deadline = self._loop.time() + _STOP_S
        while self._held and self._loop.time() < deadline:
            await asyncio.sleep(0.02)
        for connection in [each for each in self._peers if isinstance(each, Dialogue)]:
            with contextlib.suppress(ConnectionError):
                await connection.push(replies.GOODBYE)
            if connection.transport is not None:
                connection.transport.close()
        await asyncio.sleep(0)

    # -- what a dialogue asks ------------------------------------------------------------------------------

    def enter(self, connection: object, peer: object) -> bool:
        """A connection has come; whether it is let in."""
        owner = _owner(peer_address(peer))
        if len(self._peers) >= CONNECTIONS or list(self._peers.values()).count(owner) >= CONNECTIONS_OF_ONE:
            return False
        self._peers[connection] = owner
        return True

    def leave(self, connection: object) -> None:
        """It is gone."""
        self._peers.pop(connection, None)
        self.gives_back(connection)

    def has_room(self, connection: object, more: int) -> bool:
        """Whether ``more`` bytes of text still have room among all that is being received."""
        self._held[connection] = min(self._held[connection] + more, self.max_bytes)  # no more is kept of one
        return sum(self._held.values()) <= self.max_bytes * _MAILS_AT_ONCE

    def gives_back(self, connection: object) -> None:
        """The connection's text is not kept in memory any more."""
        self._held.pop(connection, None)

    async def recipient(self, address: str) -> str:
        """The reply to a recipient."""
        try:
            known, served = await self._in_thread(self._storing, self._look_up, address)
        except Exception as error:  # noqa: BLE001  # the database does not answer: the sender asks again
            return replies.reply_to(error)
        if known:
            return replies.RECIPIENT_OK
        return replies.NO_MAILBOX if served else replies.NO_RELAY

    def _look_up(self, address: str) -> tuple[bool, bool]:
        known = self._door.knows(address)
        return known, known or self._door.serves(address.rpartition("@")[2])

    async def keep(self, raw: bytes, envelope: Said, session: Session) -> str:
        """Keep a mail; the reply to it, given only when it is safe."""
        sender = clean(envelope.mail_from or "")
        sender = "" if sender == "<>" else sender
        peer, helo = peer_address(session.peer), clean(session.host_name or "")
        verdicts = None
        if not self.is_local:
            verdicts = await self._in_thread(self._checking, self._check, peer, helo, sender, raw)
        via = "lmtp" if self.is_local else "smtp"
        heard = Envelope(sender, tuple(envelope.rcpt_tos))
        await self._in_thread(self._storing, self._door.store, raw, heard, via, verdicts)
        return replies.STORED

    async def _in_thread(self, pool: ThreadPoolExecutor, work: Callable[..., Any], *values: Any) -> Any:
        return await self._loop.run_in_executor(pool, work, *values)


def peer_address(peer: object) -> str:
    """The address of a connection's other end; empty for one on this machine's file system."""
    return str(peer[0]) if isinstance(peer, tuple) else ""


def _owner(address: str) -> str:
    """Whose a connection is: of IPv6, one customer of a provider has a network of 64 bits at least."""
    plain = address.partition("%")[0]
    if ":" not in plain:
        return plain
    return str(IPv6Address(plain).ipv4_mapped or ip_network(f"{plain}/64", strict=False))
