"""The puller: takes mail out of a mailbox, for as long as it runs, and puts it away only when it is stored.

Whatever breaks, a mail stays where it is until it is stored: a connection that is lost is made again, a database that
does not answer is waited for, a mail that cannot be fetched lets the others pass, and becomes a case from its header
in the end. A mail that was stored but not yet put away is stored once more, which the database knows as the same.
"""

from __future__ import annotations

import imaplib
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa
from imap_tools.errors import ImapToolsError

from core.errors import said_of
from core.settings import Settings
from intake.mail.parsing import Envelope
from intake.mail.ways_in.door import Door
from intake.mail.ways_in.imap_mailbox import Account, Mailbox, MailboxError, NotFetched
from intake.mail.ways_in.oauth import Tokens

IDLE_S, POLL_S = 50.0, 10.0
_STOP_S = 4.0
TRIES, GIVE_UP_S = 5, 900.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S, _LONGEST_TRY_S = 1.0, 60.0, 600.0

log = logging.getLogger(__name__)


class _NotStored(Exception):
    """The house could not keep a mail just now."""


@dataclass
class _Trouble:
    """A mail that could not be fetched: since when (time.monotonic), how often, and when to try again."""

    since: float
    tries: int = 0
    again_at: float = 0.0
    given_up: int = 0

    @property
    def is_hopeless(self) -> bool:
        """Whether it is the mail, and not the line, that is broken."""
        return self.tries > TRIES and time.monotonic() - self.since > GIVE_UP_S


