"""The web process: ``create_app()`` for any WSGI server; run as a program it serves itself with waitress."""

from __future__ import annotations

import signal
import sys
import warnings

from flask import Flask
from waitress.server import BaseWSGIServer, create_server
from werkzeug.middleware.proxy_fix import ProxyFix

from console.calendar_feeds import calendar_feeds
from console.case_answers import case_answers
from console.case_mail import case_mail
from console.case_page import case_page
from console.case_paging import case_paging
from console.case_replies import case_replies
from console.consent_page import consent_page
from core.settings import Settings, load_settings
from core.start import CannotStart, begin, starting
from routing.context import Context, build_context
from webhooks.edge import ForgedCounter
from webhooks.engineers import engineers
from webhooks.front_door import FrontDoor
from webhooks.health import health
from webhooks.inbound_parse import inbound_parse
from webhooks.recordings import recordings
from webhooks.sendgrid_signature import SendGridSignature
from webhooks.signature import SignatureCheck
from webhooks.voice import voice

# Answers smaller than this are sent by waitress's main thread, in one piece.
_SEND_BYTES = 18_000
_LIMIT = 1024 * 1024  # of a body, in bytes


def create_app(context: Context | None = None) -> Flask:
    """The application, made of ``context`` or, for a WSGI server, of the environment's settings."""
    context = context or build_context(load_settings())
    app = Flask(__name__, template_folder="console/templates", static_folder="console/static")
    app.config["MAX_CONTENT_LENGTH"] = _LIMIT
    app.extensions["nightbell"] = context
    check = app.extensions["nightbell-signature"] = SignatureCheck(context.settings)
    app.extensions["nightbell-sendgrid"] = SendGridSignature(context.settings.inbound_parse_key)
    app.extensions["nightbell-forged"] = ForgedCounter(context)
    for part in (
        voice,
        recordings,
        engineers,
        health,
        inbound_parse,
        case_page,
        case_mail,
        case_answers,
        case_replies,
        consent_page,
        case_paging,
        calendar_feeds,
    ):
        app.register_blueprint(part)
    app.wsgi_app = FrontDoor(app.wsgi_app, context, check, _LIMIT)  # type: ignore[method-assign]
    proxies = context.settings.trusted_proxies
    if proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies, x_port=proxies
        )
    return app


def embedded_server(app: Flask, host: str, port: int, threads: int) -> BaseWSGIServer:
    """The server inside this process; ``run()`` serves until stopped. OSError when the port cannot be had."""
    with warnings.catch_warnings():
        # Waitress means to do without send_bytes one day. See docs/decisions/0001-servers.md for why we cannot.
        warnings.simplefilter("ignore", DeprecationWarning)
        server: BaseWSGIServer = create_server(
            app, host=host, port=port, threads=threads, ident="nightbell",
            asyncore_use_poll=True, send_bytes=_SEND_BYTES,
        )  # fmt: skip
    return server


def main() -> int:
    """Serve until stopped."""
    with starting():
        settings = begin()
        app = create_app(build_context(settings))
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        server = _listening(app, settings)
    server.run()
    return 0


def _listening(app: Flask, settings: Settings) -> BaseWSGIServer:
    try:
        return embedded_server(app, settings.host, settings.port, settings.web_threads)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "there is no such address here"
        raise CannotStart(
            f"cannot listen on {settings.host}:{settings.port} ({reason}); "
            "stop what uses the port, or set PORT or NIGHTBELL_HOST to another one"
        ) from None


if __name__ == "__main__":
    sys.exit(main())
