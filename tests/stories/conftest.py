from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

from routing import policies
from tests.house import House


@pytest.fixture(scope="session", autouse=True)
def _each_policy_is_read_once() -> Iterator[None]:
    """Nearly all stories live under one policy, and reading it takes longer than a short story."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(policies, "parse_policy", functools.cache(policies.parse_policy))
        yield


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    """A quiet Wednesday night at 02:10; Dana is on call, then Luis."""
    house = House(database_url, tmp_path / "data")
    yield house
    house.check()
    house.context.database.close()
