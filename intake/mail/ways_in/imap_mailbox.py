"""One connection to a mailbox by IMAP (RFC 3501, 2177, 6851), on imap-tools.

A fetch never marks a mail as read (BODY.PEEK), and nothing that somebody else has marked as deleted is expunged:
imap-tools' own ``flag`` and ``move`` would do so.
"""

from __future__ import annotations

import imaplib
import re
import select
import ssl
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from imap_tools import BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted
from imap_tools.errors import MailboxLoginError, UnexpectedCommandStatusError
from imap_tools.utils import encode_folder

from core.setting_values import OAUTH
from intake.mail.ways_in.oauth import NoToken, Tokens

KEYWORD = "$NightbellStored"
_PATIENCE_S = 60
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)")


class MailboxError(Exception):
    """The mailbox cannot be used as it is; the text says what to do about it."""


class NotFetched(Exception):
    """The server does not give this one mail out."""


@dataclass(frozen=True)
class Account:
    """Where the mailbox is. ``done`` is the folder for what has been stored; empty: it stays, and is marked."""

    scheme: str
    host: str
    port: int
    user: str
    password: str
    folder: str
    done: str
    oauth: bool = False

    @classmethod
    def of(cls, url: str, done: str) -> Account:
        """The account of ``NIGHTBELL_IMAP_URL`` and ``NIGHTBELL_IMAP_DONE``."""
        parts = urlsplit(url)
        scheme = parts.scheme.removesuffix(OAUTH)
        port = parts.port or (993 if scheme == "imaps" else 143)
        folder = unquote(parts.path.lstrip("/")) or "INBOX"
        return cls(
            scheme, parts.hostname or "", port, unquote(parts.username or ""), unquote(parts.password or ""),
            folder, "" if done == "-" else done, oauth=scheme != parts.scheme,
        )  # fmt: skip


