"""What the listener says: 250 only after the commit, 4xx when we fail, 5xx only when it is for good (RFC 3463)."""

from __future__ import annotations

import errno
import logging

import sqlalchemy as sa

from core.errors import said_of

STORED = "250 2.6.0 stored"
RECIPIENT_OK = "250 2.1.5 it is for us"
TOO_BIG = "552 5.3.4 the message is larger than {limit} bytes"
TOO_MANY_RECIPIENTS = "452 4.5.3 too many recipients; send the rest in another transaction"
NO_MAILBOX = "550 5.1.1 there is no such mailbox here"
NO_RELAY = "550 5.7.1 mail for that domain is not taken here"
TOO_MANY_UNKNOWN = "421 4.7.0 too many unknown recipients; goodbye"
TOO_MANY_CONNECTIONS = "421 4.3.2 too many connections; try again later"
BUSY = "452 4.3.1 too much mail at once; try again later"
NO_ROOM = "452 4.3.1 there is no room for mail; try again later"
NO_TLS = "454 4.7.0 TLS has failed"
FAILED = "451 4.3.0 we have failed, not the message; try again later"
GOODBYE = "421 4.3.2 the service is being stopped; try again later"

log = logging.getLogger(__name__)


def reply_to(error: BaseException) -> str:
    """What to say when keeping a mail, or looking for its recipient, has failed: always to try again."""
    log.error("a mail is not taken now: %s", said_of(error))
    log.debug("its traceback", exc_info=error)
    return NO_ROOM if _is_full(error) else FAILED


def _is_full(error: BaseException) -> bool:
    """Whether a disk is full: the machine's, or the database's (SQLite's text, PostgreSQL's class 53)."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    if not isinstance(error, sa.exc.DBAPIError):
        return False
    state = getattr(error.orig, "sqlstate", None) or ""
    return state in ("53100", "53200") or "disk is full" in str(error.orig)
