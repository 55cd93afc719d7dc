from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house import House
from tests.sample_database import _nothing_is_made_twice, reused_postgres, sample_template, sample_url

__all__ = ["_nothing_is_made_twice", "reused_postgres", "sample_template", "sample_url"]


@pytest.fixture
def database_url(sample_url: str) -> str:
    """A database for one story: SQLite, and PostgreSQL where there is one."""
    return sample_url


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    """A quiet Wednesday night at 02:10; Dana is on call, then Luis."""
    house = House(database_url, tmp_path / "data")
    yield house
    house.check()
    house.context.close()
