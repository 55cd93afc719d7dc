"""The product without a telephone company, around a clock that stands still; and a web server for calendars."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from click.testing import CliRunner
from sqlalchemy.orm import Session

from app import create_app
from console.commands import main
from core import due
from core.models import Event
from core.settings import load_settings
from routing.context import build_context
from routing.oncall import Schedule
from routing.policies import PolicyVersion, apply_policy
from routing.policy import Policy
from routing.rosters.changes import schedule_of
from routing.rosters.models import AbsenceFeed, ScheduleChange
from worker import Worker

CENTRAL = ZoneInfo("America/Chicago")
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)  # Sunday; Sam is on call, then Dana, Luis, Priya by the week
SAMPLE = Path(__file__).parents[3] / "routing" / "samples" / "agreement.yaml"


class SetClock:
    """A clock that the test sets."""

    instant = NOW

    def now(self) -> datetime:
        return self.instant


class Rota:
    """The product with a policy."""

    def __init__(self, url: str, folder: Path) -> None:
        settings = load_settings(
            database_url=url, data_dir=folder, public_url="https://bell.example", secret_key="a key for tests only",
            twilio_account_sid="AC" + "5" * 32, twilio_auth_token="a token",
        )  # fmt: skip
        self.clock = SetClock()
        self.context = build_context(settings, clock=self.clock)
        self.client = create_app(self.context).test_client()
        self.worker = Worker(self.context)
        with self.context.database.reading() as session:
            if session.scalar(sa.select(PolicyVersion.version)) is None:
                self.apply(SAMPLE.read_text())

    def apply(self, document: str) -> None:
        """Make ``document`` the policy."""
        with self.context.database.writing() as session:
            apply_policy(session, document, self.clock.now())
        self.context.policies.forget()

    @property
    def policy(self) -> Policy:
        """The policy."""
        return self.context.policies.current().policy

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction."""
        with self.context.database.writing() as session:
            yield session

    def schedule(self, key: str = "support") -> Schedule:
        """The schedule with the changes in force."""
        with self.context.database.reading() as session:
            return schedule_of(session, self.policy, key, self.clock.now())

    def nightbell(self, *arguments: str) -> tuple[int, str]:
        """The exit code and the output of ``nightbell oncall``."""
        with (
            patch("console.oncall_desk.load_settings", lambda: self.context.settings),
            patch("console.oncall_desk.build_context", lambda _settings: self.context),
        ):
            result = CliRunner().invoke(main, ["oncall", *arguments])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.output

    def does(self, *arguments: str) -> str:
        """The output of a command that has to succeed."""
        code, output = self.nightbell(*arguments)
        assert code == 0, output
        return output

    def rows(self, model: Any = ScheduleChange) -> list[Any]:
        """All rows of a table."""
        with self.context.database.reading() as session:
            return list(session.scalars(sa.select(model).order_by(model.id)))

    def absences(self) -> list[str]:
        """The absences in force, in local time."""
        return [
            f"{row.person} {row.from_at.astimezone(CENTRAL):%m-%d %H:%M} {row.to_at.astimezone(CENTRAL):%m-%d %H:%M}"
            for row in sorted(self.rows(), key=lambda row: row.from_at)
            if row.withdrawn_at is None
        ]

    def events(self, kind: str) -> list[Event]:
        """The events of a kind."""
        return [event for event in self.rows(Event) if event.kind == kind]

    def due(self, kind: str) -> list[due.Due]:
        """The work of a kind that waits."""
        return [row for row in self.rows(due.Due) if row.kind == kind and row.state == due.DueState.READY]

    @property
    def feeds(self) -> list[AbsenceFeed]:
        """The subscriptions."""
        return self.rows(AbsenceFeed)


class Served:
    """What the web server answers, by path: status, headers and body."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.asked: list[str] = []

    def calendar(self, path: str, *events: str) -> str:
        """Serve a calendar of events, each given by its lines; its address."""
        lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x"]
        for number, event in enumerate(events):
            lines += [
                "BEGIN:VEVENT",
                f"UID:{number}",
                "DTSTAMP:20260101T000000Z",
                *event.split("\n"),
                "END:VEVENT",
            ]
        body = "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()
        self.answers[path] = (200, {"Content-Type": "text/calendar"}, body)
        return self.url + path


@contextmanager
def web_server() -> Iterator[Served]:
    """A web server on this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append(self.path)
            status, headers, body = served.answers.get(self.path, (404, {}, b"not here"))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            try:
                self.wfile.write(body)
            except OSError:
                return  # the other end had enough

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served = Served(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
