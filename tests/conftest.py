"""What all tests share: databases (SQLite, and PostgreSQL where ``DATABASE_URL`` names one), and a closed network."""

from __future__ import annotations

import gc
import os
import shutil
import socket
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import settings
from werkzeug.routing import Rule

from core.schema import migrate
from tests import asked

_POSTGRES = os.environ.get("DATABASE_URL", "")
_POSTGRES = _POSTGRES if _POSTGRES.startswith("postgres") else ""
BACKENDS = ["sqlite", "postgresql"] if _POSTGRES else ["sqlite"]

# The suite tries the same examples each time: what fails was broken by the change at hand. New ones: `make fuzz`.
settings.register_profile("fixed", derandomize=True, deadline=None)
settings.register_profile("fuzz", deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))


def pytest_report_header() -> str:
    if _POSTGRES:
        return "databases: SQLite, and PostgreSQL where it can differ (--thorough: everywhere)"
    return "databases: SQLite alone; set DATABASE_URL=postgresql://... to run on PostgreSQL too"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if not _POSTGRES:
        terminalreporter.write_line("NOTE: ran on SQLite alone; DATABASE_URL names no PostgreSQL")
    if _is_judged(config) and (places := asked.asked_sqlite_alone()):
        terminalreporter.write_line(
            "NOTE: these places have not asked PostgreSQL in any test; let a story do so"
        )
        terminalreporter.write_line("(mark it with both_databases): " + ", ".join(places))
    if shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin") is None:
        terminalreporter.write_line("NOTE: ran without an IMAP server; dovecot-imapd is not installed")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--thorough", action="store_true", help="run each story on PostgreSQL too, and each variant"
    )


# Where tests differ in what people do and say: what the database makes of it is the same in most of them.
_MARKED_ON_POSTGRESQL = {"stories", "webhooks", "console", "correspondence"}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """SQLite gets every test; PostgreSQL those that can differ there, and those that are marked.

    What has asked SQLite alone after that is listed at the end (``tests.asked``).
    """
    if config.getoption("--thorough"):
        return
    told: set[object] = set()
    spared = []
    for item in items:
        callspec = getattr(item, "callspec", None)
        if callspec is None or "postgresql" not in callspec.params.values():
            continue
        marks = {mark.name for mark in item.iter_markers()}
        if item.path.parent.name not in _MARKED_ON_POSTGRESQL or "every_variant" in marks:
            continue
        test = (item.path, getattr(item, "originalname", item.name))
        spared += [item] if "both_databases" not in marks or test in told else []
        told.add(test)
    config.hook.pytest_deselected(items=spared)
    left_out = set(map(id, spared))
    items[:] = [item for item in items if id(item) not in left_out]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    asked.take_over(getattr(node, "workeroutput", {}))


def pytest_sessionfinish(session: pytest.Session) -> None:
    asked.hand_over(session.config)


def _is_judged(config: pytest.Config) -> bool:
    """Only the whole suite has asked everything."""
    whole = config.args_source is config.ArgsSource.TESTPATHS and not config.option.keyword
    return bool(_POSTGRES) and whole and not hasattr(config, "workerinput")


def pytest_collection_finish() -> None:
    """What is imported by now stays: the collector of garbage need not look at it after every few tests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def _routes_are_compiled_once() -> Iterator[None]:
    """Tests make the same applications hundreds of times; compiling their routes would take a tenth of it all."""
    compiled: dict[object, Callable[..., tuple[str, str]]] = {}
    compile_builder = Rule._compile_builder

    def once(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        key = (rule.rule, tuple(rule._trace), repr(rule.defaults), append_unknown)
        if key not in compiled:
            compiled[key] = compile_builder(rule, append_unknown)
        return compiled[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Rule, "_compile_builder", once)
        yield


@pytest.fixture(autouse=True)
def _only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reaches beyond this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        host = address[0] if isinstance(address, tuple) else None
        if host is not None and host not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test tried to connect to {host}")
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings of whoever runs the tests must not change them."""
    for name in list(os.environ):
        if name.startswith(("NIGHTBELL_", "TWILIO_", "SIMULATOR_")) and name != "NIGHTBELL_PRISM_DIR":
            monkeypatch.delenv(name)
    for name in ("DATABASE_URL", "PORT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite database to copy."""
    path = tmp_path_factory.mktemp("template") / "nightbell.db"
    migrate(f"sqlite:///{path}")
    return path


def _admin_url(database: str) -> str:
    url = sa.make_url(_POSTGRES).set(drivername="postgresql", database=database)
    return url.render_as_string(hide_password=False)


def _execute(statement: str) -> None:
    with psycopg.connect(_admin_url("postgres"), autocommit=True) as connection:
        connection.execute(statement)  # type: ignore[arg-type]  # names of our own making


@pytest.fixture(scope="session")
def postgres_template() -> Iterator[str]:
    """A migrated, empty PostgreSQL database to copy; one for each test process."""
    name = f"nightbell_test_{uuid.uuid4().hex[:10]}"
    _execute(f"CREATE DATABASE {name}")
    migrate(_admin_url(name).replace("postgresql://", "postgresql+psycopg://"))
    yield name
    _execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def quick_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where the machine has one: a test's commits need not wait for a disk."""
    memory = Path("/dev/shm")
    if not memory.is_dir() or not os.access(memory, os.W_OK):
        yield tmp_path
        return
    folder = Path(tempfile.mkdtemp(prefix="nightbell-", dir=memory))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=BACKENDS)
def database_url(request: pytest.FixtureRequest, quick_folder: Path) -> Iterator[str]:
    """A migrated, empty database of its own for each test, on each of the databases."""
    if request.param == "sqlite":
        template: Path = request.getfixturevalue("sqlite_template")
        shutil.copy(template, quick_folder / "nightbell.db")
        yield f"sqlite:///{quick_folder / 'nightbell.db'}"
        return
    template_name: str = request.getfixturevalue("postgres_template")
    name = f"nightbell_test_{uuid.uuid4().hex[:10]}"
    _execute(f"CREATE DATABASE {name} TEMPLATE {template_name}")
    _execute(f"ALTER DATABASE {name} SET synchronous_commit TO off")
    yield _admin_url(name).replace("postgresql://", "postgresql+psycopg://")
    _execute(f"DROP DATABASE {name} WITH (FORCE)")
