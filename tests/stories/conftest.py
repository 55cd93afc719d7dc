from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house import House


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    """A quiet Wednesday night at 02:10; Dana is on call, then Luis."""
    house = House(database_url, tmp_path / "data")
    yield house
    house.check()
    house.context.database.close()
