"""The quick way to the database writes and reads what the ordinary way does."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from core.database import Database
from core.due import Due, DueState
from core.models import Event, Person
from core.prepared import Prepared, prepared_insert, reads_of
from core.quick import QuickTransaction

NOON = datetime(2026, 3, 4, 12, 0, 0, 123456, tzinfo=UTC)
EVENT, PERSON, DUE = (prepared_insert(model) for model in (Event, Person, Due))
BY_PHONE = Prepared(sa.select(Person.key, Person.active).where(Person.phone == sa.bindparam("phone")))
EVENTS = Prepared(sa.select(Event.id, Event.at, Event.data).where(Event.kind == sa.bindparam("kind")))


def test_it_writes_the_row_that_the_model_would_have_written(database: Database) -> None:
    with database._quick.transaction() as transaction:
        transaction.add(EVENT, at=NOON, kind="test", data={"é": [1, None]})
        transaction.add(DUE, kind="work", subject="case:1", due_at=NOON, payload={})
    with database.reading() as session:
        event, due = session.scalars(sa.select(Event)).one(), session.scalars(sa.select(Due)).one()
        assert (event.at, event.data, event.case_id) == (NOON, {"é": [1, None]}, None)
        assert (due.state, due.attempts, due.lease_until) == (DueState.READY, 0, None)


def test_it_reads_the_same_rows_either_way(database: Database) -> None:
    with database._quick.transaction() as transaction:
        transaction.add(EVENT, at=NOON, kind="test", data={"a": 1})
        transaction.add(PERSON, key="dana", name="Dana", phone="+17135550101")
    with database.reading() as session:
        usual = [reads_of(session)(EVENTS, kind="test"), reads_of(session)(BY_PHONE, phone="+17135550101")]
    with database._quick.transaction() as transaction:
        quick = [transaction.rows(EVENTS, kind="test"), transaction.rows(BY_PHONE, phone="+17135550101")]
        assert transaction.rows(BY_PHONE, phone="nobody's") == []
    assert [[tuple(row) for row in rows] for rows in usual] == [
        [tuple(row) for row in rows] for rows in quick
    ]
    assert quick[0][0].at == NOON
    assert quick[1][0].key == "dana"


def test_it_keeps_nothing_of_a_failure_and_lets_others_write(database: Database) -> None:
    with pytest.raises(RuntimeError, match="in the middle"), database._quick.transaction() as transaction:  # noqa: PT012  # the end of the block raises
        transaction.add(EVENT, at=NOON, kind="lost", data={})
        raise RuntimeError("in the middle")
    with pytest.raises(sa.exc.IntegrityError), database._quick.transaction() as transaction:  # noqa: PT012  # the end of the block raises
        transaction.add(PERSON, key="dana", name="Dana", phone="+17135550101")
        transaction.add(PERSON, key="dana", name="Dana again", phone="+17135550101")
    with database._quick.transaction() as transaction:
        transaction.add(EVENT, at=NOON, kind="kept", data={})
        assert transaction.rows(BY_PHONE, phone="+17135550101") == []
    with database.reading() as session:
        assert session.scalars(sa.select(Event.kind)).all() == ["kept"]


def test_it_refuses_a_naive_time_and_unknown_references(database: Database) -> None:
    with pytest.raises(ValueError, match="naive time"), database._quick.transaction() as transaction:
        transaction.add(EVENT, at=NOON.replace(tzinfo=None), kind="test", data={})
    with pytest.raises(sa.exc.IntegrityError), database._quick.transaction() as transaction:
        transaction.add(EVENT, at=NOON, kind="test", data={}, case_id=999_999)


def test_it_says_that_the_connection_was_lost(database: Database) -> None:
    if database.is_sqlite:
        pytest.skip("a file has no connection to lose")
    with pytest.raises(sa.exc.DBAPIError) as lost, database._quick.transaction() as transaction:
        transaction.rows(
            Prepared(sa.select(sa.func.pg_terminate_backend(sa.func.pg_backend_pid()).label("done")))
        )
    assert lost.value.connection_invalidated
    with database._quick.transaction() as transaction:
        assert transaction.rows(BY_PHONE, phone="nobody's") == []


def test_it_commits_what_others_brought_when_one_of_a_group_cannot_be_written(database: Database) -> None:
    """Whoever comes first writes for all that wait; a number too great for the database is not their fault."""
    numbers = [1, 2**70, 2, 2**70, 3]
    gate = threading.Barrier(len(numbers) + 1)

    def write(number: int) -> int | None:
        with database._quick.transaction() as transaction:
            transaction.add(EVENT, at=NOON, kind="test", data={"n": str(number)})
            transaction.add(DUE, kind="test", subject=str(number), due_at=NOON, payload={}, attempts=number)
            gate.wait(5)
        return number

    with ThreadPoolExecutor(len(numbers)) as pool:
        waiting = [pool.submit(write, number) for number in numbers]
        with database.writing() as session:  # so that all of them come while somebody writes
            session.execute(sa.select(Event.id))
            gate.wait(5)
            time.sleep(0.05)
        errors = [future.exception(timeout=10) for future in waiting]
    assert [error is None for error in errors] == [number < 2**70 for number in numbers]
    with database.reading() as session:
        assert sorted(session.scalars(sa.select(Due.subject))) == ["1", "2", "3"]
        assert sorted(event.data["n"] for event in session.scalars(sa.select(Event))) == ["1", "2", "3"]


def test_it_loses_none_of_many_writers(database: Database) -> None:
    def write(number: int) -> None:
        with database._quick.transaction() as transaction:
            transaction.add(DUE, kind="test", subject=f"case:{number}", due_at=NOON, payload={})

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(60)))
    with database.reading() as session:
        assert len(set(session.scalars(sa.select(Due.subject)))) == 60


def _name_once(transaction: QuickTransaction, key: str, seen: list[str]) -> str:
    """Somebody's first row, or word of who has the number already."""
    known = [row.key for row in transaction.rows(BY_PHONE, phone="+17135550101")]
    seen.append(",".join(known) or "nobody")
    if known:
        transaction.add(EVENT, at=NOON, kind="known", data={"by": key})
        return known[0]
    transaction.add(PERSON, key=key, name=key.title(), phone="+17135550101")
    return key


