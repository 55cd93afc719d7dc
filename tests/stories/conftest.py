from __future__ import annotations

import functools
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from core import database
from core.database import Base
from routing import policies
from tests.conftest import BACKENDS, _admin_url
from tests.house import House
from tests.reused_database import _empty, reused_postgres

__all__ = ["reused_postgres"]

_OF_THE_POLICY = {"policy_versions", "people", "customers", "contacts", "contracts", "customer_domains"}


@pytest.fixture(scope="session", autouse=True)
def _nothing_is_made_twice() -> Iterator[None]:
    """A story is short: reading the policy, or compiling every statement anew, would take longer."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(policies, "parse_policy", functools.cache(policies.parse_policy))
        patch.setattr(database, "_engine", functools.cache(database._engine))
        yield


@pytest.fixture(scope="session")
def story_template(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database with the sample policy in it, to copy."""
    folder = tmp_path_factory.mktemp("stories")
    template = Path(shutil.copy(sqlite_template, folder / "template.db"))
    House(f"sqlite:///{template}", folder / "data").context.database.close()
    return template


@pytest.fixture(params=BACKENDS)
def database_url(request: pytest.FixtureRequest) -> str:
    """A database for one story, at the address of the story before: SQLite, and PostgreSQL where there is one."""
    if request.param == "postgresql":
        url = _admin_url(request.getfixturevalue("reused_postgres"))
        _forget_the_story_before(url)
        return url.replace("postgresql://", "postgresql+psycopg://")
    template: Path = request.getfixturevalue("story_template")
    path = template.with_name("story.db")
    for old in (path, path.with_name("story.db-wal"), path.with_name("story.db-shm")):
        old.unlink(missing_ok=True)
    shutil.copy(template, path)
    return f"sqlite:///{path}"


def _forget_the_story_before(url: str) -> None:
    """Leave the sample policy, if that is the only one there is."""
    with psycopg.connect(url) as connection:
        versions = connection.execute("SELECT version FROM policy_versions").fetchall()
        if len(versions) == 1:
            tables = [t.name for t in reversed(Base.metadata.sorted_tables) if t.name not in _OF_THE_POLICY]
            statements = [f"DELETE FROM {name}" for name in tables]  # names of our own
            connection.execute("; ".join([*statements, "ALTER TABLE cases ALTER COLUMN id RESTART"]))
            return
    _empty(url)


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    """A quiet Wednesday night at 02:10; Dana is on call, then Luis."""
    house = House(database_url, tmp_path / "data")
    yield house
    house.check()
    house.context.database.close()
