"""The database: times, transactions, writers that never fail for being two, and wake-ups after the commit."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.database import Database, wake_after_commit
from core.models import Event, Person, record

NOON = datetime(2026, 3, 4, 12, 0, 0, 123456, tzinfo=UTC)


class Bell:
    """Notes when it is announced and rung, and what another connection sees at that moment."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.database: Database | None = None

    def announce(self, session: Session) -> None:
        self.notes.append("announced")

    def send(self) -> None:
        assert self.database is not None
        with self.database.reading() as session:
            self.notes.append(f"sent after {session.scalar(sa.select(sa.func.count(Event.id)))} events")


@pytest.fixture
def bell() -> Bell:
    return Bell()


@pytest.fixture
def ringing(reused_url: str, bell: Bell) -> Iterator[Database]:
    """A database whose wake-ups are noted."""
    database = Database(reused_url, wake=bell)
    bell.database = database
    yield database
    database.close()


def _events(database: Database) -> int:
    with database.reading() as session:
        return int(session.scalar(sa.select(sa.func.count(Event.id))) or 0)


@pytest.mark.parametrize("hours", [0, -6, 5.5])
def test_it_keeps_an_instant_whatever_its_zone(database: Database, hours: float) -> None:
    local = NOON.astimezone(timezone(timedelta(hours=hours)))
    with database.writing() as session:
        record(session, "test", local)
    with database.reading() as session:
        at = session.scalars(sa.select(Event.at)).one()
    assert at == NOON
    assert at.utcoffset() == timedelta()


def test_it_compares_instants_of_different_zones(database: Database) -> None:
    with database.writing() as session:
        record(session, "test", NOON)
    later = (NOON + timedelta(seconds=1)).astimezone(timezone(timedelta(hours=-11)))
    with database.reading() as session:
        assert session.scalars(sa.select(Event.id).where(Event.at < later)).all()
        assert not session.scalars(sa.select(Event.id).where(Event.at > later)).all()


def test_it_refuses_a_naive_time(database: Database) -> None:
    with pytest.raises(ValueError, match="naive time"), database.writing() as session:
        record(session, "test", NOON.replace(tzinfo=None))
    assert _events(database) == 0


def test_it_commits_at_the_end_and_keeps_nothing_of_a_failure(database: Database) -> None:
    with database.writing() as session:
        record(session, "kept", NOON)
    with pytest.raises(RuntimeError, match="in the middle"), database.writing() as session:  # noqa: PT012  # the end of the block raises
        record(session, "lost", NOON)
        session.flush()
        raise RuntimeError("in the middle")
    assert _events(database) == 1


def test_it_lets_others_write_after_a_failure(database: Database) -> None:
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), database.writing():
            _ = 1 / 0
    with database.writing() as session:
        record(session, "kept", NOON)
    assert _events(database) == 1


def test_it_keeps_nothing_that_was_changed_while_reading(database: Database) -> None:
    with database.reading() as session:
        record(session, "lost", NOON)
        session.flush()
    assert _events(database) == 0


def test_it_enforces_foreign_keys_on_both_databases(database: Database) -> None:
    with pytest.raises(sa.exc.IntegrityError), database.writing() as session:
        record(session, "test", NOON, case_id=999_999)


def test_it_lets_many_threads_read_and_write_the_same_row(database: Database) -> None:
    """Read-then-write is what fails with "database is locked" when a transaction begins as a reader."""
    with database.writing() as session:
        session.add(Person(key="dana", name="0", phone="+17135550101"))

    def add_one(_: int) -> None:
        with database.writing() as session:
            person = session.get_one(Person, "dana", with_for_update=True)
            person.name = str(int(person.name) + 1)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add_one, range(80)))
    with database.reading() as session:
        assert session.get_one(Person, "dana").name == "80"


def test_it_lets_two_databases_of_one_file_write_in_turn(reused_url: str) -> None:
    """What two processes do: there the lock of the process does not help."""
    databases = [Database(reused_url) for _ in range(2)]

    def write(number: int) -> None:
        with databases[number % 2].writing() as session:
            known = session.scalar(sa.select(sa.func.count(Event.id)))
            record(session, "test", NOON, known=known)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(40)))
    assert _events(databases[0]) == 40
    for database in databases:
        database.close()


def test_it_begins_a_write_on_sqlite_as_a_writer(database: Database) -> None:
    if not database.is_sqlite:
        pytest.skip("PostgreSQL has no writer's lock")
    path = sa.make_url(str(database.engine.url)).database
    assert path is not None
    other = sqlite3.connect(path, timeout=0, isolation_level=None)
    with database.writing() as session:
        session.execute(sa.select(Event.id))  # its first statement only reads
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
    with database.reading() as session:
        session.execute(sa.select(Event.id))
        other.execute("BEGIN IMMEDIATE")  # who only reads is in nobody's way
        other.execute("ROLLBACK")
    other.close()


def test_it_makes_sqlite_as_safe_as_the_answer_to_twilio_needs(database: Database) -> None:
    if not database.is_sqlite:
        pytest.skip("a matter of SQLite")
    with database.engine.connect() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 4_000}


def test_it_wakes_the_workers_once_and_only_after_the_commit(ringing: Database, bell: Bell) -> None:
    with ringing.writing() as session:
        wake_after_commit(session)
        wake_after_commit(session)
        record(session, "test", NOON)
        assert bell.notes == []
    assert bell.notes == ["announced", "sent after 1 events"]


def test_it_wakes_nobody_when_nothing_is_due_or_the_transaction_failed(ringing: Database, bell: Bell) -> None:
    with ringing.writing() as session:
        record(session, "test", NOON)
    with pytest.raises(RuntimeError), ringing.writing() as session:  # noqa: PT012  # the end of the block raises
        wake_after_commit(session)
        raise RuntimeError
    with ringing.writing() as session:  # the wish of the failed one is not left over
        record(session, "test", NOON)
    assert bell.notes == []


def test_it_serves_more_threads_than_it_has_connections(reused_url: str) -> None:
    database = Database(reused_url, threads=2)
    together = threading.Barrier(6)

    def read(_: int) -> int:
        together.wait(timeout=5)
        return _events(database)

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(read, range(6))) == [0] * 6
    database.close()
