"""The worker: does what is due, survives whatever goes wrong, and is survived by its work when it is killed."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import worker as worker_module
from core import due
from core.database import Database
from core.due import Claim, Due, DueState
from core.heartbeat import Heartbeat
from core.models import Event, record
from core.settings import load_settings
from core.telephony import TelephonyError
from core.wake import PipeWake, PostgresWake
from intake import reconcile, voicemail
from intake.phone import calls
from routing import hooks
from routing.clocks import cycles, reminders
from routing.context import Context, build_context
from routing.paging import bundles
from routing.paging import rows as paging_rows
from tests.reused_database import reused_postgres, reused_url
from worker import HANDLERS, Worker

__all__ = ["reused_postgres", "reused_url"]

ROOT = Path(__file__).parent.parent
NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
KIND = "test.work"
SETTINGS = {
    "NIGHTBELL_SECRET_KEY": "a key for tests only", "TWILIO_ACCOUNT_SID": "AC" + "5" * 32,
    "TWILIO_AUTH_TOKEN": "a-token-for-tests", "TWILIO_API_URL": "http://127.0.0.1:9",
}  # fmt: skip


class SetClock:
    def __init__(self) -> None:
        self.instant = NOON

    def now(self) -> datetime:
        return self.instant


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def context(
    reused_url: str, tmp_path: Path, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Context]:
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    context = build_context(load_settings(database_url=reused_url, data_dir=tmp_path / "data"), clock=clock)
    yield context
    context.close()


@pytest.fixture
def worker(context: Context) -> Worker:
    return Worker(context)


Handle = Callable[[Context, Claim], None]


@pytest.fixture
def handle(monkeypatch: pytest.MonkeyPatch) -> Callable[[Handle], None]:
    """Say what is to be done for the kind of work that these tests have."""
    return lambda handler: monkeypatch.setitem(HANDLERS, KIND, handler)


def enqueue(context: Context, *subjects: str, at: datetime = NOON, kind: str = KIND) -> None:
    with context.database.writing() as session:
        for subject in subjects:
            due.enqueue(session, kind, subject, at)


def done(context: Context, claim: Claim) -> None:
    with due.finishing(context.database, claim) as session:
        record(session, "test.done", NOON, subject=claim.subject)


def rows(context: Context) -> list[Due]:
    with context.database.reading() as session:
        return list(session.scalars(sa.select(Due).where(Due.kind != "reconcile").order_by(Due.id)))


def events(database: Database, kind: str) -> list[Event]:
    with database.reading() as session:
        return list(session.scalars(sa.select(Event).where(Event.kind == kind).order_by(Event.id)))


# One piece of work


def test_it_does_everything_that_is_due_the_longest_overdue_first(
    context: Context, worker: Worker, handle: Callable[[Handle], None]
) -> None:
    handle(done)
    enqueue(context, "case:2")
    enqueue(context, "case:1", at=NOON - timedelta(minutes=1))
    enqueue(context, "case:3", at=NOON + timedelta(minutes=1))
    assert worker.run_due() == 2
    assert [event.data["subject"] for event in events(context.database, "test.done")] == ["case:1", "case:2"]
    assert [row.state for row in rows(context)] == [DueState.DONE, DueState.DONE, DueState.READY]


def test_it_does_what_comes_up_while_it_works(
    context: Context, worker: Worker, handle: Callable[[Handle], None]
) -> None:
    def twice(context: Context, claim: Claim) -> None:
        with due.finishing(context.database, claim) as session:
            if claim.subject == "first":
                due.enqueue(session, KIND, "second", NOON)

    handle(twice)
    enqueue(context, "first")
    assert worker.run_due() == 2


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("a bug"),
        TelephonyError("HTTP 503", permanent=False),
        due.TryAgain("no audio yet"),
        KeyError("x"),
    ],
)
def test_it_gives_back_what_fails_and_goes_on_with_the_rest(
    context: Context, worker: Worker, handle: Callable[[Handle], None], error: Exception
) -> None:
    def fails(context: Context, claim: Claim) -> None:
        if claim.subject == "fails":
            raise error
        done(context, claim)

    handle(fails)
    enqueue(context, "fails", "works")
    assert worker.run_due() == 2
    failed, worked = rows(context)
    assert (failed.state, failed.due_at, failed.lease_token) == (
        DueState.READY,
        NOON + timedelta(seconds=2),
        None,
    )
    assert failed.last_error is not None
    assert failed.last_error.startswith(type(error).__name__)
    assert worked.state == DueState.DONE


def test_it_raises_an_alarm_for_what_can_never_succeed(
    context: Context, worker: Worker, handle: Callable[[Handle], None]
) -> None:
    def refused(context: Context, claim: Claim) -> None:
        raise TelephonyError("no such number", permanent=True)

    handle(refused)
    enqueue(context, "attempt:1")
    worker.run_due()
    assert rows(context)[0].state == DueState.DEAD
    (alarm,) = events(context.database, "work.dead")
    assert alarm.data == {"work": KIND, "subject": "attempt:1"}


def test_it_raises_an_alarm_for_work_that_nobody_knows_how_to_do(
    context: Context, worker: Worker, clock: SetClock
) -> None:
    enqueue(context, "case:1", kind="work.of.the.future")
    for _ in range(due.MAX_ATTEMPTS):
        worker.run_due()
        clock.instant += timedelta(hours=1)
    assert rows(context)[0].state == DueState.DEAD
    assert len(events(context.database, "work.dead")) == 1


def test_it_says_nothing_of_work_that_is_somebody_else_s_by_now(
    context: Context, worker: Worker, handle: Callable[[Handle], None]
) -> None:
    """Cancelled while it was done, and then it fails for good: no alarm, nothing changed."""

    def cancelled_meanwhile(context: Context, claim: Claim) -> None:
        with context.database.writing() as session:
            due.cancel(session, claim.subject)
        raise TelephonyError("no such call", permanent=True)

    handle(cancelled_meanwhile)
    enqueue(context, "page:1")
    worker.run_due()
    assert rows(context)[0].state == DueState.CANCELLED
    assert events(context.database, "work.dead") == []


def test_it_undoes_the_effect_of_work_that_was_cancelled_meanwhile(
    context: Context, worker: Worker, handle: Callable[[Handle], None]
) -> None:
    def cancelled_meanwhile(context: Context, claim: Claim) -> None:
        with context.database.writing() as session:
            due.cancel(session, claim.subject)
        done(context, claim)

    handle(cancelled_meanwhile)
    enqueue(context, "page:1")
    worker.run_due()
    assert rows(context)[0].state == DueState.CANCELLED
    assert events(context.database, "test.done") == []


def test_it_knows_a_handler_for_every_kind_of_work_that_is_ever_due() -> None:
    kinds = {
        voicemail.FETCH, voicemail.SETTLE, calls.WATCH, reconcile.RECONCILE, reconcile.ADOPT,
        paging_rows.RING, paging_rows.STEP_OVER, paging_rows.SEND, paging_rows.CHECK, paging_rows.HANG_UP,
        cycles.BREACH, reminders.REMIND, bundles.MEMBERS, bundles.CLOSED, hooks.SCAN, hooks.SEND,
    }  # fmt: skip
    assert kinds <= set(HANDLERS)


def test_it_beats_every_five_seconds(context: Context, worker: Worker, clock: SetClock) -> None:
    seen = []
    for second in (0, 4, 5, 9, 10):
        clock.instant = NOON + timedelta(seconds=second)
        worker.beat()
        with context.database.reading() as session:
            seen.append((session.scalars(sa.select(Heartbeat.at)).one() - NOON).total_seconds())
    assert seen == [0, 0, 5, 5, 10]
    clock.instant = NOON - timedelta(hours=1)  # somebody has set the clock back
    worker.beat()
    with context.database.reading() as session:
        assert session.scalars(sa.select(Heartbeat.at)).one() == clock.instant


# The loop


class Bell:
    """Rings at once; may break first."""

    def __init__(self, breaks: int = 0) -> None:
        self.breaks = breaks

    def wait(self, seconds: float) -> bool:
        if self.breaks:
            self.breaks -= 1
            raise ConnectionError("the line is cut")
        time.sleep(min(seconds, 0.005))
        return True

    def close(self) -> None:
        """Nothing to close."""


@contextmanager
def running(worker: Worker, bell: Bell) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=worker.run, args=(bell, stop))
    thread.start()
    yield
    stop.set()
    thread.join(5)
    assert not thread.is_alive()


def until(met: Callable[[], Any], seconds: float = 10) -> None:
    """Wait for something that other threads or processes bring about."""
    end = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.005)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "_POLL_S", 0.01)


def test_it_does_several_things_at_once(
    context: Context, worker: Worker, handle: Callable[[Handle], None]
) -> None:
    """An engineer's phone does not wait until a slow download is over."""
    together = threading.Barrier(4)

    def slow(context: Context, claim: Claim) -> None:
        together.wait(5)
        done(context, claim)

    handle(slow)
    enqueue(context, *(f"case:{number}" for number in range(8)))
    with running(worker, Bell()):
        until(lambda: len(events(context.database, "test.done")) == 8)


