"""One commit for several writers of a process, each with its own work in the same session.

A small transaction is mostly its commit: a disk that must confirm. Whoever comes while another one commits waits
anyway; the first of them then does the work of all that wait, and commits it once. Nobody waits to be joined.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

T = TypeVar("T")
_MOST = 50  # in one commit: others who write wait for it


class _Job:
    """A piece of work that waits for its commit. ``leads``: its thread has been woken to commit for others."""

    def __init__(self, work: Callable[[Session], Any]) -> None:
        self.work = work
        self.result: Any = None
        self.error: BaseException | None = RuntimeError("the work was not committed")
        self.leads = False
        self.woken = threading.Event()


class SharedCommit:
    """Commits in the transactions that ``writing`` makes."""

    def __init__(self, writing: Callable[[], AbstractContextManager[Session]]) -> None:
        self._writing = writing
        self._mutex = threading.Lock()
        self._waiting: list[_Job] = []
        self._led = False

    def run(self, work: Callable[[Session], T]) -> T:
        """Do ``work`` in a transaction, perhaps of several, and commit it; its result, once that is safe.

        It may be done in another thread, and twice: if a group fails, each of it is tried alone. It must have no
        effect but through the session.
        """
        job = _Job(work)
        with self._mutex:
            if self._led:
                self._waiting.append(job)
            else:
                self._led = job.leads = True
        if not job.leads:
            job.woken.wait()
        if job.leads:
            self._lead(job)
        if job.error is not None:
            raise job.error
        result: T = job.result
        return result

    def _lead(self, first: _Job) -> None:
        """Commit for all that wait; then one that has come meanwhile leads."""
        with self._mutex:
            group, self._waiting = [first, *self._waiting[: _MOST - 1]], self._waiting[_MOST - 1 :]
        try:
            self._commit(group)
        finally:
            with self._mutex:
                following = self._waiting.pop(0) if self._waiting else None
                self._led = following is not None
            if following is not None:
                following.leads = True
                following.woken.set()
            for job in group[1:]:
                job.woken.set()

    def _commit(self, group: list[_Job]) -> None:
        try:
            with self._writing() as session:
                results = [job.work(session) for job in group]
        except Exception as error:  # noqa: BLE001  # whatever it is, it must not pass for a commit of the others
            # A database that is busy or gone is not asked once more for each: the callers of all would wait for all.
            if len(group) > 1 and not isinstance(error, sa.exc.OperationalError):
                for job in group:
                    self._commit([job])
                return
            for job in group:
                job.error = error
        else:
            for job, result in zip(group, results, strict=True):
                job.result, job.error = result, None
