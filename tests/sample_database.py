"""A database with the sample policy in it for each test, at the address of the test before.

Most tests are short: migrating, reading the policy, or compiling every statement anew would take longer than they do.
"""

from __future__ import annotations

import functools
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from core import database
from core.database import Base, Database
from routing import policies
from tests.conftest import BACKENDS, _admin_url
from tests.reused_database import _empty, reused_postgres
from tests.stories.people import NIGHT, agreement

__all__ = ["_nothing_is_made_twice", "reused_postgres", "sample_template", "sample_url"]

_OF_THE_POLICY = {"policy_versions", "people", "customers", "contacts", "contracts", "customer_domains"}


@pytest.fixture(scope="session", autouse=True)
def _nothing_is_made_twice() -> Iterator[None]:
    """Policies are read once, and an address that comes again has its engine and compiled statements already."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(policies, "parse_policy", functools.cache(policies.parse_policy))
        # Of a document that is applied there are two policies: as a new one, and as the stored one.
        patch.setattr(policies, "read_document", functools.cache(policies.read_document))
        patch.setattr(database, "_engine", functools.cache(database._engine))
        yield


@pytest.fixture(scope="session")
def sample_template(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database with the sample policy in it, to copy."""
    folder = tmp_path_factory.mktemp("sample")
    template = Path(shutil.copy(sqlite_template, folder / "template.db"))
    _apply_sample(f"sqlite:///{template}")
    return template


@pytest.fixture(params=BACKENDS)
def sample_url(request: pytest.FixtureRequest) -> str:
    """A database with the sample policy and nothing else, on each of the databases."""
    if request.param == "postgresql":
        url = _admin_url(request.getfixturevalue("reused_postgres"))
        known = url.replace("postgresql://", "postgresql+psycopg://")
        if not _forget_the_test_before(url):
            _empty(url)
            _apply_sample(known)
        return known
    template: Path = request.getfixturevalue("sample_template")
    path = template.with_name("sample.db")
    for old in (path, path.with_name("sample.db-wal"), path.with_name("sample.db-shm")):
        old.unlink(missing_ok=True)
    shutil.copy(template, path)
    return f"sqlite:///{path}"


def _apply_sample(url: str) -> None:
    store = Database(url)
    with store.writing() as session:
        policies.apply_policy(session, agreement(), NIGHT)
    store.close()


def _forget_the_test_before(url: str) -> bool:
    """Leave the sample policy, if that is the only one there is; whether it is."""
    with psycopg.connect(url) as connection:
        documents = connection.execute("SELECT document FROM policy_versions").fetchall()
        if documents != [(agreement(),)]:
            return False
        tables = [t.name for t in reversed(Base.metadata.sorted_tables) if t.name not in _OF_THE_POLICY]
        statements = [f"DELETE FROM {name}" for name in tables]  # names of our own
        connection.execute("; ".join([*statements, "ALTER TABLE cases ALTER COLUMN id RESTART"]))
    return True
