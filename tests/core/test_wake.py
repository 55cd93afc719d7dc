"""Waking: what one process commits, another notices at once."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from core.database import Database, Wake, wake_after_commit
from core.wake import Bell, PipeBell, PipeWake, PostgresBell, PostgresWake

AT_ONCE_S = 0.05
TRIES = 3
processes = multiprocessing.get_context("spawn")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "wake"


@pytest.fixture
def wake(reused_url: str, folder: Path) -> Wake:
    return PipeWake(folder) if reused_url.startswith("sqlite") else PostgresWake()


@pytest.fixture
def ringing(reused_url: str, wake: Wake) -> Iterator[Database]:
    database = Database(reused_url, wake=wake)
    yield database
    database.close()


def _open_bell(url: str, folder: Path) -> Bell:
    return PipeBell(folder) if url.startswith("sqlite") else PostgresBell(url)


@pytest.fixture
def bell(reused_url: str, folder: Path) -> Iterator[Bell]:
    """A bell that listens already."""
    bell = _open_bell(reused_url, folder)
    bell.wait(0)
    yield bell
    bell.close()


def _commit(database: Database) -> None:
    with database.writing() as session:
        wake_after_commit(session)


def _wait_and_tell(url: str, folder: Path, tell: Connection) -> None:
    bell = _open_bell(url, folder)
    bell.wait(0)
    tell.send("listening")
    for _ in range(TRIES):
        woken = bell.wait(10)
        tell.send((woken, time.monotonic()))
    bell.close()


def test_it_wakes_another_process_within_50_ms(reused_url: str, folder: Path, ringing: Database) -> None:
    here, there = processes.Pipe()
    waiting = processes.Process(target=_wait_and_tell, args=(reused_url, folder, there))
    waiting.start()
    assert here.poll(10)
    assert here.recv() == "listening"
    took = []
    for _ in range(TRIES):
        time.sleep(0.05)  # so that it sleeps in its wait; listening would do
        _commit(ringing)
        committed = time.monotonic()
        assert here.poll(5)
        woken, at = here.recv()
        assert woken
        took.append(at - committed)
    waiting.join(5)
    # The quickest: how long a busy machine keeps a process waiting is not ours to say.
    assert min(took) < AT_ONCE_S


def test_it_waits_in_vain_when_nothing_comes(bell: Bell) -> None:
    began = time.monotonic()
    assert not bell.wait(0.05)
    assert 0.04 < time.monotonic() - began < 1


def test_it_remembers_what_came_while_nobody_waited(bell: Bell, ringing: Database) -> None:
    _commit(ringing)
    _commit(ringing)
    assert bell.wait(1)


def test_it_is_quiet_again_afterwards(bell: Bell, ringing: Database) -> None:
    _commit(ringing)
    assert bell.wait(1)
    assert not bell.wait(0.02)


def test_it_does_not_wait_for_less_than_no_time(bell: Bell) -> None:
    assert not bell.wait(-1)


def test_it_wakes_every_worker(reused_url: str, folder: Path, ringing: Database) -> None:
    bells = [_open_bell(reused_url, folder) for _ in range(3)]
    for bell in bells:
        bell.wait(0)
    _commit(ringing)
    assert [bell.wait(1) for bell in bells] == [True, True, True]
    for bell in bells:
        bell.close()


def test_it_is_silent_when_the_transaction_fails(bell: Bell, ringing: Database) -> None:
    with pytest.raises(RuntimeError), ringing.writing() as session:  # noqa: PT012  # the end of the block raises
        wake_after_commit(session)
        session.execute(sa.text("SELECT 1"))
        raise RuntimeError
    assert not bell.wait(0.05)


# Pipes


def test_it_removes_the_pipe_of_a_worker_that_died(folder: Path) -> None:
    alive, dead = PipeBell(folder), PipeBell(folder)
    os.close(dead._descriptor)  # what a kill does: the pipe stays, its reader is gone
    assert len(list(folder.iterdir())) == 2
    PipeWake(folder).send()
    assert len(list(folder.iterdir())) == 1
    assert alive.wait(1)
    alive.close()
    assert list(folder.iterdir()) == []


def test_it_leaves_the_pipe_of_a_living_worker_alone_when_the_sender_is_in_trouble(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bell = PipeBell(folder)

    def too_many_files(*_: object) -> int:
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", too_many_files)
        PipeWake(folder).send()
    PipeWake(folder).send()
    assert bell.wait(1)
    bell.close()


def test_it_shows_senders_no_pipe_that_is_not_listened_to_yet(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sender removes a pipe without a reader: a worker that just starts must not lose its own."""
    open_file: Callable[..., int] = os.open

    def open_while_somebody_sends(path: Path, flags: int) -> int:
        monkeypatch.setattr(os, "open", open_file)
        PipeWake(folder).send()
        return open_file(path, flags)

    monkeypatch.setattr(os, "open", open_while_somebody_sends)
    bell = PipeBell(folder)
    PipeWake(folder).send()
    assert bell.wait(1)
    bell.close()


def test_it_does_not_hang_on_a_pipe_that_is_full(folder: Path) -> None:
    bell = PipeBell(folder)
    sender = os.open(next(folder.iterdir()), os.O_WRONLY | os.O_NONBLOCK)
    with pytest.raises(BlockingIOError):  # noqa: PT012  # the end of the block raises
        while True:
            os.write(sender, b"!" * 65_536)
    PipeWake(folder).send()
    assert bell.wait(1)
    assert not bell.wait(0.02)
    os.close(sender)
    bell.close()


def test_it_sends_where_no_worker_ever_was(folder: Path) -> None:
    PipeWake(folder).send()


# PostgreSQL


def test_it_listens_again_after_its_connection_broke(bell: Bell, ringing: Database) -> None:
    if not isinstance(bell, PostgresBell):
        pytest.skip("a pipe does not break")
    assert bell._connection is not None
    with ringing.writing() as session:
        pid = bell._connection.info.backend_pid
        session.execute(sa.text("SELECT pg_terminate_backend(:pid, 2000)"), {"pid": pid})
    with pytest.raises(OSError, match="database does not answer"):
        bell.wait(1)
    assert bell.wait(1), "what came while nobody listened is not known: look"
    assert not bell.wait(0.02)
    _commit(ringing)
    assert bell.wait(1)


def test_it_tells_a_broken_bell_as_an_error_of_the_system() -> None:
    """The worker rides out an OSError; an error of the driver would end it."""
    bell = PostgresBell("postgresql+psycopg://nobody@127.0.0.1:1/none")
    with pytest.raises(OSError, match="database does not answer") as broken:
        bell.wait(0.1)
    assert isinstance(broken.value.__cause__, psycopg.OperationalError)
