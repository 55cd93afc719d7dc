"""A token server on this machine (RFC 6749), which also tells a mail server whose a token is (RFC 7662)."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

CLIENT, SECRET, REFRESH = "nightbell", "client-secret-of-a-test", "refresh-token-of-a-test"


class TokenServer:
    """Gives tokens for ``user`` out. ``asked`` are the forms that came; ``answers`` are given first.

    With ``rotates`` each refresh token holds once, as the new one in its answer does.
    """

    def __init__(self, user: str) -> None:
        self.user, self.rotates, self.lasts = user, False, 3600
        self.asked: list[Mapping[str, str]] = []
        self.answers: list[tuple[int, Any]] = []
        self.valid: set[str] = set()
        self.refresh = REFRESH
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                form = {name: values[0] for name, values in parse_qs(body).items()}
                status, answer = outer._answer(self.path, form)
                said = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._base = f"http://127.0.0.1:{self._server.server_port}"
        self.url, self.introspection = f"{self._base}/token", f"{self._base}/introspect"

    def _answer(self, path: str, form: Mapping[str, str]) -> tuple[int, Any]:
        if path == "/introspect":
            known = form.get("token") in self.valid
            return 200, {"active": known, "username": self.user} if known else {"active": False}
        self.asked.append(form)
        if self.answers:
            return self.answers.pop(0)
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT, SECRET):
            return 401, {"error": "invalid_client"}
        if form["grant_type"] == "refresh_token" and form["refresh_token"] != self.refresh:
            return 400, {"error": "invalid_grant", "error_description": f"not {form['refresh_token']}"}
        token = secrets.token_urlsafe(900)
        self.valid.add(token)
        answer: dict[str, Any] = {"access_token": token, "token_type": "Bearer", "expires_in": self.lasts}
        if self.rotates:
            self.refresh = answer["refresh_token"] = secrets.token_urlsafe(40)
        return 200, answer

    @contextmanager
    def open(self) -> Iterator[TokenServer]:
        """Answering, for a while."""
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()


@contextmanager
def token_server(user: str) -> Iterator[TokenServer]:
    """A token server that runs."""
    with TokenServer(user).open() as found:
        yield found
