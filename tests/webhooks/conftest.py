from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sample_database import _nothing_is_made_twice, reused_postgres, sample_template, sample_url
from tests.webhooks.desk import Desk

__all__ = [
    "_nothing_is_made_twice",
    "desk",
    "make_desk",
    "reused_postgres",
    "sample_template",
    "sample_url",
]


@pytest.fixture
def make_desk(sample_url: str, tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    """Desks with other settings, on one database."""
    made: list[Desk] = []

    def make(**settings: Any) -> Desk:
        made.append(Desk(sample_url, tmp_path / "data", **settings))
        return made[-1]

    yield make
    for desk in made:
        desk.close()


@pytest.fixture
def desk(make_desk: Callable[..., Desk]) -> Desk:
    """A desk at night with the usual settings."""
    return make_desk()
