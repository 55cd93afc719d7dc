from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.routing.rosters.rota import Rota
from tests.sample_database import _nothing_is_made_twice, reused_postgres, sample_template, sample_url

__all__ = ["_nothing_is_made_twice", "reused_postgres", "sample_template", "sample_url"]


@pytest.fixture
def rota(sample_url: str, tmp_path: Path) -> Iterator[Rota]:
    """The product with the sample policy, on the first of March 2026."""
    rota = Rota(sample_url, tmp_path)
    yield rota
    rota.context.close()
