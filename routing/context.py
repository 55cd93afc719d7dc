"""What the web process and the worker are made of, put together once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import requests

from core.audio import AudioStore
from core.clock import Clock, SystemClock
from core.database import Database, Wake
from core.links import Links
from core.mail import Mailer
from core.settings import Settings
from core.telephony import Telephony
from core.wake import Bell, PipeBell, PipeWake, PostgresBell, PostgresWake
from routing.policies import Policies


@dataclass(frozen=True)
class Context:
    """The plumbing, handed to everything that acts."""

    settings: Settings
    database: Database
    clock: Clock
    policies: Policies
    telephony: Telephony
    audio: AudioStore
    mailer: Mailer
    links: Links

    def address(self, path: str) -> str:
        """The public address of ``path``."""
        return f"{self.settings.public_url}{path}"

    def close(self) -> None:
        """Give back the connections to the mail server and to the database."""
        self.mailer.close()
        self.database.close()


def build_context(
    settings: Settings,
    *,
    clock: Clock | None = None,
    telephone_session: requests.Session | None = None,
    wake: Wake | None = None,
) -> Context:
    """A context from the settings; a test brings its own clock and its own way to the telephone company."""
    database = Database(settings.database_url, wake=wake or _wake(settings), threads=settings.web_threads + 2)
    return Context(
        settings=settings,
        database=database,
        clock=clock or SystemClock(settings.clock_file),
        policies=Policies(database),
        telephony=Telephony(settings, telephone_session),
        audio=AudioStore(settings),
        mailer=Mailer(settings),
        links=Links(settings),
    )


def build_bell(settings: Settings) -> Bell:
    """The end of the wake-up line at which a worker waits."""
    if settings.database_url.startswith("sqlite"):
        return PipeBell(_pipes(settings))
    return PostgresBell(settings.database_url)


def _wake(settings: Settings) -> Wake:
    if settings.database_url.startswith("sqlite"):
        return PipeWake(_pipes(settings))
    return PostgresWake()


def _pipes(settings: Settings) -> Path:
    return Path(settings.data_dir) / "wake"
