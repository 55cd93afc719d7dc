"""Group commit: writers that come while another one commits are committed together by the next.

Most of what a small transaction costs is its commit: a disk that must confirm. Requests of a saturated server wait
for each other anyway; here one of them, whoever comes first, writes for all that wait.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import sqlalchemy as sa

from core.prepared import Prepared

_Statement = tuple[str, Any]


class QuickTransaction:
    """Reads at once, and writes that are kept back until the end, for one group commit."""

    def __init__(self, dialect: sa.Dialect, connection: Any) -> None:
        self._dialect = dialect
        self._connection = connection
        self.writes: list[_Statement] = []

    def rows(self, statement: Prepared, **values: Any) -> list[Any]:
        """The rows of a query."""
        compiled = statement.compiled(self._dialect)
        cursor = self._connection.execute(compiled.sql, compiled.parameters(values))
        return compiled.rows(cursor.fetchall())

    def add(self, statement: Prepared, **values: Any) -> None:
        """Write at the end; a violated constraint is raised there, and none of the transaction is kept."""
        compiled = statement.compiled(self._dialect)
        self.writes.append((compiled.sql, compiled.parameters(values)))


class _Job:
    """Writes that wait for their group. Its writer sleeps until they are done, or until it must lead the next."""

    def __init__(self, writes: list[_Statement]) -> None:
        self.writes = writes
        self.done = False
        self.error: Exception | None = RuntimeError("the group was not committed")
        self._bell = threading.Lock()
        self._bell.acquire()

    def sleep(self) -> None:
        """Wait to be woken."""
        self._bell.acquire()

    def wake(self) -> None:
        """Wake the one that sleeps."""
        self._bell.release()


class GroupCommit:
    """Quick transactions on a database. ``turn`` is what its other writers in this process wait for."""

    def __init__(self, engine: sa.Engine, turn: AbstractContextManager[Any] | None) -> None:
        # Reads stand alone, and the group's transaction is begun and ended here by hand.
        self._engine = engine
        self._dialect = engine.dialect
        self._errors: type[Exception] = engine.dialect.loaded_dbapi.Error
        self._sqlite = engine.dialect.name == "sqlite"
        self._turn = turn or threading.Lock()
        self._mutex = threading.Lock()
        self._waiting: list[_Job] = []
        self._led = False  # whether somebody commits, or has been woken to
        self._writer: sa.PoolProxiedConnection | None = None

    @contextmanager
    def transaction(self) -> Iterator[QuickTransaction]:
        """Read, then write all or nothing. The driver's errors come as SQLAlchemy's."""
        pooled = self._engine.raw_connection()
        try:
            transaction = QuickTransaction(self._dialect, pooled.driver_connection)
            yield transaction
            self._commit(transaction.writes)
        except self._errors as error:
            raise self._translated(error, pooled) from error
        finally:
            pooled.close()

    def _commit(self, writes: list[_Statement]) -> None:
        if not writes:
            return
        job = _Job(writes)
        with self._mutex:
            self._waiting.append(job)
            leads, self._led = not self._led, True
        if not leads:
            job.sleep()
        if not job.done:
            self._lead()
        if job.error is not None:
            raise job.error

    def _lead(self) -> None:
        """Commit for all that wait, hand the lead to one that has come meanwhile, and wake the others."""
        group: list[_Job] = []
        try:
            with self._turn:
                with self._mutex:
                    group, self._waiting = self._waiting, []
                self._write(group)
        finally:
            with self._mutex:
                following = self._waiting[0] if self._waiting else None
                self._led = following is not None
            for job in (*group, following):
                if job is not None:
                    job.wake()

    def _write(self, group: list[_Job]) -> None:
        """Write a group in one transaction; if one of them fails, each in a transaction of its own."""
        try:
            self._write_together(group)
            for job in group:
                job.error = None
        except Exception as error:  # noqa: BLE001  # whatever it is, it must not pass for a commit of the others
            self._forget_if_lost(error)
            if len(group) == 1:
                group[0].error = error
            else:
                for job in group:
                    self._write([job])
        finally:
            for job in group:
                job.done = True

    def _write_together(self, group: list[_Job]) -> None:
        connection = self._writing_connection()
        if not self._sqlite:
            with connection.pipeline(), connection.transaction():
                self._execute(group, connection)
            return
        connection.execute("BEGIN IMMEDIATE")
        try:
            self._execute(group, connection)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def _writing_connection(self) -> Any:
        """Always the same one: a connection of SQLite drops its page cache whenever another one has written."""
        if self._writer is None or not self._writer.is_valid:
            self._writer = self._engine.raw_connection()
        return self._writer.driver_connection

    def _forget_if_lost(self, error: Exception) -> None:
        if self._writer is not None and self._is_lost(error, self._writer):
            self._writer.invalidate(error)

    def close(self) -> None:
        """Give the writing connection back."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    @staticmethod
    def _execute(group: list[_Job], connection: Any) -> None:
        for job in group:
            for sql, parameters in job.writes:
                connection.execute(sql, parameters)

    def _translated(self, error: Exception, pooled: Any) -> Exception:
        lost = self._is_lost(error, pooled)
        if lost:
            pooled.invalidate(error)
        return sa.exc.DBAPIError.instance(
            None, None, error, self._errors, connection_invalidated=lost, dialect=self._dialect
        )

    def _is_lost(self, error: Exception, pooled: Any) -> bool:
        dbapi: Any = error
        return isinstance(error, self._errors) and self._dialect.is_disconnect(
            dbapi, pooled.driver_connection, None
        )