def test_it_lengthens_the_lease_of_long_work(
    context: Context, worker: Worker, handle: Callable[[Handle], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    leases: list[datetime | None] = []

    def long(context: Context, claim: Claim) -> None:
        leases.append(rows(context)[0].lease_until)
        monkeypatch.setattr(worker, "_lease", timedelta(minutes=5))
        worker._under_way[claim.token].renew_at = 0.0  # half of the lease has passed
        worker.renew()
        leases.append(rows(context)[0].lease_until)
        done(context, claim)

    handle(long)
    enqueue(context, "case:1")
    worker.run_due()
    before, after = leases
    assert before is not None
    assert after is not None
    assert after - before > timedelta(minutes=4)
    assert len(events(context.database, "test.done")) == 1


def test_it_buries_work_that_kills_its_worker_every_time(context: Context, worker: Worker) -> None:
    enqueue(context, "case:1")
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    with context.database.writing() as session:
        session.execute(
            sa.update(Due).values(
                state=DueState.LEASED, lease_token="gone", lease_until=long_ago, attempts=due.MAX_ATTEMPTS
            )
        )
    assert worker.run_due() == 0
    assert rows(context)[0].state == DueState.DEAD


@pytest.mark.usefixtures("impatient")
def test_it_works_on_after_its_bell_broke(
    context: Context, worker: Worker, handle: Callable[[Handle], None]
) -> None:
    handle(done)
    bell = Bell(breaks=3)
    with running(worker, bell):
        until(lambda: bell.breaks == 0)
        enqueue(context, "case:1")
        until(lambda: events(context.database, "test.done"))


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("way", ["reading", "writing"])
def test_it_waits_for_a_database_that_is_down_even_at_its_start(
    context: Context,
    worker: Worker,
    handle: Callable[[Handle], None],
    monkeypatch: pytest.MonkeyPatch,
    way: str,
) -> None:
    handle(done)
    enqueue(context, "case:1")
    refused = []

    def down() -> Any:
        refused.append(way)
        raise sa.exc.OperationalError("BEGIN", {}, Exception("the database is down"))

    with monkeypatch.context() as patched:
        patched.setattr(context.database, way, down)
        with running(worker, Bell()):
            until(lambda: len(refused) > 2)
            patched.undo()
            until(lambda: events(context.database, "test.done"))


def test_it_schedules_the_ledger_once_however_many_workers_start(context: Context) -> None:
    for _ in range(3):
        Worker(context).start()
    with context.database.reading() as session:
        assert len(session.scalars(sa.select(Due).where(Due.kind == "reconcile")).all()) == 1


def test_it_says_what_is_wrong_with_the_settings_and_does_not_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NIGHTBELL_LEASE_SECONDS", "1")
    monkeypatch.setattr("signal.signal", lambda *_: None)
    with pytest.raises(SystemExit) as ended:
        worker_module.main()
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert "NIGHTBELL_LEASE_SECONDS is wrong" in told
    assert "TWILIO_AUTH_TOKEN is not set" in told


# Processes


class Child:
    """A worker process; it begins when it is told to."""

    def __init__(self, url: str, folder: Path, **environment: str) -> None:
        folder.mkdir(exist_ok=True)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.worker_child"],
            cwd=ROOT,
            env={
                **os.environ, **SETTINGS, "DATABASE_URL": url, "NIGHTBELL_DATA_DIR": str(folder),
                "NIGHTBELL_LEASE_SECONDS": "2", "NIGHTBELL_LOG_LEVEL": "ERROR", **environment,
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )  # fmt: skip

    def begin(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"
        self.process.stdin.write("begin\n")
        self.process.stdin.flush()

    def end(self) -> int:
        self.process.terminate()
        code = self.process.wait(10)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        return code


@pytest.fixture
def start(reused_url: str, tmp_path: Path) -> Iterator[Callable[..., Child]]:
    children: list[Child] = []

    def start(**environment: str) -> Child:
        children.append(Child(reused_url, tmp_path / "data", **environment))
        return children[-1]

    yield start
    for child in children:
        if child.process.poll() is None:
            child.process.kill()
        child.end()


@pytest.fixture
def ringing(reused_url: str, tmp_path: Path) -> Iterator[Database]:
    """The database as the web process has it: its commits wake the workers."""
    wake = PipeWake(tmp_path / "data" / "wake") if reused_url.startswith("sqlite") else PostgresWake()
    database = Database(reused_url, wake=wake)
    yield database
    database.close()


def test_it_takes_over_the_work_of_a_killed_worker(
    ringing: Database, start: Callable[..., Child], tmp_path: Path
) -> None:
    """``kill -9`` with four pieces of work in hand, one of them in the middle of its last transaction."""
    now = datetime.now(UTC)
    with ringing.writing() as session:
        for number in range(4):
            hang = "before" if number else "inside"
            due.enqueue(session, KIND, f"case:{number}", now, hang=hang, others=4)
    killed, heir = start(HANG="1"), start(POLL_S="0.3")
    killed.begin()
    until(lambda: (tmp_path / "data" / "inside").exists())
    killed.process.kill()
    killed.process.wait(5)
    died = time.monotonic()
    assert events(ringing, "test.done") == [], "what was not committed did not happen"
    heir.begin()
    until(lambda: len(events(ringing, "test.done")) == 4)
    assert time.monotonic() - died < 20, "a lease of 2 s, and a poll; the rest is for a busy machine"
    done = events(ringing, "test.done")
    assert sorted(event.data["subject"] for event in done) == [f"case:{number}" for number in range(4)]
    assert {event.data["pid"] for event in done} == {heir.process.pid}
    with ringing.reading() as session:
        attempts = session.scalars(sa.select(Due.attempts).where(Due.kind == KIND)).all()
        assert attempts == [2, 2, 2, 2]
    assert heir.end() == 0


def test_it_is_woken_by_another_process_s_commit_and_does_not_wait_for_its_poll(
    ringing: Database, start: Callable[..., Child]
) -> None:
    child = start()
    child.begin()
    until(lambda: _has_beaten(ringing))
    time.sleep(0.1)  # so that it is asleep, as it is at night
    waited = []
    for number in range(3):
        with ringing.writing() as session:
            due.enqueue(session, KIND, f"case:{number}", datetime.now(UTC))
        committed = datetime.now(UTC)
        until(lambda wanted=number + 1: len(events(ringing, "test.done")) == wanted)  # type: ignore[misc]
        waited.append(events(ringing, "test.done")[-1].at - committed)
    # Its poll is two seconds; the quickest of three, because a busy machine is no fault of the wake-up's.
    assert min(waited) < timedelta(seconds=0.5)


def _has_beaten(database: Database) -> bool:
    with database.reading() as session:
        return bool(session.scalars(sa.select(Heartbeat)).all())
