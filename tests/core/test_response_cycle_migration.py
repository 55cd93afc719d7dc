"""Cases of an earlier release get their first cycle when the tables are migrated, and their clocks run on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from alembic import command

from core.database import Database
from core.due import Due
from core.schema import alembic_config, migrate
from routing.clocks.models import ResponseCycle

CONTACT = datetime(2026, 3, 4, 8, 10, tzinfo=UTC)
DUE = CONTACT + timedelta(hours=1)
BEFORE = "0001"
# number -> due, answered, what becomes of it
OLD = {
    1001: (DUE, None, "running"),
    1002: (DUE, DUE, "kept"),
    1003: (DUE, DUE + timedelta(seconds=1), "late"),
    1004: (None, None, "unpromised"),
    1005: (None, DUE, "answered"),
}


@pytest.fixture
def old(database_url: str) -> Iterator[Database]:
    """A database of before, with a case of each kind."""
    command.downgrade(alembic_config(database_url), BEFORE)
    database = Database(database_url)
    at = "2026-03-04 08:10:00.000000" if database.is_sqlite else CONTACT
    with database.engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO policy_versions (version, applied_at, document, fingerprint) "
                                   "VALUES (1, '2026-01-01', '', ''), (2, '2026-01-02', '', '')")  # fmt: skip
        for number, (due_at, responded_at, _) in OLD.items():
            connection.execute(
                sa.text(
                    "INSERT INTO cases (id, origin, channel, service, verified, tier, title, priority, status,"
                    " contact_at, opened_at, target, due_at, responded_at, response_kind)"
                    " VALUES (:id, :origin, 'phone', 'support',"
                    " true, 'elite', 't', 1, 'open', :at, :at, '1 hour', :due, :responded, :kind)"
                ),
                {"id": number, "origin": f"call:{number}", "at": at, "due": _stored(database, due_at),
                 "responded": _stored(database, responded_at), "kind": "call" if responded_at else None},
            )  # fmt: skip
        connection.execute(
            sa.text(
                "INSERT INTO events (at, kind, case_id, person, data)"
                " VALUES (:at, 'case.responded', 1002, 'dana', '{}')"
            ),
            {"at": at},
        )
        connection.execute(
            sa.text(
                "INSERT INTO decisions (at, case_id, outcome, priority, target, facts, reasons, policy_version,"
                " calendar_fingerprint, tz_version)"
                " VALUES (:at, 1002, 'page', 1, '1 hour', '{}', '[]', 1, 'abc', '2025.1')"
            ),
            {"at": at},
        )
    yield database
    database.close()


def _stored(database: Database, at: datetime | None) -> object:
    return f"{at:%Y-%m-%d %H:%M:%S.%f}" if at and database.is_sqlite else at


def test_it_gives_each_case_its_first_cycle(old: Database, database_url: str) -> None:
    migrate(database_url)
    with old.reading() as session:
        cycles = {cycle.case_id: cycle for cycle in session.scalars(sa.select(ResponseCycle))}
        work = session.scalars(sa.select(Due)).all()
    assert {number: cycle.state for number, cycle in cycles.items()} == {n: row[2] for n, row in OLD.items()}
    for number, (due_at, responded_at, _) in OLD.items():
        cycle = cycles[number]
        assert (cycle.number, cycle.started_at, cycle.due_at, cycle.responded_at) == (
            1,
            CONTACT,
            due_at,
            responded_at,
        )
    kept, late = cycles[1002], cycles[1003]
    assert (kept.responded_by, kept.policy_version, kept.calendar_fingerprint, kept.tz_version) == (
        "dana",
        1,
        "abc",
        "2025.1",
    )
    assert (late.breached_at, late.policy_version) == (DUE, 2)
    (breach,) = work
    assert (breach.kind, breach.subject, breach.due_at) == ("clock.breach", "clock:1001", DUE)
    assert breach.payload == {"cycle": cycles[1001].id}


def test_it_goes_back_and_forth(old: Database, database_url: str) -> None:
    migrate(database_url)
    command.downgrade(alembic_config(database_url), BEFORE)
    with old.engine.connect() as connection:
        assert "response_cycles" not in sa.inspect(connection).get_table_names()
        assert connection.exec_driver_sql("SELECT count(*) FROM due").scalar_one() == 0
        assert connection.exec_driver_sql("SELECT count(*) FROM cases").scalar_one() == len(OLD)
    migrate(database_url)
    with old.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(ResponseCycle)) == len(OLD)
