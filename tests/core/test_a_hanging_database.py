"""A PostgreSQL that takes connections and never says a word must not keep a caller waiting."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from core.database import Database


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port where somebody listens, and answers nothing."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        yield int(listener.getsockname()[1])


def test_it_gives_up_a_server_that_says_nothing(silent_port: int) -> None:
    database = Database(f"postgresql+psycopg://somebody@127.0.0.1:{silent_port}/nightbell")
    began = time.monotonic()
    with pytest.raises(sa.exc.OperationalError), database.reading() as session:
        session.execute(sa.text("SELECT 1"))
    with pytest.raises(sa.exc.OperationalError), database._quick.transaction():
        pytest.fail("there is nothing to write to")
    # Twilio gives up after 15 seconds: both together must leave time to answer with the prompt of last resort.
    assert time.monotonic() - began < 12
    database.close()


def test_it_gives_up_a_statement_that_waits_for_a_lock(database_url: str) -> None:
    if "postgresql" not in database_url:
        pytest.skip("SQLite's busy handler is tested with its group commit")
    database = Database(database_url)
    holding, release = threading.Event(), threading.Event()

    def hold() -> None:
        with database.writing() as session:
            session.execute(sa.text("LOCK TABLE events IN ACCESS EXCLUSIVE MODE"))
            holding.set()
            release.wait(20)

    holder = threading.Thread(target=hold)
    holder.start()
    assert holding.wait(5)
    try:
        with database.reading() as session:
            session.execute(sa.text("SET LOCAL lock_timeout = '200ms'"))
            with pytest.raises(sa.exc.OperationalError):
                session.execute(sa.text("SELECT count(*) FROM events"))
        with database.reading() as session:
            shown = session.execute(sa.text("SHOW lock_timeout")).scalar()
        assert shown == "4s"
    finally:
        release.set()
        holder.join()
        database.close()
