"""Which places of the product have asked which database, so that none of them has asked SQLite alone.

Most stories run on SQLite only: what people do and say is the same on both databases, and takes twice as long. What
can differ is SQL, so each place that has sent some to SQLite is to have sent it to PostgreSQL too, in whatever test.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import sqlalchemy as sa

from core.prepared import Compiled, Prepared

_ROOT = f"{Path(__file__).parents[1]}{os.sep}"
_PACKAGES = tuple(f"{_ROOT}{package}{os.sep}" for package in ("routing", "intake", "webhooks", "console"))

# What these send goes SQLite's own ways: blobs written in place, and calls committed by whoever leads the group.
_SQLITES = ("intake/mail/raw_bytes.py:", "webhooks/answering.py:")

asked: dict[str, set[str]] = {"sqlite": set(), "postgresql": set()}
"""The places (``routing/directory.py:21``), by the kind of database."""


@sa.event.listens_for(sa.Engine, "before_cursor_execute")
def _executes(connection: sa.Connection, _cursor: object, statement: str, *_: object) -> None:
    if not statement.startswith("BEGIN"):  # PostgreSQL's driver does that unseen
        _note(connection.dialect)


_compiled = Prepared.compiled


def _compiles(prepared: Prepared, dialect: sa.Dialect) -> Compiled:
    """What is prepared goes to the driver past the engine."""
    _note(dialect)
    return _compiled(prepared, dialect)


Prepared.compiled = _compiles  # type: ignore[method-assign]


def _note(dialect: sa.Dialect) -> None:
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        if frame.f_code.co_filename.startswith(_PACKAGES):
            place = f"{frame.f_code.co_filename.removeprefix(_ROOT)}:{frame.f_lineno}"
            asked[dialect.name].add(place)
            return
        frame = frame.f_back


def asked_sqlite_alone() -> list[str]:
    """The places that have asked SQLite, and never PostgreSQL."""
    alone = asked["sqlite"] - asked["postgresql"]
    return sorted(place for place in alone if not place.startswith(_SQLITES))


def hand_over(config: pytest.Config) -> None:
    """A test process tells the one that started it."""
    output: dict[str, Any] | None = getattr(config, "workeroutput", None)
    if output is not None:
        output["asked"] = {database: sorted(places) for database, places in asked.items()}


def take_over(output: dict[str, Any]) -> None:
    """What a test process has told."""
    for database, places in output.get("asked", {}).items():
        asked[database].update(places)
