"""The web process: ``create_app()`` for any WSGI server; run as a program it serves itself with waitress."""

from __future__ import annotations

import logging
import signal
import sys

from flask import Flask
from waitress.server import create_server
from werkzeug.middleware.proxy_fix import ProxyFix

from console.calendar_feeds import calendar_feeds
from console.case_answers import case_answers
from console.case_page import case_page
from core.settings import SettingsError, load_settings
from routing.context import Context, build_context
from webhooks.edge import ForgedCounter
from webhooks.engineers import engineers
from webhooks.health import health
from webhooks.recordings import recordings
from webhooks.signature import SignatureCheck
from webhooks.voice import voice


def create_app(context: Context | None = None) -> Flask:
    """The application, made of ``context`` or, for a WSGI server, of the environment's settings."""
    context = context or build_context(load_settings())
    app = Flask(__name__, template_folder="console/templates", static_folder="console/static")
    app.config["MAX_CONTENT_LENGTH"] = 1024 * 1024
    app.extensions["nightbell"] = context
    app.extensions["nightbell-signature"] = SignatureCheck(context.settings)
    app.extensions["nightbell-forged"] = ForgedCounter(context)
    for part in (voice, recordings, engineers, health, case_page, case_answers, calendar_feeds):
        app.register_blueprint(part)
    proxies = context.settings.trusted_proxies
    if proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies, x_port=proxies
        )
    return app


def main() -> int:
    """Serve until stopped."""
    try:
        settings = load_settings()
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    app = create_app(build_context(settings))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        server = create_server(
            app,
            host=settings.host,
            port=settings.port,
            threads=settings.web_threads,
            ident="nightbell",
            asyncore_use_poll=True,
        )
    except OSError as error:
        sys.stderr.write(
            f"cannot listen on {settings.host}:{settings.port} ({error.strerror}); "
            "stop what uses the port, or set PORT to another one\n"
        )
        return 2
    server.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
