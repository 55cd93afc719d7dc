"""How a request of the telephone company is answered: done once, kept with its receipt, spooled when all fails.

Written once, for requests that come through Flask (``webhooks.edge``) and for the one that comes by the shortest way
(``webhooks.front_door``).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from core import twiml
from core.errors import said_of
from core.quick import QuickTransaction
from routing.context import Context
from webhooks import receipts, spool

_TRIES = 3

log = logging.getLogger(__name__)


class Stale(Exception):
    """The request repeats one that has been answered: its receipt has the answer."""


@dataclass(frozen=True)
class Answer:
    """TwiML, and whether the request waits in the spool because it could not be taken in."""

    text: str
    spooled: bool = False
    status: int = 200


@dataclass(frozen=True)
class Incoming:
    """A request: its path, and its parameters, those in its address among them."""

    house: Context
    path: str
    form: Mapping[str, str]

    def received_at(self) -> datetime:
        """When the request came: now, or when it was spooled."""
        spooled = self.form.get(spool.RECEIVED_AT)
        try:
            at = datetime.fromisoformat(spooled) if spooled else None
        except ValueError:
            at = None  # it is not from our spool
        return at if at is not None and at.tzinfo is not None else self.house.clock.now()


def answered_quickly(
    incoming: Incoming,
    key: str,
    work: Callable[[QuickTransaction, datetime], str],
    instead: Callable[[], str],
) -> Answer:
    """Do ``work`` once for the business ``key``, without the ORM; ``instead`` is said when it fails.

    ``work`` is given the transaction and the instant of the request.
    """

    def attempt() -> str:
        at = incoming.received_at()

        def write(transaction: QuickTransaction) -> str:
            text = work(transaction, at)
            transaction.add(receipts.KEEP, key=key, at=at, form=incoming.form, answer=text)
            return text

        return incoming.house.database.writing_quickly(write)

    return answered(incoming, key, attempt, instead)


def answered(incoming: Incoming, key: str, attempt: Callable[[], str], instead: Callable[[], str]) -> Answer:
    """What ``attempt`` answers, or what was answered before under ``key``, or ``instead``."""
    for last in (*(False,) * (_TRIES - 1), True):
        try:
            return Answer(attempt())
        except (sa.exc.IntegrityError, Stale) as error:
            stored = _stored(incoming, key)
            if stored is not None:
                return Answer(stored)
            if last:
                return _spooled(incoming, instead, error)
        except sa.exc.DBAPIError as error:
            # A deadlock, or a connection that the database has closed: worth another try, a dead database is not.
            if last or not _passing(error):
                return _spooled(incoming, instead, error)
        except Exception as error:  # noqa: BLE001  # whatever it is, the caller is recorded
            return _spooled(incoming, instead, error)
    raise AssertionError("the last try answers")


def _passing(error: sa.exc.DBAPIError) -> bool:
    state = getattr(error.orig, "sqlstate", None)
    return error.connection_invalidated or state in ("40P01", "40001")


def _stored(incoming: Incoming, key: str) -> str | None:
    try:
        return receipts.answer_to(incoming.house.database, key)
    except sa.exc.DBAPIError:
        return None


def _spooled(incoming: Incoming, instead: Callable[[], str], error: Exception) -> Answer:
    log.error("a request to %s is spooled: %s", incoming.path, said_of(error))
    log.debug("its traceback", exc_info=error)
    text, status = instead(), 200
    if spool.RECEIVED_AT not in incoming.form:  # a replay that fails again waits in the file it came from
        try:
            spool.put(incoming.house.settings, incoming.path, incoming.form, incoming.house.clock.now())
        except OSError as full:
            log.critical("a request to %s cannot even be spooled: %s", incoming.path, full)
            # Nobody listens to an empty answer: let it be sent again. A caller must hear the prompt all the same.
            status = 503 if text == twiml.EMPTY else 200
    return Answer(text, spooled=True, status=status)
