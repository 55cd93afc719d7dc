"""Rows written past the unit of work are what it would have written, and the session knows them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from core.database import Database
from core.models import Case, Contract, Customer, Message, Person
from core.prepared import Prepared
from core.straight import straight, straight_rows, write

NOON = datetime(2026, 3, 4, 12, 0, 0, 123456, tzinfo=UTC)
OF_CASE = Prepared(sa.select(Message.body, Message.details).where(Message.case_id == sa.bindparam("case")))


CASE: dict[str, Any] = {
    "origin": "mail:1", "channel": "mail", "service": "support", "verified": True, "title": "Down", "priority": 4,
    "contact_at": NOON, "opened_at": NOON, "target": "2 business days",
}  # fmt: skip


def columns(row: object) -> dict[str, Any]:
    return {name: getattr(row, name) for name in sa.inspect(type(row)).columns.keys()}  # type: ignore[attr-defined]  # noqa: SIM118


def test_it_writes_what_the_unit_of_work_would_have_written(database: Database) -> None:
    with database.writing() as session:
        quick = write(session, Case, **CASE)
        assert quick.id is not None
        write(
            session, Message, case_id=quick.id, at=NOON, channel="mail", author="customer", details={"é": [1]}
        )
        write(session, Person, key="dana", name="Dana", phone="+17135550101")
        slow = Case(**CASE | {"origin": "mail:2"})
        session.add(slow)
        session.flush()
    with database.reading() as session:
        first, second = session.scalars(sa.select(Case).order_by(Case.id))
        told, other = columns(first), columns(second)
        assert told.pop("id") != other.pop("id")
        assert (told.pop("origin"), other.pop("origin")) == ("mail:1", "mail:2")
        assert told == other
        message = session.scalars(sa.select(Message)).one()
        assert (message.body, message.public, message.details, message.html) == ("", True, {"é": [1]}, None)
        assert session.get_one(Person, "dana").active


def test_it_knows_the_row_and_what_is_changed_of_it_later(database: Database) -> None:
    with database.writing() as session:
        row = write(session, Case, **CASE)
        assert session.get(Case, row.id) is row
        assert row.engineer is None
        assert row.customer is None
        row.title = "Up again"
    with database.reading() as session:
        assert session.scalars(sa.select(Case.title)).all() == ["Up again"]


def test_it_writes_no_value_as_none_where_the_column_says_so(database: Database) -> None:
    with database.writing() as session:
        row = write(session, Case, **CASE)
        write(session, Message, case_id=row.id, at=NOON, channel="note", author="system")
        assert session.scalar(sa.select(sa.func.count()).where(Message.details.is_(None))) == 1
        assert [(each.body, each.details) for each in straight_rows(session, OF_CASE, case=row.id)] == [
            ("", None)
        ]


def test_it_makes_what_a_column_begins_with_anew_each_time(database: Database) -> None:
    with database.writing() as session:
        of = write(session, Customer, key="lakeside", name="Lakeside", support_id="1").id
        one = write(session, Contract, customer_id=of, service="support", tier="elite")
        two = write(session, Contract, customer_id=of, service="managed-services", tier="elite")
        one.checks["a"] = {}
        assert two.checks == {}


def test_it_keeps_nothing_of_what_is_rolled_back(database: Database) -> None:
    with pytest.raises(RuntimeError, match="in the middle"), database.writing() as session:  # noqa: PT012  # the end of the block raises
        write(session, Case, **CASE)
        raise RuntimeError("in the middle")
    with database.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Case)) == 0


def test_its_errors_are_the_usual_ones_and_show_no_values(database: Database) -> None:
    with pytest.raises(sa.exc.IntegrityError) as failed, database.writing() as session:  # noqa: PT012  # the end of the block raises
        write(session, Case, **CASE, from_address="maria@lakeside.example")
        write(session, Case, **CASE, from_address="maria@lakeside.example")
    assert "maria@lakeside.example" not in str(failed.value)


def test_it_says_that_the_connection_was_lost(database: Database) -> None:
    if database.is_sqlite:
        pytest.skip("a file has no connection to lose")
    gone = Prepared(sa.select(sa.func.pg_terminate_backend(sa.func.pg_backend_pid()).label("done")))
    with pytest.raises(sa.exc.DBAPIError) as lost, database.writing() as session:
        straight(session, gone)
    assert lost.value.connection_invalidated
    with database.writing() as session:
        write(session, Case, **CASE)


def test_it_refuses_what_is_no_column(database: Database) -> None:
    with pytest.raises(TypeError, match="no columns"), database.writing() as session:
        write(session, Person, key="dana", name="Dana", phone="+17135550101", fax="no")
