"""A small application behind a telephone line: a menu, a message, a page for an engineer, texts."""

from __future__ import annotations

import threading

from flask import Flask, Response, request


class LineApp:
    """``seen`` are the requests' forms by path, in order."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.flask = Flask(__name__)
        self.seen: dict[str, list[dict[str, str]]] = {}
        self._changed = threading.Condition()
        self.flask.add_url_rule("/<path:path>", "answer", self._answer, methods=["POST"])

    def wait_for(self, path: str, seconds: float = 15.0) -> dict[str, str]:
        """The last form that came to ``path``; waits for the first one."""
        with self._changed:
            assert self._changed.wait_for(lambda: path in self.seen, timeout=seconds), (
                f"nothing came to {path}"
            )
            return self.seen[path][-1]

    def _answer(self, path: str) -> Response:
        form = request.form.to_dict()
        with self._changed:
            self.seen.setdefault(f"/{path}", []).append(form)
            self._changed.notify_all()
        return Response(f"<Response>{_PAGES[path].format(**form)}</Response>", mimetype="text/xml")


_PAGES = {
    "voice": (
        "<Gather numDigits='1' timeout='20' action='/key'>"
        "<Say>Welcome to the line. Press 1 to leave a message.</Say></Gather>"
    ),
    "key": "<Say>You pressed {Digits}.</Say><Record action='/left' timeout='2' finishOnKey='#'/>",
    "left": "<Say>We have {RecordingDuration} seconds. Goodbye.</Say><Hangup/>",
    "page": (
        "<Gather numDigits='1' timeout='20' action='/accepted'>"
        "<Say>Case 1042. To accept, press 1.</Say></Gather>"
    ),
    "accepted": "<Say>You have the case.</Say><Pause length='20'/>",
    "sms": "",
}
