"""The edge: what every request of the telephone company goes through, written once.

Verify the signature, act, keep the receipt in the same transaction, answer. A repeated request gets the stored
answer. Whatever raises, the caller hears a voicemail prompt and the request waits in the spool.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime

import sqlalchemy as sa
from flask import Blueprint, Response, abort, current_app, request
from sqlalchemy.orm import Session

from core import twiml
from core.errors import said_of
from core.quick import QuickTransaction
from routing.context import Context
from webhooks import receipts, spool
from webhooks.signature import SignatureCheck

PREFIX = "/twilio"
FORGED = "webhooks.forged"
_TRIES = 3

log = logging.getLogger(__name__)


class Stale(Exception):
    """The request repeats one that has been answered: its receipt has the answer."""


def context() -> Context:
    """The context of the running application."""
    found: Context = current_app.extensions["nightbell"]
    return found


def received_at() -> datetime:
    """When the request came: now, or when it was spooled."""
    return _received_at(request.form, context())


def _received_at(form: Mapping[str, str], house: Context) -> datetime:
    spooled = form.get(spool.RECEIVED_AT)
    try:
        at = datetime.fromisoformat(spooled) if spooled else None
    except ValueError:
        at = None  # it is not from our spool
    return at if at is not None and at.tzinfo is not None else house.clock.now()


def blueprint(name: str) -> Blueprint:
    """A blueprint under the prefix, whose requests are verified before anything else is done with them."""
    made = Blueprint(name, __name__, url_prefix=PREFIX)
    made.before_request(_verify)
    return made


def _verify() -> None:
    check: SignatureCheck = current_app.extensions["nightbell-signature"]
    # The request itself: each look at it through Flask's stand-in costs a ringing phone a little.
    if not check.accepts(request._get_current_object()):  # type: ignore[attr-defined]
        current_app.extensions["nightbell-forged"].add()
        abort(403)


class ForgedCounter:
    """Counts refused requests, and writes the count at most once a second: a flood must not become writes."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lock = threading.Lock()
        self._pending = 0
        self._written = 0.0

    def add(self) -> None:
        """One more."""
        with self._lock:
            self._pending += 1
            if time.monotonic() - self._written < 1.0:
                return
        self.flush()

    def flush(self) -> None:
        """Write what has been held back; whoever asks for the service's health has it done."""
        with self._lock:
            pending, self._pending, self._written = self._pending, 0, time.monotonic()
        if not pending:
            return
        try:
            receipts.count(self._context.database, FORGED, pending)
        except sa.exc.DBAPIError:
            with self._lock:
                self._pending += pending
            log.warning("%s forged requests could not be counted: the database is down", pending)


def answer(
    key: str, work: Callable[[Session], str], *, instead: Callable[[], str] = lambda: twiml.EMPTY
) -> Response:
    """Do ``work`` once for the business ``key`` and answer with its TwiML; ``instead`` is said when it fails."""

    def attempt() -> str:
        with context().database.writing() as session:
            text = work(session)
            session.flush()
            receipts.keep(session, key, request.form.to_dict(), text, received_at())
        return text

    return _answer(key, attempt, instead)


def answer_quickly(
    key: str,
    form: Mapping[str, str],
    work: Callable[[QuickTransaction, Context, datetime], str],
    *,
    instead: Callable[[], str],
) -> Response:
    """The same, without the ORM: for the request that a ringing phone waits for.

    ``form`` is kept with the answer; ``work`` is given the transaction, the context and the instant of the request.
    """

    def attempt() -> str:
        house = context()
        at = _received_at(form, house)

        def write(transaction: QuickTransaction) -> str:
            text = work(transaction, house, at)
            transaction.add(receipts.KEEP, key=key, at=at, form=form, answer=text)
            return text

        return house.database.writing_quickly(write)

    return _answer(key, attempt, instead)


def _answer(key: str, attempt: Callable[[], str], instead: Callable[[], str]) -> Response:
    for last in (*(False,) * (_TRIES - 1), True):
        try:
            return _xml(attempt())
        except (sa.exc.IntegrityError, Stale) as error:
            stored = _stored(key)
            if stored is not None:
                return _xml(stored)
            if last:
                return _spooled(instead, error)
        except sa.exc.DBAPIError as error:
            # A deadlock, or a connection that the database has closed: worth another try, a dead database is not.
            if last or not _passing(error):
                return _spooled(instead, error)
        except Exception as error:  # noqa: BLE001  # whatever it is, the caller is recorded
            return _spooled(instead, error)
    raise AssertionError("the last try answers")


def _passing(error: sa.exc.DBAPIError) -> bool:
    state = getattr(error.orig, "sqlstate", None)
    return error.connection_invalidated or state in ("40P01", "40001")


def _stored(key: str) -> str | None:
    try:
        return receipts.answer_to(context().database, key)
    except sa.exc.DBAPIError:
        return None


def _spooled(instead: Callable[[], str], error: Exception) -> Response:
    log.error("a request to %s is spooled: %s", request.path, said_of(error))
    log.debug("its traceback", exc_info=error)
    form = request.values.to_dict()  # with the key that waits in the address of a redirect
    response = _xml(instead())
    if spool.RECEIVED_AT not in form:  # a replay that fails again waits in the file it came from
        try:
            spool.put(context().settings, request.path, form, context().clock.now())
        except OSError as full:
            log.critical("a request to %s cannot even be spooled: %s", request.path, full)
            # Nobody listens to an empty answer: let it be sent again. A caller must hear the prompt all the same.
            response.status_code = 503 if response.get_data(as_text=True) == twiml.EMPTY else 200
    response.headers["X-Nightbell-Spooled"] = "1"
    return response


def _xml(text: str) -> Response:
    return Response(text, mimetype="text/xml")
