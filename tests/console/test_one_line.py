"""What the world does to a command ends in one line that says what to do, never in a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from socket import socket

import pytest

from tests.console.conftest import command

COMMANDS = (
    ("policy", "export"), ("policy", "history"), ("policy", "undo"), ("near-misses",), ("due",), ("case", "1"),
    ("explain", "--line", "support"), ("fallback",),
)  # fmt: skip


@pytest.fixture
def closed_port() -> Iterator[int]:
    with closing(socket()) as held:
        held.bind(("127.0.0.1", 0))
        yield int(held.getsockname()[1])


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(words))
def test_it_says_to_migrate_first(
    environment: pytest.MonkeyPatch, tmp_path: Path, words: tuple[str, ...]
) -> None:
    environment.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/new.db")
    result = command(*words)
    assert result.exit_code == 1
    assert result.output == (
        "Error: the database's tables are not there, or not up to date; do first: nightbell migrate\n"
    )


@pytest.mark.parametrize("words", [*COMMANDS, ("migrate",)], ids=lambda words: " ".join(words))
def test_it_says_that_the_database_cannot_be_reached(
    environment: pytest.MonkeyPatch, closed_port: int, words: tuple[str, ...]
) -> None:
    environment.setenv("DATABASE_URL", f"postgresql://a:secret@127.0.0.1:{closed_port}/nothing")
    result = command(*words)
    assert result.exit_code == 1
    assert result.output.count("\n") == 1
    assert "the database cannot be reached; check DATABASE_URL" in result.output
    assert "secret" not in result.output


@pytest.mark.parametrize(
    "url", ["postgresql://a:secret@host:port/x", "postgresql://a:secret@[::1/x", "mysql://x"]
)
def test_it_names_an_address_that_is_none(environment: pytest.MonkeyPatch, url: str) -> None:
    environment.setenv("DATABASE_URL", url)
    for words in (("policy", "history"), ("migrate",)):
        result = command(*words)
        assert result.exit_code == 1
        assert result.output.count("\n") == 1
        assert "DATABASE_URL is wrong" in result.output
        assert "secret" not in result.output


def test_it_names_a_folder_that_cannot_be_written(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    environment.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/n.db")
    environment.setenv("NIGHTBELL_DATA_DIR", str(tmp_path / "file" / "data"))
    result = command("policy", "history")
    assert result.exit_code == 1
    assert result.output.count("\n") == 1
    assert str(tmp_path / "file") in result.output


def test_it_names_the_settings_that_are_missing(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("TWILIO_AUTH_TOKEN")
    result = command("due")
    assert (result.exit_code, result.output) == (
        1, "Error: TWILIO_AUTH_TOKEN is not set; expected: the account's auth token; it signs webhooks\n",
    )  # fmt: skip


def test_it_says_when_the_file_is_no_database(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "n.db").write_text("this is a letter and no database, however long it may be" * 100)
    environment.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/n.db")
    result = command("due")
    assert result.exit_code == 1
    assert result.output.count("\n") == 1
    assert result.output.startswith("Error: the database ")
