"""The shortest way in, for the one request that a ringing phone waits for.

It is verified, kept and answered by the same functions as every other request; what is left out is the framework,
which takes longer than the call's decision. Whatever is out of the ordinary goes on to Flask as if nobody had looked
at it: another path or method, a body of another kind, names that come twice, a signature that does not match here.
"""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from urllib.parse import unquote_plus
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from routing.context import Context
from webhooks import spool
from webhooks.answering import Answer, Incoming
from webhooks.ringing import rings
from webhooks.signature import SignatureCheck

PATH = "/twilio/voice"
_URLENCODED = "application/x-www-form-urlencoded"
_STATUS = {200: "200 OK", 503: "503 Service Unavailable"}


class FrontDoor:
    """A WSGI application in front of Flask's."""

    def __init__(self, flask: WSGIApplication, context: Context, check: SignatureCheck, limit: int) -> None:
        self._flask = flask
        self._context = context
        self._check = check
        self._limit = limit

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a ringing line; let Flask answer everything else."""
        form = self._verified(environ) if self._is_ringing(environ) else None
        if form is None:
            return self._flask(environ, start_response)
        return _respond(rings(Incoming(self._context, PATH, form)), start_response)

    def _is_ringing(self, environ: WSGIEnvironment) -> bool:
        length = environ.get("CONTENT_LENGTH", "")
        return (
            environ["PATH_INFO"] == PATH
            and environ["REQUEST_METHOD"] == "POST"
            and not environ.get("QUERY_STRING")
            and not environ.get("SCRIPT_NAME")
            and environ.get("CONTENT_TYPE", "").partition(";")[0] == _URLENCODED
            and length.isascii()
            and length.isdigit()
            and int(length) <= self._limit
        )

    def _verified(self, environ: WSGIEnvironment) -> dict[str, str] | None:
        """The form of a request that is signed for our address; None leaves the request as it was."""
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        form = parse(body)
        if form is not None and spool.RECEIVED_AT not in form:
            signature = environ.get("HTTP_X_TWILIO_SIGNATURE", "")
            settings = environ.get("HTTP_X_TWILIO_WEBHOOKS_SIGNATURE_SETTINGS", "")
            if self._check.is_signed(PATH, form.items(), signature, settings):
                return form
        environ["wsgi.input"] = BytesIO(body)
        return None


def parse(body: bytes) -> dict[str, str] | None:
    """The fields of an urlencoded form; None when it takes a thorough reader: not ASCII, or a name comes twice."""
    if not body.isascii():
        return None
    pairs = [field.partition("=") for field in body.decode("ascii").split("&") if field]
    form = {_decoded(name): _decoded(value) for name, _, value in pairs}
    return form if len(form) == len(pairs) else None


def _decoded(text: str) -> str:
    # What is not UTF-8 stays as it came, as Flask would have it.
    return unquote_plus(text, errors="werkzeug.url_quote") if "%" in text or "+" in text else text


def _respond(answer: Answer, start_response: StartResponse) -> Iterable[bytes]:
    body = answer.text.encode()
    headers = [("Content-Type", "text/xml; charset=utf-8"), ("Content-Length", str(len(body)))]
    if answer.spooled:
        headers.append(("X-Nightbell-Spooled", "1"))
    start_response(_STATUS[answer.status], headers)
    return (body,)
