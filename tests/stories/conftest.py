from __future__ import annotations

import functools
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from routing import policies
from tests.conftest import _admin_url as admin_url
from tests.conftest import _execute as execute
from tests.house import House


@pytest.fixture(scope="session", autouse=True)
def _each_policy_is_read_once() -> Iterator[None]:
    """Nearly all stories live under one policy, and reading it takes longer than a short story."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(policies, "parse_policy", functools.cache(policies.parse_policy))
        yield


@pytest.fixture(scope="session")
def sqlite_template(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, _each_policy_is_read_once: None
) -> Path:
    """A database with the sample policy in it, to copy."""
    folder = tmp_path_factory.mktemp("template-with-policy")
    path = Path(shutil.copy(sqlite_template, folder / "nightbell.db"))
    _apply_the_sample(f"sqlite:///{path}", folder)
    return path


@pytest.fixture(scope="session")
def postgres_template(
    postgres_template: str, tmp_path_factory: pytest.TempPathFactory, _each_policy_is_read_once: None
) -> Iterator[str]:
    """A database with the sample policy in it, to copy."""
    name = f"{postgres_template}_policy"
    execute(f"CREATE DATABASE {name} TEMPLATE {postgres_template}")
    _apply_the_sample(admin_url(name), tmp_path_factory.mktemp("template-with-policy"))
    yield name
    execute(f"DROP DATABASE {name} WITH (FORCE)")


def _apply_the_sample(url: str, folder: Path) -> None:
    House(url, folder / "data").context.database.close()


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    """A quiet Wednesday night at 02:10; Dana is on call, then Luis."""
    house = House(database_url, tmp_path / "data")
    yield house
    house.check()
    house.context.database.close()
