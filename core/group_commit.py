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

from core.prepared import Compiled
from core.quick import QuickTransaction, Readers, Write, is_lost, translated

# How long the first of a group waits for the others. About as long as one commit, which it may save.
_GATHER_S = 0.002


class _Job:
    """Writes that wait for their group. Its writer sleeps until they are done, or until it must lead the next."""

    def __init__(self, writes: list[Write]) -> None:
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
    """Quick transactions on SQLite. ``turn`` is what its other writers in this process wait for."""

    def __init__(self, engine: sa.Engine, turn: AbstractContextManager[Any]) -> None:
        # Reads stand alone, and the group's transaction is begun and ended here by hand.
        self._engine = engine
        self._dialect = engine.dialect
        self._errors: type[Exception] = engine.dialect.loaded_dbapi.Error
        self._unavailable: type[Exception] = engine.dialect.loaded_dbapi.OperationalError
        self._turn = turn
        self._readers = Readers(engine)
        self._mutex = threading.Lock()
        self._waiting: list[_Job] = []
        self._led = False  # whether somebody commits, or has been woken to
        self._expected = 1  # how many were under way at once when the last group was committed
        self._complete = threading.Event()  # as many wait as were expected
        self._writer: sa.PoolProxiedConnection | None = None

    @contextmanager
    def transaction(self) -> Iterator[QuickTransaction]:
        """Read, then write all or nothing. The driver's errors come as SQLAlchemy's."""
        pooled = self._readers.connection()
        try:
            transaction = QuickTransaction(self._dialect, pooled.driver_connection)
            yield transaction
            self._commit(transaction.writes)
        except self._errors as error:
            raise translated(error, pooled, self._dialect) from error

    def _commit(self, writes: list[Write]) -> None:
        if not writes:
            return
        job = _Job(writes)
        with self._mutex:
            self._waiting.append(job)
            leads, self._led = not self._led, True
            if len(self._waiting) >= self._expected:
                self._complete.set()
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
                group = self._gather()
                self._write(group)
        finally:
            with self._mutex:
                following = self._waiting[0] if self._waiting else None
                self._led = following is not None
                self._expected = len(group) + len(self._waiting)
            for job in (*group, following):
                if job is not None:
                    job.wake()

    def _gather(self) -> list[_Job]:
        """Whoever waits; where others were under way a moment ago, they are waited for, but hardly longer."""
        with self._mutex:
            complete = len(self._waiting) >= self._expected
            if not complete:
                self._complete.clear()
        if not complete:
            self._complete.wait(_GATHER_S)
        with self._mutex:
            group, self._waiting = self._waiting, []
        return group

    def _write(self, group: list[_Job]) -> None:
        """Write a group in one transaction; if one of them fails, each in a transaction of its own."""
        try:
            self._write_together(group)
            for job in group:
                job.error = None
        except Exception as error:  # noqa: BLE001  # whatever it is, it must not pass for a commit of the others
            self._forget_if_lost(error)
            if len(group) > 1 and not isinstance(error, self._unavailable):
                # One of them cannot be written; the others are not to suffer for it. A database that is busy
                # or gone is not asked once more for each: the callers of all would wait for all.
                for job in group:
                    self._write([job])
            else:
                for job in group:
                    job.error = error
        finally:
            for job in group:
                job.done = True

    def _write_together(self, group: list[_Job]) -> None:
        connection = self._writing_connection()
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
        if self._writer is not None and is_lost(error, self._writer, self._dialect):
            self._writer.invalidate(error)

    def close(self) -> None:
        """Give the connections back."""
        self._readers.close()
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    @staticmethod
    def _execute(group: list[_Job], connection: Any) -> None:
        """One statement a table, in the order in which the jobs write them, for the rows of all jobs.

        The interpreter's lock is let go and fought for again at every statement; that costs more than the row.
        """
        rows: dict[Compiled, list[Any]] = {}
        for job in group:
            for statement, parameters in job.writes:
                rows.setdefault(statement, []).append(parameters)
        for statement, many in rows.items():
            connection.execute(statement.many(len(many)), [value for row in many for value in row])
