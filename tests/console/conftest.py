from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from console.commands import main
from tests.reused_database import reused_postgres, reused_url

__all__ = ["reused_postgres", "reused_url"]

SAMPLE = Path(__file__).parents[2] / "routing" / "samples" / "agreement.yaml"
Nightbell = Callable[..., Result]


@pytest.fixture
def sample() -> str:
    """The shipped policy, as text."""
    return SAMPLE.read_text()


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """The settings of a shell; no database yet."""
    monkeypatch.setenv("NIGHTBELL_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("NIGHTBELL_SECRET_KEY", "a key for commands only")
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", "AC" + "0" * 32)
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "token")
    monkeypatch.setenv("NIGHTBELL_CLOCK_FILE", str(tmp_path / "clock"))
    monkeypatch.chdir(tmp_path)
    return monkeypatch


@pytest.fixture
def nightbell(environment: pytest.MonkeyPatch, reused_url: str) -> Nightbell:
    """The command, on a migrated and empty database; what it prints is in ``output``."""
    environment.setenv("DATABASE_URL", reused_url)
    assert os.environ["DATABASE_URL"] == reused_url
    return command


def command(*words: str, stdin: str | bytes | None = None) -> Result:
    """Run ``nightbell`` with these words; an exception that escapes fails the test."""
    result = CliRunner().invoke(main, words, input=stdin)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert "Traceback" not in result.output
    return result
