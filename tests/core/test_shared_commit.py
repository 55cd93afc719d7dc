"""Several writers share one commit, and none suffers for another."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.database import Database
from core.models import Event, record
from core.shared_commit import SharedCommit

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
MANY = 12


class Desk:
    """A database whose commits are counted, and whose first transaction waits until all others have come."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.commits = 0
        self.broken: Exception | None = None
        self.go_on = threading.Event()
        self.begun = threading.Event()
        self.shared = SharedCommit(self._writing)

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        self.begun.set()
        assert self.go_on.wait(10)
        if self.broken is not None:
            raise self.broken
        with self._database.writing() as session:
            yield session
        self.commits += 1

    def all_at_once(self, works: list[Callable[[Session], int]]) -> list[Future[int]]:
        """The works, all but the first of which come while that one is being committed."""
        with ThreadPoolExecutor(len(works)) as pool:
            done = [pool.submit(self.shared.run, works[0])]
            assert self.begun.wait(10)
            done += [pool.submit(self.shared.run, work) for work in works[1:]]
            while len(self.shared._waiting) < len(works) - 1:
                threading.Event().wait(0.001)
            self.go_on.set()
        return done


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


def writes(number: int) -> Callable[[Session], int]:
    def work(session: Session) -> int:
        record(session, "test", NOON, number=number)
        return number

    return work


def numbers(database: Database) -> list[int]:
    with database.reading() as session:
        return sorted(event.data["number"] for event in session.scalars(sa.select(Event)))


def test_it_commits_once_for_all_that_wait_and_gives_each_its_own(desk: Desk, database: Database) -> None:
    done = desk.all_at_once([writes(number) for number in range(MANY)])
    assert [each.result() for each in done] == list(range(MANY))
    assert numbers(database) == list(range(MANY))
    assert desk.commits == 2


def test_it_tries_each_alone_where_one_of_them_fails(desk: Desk, database: Database) -> None:
    def fails(session: Session) -> int:
        record(session, "test", NOON, number=100)
        raise RuntimeError("mine alone")

    done = desk.all_at_once([writes(0), writes(1), fails, writes(2)])
    with pytest.raises(RuntimeError, match="mine alone"):
        done[2].result()
    assert [done[place].result() for place in (0, 1, 3)] == [0, 1, 2]
    assert numbers(database) == [0, 1, 2]


def test_it_asks_a_database_that_is_gone_only_once_for_all(desk: Desk, database: Database) -> None:
    desk.broken = sa.exc.OperationalError("", {}, OSError("gone"))
    done = desk.all_at_once([writes(number) for number in range(MANY)])
    for each in done:
        with pytest.raises(sa.exc.OperationalError):
            each.result()
    desk.broken = None
    assert desk.shared.run(writes(7)) == 7
    assert numbers(database) == [7]


def test_nobody_is_told_before_it_is_committed(database: Database) -> None:
    with ThreadPoolExecutor(MANY) as pool:

        def kept(number: int) -> bool:
            database.writing_together(writes(number))
            return number in numbers(database)

        assert all(pool.map(kept, range(50)))
    assert numbers(database) == list(range(50))
