"""The dialogue of one connection: SMTP (RFC 5321) and LMTP (RFC 2033), on aiosmtpd.

What aiosmtpd does otherwise than we want is done here: the text after DATA (its lines may be long, its pieces
need little memory), replies that blame us and not the mail when we fail, limits of the connection, no AUTH.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import defaultdict
from typing import Any, AnyStr, Protocol

from aiosmtpd.smtp import SMTP, Envelope, Session, TLSSetupException

from intake.mail.ways_in import replies
from intake.mail.ways_in.transfer import NoRoom, TooBig, read_text

COMMAND_BYTES = 2_000
PIECE_BYTES = 64 * 1024
IDLE_S = 300.0
RECIPIENTS = 100
UNKNOWN_RECIPIENTS = 20
# How often a command may be given in one connection: mail comes by the thousand, idle chatter does not.
_CALLS = {"*": 100, "MAIL": 100_000, "RCPT": 1_000_000, "DATA": 100_000, "RSET": 100_000}
_SIZE = re.compile(r"(?:^|\s)SIZE=(\d+)(?=\s|$)", re.IGNORECASE)

# It logs senders, recipients and the text of mails.
logging.getLogger("mail.log").setLevel(logging.CRITICAL)


class Desk(Protocol):
    """What a connection asks of the listener."""

    hostname: str
    max_bytes: int

    def enter(self, connection: object, peer: object) -> bool:
        """A connection has come; whether it is let in."""

    def leave(self, connection: object) -> None:
        """It is gone."""

    def has_room(self, connection: object, more: int) -> bool:
        """Whether ``more`` bytes of text still have room."""

    def gives_back(self, connection: object) -> None:
        """The connection's text is not kept in memory any more."""

    async def recipient(self, address: str) -> str:
        """The reply to a recipient; one that begins with 250 takes it."""

    async def keep(self, raw: bytes, envelope: Envelope, session: Session) -> str:
        """Keep a mail; the reply to it."""


