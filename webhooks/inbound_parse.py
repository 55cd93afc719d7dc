"""SendGrid's Inbound Parse: mail that is posted to us, raw or parsed, signed by SendGrid.

200 only after the commit. What fails with us is answered by 503, and SendGrid posts it again for three days; what is
not signed with the key of ``NIGHTBELL_INBOUND_PARSE_KEY`` is refused. A post that is signed and cannot be read is
kept as it came.
"""

from __future__ import annotations

import logging
import threading
from functools import cache
from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, current_app, request
from werkzeug.exceptions import HTTPException

from core.errors import said_of
from intake.mail import receiving
from intake.mail.ways_in.posted import Posted, read_post, unread_post
from webhooks.edge import context
from webhooks.posted_parts import read_parts
from webhooks.sendgrid_signature import SendGridSignature, Signed

if TYPE_CHECKING:
    from intake.mail.senders.relayed import RelayedCheck

MAX_BYTES = 45_000_000
"""SendGrid takes mails of 30 MB; in a form, and encoded once more, they are larger."""
_AT_ONCE, _PATIENCE_S = 2, 20.0

inbound_parse = Blueprint("inbound_parse", __name__)
_places = threading.BoundedSemaphore(_AT_ONCE)  # such posts are large, and other requests need memory too
log = logging.getLogger(__name__)


@inbound_parse.post("/mail/inbound-parse")
def take_in() -> Response:
    """A mail was posted."""
    check: SendGridSignature = current_app.extensions["nightbell-sendgrid"]
    if not check.is_set_up:
        log.error("a mail was posted that cannot be taken: set NIGHTBELL_INBOUND_PARSE_KEY")
        return _answer(503, "not set up")
    signed = Signed.of(request)
    if not signed:
        _refuse()  # its body is not even read
    if not _places.acquire(timeout=_PATIENCE_S):
        return _answer(503, "too many at once")
    try:
        return _take_in(check, signed)
    except HTTPException:
        raise
    except Exception as error:  # whatever it is, SendGrid must post it again
        log.error("a posted mail is not taken now: %s", said_of(error))
        log.debug("its traceback", exc_info=error)
        return _answer(503, "we have failed; post it again")
    finally:
        _places.release()


def _take_in(check: SendGridSignature, signed: Signed) -> Response:
    request.max_content_length = MAX_BYTES
    body = request.get_data(cache=False)
    if not check.accepts(signed, body):
        _refuse()
    posted = _read(request.content_type or "", body)
    del body
    verdicts = _dmarc(context().settings.dns_server)(posted.raw, posted.verdicts)
    receiving.store(context(), posted.raw, posted.envelope, "http", authentication=verdicts)
    return _answer(200, "stored")


@cache
def _dmarc(dns_server: str) -> RelayedCheck:
    """The check, with what it remembers of the DNS; made with the first post, for most houses get none."""
    from intake.mail.senders.relayed import RelayedCheck  # megabytes, which most houses never need

    return RelayedCheck(dns_server)


def _read(content_type: str, body: bytes) -> Posted:
    try:
        return read_post(read_parts(content_type, body))
    except Exception as error:  # noqa: BLE001  # it is SendGrid's: whatever is wrong with it, it is kept
        log.error("a posted mail cannot be read, and is kept as it came: %s", type(error).__name__)
        return unread_post(content_type, body)


def _refuse() -> None:
    current_app.extensions["nightbell-forged"].add()
    abort(403)


def _answer(status: int, text: str) -> Response:
    return Response(f"{text}\n", status, mimetype="text/plain")
