"""The database: SQLite in one file by default, PostgreSQL when one machine is not enough; same code on both.

SQLite has one writer at a time. Writers of this process queue on a lock instead of in SQLite's busy handler,
which starves some of them for seconds; writers of other processes are waited for by the busy handler. A write
transaction begins IMMEDIATE, so that it never fails half-way on an upgrade of its lock. ``synchronous=FULL``:
an answer given to Twilio survives a power cut.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column

from core.group_commit import GroupCommit
from core.postgres_group import PostgresGroup
from core.quick import QuickTransaction
from core.shared_commit import SharedCommit
from core.sqlite_group import SqliteGroup

T = TypeVar("T")
_WAKE = "wake the workers"
# Twilio gives up after 15 seconds: whatever hangs is given up long before, so that the caller can be recorded.
_BUSY_MS = 4_000
_POSTGRES_PATIENCE = {
    "connect_timeout": 3,
    "options": "-c statement_timeout=6000 -c lock_timeout=4000 -c idle_in_transaction_session_timeout=15000",
}
# Parameters are names and telephone numbers: they must not come into logs with an error.
_POOL: dict[str, Any] = {"pool_use_lifo": True, "pool_timeout": 3, "hide_parameters": True}


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """An aware instant, in UTC on both databases; a naive one is refused."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a naive time cannot be stored: {value!r}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Instant = Annotated[datetime, mapped_column(UtcDateTime)]
Json = Annotated[dict[str, Any], mapped_column(sa.JSON)]
JsonList = Annotated[list[Any], mapped_column(sa.JSON)]


class Base(DeclarativeBase):
    """All tables of Nightbell."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Wake(Protocol):
    """How a committed piece of due work reaches the workers without waiting for their next poll."""

    def announce(self, session: Session) -> None:
        """Called inside the transaction, right before it commits."""

    def send(self) -> None:
        """Called after the commit."""


class Database:
    """Engines, transactions and the waking of workers."""

    def __init__(self, url: str, *, wake: Wake | None = None, threads: int = 8) -> None:
        self.engine = _engine(url, threads)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self._writer = self.engine.execution_options(writes=True)
        self._turn: contextlib.AbstractContextManager[Any] = (
            threading.Lock() if self.is_sqlite else contextlib.nullcontext()
        )
        # An engine of its own: its threads keep their connections, which must not starve everybody else.
        options = {} if self.is_sqlite else {"isolation_level": "AUTOCOMMIT"}
        self._quick_engine = _engine(url, threads, **options)
        group = SqliteGroup if self.is_sqlite else PostgresGroup
        self._quick = GroupCommit(self._quick_engine, group(self._quick_engine.dialect), self._turn)
        self._shared = SharedCommit(self.writing)
        self.wake = wake

    @contextlib.contextmanager
    def writing(self) -> Iterator[Session]:
        """One write transaction: commits at the end, rolls back on any exception, then wakes the workers."""
        with (
            self._turn,
            Session(self._writer, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session
            wake = self.wake if session.info.pop(_WAKE, False) else None
            if wake is not None:
                session.flush()
                wake.announce(session)
        if wake is not None:
            wake.send()

    def writing_together(self, work: Callable[[Session], T]) -> T:
        """Do ``work`` in a write transaction, and commit it; on SQLite in one with that of others who wait.

        ``work`` may be done twice, and in another thread: it must have no effect but through the session.
        """
        if self.is_sqlite:
            return self._shared.run(work)
        with self.writing() as session:  # PostgreSQL shares its commits by itself
            return work(session)

    def writing_quickly(self, work: Callable[[QuickTransaction], T]) -> T:
        """One write transaction without SQLAlchemy's bookkeeping, for the path that answers a ringing phone.

        ``work`` may be done twice: it must have no effect but through the transaction.
        """
        return self._quick.run(work)

    @contextlib.contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for reading; nothing in it is kept."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    def close(self) -> None:
        """Give the connections back."""
        self._quick.close()
        self.engine.dispose()
        self._quick_engine.dispose()


def insert_into(target: Any, dialect: str) -> Any:
    """An insert that knows ``on_conflict_...``, for the kind of database in use."""
    return {"postgresql": postgresql.insert, "sqlite": sqlite.insert}[dialect](target)


def wake_after_commit(session: Session) -> None:
    """Wake the workers once this transaction has been committed."""
    session.info[_WAKE] = True


def _engine(url: str, threads: int, **options: Any) -> sa.Engine:
    if url.startswith("sqlite"):
        return _sqlite_engine(url, threads)
    return sa.create_engine(
        url, pool_size=threads, max_overflow=4, pool_recycle=1800, connect_args=_POSTGRES_PATIENCE,
        **_POOL, **options,
    )  # fmt: skip


def _sqlite_engine(url: str, threads: int) -> sa.Engine:
    Path(sa.make_url(url).database or "").parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(url, pool_size=threads, max_overflow=4, **_POOL)

    @event.listens_for(engine, "connect")
    def _configure(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # BEGIN is ours, see below
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={_BUSY_MS}"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
