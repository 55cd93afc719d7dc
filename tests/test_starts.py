"""What the world does to a start ends in one line that says what to do, for each process of the Procfile."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

import app
import mail
import worker
from console.commands import main as nightbell
from core.start import WRONG_START

Start = Callable[[ModuleType], str]
PROCESSES = pytest.mark.parametrize("process", [app, worker, mail], ids=["web", "worker", "mail"])


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """Settings that are right, but for what the test says; signals stay as they are."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NIGHTBELL_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/data/nightbell.db")
    monkeypatch.setenv("NIGHTBELL_SECRET_KEY", "a key for tests only")
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", "AC" + "0" * 32)
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "token")
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    return monkeypatch


@pytest.fixture
def said(environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Start:
    """The one line that a process says when it does not start."""

    def start(process: ModuleType) -> str:
        with pytest.raises(SystemExit) as ended:
            process.main()
        assert ended.value.code == WRONG_START
        line = capsys.readouterr().err
        assert line.count("\n") == 1
        return line

    return start


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield int(other.getsockname()[1])


@PROCESSES
def test_it_names_a_wrong_setting(environment: pytest.MonkeyPatch, said: Start, process: ModuleType) -> None:
    environment.setenv("DATABASE_URL", "postgresql://a:secret@host:port/x")
    line = said(process)
    assert line.startswith("DATABASE_URL is wrong (not an address); expected: ")
    assert "secret" not in line


@PROCESSES
@pytest.mark.parametrize("name", ["NIGHTBELL_DATA_DIR", "DATABASE_URL"])
def test_it_names_a_folder_that_cannot_be_used(
    environment: pytest.MonkeyPatch, said: Start, tmp_path: Path, process: ModuleType, name: str
) -> None:
    in_the_way = tmp_path / "a file"
    in_the_way.write_text("no folder")
    prefix = "sqlite:///" if name == "DATABASE_URL" else ""
    environment.setenv(name, f"{prefix}{in_the_way}/deeper/place")
    line = said(process)
    assert str(in_the_way) in line
    assert name in line


@PROCESSES
def test_it_names_storage_that_cannot_be_used(
    environment: pytest.MonkeyPatch, said: Start, process: ModuleType
) -> None:
    environment.setenv("NIGHTBELL_STORAGE_URL", "file://elsewhere/audio")
    assert said(process).startswith("NIGHTBELL_STORAGE_URL is wrong (")


@pytest.mark.usefixtures("environment")
def test_it_names_a_port_that_is_taken(taken_port: int) -> None:
    root = Path(app.__file__).parent
    done = subprocess.run(  # in a process of its own: the server's sockets are its to leave behind
        [sys.executable, str(root / "app.py")], env={**os.environ, "PORT": str(taken_port)}, cwd=root,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == WRONG_START
    assert done.stderr.startswith(
        f"cannot listen on 127.0.0.1:{taken_port} (Address already in use); stop what"
    )
    assert done.stderr.count("\n") == 1


def test_it_names_an_address_that_is_not_of_this_machine(
    environment: pytest.MonkeyPatch, said: Start
) -> None:
    environment.setenv("NIGHTBELL_HOST", "999.1.1.1")
    assert "NIGHTBELL_HOST" in said(app)


@pytest.mark.parametrize(
    ("ports", "line"),
    [
        (
            {"PORT": "{free}", "SIMULATOR_PORT": "many"},
            "SIMULATOR_PORT is 'many'; expected a port, 1 to 65535\n",
        ),
        (
            {"PORT": "{free}", "SIMULATOR_PORT": "{free}"},
            "SIMULATOR_PORT and PORT are both {free}; give each",
        ),
        ({"PORT": "{taken}"}, "port {taken} is taken; stop what uses it, or choose another: make run PORT="),
    ],
    ids=["no number", "the same twice", "taken"],
)
def test_it_says_which_port_everything_together_cannot_have(
    environment: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    taken_port: int,
    ports: dict[str, str],
    line: str,
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        known = {"free": probe.getsockname()[1], "taken": taken_port}
    for name, value in ports.items():
        environment.setenv(name, value.format(**known))
    with pytest.raises(SystemExit) as ended:
        nightbell(["run"])
    assert ended.value.code == WRONG_START
    said = capsys.readouterr().err
    assert said.startswith(line.format(**known))
    assert said.count("\n") == 1