class Puller:
    """Fetches from one mailbox of ``NIGHTBELL_IMAP_URL``. ``alive`` is called whenever it has been read."""

    def __init__(
        self, settings: Settings, door: Door, alive: Callable[[], None], url: str, name: str = "the mailbox"
    ) -> None:
        self._account, self._name = Account.of(url, settings.imap_done), name
        self._tokens = Tokens(settings)
        self._limit = settings.mail_max_bytes
        self._door, self._alive = door, alive
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="imap", daemon=True)
        self._validity: object = None
        self._troubles: dict[str, _Trouble] = {}
        self._stored: set[str] = set()
        self._pause_s = _FIRST_PAUSE_S
        self._mailbox: Mailbox | None = None

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the mail that is under way, and end."""
        self._stop.set()
        self._thread.join(_STOP_S)
        if self._thread.is_alive() and self._mailbox is not None:
            self._mailbox.close()  # it waits for a server that says nothing
            self._thread.join(_STOP_S)

    def is_alive(self) -> bool:
        """Whether its thread runs."""
        return self._thread.is_alive()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._pull()
            except MailboxError as error:
                log.error("%s cannot be read: %s", self._name, error)
            except (OSError, imaplib.IMAP4.error, ImapToolsError) as error:
                log.warning("%s does not answer: %s", self._name, type(error).__name__)
            except _NotStored as error:
                log.error("a mail is not stored now, and stays in the mailbox: %s", error)
            except Exception as error:  # whatever it is, mail goes on coming
                log.critical("fetching mail has stumbled, and goes on: %s", said_of(error), exc_info=True)
            self._stop.wait(self._pause_s)
            self._pause_s = min(self._pause_s * 2, _LONGEST_PAUSE_S)

    def _pull(self) -> None:
        """Read the mailbox over and over, on one connection."""
        mailbox = self._mailbox = Mailbox(self._account, self._tokens)
        try:
            if mailbox.validity != self._validity:
                # The numbers mean other mails now (RFC 3501, 2.3.1.1).
                self._validity = mailbox.validity
                self._troubles.clear()
                self._stored.clear()
            while not self._stop.is_set():
                self.sweep(mailbox)
                self._pause_s = _FIRST_PAUSE_S
                self._alive()
                if not mailbox.has_news:
                    self._wait(mailbox)
        finally:
            self._mailbox = None
            mailbox.close()

    def sweep(self, mailbox: Mailbox) -> None:
        """Take everything that waits, what has made trouble last."""
        waiting = mailbox.waiting()
        self._forget(set(waiting))
        refused: MailboxError | None = None
        for uid in sorted(waiting, key=self._tries):
            if self._stop.is_set():
                return
            if not self._is_time_for(uid):
                continue
            # Noted before it is tried: it may be the one on which the server hangs up.
            trouble = self._note_trouble(uid)
            if uid not in self._stored and not self._store(mailbox, uid, trouble):
                continue
            try:
                mailbox.put_away(uid)
            except MailboxError as error:
                refused = error  # the others can be stored all the same
            else:
                del self._troubles[uid]
        if refused is not None:
            raise refused

    def _store(self, mailbox: Mailbox, uid: str, trouble: _Trouble) -> bool:
        """Fetch and store a mail; whether it is safe now."""
        raw = self._fetch(mailbox, uid, trouble)
        if raw is None:
            return False
        try:
            self._door.store(raw, Envelope(), "imap", None)
        except (sa.exc.OperationalError, sa.exc.TimeoutError, OSError) as error:
            del self._troubles[uid]  # it is no fault of the mail
            raise _NotStored(said_of(error)) from error
        except Exception as error:  # noqa: BLE001  # it may be this mail alone: the others must not wait for it
            log.error("a mail is not stored, and stays in the mailbox: %s", said_of(error))
            return False
        self._stored.add(uid)
        return True

    def _fetch(self, mailbox: Mailbox, uid: str, trouble: _Trouble) -> bytes | None:
        """The mail, or what can be had of it in the end; None if there is nothing to store now."""
        if trouble.is_hopeless:
            log.error("a mail cannot be fetched or stored as it is; a case is made from its header")
            trouble.given_up += 1
            return _stand_in(_header(mailbox, uid) if trouble.given_up <= 2 else b"")
        try:
            size = mailbox.size(uid)
            if size is None or size <= self._limit:
                return mailbox.fetch(uid)
            log.warning("a mail of %s bytes is stored in part; all of it stays in the mailbox", size)
            part = mailbox.fetch(uid, self._limit) or b""
        except NotFetched:
            log.warning("the server does not give out a mail; it is tried again")
            return None
        return b"X-Nightbell-Cut: the first %d bytes of %d\r\n" % (len(part), size) + part

    def _is_time_for(self, uid: str) -> bool:
        trouble = self._troubles.get(uid)
        return trouble is None or time.monotonic() >= trouble.again_at

    def _note_trouble(self, uid: str) -> _Trouble:
        trouble = self._troubles.setdefault(uid, _Trouble(time.monotonic()))
        trouble.tries += 1
        trouble.again_at = time.monotonic() + min(_FIRST_PAUSE_S * 2**trouble.tries, _LONGEST_TRY_S)
        return trouble

    def _tries(self, uid: str) -> int:
        trouble = self._troubles.get(uid)
        return trouble.tries if trouble is not None else 0

    def _forget(self, there: set[str]) -> None:
        """Remember nothing of mails that are not there any more."""
        self._stored &= there
        for uid in set(self._troubles) - there:
            del self._troubles[uid]

    def _wait(self, mailbox: Mailbox) -> None:
        """Until the server tells of something, some time is over, or the end."""
        again_at = min((each.again_at for each in self._troubles.values()), default=float("inf"))
        until = min(again_at, time.monotonic() + (IDLE_S if mailbox.can_idle else POLL_S))
        if not mailbox.can_idle:
            self._stop.wait(max(0.0, until - time.monotonic()))
            mailbox.poll()
            return
        with mailbox.idle() as idle:
            while not self._stop.is_set() and time.monotonic() < until:
                if idle.hears(0.5):
                    return


def _header(mailbox: Mailbox, uid: str) -> bytes:
    try:
        return mailbox.fetch_header(uid) or b""
    except NotFetched:
        return b""


def _stand_in(header: bytes) -> bytes:
    """A mail that says that there is one which cannot be fetched, under that one's header."""
    kept, keeps = [], False
    for line in header.splitlines():
        if line[:1] not in (b" ", b"\t"):
            keeps = bool(line) and not line.lower().startswith((b"content-", b"mime-version"))
        if keeps:
            kept.append(line)
    if not any(line.lower().startswith(b"subject:") for line in kept):
        kept.append(b"Subject: A mail that cannot be fetched")
    text = b"This mail cannot be fetched. It is still in the mailbox: somebody must look at it."
    return b"\r\n".join([*kept, b"", text, b""])
