from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.database import Database
from core.settings import Settings, load_settings
from tests.reused_database import reused_postgres, reused_url

__all__ = ["database", "make_settings", "reused_postgres", "reused_url"]


@pytest.fixture
def database(reused_url: str) -> Iterator[Database]:
    """A migrated, empty database; nobody is woken."""
    database = Database(reused_url)
    yield database
    database.close()


@pytest.fixture
def make_settings(tmp_path: Path) -> Callable[..., Settings]:
    """Settings that are right, but for what the test says."""

    def make(**values: Any) -> Settings:
        right: dict[str, Any] = {
            "database_url": f"sqlite:///{tmp_path / 'unused.db'}",
            "data_dir": tmp_path / "data",
            "secret_key": "a key for tests only",
            "twilio_account_sid": "AC" + "5" * 32,
            "twilio_auth_token": "a-token-for-tests",
        }
        return load_settings(**{**right, **values})

    return make
