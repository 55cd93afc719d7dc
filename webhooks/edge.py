"""The edge: what every request of the telephone company goes through, written once.

Verify the signature, act, keep the receipt in the same transaction, answer (``webhooks.answering``). A repeated
request gets the stored answer. Whatever raises, the caller hears a voicemail prompt and the request waits in the
spool.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa
from flask import Blueprint, Response, abort, current_app, request
from sqlalchemy.orm import Session

from core import twiml
from routing.context import Context
from webhooks import receipts
from webhooks.answering import Answer, Incoming, answered
from webhooks.signature import SignatureCheck

PREFIX = "/twilio"
FORGED = "webhooks.forged"

log = logging.getLogger(__name__)


def context() -> Context:
    """The context of the running application."""
    found: Context = current_app.extensions["nightbell"]
    return found


def received_at() -> datetime:
    """When the request came: now, or when it was spooled."""
    return incoming().received_at()


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
    asked = incoming()

    def attempt() -> str:
        with asked.house.database.writing() as session:
            text = work(session)
            session.flush()
            receipts.keep(session, key, request.form.to_dict(), text, asked.received_at())
        return text

    return respond(answered(asked, key, attempt, instead))


def incoming() -> Incoming:
    """The request, with the key that waits in the address of a redirect."""
    return Incoming(context(), request.path, request.values.to_dict())


def respond(answer: Answer) -> Response:
    """An answer as Flask sends it."""
    response = Response(answer.text, status=answer.status, mimetype="text/xml")
    if answer.spooled:
        response.headers["X-Nightbell-Spooled"] = "1"
    return response