class Dialogue(SMTP):
    """One SMTP connection."""

    command_size_limit = COMMAND_BYTES
    line_length_limit = PIECE_BYTES  # of the reader; a line of a mail's text may be longer

    def __init__(self, desk: Desk, **options: Any) -> None:
        # aiosmtpd shares one table among all connections, and each new connection clears it.
        self.command_size_limits = defaultdict(lambda: COMMAND_BYTES)
        self._desk, self._unknown, self._entered = desk, 0, False
        super().__init__(
            self,
            data_size_limit=desk.max_bytes,
            enable_SMTPUTF8=True,
            hostname=desk.hostname,
            ident="ESMTP",
            timeout=IDLE_S,
            command_call_limit=_CALLS,
            **options,
        )

    # -- the connection ------------------------------------------------------------------------------------

    def connection_lost(self, error: Exception | None) -> None:
        """Forget it."""
        self._desk.leave(self)
        super().connection_lost(error)

    async def _handle_client(self) -> None:
        assert self.session is not None
        if self._desk.enter(self, self.session.peer):
            await super()._handle_client()
        elif self.transport is not None:
            await self.push(replies.TOO_MANY_CONNECTIONS)
            self.transport.close()

    async def push(self, status: AnyStr) -> None:
        """Answer; whoever has gone does not hear it."""
        if self.transport is not None and not self.transport.is_closing():
            await super().push(status)

    async def handle_EHLO(  # noqa: N802  # the name that aiosmtpd calls
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, lines: list[str]
    ) -> list[str]:
        """What we can do: more than aiosmtpd says, and no AUTH."""
        session.host_name = hostname
        able = [line for line in lines[:-1] if not line.startswith("250-AUTH")]
        return [*able, "250-PIPELINING", "250 ENHANCEDSTATUSCODES"]

    async def handle_exception(self, error: Exception) -> str:
        """Whatever it is, it is our failure; the sender keeps the mail."""
        if isinstance(error, TLSSetupException):
            return replies.NO_TLS  # nobody hears it; and no log is filled by those who try ports
        return replies.reply_to(error)

    # -- commands ------------------------------------------------------------------------------------------

    async def smtp_AUTH(self, arg: str) -> None:  # noqa: N802
        """Nobody signs in here."""
        await self.push("502 5.5.1 not offered")

    async def smtp_VRFY(self, arg: str) -> None:  # noqa: N802
        """Addresses are not told."""
        await self.push("252 2.5.0 send mail to it, and you will see")

    async def smtp_HELP(self, arg: str) -> None:  # noqa: N802
        """None."""
        await self.push("214 2.0.0 RFC 5321")

    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802
        """The sender. What is too big is refused before it is sent."""
        size = _SIZE.search(arg or "")
        if size is not None and (len(size[1]) > 18 or int(size[1]) > self._desk.max_bytes):
            await self.push(replies.TOO_BIG.format(limit=self._desk.max_bytes))
            return
        await super().smtp_MAIL(arg)

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        try:
            address, rest = super()._getaddr(arg)
        except Exception:  # noqa: BLE001  # the library's address parser trips over its own feet
            return None, None
        return address, rest

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """A recipient."""
        if len(envelope.rcpt_tos) >= RECIPIENTS:
            return replies.TOO_MANY_RECIPIENTS
        reply = await self._desk.recipient(clean(address))
        if reply.startswith("250"):
            envelope.rcpt_tos.append(clean(address))
        elif reply.startswith("5"):
            self._unknown += 1
        return replies.TOO_MANY_UNKNOWN if self._unknown > UNKNOWN_RECIPIENTS else reply

    async def smtp_RCPT(self, arg: str | None) -> None:  # noqa: N802
        """A recipient; whoever tries many that are none is sent away."""
        await super().smtp_RCPT(arg)
        if self._unknown > UNKNOWN_RECIPIENTS:
            await self._hang_up()

    async def smtp_DATA(self, arg: str | None) -> None:  # noqa: N802
        """The text."""
        if await self.check_helo_needed():
            return
        assert self.envelope is not None
        if not self.envelope.rcpt_tos:
            await self.push("554 5.5.1 no valid recipients")
            return
        if arg:
            await self.push("501 5.5.4 Syntax: DATA")
            return
        await self.push("354 end with <CR><LF>.<CR><LF>")
        count = self._replies_for(len(self.envelope.rcpt_tos))
        try:
            reply, goes_on = await self._read_and_keep()
        finally:
            self._desk.gives_back(self)
        self._set_rset_state()  # type: ignore[no-untyped-call]
        for _ in range(count):
            await self.push(reply)
        if not goes_on:
            await self._hang_up()

    def _replies_for(self, recipients: int) -> int:
        """How many replies a mail to so many recipients gets."""
        return 1

    async def _read_and_keep(self) -> tuple[str, bool]:
        """The reply to the text, and whether the dialogue goes on."""
        assert self.envelope is not None
        assert self.session is not None
        try:
            raw = await read_text(self._reader, self._desk.max_bytes, self._came)
        except TooBig as error:
            return replies.TOO_BIG.format(limit=self._desk.max_bytes), error.drained
        except NoRoom:
            return replies.BUSY, True
        try:
            return await self._desk.keep(raw, self.envelope, self.session), True
        except Exception as error:  # noqa: BLE001  # whatever it is, the sender must keep the mail
            return replies.reply_to(error), True

    def _came(self, count: int) -> bool:
        self._reset_timeout()  # a slow line is no idle one
        return self._desk.has_room(self, count)

    async def _hang_up(self) -> None:
        """Close, once what was said last is sent; nothing more is read as a command."""
        if self.transport is not None:
            self.transport.close()
        await asyncio.Event().wait()  # the loss of the connection ends it


class LocalDialogue(Dialogue):
    """One LMTP connection: as SMTP, but greeted by LHLO, and with a reply for each recipient."""

    async def smtp_LHLO(self, arg: str) -> None:  # noqa: N802
        """The greeting."""
        await super().smtp_EHLO(arg)

    async def smtp_EHLO(self, hostname: str) -> None:  # noqa: N802
        """Not in LMTP."""
        await self.push("500 5.5.1 this is LMTP: LHLO")

    async def smtp_HELO(self, hostname: str) -> None:  # noqa: N802
        """Not in LMTP."""
        await self.push("500 5.5.1 this is LMTP: LHLO")

    def _replies_for(self, recipients: int) -> int:
        return recipients


def clean(address: str) -> str:
    """An address of the dialogue as text that can be stored: no halves of characters, no control characters."""
    text = address.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(character for character in text if character.isprintable())
