"""Group commit: writers that come while another one commits are committed together by the next.

Most of what a small transaction costs is its way to the database and its commit: a disk that must confirm. Requests
of a saturated server wait for each other anyway; here one of them, whoever comes first, writes for all that wait.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa

from core.quick import Held, Job, QuickTransaction, Readers, connected, translated

T = TypeVar("T")


class Group(Protocol):
    """How one kind of database takes in a group.

    ``at_once`` is how many groups may be on their way. ``gather_s`` is how long the first of a group waits for the
    others, where there were others a moment ago.
    """

    at_once: int
    gather_s: float

    def write(self, connection: Any, jobs: Sequence[Job]) -> None:
        """In one transaction: ask what the jobs presume, and write the rows of those that ``hold``."""


class GroupCommit:
    """Quick transactions. ``turn`` is what the other writers of this process wait for."""

    def __init__(self, engine: sa.Engine, group: Group, turn: AbstractContextManager[Any]) -> None:
        self._engine = engine
        self._dialect = engine.dialect
        self._errors: type[Exception] = engine.dialect.loaded_dbapi.Error
        self._group = group
        self._turn = turn
        self._readers = Readers(engine)
        self._mutex = threading.Lock()
        self._waiting: list[Job] = []
        self._leaders = 0  # how many commit, or have been woken to
        self._under_way = 0  # how many wait, or are being committed
        self._expected = 1  # how many a group should have, as the last one found it
        self._complete = threading.Event()  # as many wait as were expected
        self._writers: list[Held] = []  # those at rest

    def run(self, work: Callable[[QuickTransaction], T]) -> T:
        """Do ``work`` and commit what it writes, all or nothing. Errors of the driver come as SQLAlchemy's.

        Its queries are presumed to find nothing; they are asked when it is committed, together with those of the
        others. If one does find something, nothing is written, and the work is done again with what is there.
        """
        presuming = QuickTransaction(self._dialect)
        result = work(presuming)
        if self._commit(presuming):
            return result
        with self.transaction() as transaction:
            return work(transaction)

    @contextmanager
    def transaction(self) -> Iterator[QuickTransaction]:
        """Ask at once, then write all or nothing."""
        pooled = self._readers.connection()
        try:
            transaction = QuickTransaction(self._dialect, pooled.driver_connection)
            yield transaction
        except self._errors as error:
            raise translated(error, pooled, self._dialect) from error
        self._commit(transaction)

    def _commit(self, transaction: QuickTransaction) -> bool:
        job = Job(transaction)
        with self._mutex:
            self._under_way += 1
            leads = self._leaders < self._group.at_once
            if leads:
                self._leaders += 1
            else:
                self._waiting.append(job)
                if len(self._waiting) + 1 >= self._expected:
                    self._complete.set()
        if not leads:
            job.sleep()
        if not job.done:
            self._lead(job)
        if job.error is not None:
            raise job.error
        return job.holds

    def _lead(self, first: Job) -> None:
        """Commit for all that wait, hand the lead to one that has come meanwhile, and wake the others."""
        group = [first]
        try:
            with self._turn:
                group += self._gather()
                self._write(group)
        finally:
            with self._mutex:
                self._expected = -(-self._under_way // self._group.at_once)
                self._under_way -= len(group)
                following = self._waiting.pop(0) if self._waiting else None
                if following is None:
                    self._leaders -= 1
            for job in (*group[1:], following):
                if job is not None:
                    job.wake()

    def _gather(self) -> list[Job]:
        """Whoever waits; where others were under way a moment ago, a fair share of them is waited for."""
        with self._mutex:
            complete = len(self._waiting) + 1 >= self._expected
            if not complete:
                self._complete.clear()
        if not complete:
            self._complete.wait(self._group.gather_s)
        with self._mutex:
            gathered, self._waiting = self._waiting, []
        return gathered

    def _write(self, group: list[Job]) -> None:
        """Write a group in one transaction; if one of them fails, each in a transaction of its own."""
        try:
            with self._writer() as connection:
                self._group.write(connection, group)
            for job in group:
                job.error = None
        except Exception as error:  # noqa: BLE001  # whatever it is, it must not pass for a commit of the others
            # A database that is busy or gone is not asked once more for each: the callers of all would wait for all.
            if len(group) > 1 and not isinstance(error, sa.exc.OperationalError):
                for job in group:
                    self._write([job])
            else:
                for job in group:
                    job.error = error
        finally:
            for job in group:
                job.done = True

    @contextmanager
    def _writer(self) -> Iterator[Any]:
        """A driver's connection for writing, always the same ones; errors come as SQLAlchemy's.

        A connection of SQLite drops its page cache whenever another one has written.
        """
        held = self._writers.pop() if self._writers else Held(connected(self._engine))
        try:
            yield held.pooled.driver_connection
        except self._errors as error:
            raise translated(error, held.pooled, self._dialect) from error
        finally:
            if held.pooled.is_valid:
                self._writers.append(held)

    def close(self) -> None:
        """Give the connections back."""
        self._readers.close()
        while self._writers:
            self._writers.pop().release()
