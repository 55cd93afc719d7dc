from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.database import Database
from routing.policies import parse_policy
from routing.policy import Policy
from tests.reused_database import reused_postgres, reused_url

__all__ = ["database", "policy", "reused_postgres", "reused_url", "sample"]

SAMPLE = Path(__file__).parents[2] / "routing" / "samples" / "agreement.yaml"


@pytest.fixture(scope="session")
def sample() -> str:
    """The shipped policy, as text."""
    return SAMPLE.read_text()


@pytest.fixture(scope="session")
def policy(sample: str) -> Policy:
    """The shipped policy."""
    return parse_policy(sample)


@pytest.fixture
def database(reused_url: str) -> Iterator[Database]:
    """A migrated, empty database; nobody is woken."""
    database = Database(reused_url)
    yield database
    database.close()
