"""``nightbell near-misses`` and ``nightbell due``: what they list, on each database."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import Result

from core import due
from core.database import Database
from intake.phone.models import Call

Nightbell = Callable[..., Result]
NIGHT = datetime(2026, 3, 4, 8, 10, tzinfo=UTC)


@pytest.fixture
def database(nightbell: Nightbell) -> Iterator[Database]:
    """The database that the command has."""
    database = Database(os.environ["DATABASE_URL"])
    yield database
    database.close()


def call(number: int, **columns: object) -> Call:
    return Call(
        sid=f"CA{number:032}", line="support", policy_version=1, started_at=NIGHT + timedelta(minutes=number),
        state="over", near_miss=True, **columns,
    )  # fmt: skip


@pytest.mark.both_databases
def test_it_lists_near_misses_the_latest_first(nightbell: Nightbell, database: Database) -> None:
    with database.writing() as session:
        session.add_all([call(1, from_number="+17135550142"), call(2)])
    assert nightbell("near-misses").output.splitlines() == [
        "2026-03-04 08:12:00 UTC  support            an unknown caller, number withheld",
        "2026-03-04 08:11:00 UTC  support            an unknown caller, (713) 555-0142",
    ]


@pytest.mark.both_databases
def test_it_lists_due_work_and_why_some_was_given_up(nightbell: Nightbell, database: Database) -> None:
    with database.writing() as session:
        due.enqueue(session, "page.send", "attempt:1", NIGHT)
        (claim,) = due.claim(session, NIGHT, timedelta(seconds=30))
        due.retry(session, claim, NIGHT, "the channel is gone", permanent=True)
        due.enqueue(session, "page.ring", "page:1", NIGHT)
        due.enqueue(session, "clock.breach", "case:1", NIGHT - timedelta(minutes=1))
    dead, first, second = (line.split() for line in nightbell("due").output.splitlines())
    assert dead[0] == "dead"
    assert dead[3:] == ["page.send", "attempt:1", *["the", "channel", "is", "gone"]]
    assert first == ["ready", "2026-03-04", "08:09:00", "clock.breach", "case:1"]
    assert second == ["ready", "2026-03-04", "08:10:00", "page.ring", "page:1"]