class Mailbox:
    """A connection, signed in, with the folder open. Raises what imaplib, imap-tools and the network raise."""

    def __init__(self, account: Account, tokens: Tokens | None = None) -> None:
        self._account, self._tokens = account, tokens
        self._box = _connected(account)
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Leave; a server that has gone does not mind."""
        try:
            self._box.client.shutdown()
        except OSError:
            return

    def _open(self) -> None:
        account, client = self._account, self._box.client
        if account.oauth:
            self._sign_in_by_token()
        else:
            self._sign_in()
        client.capabilities = tuple(client.capability()[1][0].decode().upper().split())  # more than before
        try:
            self._box.folder.set(account.folder)
        except UnexpectedCommandStatusError:
            raise MailboxError("there is no such folder to fetch from; see NIGHTBELL_IMAP_URL") from None
        self.validity = (client.response("UIDVALIDITY")[1] or [None])[0]
        if account.done:
            self._need_folder()
        elif not self._keeps_keywords():
            raise MailboxError(
                "the server keeps no keywords; set NIGHTBELL_IMAP_DONE to a folder to move mails to"
            )

    def _sign_in(self) -> None:
        account = self._account
        try:
            ascii_only = (account.user + account.password).isascii()
            login = self._box.login if ascii_only else self._box.login_utf8
            login(account.user, account.password, initial_folder=None)
        except (MailboxLoginError, imaplib.IMAP4.error) as error:
            if isinstance(error, imaplib.IMAP4.abort):
                raise
            raise MailboxError("the server refuses user and password; see NIGHTBELL_IMAP_URL") from None

    def _sign_in_by_token(self) -> None:
        """By OAUTHBEARER (RFC 7628) where the server knows nothing else, or XOAUTH2, which was there before."""
        assert self._tokens is not None, "a mailbox with +oauth is opened with tokens"
        user, client = self._account.user, self._box.client
        try:
            token = self._tokens.token()
        except NoToken as error:
            raise MailboxError(str(error)) from None
        only_standard = (
            "AUTH=OAUTHBEARER" in client.capabilities and "AUTH=XOAUTH2" not in client.capabilities
        )
        kind, head = ("OAUTHBEARER", f"n,a={user},\1") if only_standard else ("XOAUTH2", f"user={user}\1")
        # A refusal comes as a question with the reason, which is to be answered by nothing.
        answers = iter([f"{head}auth=Bearer {token}\1\1".encode()])
        try:
            client.authenticate(kind, lambda _: next(answers, b""))
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error:
            self._tokens.refused(token)
            raise MailboxError(
                "the server refuses the token: the user of NIGHTBELL_IMAP_URL, NIGHTBELL_IMAP_SCOPE and what the "
                "registered program may do must fit together"
            ) from None

    def _keeps_keywords(self) -> bool:
        flags = b" ".join(each for each in self._box.client.response("PERMANENTFLAGS")[1] if each)
        return b"\\*" in flags or KEYWORD.encode() in flags

    def _need_folder(self) -> None:
        done = self._account.done
        if done == self._account.folder:
            raise MailboxError(
                "mails would be moved to where they are; set NIGHTBELL_IMAP_DONE to another folder"
            )
        if not self._box.folder.exists(done):
            try:
                self._box.folder.create(done)
            except UnexpectedCommandStatusError as error:
                said = b" ".join(each for each in error.command_result[1] if each).decode("ascii", "replace")
                raise MailboxError(
                    f"the folder {done!r} cannot be made ({said}); see NIGHTBELL_IMAP_DONE"
                ) from None

    # -- what waits ----------------------------------------------------------------------------------------

    def waiting(self) -> list[str]:
        """The numbers (UIDs) of the mails that are to be fetched, the earliest first."""
        criteria = "UNDELETED" if self._account.done else f"UNDELETED UNKEYWORD {KEYWORD}"
        self._box.client.response("EXISTS")  # forgotten, so that what comes from here on is noticed
        return self._box.uids(criteria, charset=None)

    @property
    def has_news(self) -> bool:
        """Whether the server has said, since ``waiting``, that there is more."""
        return bool(self._box.client.untagged_responses.get("EXISTS"))

    def size(self, uid: str) -> int | None:
        """How many bytes a mail has; None if it has gone. :class:`NotFetched` if the server refuses."""
        # Asked for each mail alone: there are servers that hang up on the one that is broken.
        found = (_SIZE.search(line) for line in self._fetched(uid, "RFC822.SIZE") if isinstance(line, bytes))
        return next((int(size[1]) for size in found if size), None)

    def fetch(self, uid: str, limit: int | None = None) -> bytes | None:
        """A mail, or its first ``limit`` bytes; None if it has gone. :class:`NotFetched` if the server refuses."""
        return self._body(uid, "BODY.PEEK[]" if limit is None else f"BODY.PEEK[]<0.{limit}>")

    def fetch_header(self, uid: str) -> bytes | None:
        """The header of a mail alone."""
        return self._body(uid, "BODY.PEEK[HEADER]")

    def _body(self, uid: str, what: str) -> bytes | None:
        for each in self._fetched(uid, what):
            if isinstance(each, tuple):
                return bytes(each[1])
            if each and b"BODY[" in each:
                return b""  # an empty one comes as a string, not as a literal
        return None

    def _fetched(self, uid: str, what: str) -> list[Any]:
        status, found = self._box.client.uid("FETCH", uid, f"({what})")
        if status != "OK":
            raise NotFetched(status)
        return list(found)

    # -- what is done --------------------------------------------------------------------------------------

    def put_away(self, uid: str) -> None:
        """Move a mail that is stored to its folder, or mark it; :class:`MailboxError` if the server refuses."""
        if not self._account.done:
            self._must("STORE", uid, "+FLAGS", f"({KEYWORD} \\Seen)")
            return
        folder = encode_folder(self._account.done)
        if "MOVE" in self._box.client.capabilities:
            self._must("MOVE", uid, folder)
            return
        self._must("COPY", uid, folder)
        self._must("STORE", uid, "+FLAGS", "(\\Deleted)")
        if "UIDPLUS" in self._box.client.capabilities:
            self._must("EXPUNGE", uid)

    def _must(self, *command: Any) -> None:
        status, _ = self._box.client.uid(*command)
        if status != "OK":
            raise MailboxError(f"the server refuses to {command[0]}: {status}")

    # -- waiting -------------------------------------------------------------------------------------------

    @property
    def can_idle(self) -> bool:
        """Whether the server tells of new mail by itself."""
        return "IDLE" in self._box.client.capabilities

    def idle(self) -> Idle:
        """Listen for new mail: ``with mailbox.idle() as idle: idle.hears(1.0)``."""
        return Idle(self._box)

    def poll(self) -> None:
        """Have the server look for new mail."""
        self._box.client.noop()


class Idle:
    """The server tells of new mail while this is open."""

    def __init__(self, box: BaseMailBox) -> None:
        self._box = box

    def __enter__(self) -> Idle:
        self._box.idle.start()  # type: ignore[no-untyped-call]
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._box.idle.stop()  # type: ignore[no-untyped-call]

    def hears(self, seconds: float) -> bool:
        """Whether the server says anything, within so many seconds; that it has hung up counts as well."""
        client = self._box.client
        if self._has_line():  # it came together with something else, and waits in a buffer, not in the socket
            return True
        poller = select.poll()
        poller.register(client.sock.fileno(), select.POLLIN)
        return bool(poller.poll(seconds * 1000))

    def _has_line(self) -> bool:
        client = self._box.client
        patience = client.sock.gettimeout()
        client.sock.settimeout(0)
        try:
            client._get_line()
        except (OSError, imaplib.IMAP4.abort):
            return False
        finally:
            client.sock.settimeout(patience)
        return True


def _connected(account: Account) -> BaseMailBox:
    context = ssl.create_default_context()
    if account.scheme == "imaps":
        return MailBox(account.host, account.port, timeout=_PATIENCE_S, ssl_context=context)
    if account.scheme == "imap":
        return MailBoxStartTls(account.host, account.port, timeout=_PATIENCE_S, ssl_context=context)
    return MailBoxUnencrypted(account.host, account.port, timeout=_PATIENCE_S)
