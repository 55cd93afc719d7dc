"""Waking the worker: a commit in the web process reaches it at once, not at its next poll.

On PostgreSQL by NOTIFY within the transaction. On SQLite through a named pipe of each worker in the data folder:
a byte is written after the commit. A lost wake-up costs one poll interval, never the work.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import sqlalchemy as sa
from sqlalchemy.orm import Session

if TYPE_CHECKING:
    import psycopg

_CHANNEL = "nightbell_due"


class Bell(Protocol):
    """The worker's end."""

    def wait(self, seconds: float) -> bool:
        """Wait until woken, ``seconds`` at most; whether it was woken. OSError when that cannot be waited for."""

    def close(self) -> None:
        """Stop listening."""


class PipeWake:
    """The sender's end on SQLite: one byte into the pipe of every worker."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def announce(self, session: Session) -> None:
        """Nothing to do before the commit."""

    def send(self) -> None:
        """Wake all workers; a pipe without a reader belongs to a worker that died, and is removed."""
        for pipe in self._folder.glob("worker-*.pipe"):
            try:
                descriptor = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
            except OSError as error:
                if error.errno == errno.ENXIO:  # nobody reads; any other error is ours and passes
                    pipe.unlink(missing_ok=True)
                continue
            try:
                # Full: the worker has plenty to read. Broken: it has just died. The work is committed either way.
                with contextlib.suppress(OSError):
                    os.write(descriptor, b"!")
            finally:
                os.close(descriptor)


class PipeBell:
    """The worker's end on SQLite."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f"worker-{uuid.uuid4().hex}.pipe"
        unread = self._path.with_suffix(".new")
        os.mkfifo(unread, 0o600)
        # Read and write: with no writer of its own the pipe would read as ended between two wake-ups.
        self._descriptor = os.open(unread, os.O_RDWR | os.O_NONBLOCK)
        # Seen by senders only now: they remove a pipe that nobody reads.
        unread.rename(self._path)

    def wait(self, seconds: float) -> bool:
        """Wait until woken, ``seconds`` at most; whether it was woken."""
        ready, _, _ = select.select([self._descriptor], [], [], max(0.0, seconds))
        if ready:
            os.read(self._descriptor, 65536)
        return bool(ready)

    def close(self) -> None:
        """Remove the pipe."""
        self._path.unlink(missing_ok=True)
        os.close(self._descriptor)


class PostgresWake:
    """The sender's end on PostgreSQL."""

    def announce(self, session: Session) -> None:
        """NOTIFY, delivered by the commit."""
        session.execute(sa.text(f"NOTIFY {_CHANNEL}"))

    def send(self) -> None:
        """Nothing to do after the commit."""


class PostgresBell:
    """The worker's end on PostgreSQL: one connection that listens, opened again when it breaks."""

    def __init__(self, url: str) -> None:
        self._url = sa.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._connection: psycopg.Connection | None = None

    def wait(self, seconds: float) -> bool:
        """Wait until woken, ``seconds`` at most; whether it was woken."""
        import psycopg  # 10 MB that a house on SQLite need not carry

        try:
            if self._connection is None:
                self._connection = psycopg.connect(self._url, autocommit=True, connect_timeout=5)
                self._connection.execute(f"LISTEN {_CHANNEL}")
                return True  # something may have come while nobody listened
            return any(True for _ in self._connection.notifies(timeout=max(0.0, seconds), stop_after=1))
        except psycopg.OperationalError as error:
            self.close()
            raise ConnectionError("nobody can wake this worker: the database does not answer") from error

    def close(self) -> None:
        """Stop listening."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
