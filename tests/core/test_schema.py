"""The tables: what the migrations make is what the models say, on both databases."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import core
import intake
import routing
import webhooks
from core.database import Base, Database
from core.models import FIRST_CASE_NUMBER, Case
from core.schema import MIGRATIONS, migrate

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A database that nothing but the migrations has touched."""
    database = Database(database_url)
    yield database
    database.close()


def _import_all_models() -> None:
    for package in (core, routing, intake, webhooks):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)


def _case(origin: str) -> Case:
    return Case(
        origin=origin, channel="phone", service="support", verified=False, title="t", priority=3,
        contact_at=NOON, opened_at=NOON, target="",
    )  # fmt: skip


def test_it_makes_the_tables_that_the_models_describe(database: Database) -> None:
    _import_all_models()
    with database.engine.connect() as connection:
        migration = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(migration, Base.metadata)
    assert differences == []
    with database.engine.connect() as connection:
        made = set(sa.inspect(connection).get_table_names()) - {"alembic_version", "sqlite_sequence"}
    assert made == set(Base.metadata.tables)


def test_it_makes_the_partial_indexes(database: Database) -> None:
    """Autogeneration does not look at an index's condition; picking due work depends on it."""
    _import_all_models()
    kind = database.engine.dialect.name
    wanted = {
        str(index.name): _bare(str(index.dialect_options[kind]["where"]))
        for table in Base.metadata.sorted_tables
        for index in table.indexes
        if index.dialect_options[kind]["where"] is not None
    }
    made = {}
    with database.engine.connect() as connection:
        inspector = sa.inspect(connection)
        for table in Base.metadata.tables:
            for found in inspector.get_indexes(table):
                where = found.get("dialect_options", {}).get(f"{kind}_where")
                if where is not None:
                    made[str(found["name"])] = _bare(str(where))
    assert made == wanted
    assert {"ix_due_ready", "ix_due_leased", "ix_cases_open_from"} <= set(made)


def _bare(condition: str) -> str:
    """A condition without what each database adds when it shows it."""
    return re.sub(r"::[a-z ]+|[()\s]", "", condition)


def test_it_numbers_cases_from_1001_and_never_uses_a_number_twice(database: Database) -> None:
    with database.writing() as session:
        first, second = _case("call:1"), _case("call:2")
        session.add(first)
        session.flush()
        session.add(second)
    assert (first.id, second.id) == (FIRST_CASE_NUMBER, FIRST_CASE_NUMBER + 1)
    with database.writing() as session:
        session.delete(session.get_one(Case, second.id))
    with database.writing() as session:
        third = _case("call:3")
        session.add(third)
    assert third.id == FIRST_CASE_NUMBER + 2


def test_it_opens_one_case_for_one_origin(database: Database) -> None:
    with pytest.raises(sa.exc.IntegrityError), database.writing() as session:
        session.add_all([_case("call:1"), _case("call:1")])


def _revision(database: Database) -> str | None:
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def test_it_can_migrate_twice_and_into_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a' / 'folder' / 'nightbell.db'}"
    migrate(url)
    migrate(url)
    database = Database(url)
    assert _revision(database) == ScriptDirectory(str(MIGRATIONS)).get_current_head()
    database.close()
