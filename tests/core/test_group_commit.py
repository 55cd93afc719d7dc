"""Writers that come together are committed together, and none of them suffers for another."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from core.database import Database
from core.models import Event, Person
from core.prepared import prepared_insert
from core.quick import Job
from core.sqlite_group import SqliteGroup

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
EVENT, PERSON = prepared_insert(Event), prepared_insert(Person)
WRITERS = 8


@pytest.fixture
def database(sqlite_template: Path, quick_folder: Path) -> Iterator[Database]:
    path = quick_folder / "nightbell.db"
    path.write_bytes(sqlite_template.read_bytes())
    database = Database(f"sqlite:///{path}", threads=WRITERS)
    yield database
    database.close()


@pytest.fixture
def groups(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the groups that were committed."""
    sizes: list[int] = []
    write = SqliteGroup.write

    def noted(self: SqliteGroup, connection: Any, jobs: list[Job]) -> None:
        sizes.append(len(jobs))
        write(self, connection, jobs)

    monkeypatch.setattr(SqliteGroup, "write", noted)
    return sizes


def _write_event(database: Database, number: int) -> None:
    with database._quick.transaction() as transaction:
        transaction.add(EVENT, at=NOON, kind="test", data={"number": number})


def _numbers(database: Database) -> list[int]:
    with database.reading() as session:
        return sorted(data["number"] for data in session.scalars(sa.select(Event.data)))


def test_it_loses_nothing_of_many_writers(database: Database, groups: list[int]) -> None:
    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(lambda number: _write_event(database, number), range(400)))
    assert _numbers(database) == list(range(400))
    assert sum(groups) == 400
    assert len(groups) < 300, "hardly anybody was committed with another"


def test_it_does_not_wait_for_others_when_there_are_none(database: Database, groups: list[int]) -> None:
    for number in range(5):
        _write_event(database, number)
    assert groups == [1] * 5
    assert database._quick._expected == 1


def test_it_waits_only_a_moment_for_others_that_do_not_come(database: Database, groups: list[int]) -> None:
    quick = database._quick
    quick._expected = WRITERS
    _write_event(database, 1)
    _write_event(database, 2)
    assert groups == [1, 1]
    assert quick._expected == 1, "what did not come is not expected again"


def test_it_writes_the_others_when_one_of_a_group_cannot_be_written(
    database: Database, groups: list[int]
) -> None:
    values = {"key": "dana", "name": "Dana", "phone": "+17135550101"}
    with database._quick.transaction() as transaction:
        transaction.add(PERSON, **values)
    start = threading.Barrier(4)
    failed: list[int] = []

    def write(number: int) -> None:
        start.wait()
        try:
            with database._quick.transaction() as transaction:
                transaction.add(EVENT, at=NOON, kind="test", data={"number": number})
                if number == 2:
                    transaction.add(PERSON, **values)  # she is there already
        except sa.exc.IntegrityError:
            failed.append(number)

    for _ in range(10):
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(write, range(4)))
    assert failed == [2] * 10
    assert _numbers(database) == [0] * 10 + [1] * 10 + [3] * 10


def test_it_tells_all_of_a_group_that_the_database_is_gone(database: Database) -> None:
    blocker = Database(str(database.engine.url))
    quick = database._quick
    with quick._writer() as connection:
        connection.execute("PRAGMA busy_timeout=50")
    with blocker.writing() as session, ThreadPoolExecutor(3) as pool:
        session.execute(sa.select(Event.id))  # the transaction begins with its first statement
        futures = [pool.submit(_write_event, database, number) for number in range(3)]
        errors = [future.exception(timeout=10) for future in futures]
    blocker.close()
    assert [type(error) for error in errors] == [sa.exc.OperationalError] * 3
    _write_event(database, 7)
    assert _numbers(database) == [7]
