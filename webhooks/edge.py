"""The edge: what every request of the telephone company goes through, written once.

Verify the signature, act, keep the receipt in the same transaction, answer. A repeated request gets the stored
answer. Whatever raises, the caller hears a voicemail prompt and the request waits in the spool.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, Response, abort, current_app, request
from sqlalchemy.orm import Session

from core import twiml
from routing.context import Context
from webhooks import receipts, spool
from webhooks.signature import SignatureCheck

PREFIX = "/twilio"
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
    spooled = request.form.get(spool.RECEIVED_AT)
    return datetime.fromisoformat(spooled) if spooled else context().clock.now()


def blueprint(name: str) -> Blueprint:
    """A blueprint under the prefix, whose requests are verified before anything else is done with them."""
    made = Blueprint(name, __name__, url_prefix=PREFIX)
    made.before_request(_verify)
    return made


def _verify() -> None:
    check: SignatureCheck = current_app.extensions["nightbell-signature"]
    if not check.accepts(request):
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
            pending, self._pending, self._written = self._pending, 0, time.monotonic()
        try:
            receipts.count(self._context.database, "webhooks.forged", pending)
        except sa.exc.DBAPIError:
            log.warning("%s forged requests could not be counted: the database is down", pending)


def answer(
    key: str, work: Callable[[Session], str], *, instead: Callable[[], str] = lambda: twiml.EMPTY
) -> Response:
    """Do ``work`` once for the business ``key`` and answer with its TwiML; ``instead`` is said when it fails."""
    return _answer(key, lambda: _transaction(context().database.writing, key, work), instead)


def answer_core(
    key: str, work: Callable[[sa.Connection], str], *, instead: Callable[[], str]
) -> Response:
    """The same for work that is done on a connection, without the ORM."""
    return _answer(key, lambda: _transaction(context().database.writing_core, key, work), instead)


def _transaction(begin: Callable[[], Any], key: str, work: Callable[[Any], str]) -> str:
    with begin() as executor:
        text = work(executor)
        if isinstance(executor, Session):
            executor.flush()
        receipts.keep(executor, key, request.form.to_dict(), text, received_at())
    return text


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
        except Exception as error:
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
    log.error("a request to %s is spooled", request.path, exc_info=error)
    form = request.form.to_dict()
    if spool.RECEIVED_AT not in form:  # a replay that fails again waits in the file it came from
        spool.put(context().settings, request.path, form, context().clock.now())
    response = _xml(instead())
    response.headers["X-Nightbell-Spooled"] = "1"
    return response


def _xml(text: str) -> Response:
    return Response(text, mimetype="text/xml")
