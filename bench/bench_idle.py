"""A worker's cycle with nothing to do, and its look for silent pages, among a million closed and ten thousand open
cases.

Each case has its page and its due work: done for the closed ones, waiting for the open ones; some pages ring. The
plans of the statements are printed: picking must cost by what is due, not by what exists.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import sqlalchemy as sa

from bench.bench_webhook import environment_of, prepare, scratch_database
from core import due
from core.settings import load_settings
from routing.context import Context, build_context
from routing.paging import steps
from worker import Worker

CLOSED, OPEN = 1_000_000, 10_000
RINGING = 200
STORM, STORMED = 1_000, 200_000
CYCLES, LOOKS = 500, 50
WANTED_MS = 5.0

_CASES = """
INSERT INTO cases (id, origin, channel, service, verified, title, priority, status, contact_at, opened_at, target)
SELECT :first + n, 'bench:' || (:first + n), 'phone', 'support', true, 'bench', 1, '{status}', :at, :at, '1 hour'
FROM ({numbers}) AS numbers
"""
_PAGES = """
INSERT INTO pages (case_id, policy_version, escalation, state, position, started_at)
SELECT :first + n, 1, 'support', 'acknowledged', 0, :at FROM ({numbers}) AS numbers
"""
_DUE = """
INSERT INTO due (kind, subject, due_at, payload, state, attempts)
SELECT 'page.ring', 'case:' || (:first + n), :at, '{{}}', '{state}', 1 FROM ({numbers}) AS numbers
"""
# A fifth of the history were storms: a thousand cases each, accepted with the first of them.
_STORMS = """
UPDATE pages SET lead_id = (SELECT min(id) FROM pages) + (case_id - :first) / :storm * :storm
WHERE case_id <= :first + :stormed AND case_id > :first
"""
_RING = "UPDATE pages SET state = 'ringing' WHERE case_id > :last"
_STEPS = """
INSERT INTO due (kind, subject, due_at, payload, state, attempts)
SELECT 'page.step-over', 'page:' || id, :at, '{}', 'ready', 0 FROM pages WHERE state = 'ringing'
"""
_NUMBERS = (
    "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count}) "
    "SELECT n FROM numbers"
)


def fill(engine: sa.Engine) -> None:
    """A long history, and what is still to come."""
    long_ago, to_come = "2026-01-05 12:00:00+00:00", "2036-01-05 12:00:00+00:00"
    if engine.dialect.name == "sqlite":  # it has no type for instants; this is how the product writes them
        long_ago, to_come = (at.replace("+00:00", ".000000") for at in (long_ago, to_come))
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.text("SET LOCAL statement_timeout = 0"))
        for first, count, status, state, at in (
            (10_000, CLOSED, "closed", "done", long_ago),
            (10_000 + CLOSED, OPEN, "open", "ready", to_come),
        ):
            numbers = _NUMBERS.format(count=count)
            for statement in (_CASES, _PAGES, _DUE):
                sql = statement.format(numbers=numbers, status=status, state=state)
                connection.execute(sa.text(sql), {"first": first, "at": at})
        connection.execute(sa.text(_STORMS), {"first": 10_000, "storm": STORM, "stormed": STORMED})
        connection.execute(sa.text(_RING), {"last": 10_000 + CLOSED + OPEN - RINGING})
        connection.execute(sa.text(_STEPS), {"at": to_come})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.text("SET statement_timeout = 0"))
        connection.execute(sa.text("VACUUM ANALYZE" if engine.dialect.name == "postgresql" else "ANALYZE"))


def cycle_of(context: Context) -> Callable[[], None]:
    """What a worker does over and over while nothing is due."""
    worker = Worker(context)
    worker.beat()

    def cycle() -> None:
        assert worker._look(4) == []
        worker._idle_seconds()

    return cycle


def times(act: Callable[[], None], count: int) -> list[float]:
    """Milliseconds of each of ``count`` times, sorted; the first few are not counted."""
    for _ in range(5):
        act()
    found = []
    for _ in range(count):
        began = time.perf_counter()
        act()
        found.append((time.perf_counter() - began) * 1000)
    return sorted(found)


@contextmanager
def statements(engine: sa.Engine) -> Iterator[list[tuple[str, Any]]]:
    """The queries that run meanwhile, each once."""
    seen: dict[str, tuple[str, Any]] = {}

    def note(_connection: Any, _cursor: Any, sql: str, parameters: Any, *_: Any) -> None:
        if sql.startswith("SELECT"):
            seen.setdefault(sql, (sql, parameters))

    listed: list[tuple[str, Any]] = []
    sa.event.listen(engine, "before_cursor_execute", note)
    yield listed
    sa.event.remove(engine, "before_cursor_execute", note)
    listed.extend(seen.values())


def plan(engine: sa.Engine, sql: str, parameters: Any) -> list[str]:
    """How the database runs a query."""
    explain = "EXPLAIN QUERY PLAN " if engine.dialect.name == "sqlite" else "EXPLAIN (COSTS OFF) "
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(explain + sql, parameters).fetchall()
    return [str(row[-1]) for row in rows]


def measure(database_url: str) -> None:
    """Fill a database, and print the cycle's times and plans."""
    with tempfile.TemporaryDirectory() as folder:
        url = database_url or f"sqlite:///{folder}/nightbell.db"
        prepare(url, folder)
        wanted = environment_of(url, folder, 8080)
        settings = load_settings(
            database_url=url, data_dir=Path(folder), secret_key=wanted["NIGHTBELL_SECRET_KEY"],
            twilio_account_sid=wanted["TWILIO_ACCOUNT_SID"], twilio_auth_token=wanted["TWILIO_AUTH_TOKEN"],
        )  # fmt: skip
        context = build_context(settings)
        fill(context.database.engine)
        report(context)
        context.close()


def report(context: Context) -> None:
    """Print what was measured."""
    engine = context.database.engine
    cycle = cycle_of(context)
    found = times(cycle, CYCLES)
    p99 = found[int(len(found) * 0.99)]
    print(
        f"  {engine.dialect.name}: {CLOSED:,} closed and {OPEN:,} open cases, {RINGING} of them ringing;"
        f" {STORMED:,} rang in storms"
    )
    print(
        f"    idle cycle, median {median(found):5.2f} ms, p99 {p99:5.2f} ms   (wanted: under {WANTED_MS:.0f})"
    )

    def revive() -> None:
        with context.database.writing() as session:
            assert steps.revive(session, context.clock.now()) == 0

    looks = times(revive, LOOKS)
    print(
        f"    the minute's look for silent pages, median {median(looks):5.2f} ms, slowest {looks[-1]:5.2f} ms"
    )

    def count_dead() -> None:
        with context.database.reading() as session:
            assert due.how_many_dead(session) == 0

    counts = times(count_dead, LOOKS)
    print(f"    /health's count of dead work, median {median(counts):5.2f} ms, slowest {counts[-1]:5.2f} ms")
    with statements(engine) as run:
        cycle()
        revive()
        count_dead()
    for sql, parameters in run:
        print(f"    {' '.join(sql.split())[:150]}")
        for line in plan(engine, sql, parameters):
            print(f"      | {line}")


def main() -> None:
    """Measure SQLite, and PostgreSQL where DATABASE_URL names one."""
    measure("")
    postgres = os.environ.get("DATABASE_URL", "")
    if not postgres.startswith("postgres"):
        print("  postgresql: skipped, DATABASE_URL names none")
        return
    with scratch_database(postgres) as url:
        measure(url)


if __name__ == "__main__":
    main()
