"""The HTTP side in one Flask application: Twilio's REST API, the control API, the phones and mailbox pages."""

from __future__ import annotations

from pathlib import Path

from flask import Flask, Response, send_from_directory

from simulator.company import PhoneCompany
from simulator.control import create_control
from simulator.mail.control import create_mail_control
from simulator.mail.office import PostOffice
from simulator.rest import create_rest
from simulator.scene import Scene

PAGE = Path(__file__).parent / "page"
_PLACEHOLDER = """<!doctype html><title>Phones</title><h1>The simulated phone company is running</h1>
<p><a href="/control/state">What it knows</a></p>"""


def create_app(company: PhoneCompany, scene: Scene | None = None, office: PostOffice | None = None) -> Flask:
    """``office``: with it there are mailboxes too."""
    scene = scene or Scene()
    app = Flask(__name__, static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider has it
    app.register_blueprint(create_rest(company))
    app.register_blueprint(create_control(company, scene))
    if office is not None:
        app.register_blueprint(create_mail_control(office, scene.zone))

    @app.get("/mail")
    def mailboxes() -> Response:
        return send_from_directory(PAGE, "mail.html")

    @app.get("/")
    def index() -> Response:
        if (PAGE / "index.html").exists():
            return send_from_directory(PAGE, "index.html")
        return Response(_PLACEHOLDER)

    @app.get("/<path:name>")
    def static_file(name: str) -> Response:
        return send_from_directory(PAGE, name)

    return app
