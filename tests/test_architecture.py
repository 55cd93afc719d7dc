"""The house: who may import whom, who may know Flask or the time, and what names mean.

core  <-  routing  <-  intake  <-  webhooks | console  <-  app.py, worker.py, mail.py
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

MAY_IMPORT: dict[str, set[str]] = {
    "core": set(),
    "routing": {"core"},
    "intake": {"core", "routing"},
    "webhooks": {"core", "routing", "intake"},
    "console": {"core", "routing", "intake"},
    "app": {"core", "routing", "intake", "webhooks", "console"},
    "worker": {"core", "routing", "intake", "webhooks", "console", "app"},
    "mail": {"core", "routing", "intake"},
    "simulator": set(),
    "bench": {"core", "routing", "intake", "webhooks", "console", "app", "worker", "mail", "simulator"},
}
TESTS = "tests"  # imported by nobody
WITHOUT_FLASK = {"core", "routing", "intake"}
WEB_FRAMEWORKS = {"flask", "werkzeug"}

# Facts and an instant go in, a value comes out: no clock, no database, no network.
PURE = (
    "routing/business_hours", "routing/oncall", "routing/coverage.py",
    "routing/coverage_facts.py", "routing/coverage_mail.py", "routing/escalation",
    "routing/targets.py", "routing/wording.py", "routing/wall_time.py", "routing/paging/menu.py",
    "routing/paging/states.py",
    "routing/clocks/states.py", "routing/clocks/promise.py", "routing/clocks/rules.py", "routing/clocks/proof.py",
    "routing/notices/routes.py", "intake/phone/flow.py", "intake/mail/parsing",
    "routing/foresight.py", "routing/policy_changes.py", "routing/policy_checks.py", "routing/policy_contacts.py",
    "routing/policy_contracts.py", "routing/policy_duty.py", "routing/policy_findings.py",
    "routing/policy_week.py", "routing/policy_words.py",
    "routing/rosters/calendars.py", "routing/rosters/reading.py", "routing/rosters/sieve.py",
    "routing/drills/rules.py", "routing/paging/reach.py", "routing/paging/pacing.py", "routing/paging/segments.py",
)  # fmt: skip
IMPURE_MODULES = {
    "sqlalchemy",
    "flask",
    "requests",
    "psycopg",
    "random",
    "secrets",
    "core.database",
    "core.models",
}
CLOCKS = {"now", "utcnow", "today", "time", "time_ns", "monotonic"}
CLOCK_OWNERS = {"datetime", "date", "time", "dt"}


@dataclass(frozen=True)
class Imported:
    """A name of a module that a file imports, and the line."""

    file: str
    line: int
    module: str

    @property
    def top(self) -> str:
        return self.module.split(".")[0]

    def __str__(self) -> str:
        return f"{self.file}:{self.line} imports {self.module}"


def imports_in(source: str, file: str) -> Iterator[Imported]:
    """Every import of a file, wherever it stands: at the top, in a function, for type checking."""
    package = file.removesuffix("/__init__.py").removesuffix(".py").split("/")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Imported(file, node.lineno, alias.name)
        elif isinstance(node, ast.ImportFrom):
            # "from . import x" in a/b.py is relative to a; in a/__init__.py too, whose name is a already.
            inside = package if file.endswith("__init__.py") else package[:-1]
            base = inside[: len(inside) - node.level + 1] if node.level else []
            start = ".".join([*base, *([node.module] if node.module else [])])
            yield Imported(file, node.lineno, start)
            for alias in node.names:
                yield Imported(file, node.lineno, f"{start}.{alias.name}")
        elif _is_import_by_name(node):
            yield Imported(file, node.lineno, node.args[0].value)  # type: ignore[attr-defined]


def _is_import_by_name(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call) or not node.args:
        return False
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return called in ("import_module", "__import__") and isinstance(node.args[0], ast.Constant)


def wrong_arrows(sources: Mapping[str, str]) -> list[str]:
    """What imports against the arrows, in files given by path."""
    return [
        str(found)
        for file, source in sources.items()
        for found in imports_in(source, file)
        if (found.top in MAY_IMPORT or found.top == TESTS)
        and found.top != _place(file)
        and found.top not in MAY_IMPORT[_place(file)]
    ]


def web_frameworks(sources: Mapping[str, str]) -> list[str]:
    """Files that know of the web though they must not."""
    return [
        str(found)
        for file, source in sources.items()
        if _place(file) in WITHOUT_FLASK
        for found in imports_in(source, file)
        if found.top in WEB_FRAMEWORKS
    ]


def impurities(source: str, file: str) -> list[str]:
    """What a pure module must not do: import the world, or look at the clock."""
    found = [str(i) for i in imports_in(source, file) if {i.top, i.module} & IMPURE_MODULES]
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    clocks = [call for call in calls if _reads_a_clock(call.func)]
    return found + [f"{file}:{call.lineno} reads a clock: {ast.unparse(call.func)}()" for call in clocks]


def _reads_a_clock(called: ast.expr) -> bool:
    if isinstance(called, ast.Attribute) and called.attr in CLOCKS:
        owner = (
            called.value.attr if isinstance(called.value, ast.Attribute) else getattr(called.value, "id", "")
        )
        return owner in CLOCK_OWNERS
    return isinstance(called, ast.Name) and called.id in {"utcnow", "monotonic", "time_ns"}


def shadowing(paths: list[str]) -> list[str]:
    """Modules that have the name of one of the standard library's."""
    names = {
        path: Path(path).stem if not path.endswith("__init__.py") else Path(path).parent.name
        for path in paths
    }
    return [path for path, name in names.items() if name in sys.stdlib_module_names]


