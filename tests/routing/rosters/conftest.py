from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reused_database import reused_postgres, reused_url
from tests.routing.rosters.rota import Rota

__all__ = ["reused_postgres", "reused_url"]


@pytest.fixture
def rota(reused_url: str, tmp_path: Path) -> Iterator[Rota]:
    """The product with the sample policy, on the first of March 2026."""
    rota = Rota(reused_url, tmp_path)
    yield rota
    rota.context.database.close()
