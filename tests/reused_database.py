"""One PostgreSQL database for many tests, emptied before each: making a new one costs more than most tests do.

Tests that need a database of their own (of the migrations, of what happens when it goes away) take ``database_url``.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from core.database import Base
from tests.conftest import BACKENDS, _admin_url, _execute


@pytest.fixture(scope="session")
def reused_postgres(postgres_template: str) -> Iterator[str]:
    """The name of the database that is used again and again."""
    name = f"nightbell_test_{uuid.uuid4().hex[:10]}"
    _execute(f"CREATE DATABASE {name} TEMPLATE {postgres_template}")
    _execute(f"ALTER DATABASE {name} SET synchronous_commit TO off")
    yield name
    _execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=BACKENDS)
def reused_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A migrated, empty database, on each of the databases."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "nightbell.db")
        return f"sqlite:///{tmp_path / 'nightbell.db'}"
    url = _admin_url(request.getfixturevalue("reused_postgres"))
    _empty(url)
    return url.replace("postgresql://", "postgresql+psycopg://")


def _empty(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("SET LOCAL lock_timeout = '5s'")  # a transaction that a test left open
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        made = {name for (name,) in rows}
        tables = [table.name for table in reversed(Base.metadata.sorted_tables) if table.name in made]
        connection.execute("; ".join(f"DELETE FROM {name}" for name in tables))  # names of our own
        connection.execute("SELECT setval(seqrelid::regclass, seqstart, false) FROM pg_sequence")