def _place(file: str) -> str:
    return file.split("/")[0].removesuffix(".py")


@pytest.fixture(scope="module")
def sources() -> dict[str, str]:
    files = [ROOT / "app.py", ROOT / "worker.py", ROOT / "mail.py"]
    for name in MAY_IMPORT:
        files += sorted((ROOT / name).rglob("*.py"))
    return {str(file.relative_to(ROOT)): file.read_text() for file in files}


def test_it_imports_along_the_arrows_only(sources: dict[str, str]) -> None:
    assert {_place(file) for file in sources} == set(MAY_IMPORT)
    assert wrong_arrows(sources) == []


def test_it_knows_of_the_web_only_at_the_edges(sources: dict[str, str]) -> None:
    assert web_frameworks(sources) == []


def test_it_decides_without_clock_database_or_network(sources: dict[str, str]) -> None:
    pure = [file for file in sources if file.startswith(PURE)]
    assert len(pure) > 20
    assert all(any(file.startswith(start) for file in pure) for start in PURE)
    assert [problem for file in pure for problem in impurities(sources[file], file)] == []


def test_it_shadows_nothing_of_the_standard_library(sources: dict[str, str]) -> None:
    assert shadowing(list(sources)) == []


# The checks themselves find what they look for.


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("core/clock.py", "import routing.policy"),
        ("core/clock.py", "from intake import cases"),
        ("core/clock.py", "import sys, worker"),
        ("routing/paging/pages.py", "from intake.cases import open_case"),
        ("routing/paging/pages.py", "def f():\n    import webhooks.edge"),
        (
            "routing/paging/pages.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import console",
        ),
        ("intake/cases.py", "from webhooks.edge import context"),
        ("intake/cases.py", "import importlib\nimportlib.import_module('console.pages')"),
        ("webhooks/voice.py", "from console import case_page"),
        ("console/case_page.py", "from webhooks import spool"),
        ("console/case_page.py", "import app"),
        ("webhooks/voice.py", "from app import create_app"),
        ("app.py", "import worker"),
        ("app.py", "from simulator import company"),
        ("simulator/calls.py", "from core.twiml import Say"),
        ("intake/phone/flow.py", "from simulator.calls import Call"),
        ("core/clock.py", "from bench.load import drive"),
        ("bench/bench_mail.py", "from tests.mail_server import free_port"),
    ],
)
def test_it_finds_an_arrow_that_runs_the_other_way(file: str, line: str) -> None:
    assert wrong_arrows({file: line}) != []


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("routing/policies.py", "from core import models\nfrom routing.policy import Policy"),
        ("routing/paging/pages.py", "from . import models\nfrom .. import escalation"),
        ("intake/phone/__init__.py", "from .flow import step"),
        ("app.py", "import webhooks.edge, console.case_page"),
        ("worker.py", "from app import create_app"),
        ("webhooks/edge.py", "import flask"),
        ("simulator/calls.py", "from simulator.legs import Leg\nimport worker_threads"),
        ("bench/bench_mail.py", "from bench.mails import Door\nfrom worker import Worker"),
    ],
)
def test_it_lets_the_right_arrows_pass(file: str, line: str) -> None:
    assert wrong_arrows({file: line}) == []


def test_it_finds_flask_where_it_must_not_be() -> None:
    found = web_frameworks({"intake/a.py": "from flask import request", "webhooks/a.py": "import flask"})
    assert found == ["intake/a.py:1 imports flask", "intake/a.py:1 imports flask.request"]


@pytest.mark.parametrize(
    "source",
    [
        "import sqlalchemy as sa",
        "from sqlalchemy.orm import Session",
        "from flask import request",
        "import requests",
        "from core.models import Case",
        "from datetime import datetime\ndatetime.now()",
        "import datetime\ndatetime.datetime.now(datetime.UTC)",
        "from datetime import datetime\nx = lambda: datetime.utcnow()",
        "from datetime import date\ndate.today()",
        "import time\ntime.time()",
        "from time import monotonic\nmonotonic()",
    ],
)
def test_it_finds_what_is_not_pure(source: str) -> None:
    assert impurities(source, "routing/coverage.py") != []


def test_it_lets_a_pure_module_take_time_as_an_argument() -> None:
    source = "from datetime import datetime, time\ndef f(now: datetime) -> time:\n    return time(now.hour)"
    assert impurities(source, "routing/coverage.py") == []


def test_it_finds_names_of_the_standard_library() -> None:
    assert shadowing(["intake/email.py", "intake/mail.py", "routing/calendar/__init__.py"]) == [
        "intake/email.py", "routing/calendar/__init__.py",
    ]  # fmt: skip
