"""Quick transactions: prepared reads, and writes that are sent together at the end.

SQLite's are committed in groups (``core.group_commit``), PostgreSQL's are one statement each
(``core.one_statement``).
"""

from __future__ import annotations

import threading
import weakref
from typing import Any

import sqlalchemy as sa

from core.prepared import Compiled, Prepared

Write = tuple[Compiled, Any]
"""A statement, and its parameters as the driver takes them."""


class QuickTransaction:
    """Reads at once, and writes that are kept back until the end, to be sent together."""

    def __init__(self, dialect: sa.Dialect, connection: Any) -> None:
        self._dialect = dialect
        self._connection = connection
        self.writes: list[Write] = []

    def rows(self, statement: Prepared, **values: Any) -> list[Any]:
        """The rows of a query."""
        compiled = statement.compiled(self._dialect)
        cursor = self._connection.execute(compiled.sql, compiled.parameters(values))
        return compiled.rows(cursor.fetchall())

    def add(self, statement: Prepared, **values: Any) -> None:
        """Write at the end; a violated constraint is raised there, and none of the transaction is kept."""
        compiled = statement.compiled(self._dialect)
        self.writes.append((compiled, compiled.parameters(values)))


class _Kept:
    """A connection that a thread keeps; closed when its thread has ended."""

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
        self._all: weakref.WeakSet[_Kept] = weakref.WeakSet()

    def connection(self) -> sa.PoolProxiedConnection:
        """The connection of this thread."""
        kept: _Kept | None = getattr(self._of_thread, "kept", None)
        if kept is None or not kept.pooled.is_valid:
            kept = self._of_thread.kept = _Kept(self._connected())
            self._all.add(kept)
        return kept.pooled

    def _connected(self) -> sa.PoolProxiedConnection:
        driver_error = self._engine.dialect.loaded_dbapi.Error
        try:
            return self._engine.raw_connection()
        except driver_error as error:
            raise sa.exc.DBAPIError.instance(
                None, None, error, driver_error, connection_invalidated=True, dialect=self._engine.dialect
            ) from error

    def close(self) -> None:
        """Close all of them."""
        for kept in list(self._all):
            kept.release()
        self._of_thread = threading.local()


def is_lost(error: Exception, pooled: Any, dialect: sa.Dialect) -> bool:
    """Whether ``error`` says that the connection is gone."""
    dbapi: Any = error
    driver_error = dialect.loaded_dbapi.Error
    return isinstance(error, driver_error) and dialect.is_disconnect(dbapi, pooled.driver_connection, None)


def translated(error: Exception, pooled: Any, dialect: sa.Dialect) -> Exception:
    """A driver's error as SQLAlchemy's; a connection that is gone is given up."""
    lost = is_lost(error, pooled, dialect)
    if lost:
        pooled.invalidate(error)
    return sa.exc.DBAPIError.instance(
        None, None, error, dialect.loaded_dbapi.Error, connection_invalidated=lost, dialect=dialect
    )