def test_it_presumes_that_nothing_is_found_and_looks_when_it_commits(database: Database) -> None:
    seen: list[str] = []
    assert database.writing_quickly(lambda transaction: _name_once(transaction, "dana", seen)) == "dana"
    assert seen == ["nobody"], "it was asked with the commit"
    assert database.writing_quickly(lambda transaction: _name_once(transaction, "lee", seen)) == "dana"
    assert seen == ["nobody", "nobody", "dana"], (
        "what was presumed did not hold: done again with what is there"
    )
    with database.reading() as session:
        assert session.scalars(sa.select(Person.key)).all() == ["dana"]
        assert [event.data for event in session.scalars(sa.select(Event))] == [{"by": "lee"}]


def test_it_tells_apart_the_presumptions_of_a_group(database: Database) -> None:
    with database._quick.transaction() as transaction:
        transaction.add(PERSON, key="dana", name="Dana", phone="+17135550101")
    gate = threading.Barrier(6)

    def write(number: int) -> list[str]:
        def work(transaction: QuickTransaction) -> list[str]:
            found = transaction.rows(BY_PHONE, phone=f"+1713555010{number}")
            transaction.add(DUE, kind="test", subject=str(number), due_at=NOON, payload={"é": "\0"})
            return [row.key for row in found]

        gate.wait(5)
        return database.writing_quickly(work)

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(write, range(6))) == [[], ["dana"], [], [], [], []]
    with database.reading() as session:
        rows = session.scalars(sa.select(Due)).all()
    assert sorted((row.subject, row.payload["é"]) for row in rows) == [(str(n), "\0") for n in range(6)]
