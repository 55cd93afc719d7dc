"""Quick transactions: what they ask and write is kept back until the end, and sent together with that of others.

``core.group_commit`` says who sends it; ``core.sqlite_group`` and ``core.postgres_group`` say how.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from core.prepared import Prepared

Kept = tuple[Prepared, Any]
"""A statement, and its parameters as the database's group takes them."""


class QuickTransaction:
    """Writes that are kept back until the end, and queries.

    Without a ``connection`` nothing is asked before the end: queries are presumed to find nothing.
    """

    def __init__(self, dialect: sa.Dialect, connection: Any = None) -> None:
        self._dialect = dialect
        self._connection = connection
        self.presumed: list[Kept] = []
        self.writes: list[Kept] = []

    def rows(self, statement: Prepared, **values: Any) -> list[Any]:
        """The rows of a query."""
        if self._connection is None:
            self.presumed.append((statement, values))
            return []
        compiled = statement.compiled(self._dialect)
        cursor = self._connection.execute(compiled.sql, compiled.parameters(values))
        return compiled.rows(cursor.fetchall())

    def add(self, insert: Prepared, **values: Any) -> None:
        """Write at the end; a violated constraint is raised there, and none of the transaction is kept."""
        self.writes.append((insert, insert.compiled(self._dialect).parameters(values)))


class Job:
    """A transaction that waits for its group. ``holds``: its queries have found nothing, as was presumed."""

    def __init__(self, transaction: QuickTransaction) -> None:
        self.presumed, self.writes = transaction.presumed, transaction.writes
        self.holds = True
        self.done = False
        self.error: Exception | None = RuntimeError("the group was not committed")
        self._bell = threading.Lock()
        self._bell.acquire()

    def sleep(self) -> None:
        """Wait to be woken: the job is done, or its writer must lead the next group."""
        self._bell.acquire()

    def wake(self) -> None:
        """Wake the one that sleeps."""
        self._bell.release()


Numbered = tuple[int, Any]
"""The number of a job in its group, and the parameters of one of its statements."""


def by_statement(kept: Sequence[tuple[int, Sequence[Kept]]]) -> dict[Prepared, list[Numbered]]:
    """The statements of numbered jobs in the order in which they came, each with its parameters."""
    found: dict[Prepared, list[Numbered]] = {}
    for number, statements in kept:
        for statement, parameters in statements:
            found.setdefault(statement, []).append((number, parameters))
    return found


class Held:
    """A connection that is kept from one transaction to the next; closed when nobody has it any more."""

    def __init__(self, pooled: sa.PoolProxiedConnection) -> None:
        self.pooled = pooled

    def release(self) -> None:
        """Close the connection itself: the pool that it came from may be gone by now."""
        if self.pooled.is_valid:
            self.pooled.detach()
            self.pooled.close()

    __del__ = release


class Readers:
    """One connection a thread, kept: taking one from the pool and giving it back costs more than the query."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._of_thread = threading.local()
        self._all: weakref.WeakSet[Held] = weakref.WeakSet()

    def connection(self) -> sa.PoolProxiedConnection:
        """The connection of this thread."""
        kept: Held | None = getattr(self._of_thread, "kept", None)
        if kept is None or not kept.pooled.is_valid:
            kept = self._of_thread.kept = Held(connected(self._engine))
            self._all.add(kept)
        return kept.pooled

    def close(self) -> None:
        """Close all of them."""
        for kept in list(self._all):
            kept.release()
        self._of_thread = threading.local()


def connected(engine: sa.Engine) -> sa.PoolProxiedConnection:
    """A connection of the driver's; the driver's error comes as SQLAlchemy's."""
    driver_error = engine.dialect.loaded_dbapi.Error
    try:
        return engine.raw_connection()
    except driver_error as error:
        raise sa.exc.DBAPIError.instance(
            None, None, error, driver_error, connection_invalidated=True, dialect=engine.dialect
        ) from error


def translated(error: Exception, pooled: sa.PoolProxiedConnection, dialect: sa.Dialect) -> Exception:
    """A driver's error as SQLAlchemy's; a connection that is gone is given up."""
    dbapi: Any = error
    driver_error = dialect.loaded_dbapi.Error
    if not isinstance(error, driver_error):
        return error
    lost = pooled.is_valid and dialect.is_disconnect(dbapi, pooled.driver_connection, None)
    if lost:
        pooled.invalidate(error)
    return sa.exc.DBAPIError.instance(
        None, None, error, driver_error, connection_invalidated=lost, dialect=dialect
    )
