"""Whatever happens in whatever order: nothing is lost, and no effect is committed twice."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from core import due
from core.database import Base, Database
from core.due import Claim, Due, DueState, LeaseLost
from core.models import Event, record

START = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
LEASE = timedelta(minutes=5)
RAN_OUT = timedelta(seconds=-1)

DEEDS = st.one_of(
    st.tuples(st.just("enqueue"), st.integers(0, 4), st.integers(0, 20)),  # subject, due in seconds
    st.tuples(st.just("claim"), st.booleans(), st.integers(1, 3)),  # with a lease that lasts?, how many
    st.tuples(st.just("finish"), st.integers(0, 9), st.just(0)),  # which claim, of those ever given
    st.tuples(st.just("fail"), st.integers(0, 9), st.booleans()),  # which claim, for good?
    st.tuples(st.just("renew"), st.integers(0, 9), st.just(0)),
    st.tuples(st.just("cancel"), st.integers(0, 4), st.just(0)),
    st.tuples(st.just("wait"), st.integers(1, 30), st.just(0)),
)


class World:
    """A database, a clock and all claims that were ever given, whether their workers live or not."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.now = START
        self.claims: list[Claim] = []
        self.wanted = 0
        self.cancelled: set[int] = set()
        self.dead: set[int] = set()

    def act(self, deed: str, a: int, b: int) -> None:
        getattr(self, deed)(a, b)

    def enqueue(self, subject: int, after: int) -> None:
        with self.database.writing() as session:
            due.enqueue(session, "test", f"case:{subject}", self.now + timedelta(seconds=after))
        self.wanted += 1

    def claim(self, lasts: bool, limit: int) -> None:
        with self.database.writing() as session:
            claims = due.claim(session, self.now, LEASE if lasts else RAN_OUT, limit)
        assert len({claim.id for claim in claims}) == len(claims) <= limit
        assert not {claim.id for claim in claims} & (self.cancelled | self.dead)
        self.claims += claims

    def _claim(self, number: int) -> Claim | None:
        return self.claims[number % len(self.claims)] if self.claims else None

    def finish(self, number: int, _: int = 0) -> None:
        claim = self._claim(number)
        if claim is None:
            return
        try:
            with due.finishing(self.database, claim) as session:
                record(session, "done", self.now, row=claim.id)
        except LeaseLost:
            return
        assert claim.id not in self.cancelled | self.dead

    def fail(self, number: int, permanent: bool) -> None:
        claim = self._claim(number)
        if claim is not None:
            with self.database.writing() as session:
                if due.retry(session, claim, self.now, "no", permanent=permanent) is DueState.DEAD:
                    self.dead.add(claim.id)

    def renew(self, number: int, _: int) -> None:
        claim = self._claim(number)
        if claim is not None:
            with self.database.writing() as session:
                due.renew(session, claim, LEASE)

    def cancel(self, subject: int, _: int) -> None:
        with self.database.writing() as session:
            waiting = sa.select(Due.id).where(
                Due.subject == f"case:{subject}", Due.state.in_((DueState.READY, DueState.LEASED))
            )
            self.cancelled |= set(session.scalars(waiting))
            due.cancel(session, f"case:{subject}")

    def wait(self, seconds: int, _: int) -> None:
        self.now += timedelta(seconds=seconds)

    def work_everything_off(self) -> None:
        """All workers have died; a new one does what is left."""
        with self.database.writing() as session:
            session.execute(sa.update(Due).where(Due.state == "leased").values(lease_until=START))
        self.now += timedelta(hours=1)
        while True:
            before = len(self.claims)
            self.claim(True, 3)
            if len(self.claims) == before:
                return
            for number in range(before, len(self.claims)):
                self.finish(number)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """One database for all examples; it need not survive a power cut."""
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('due') / 'due.db'}")

    @sa.event.listens_for(database.engine, "connect")
    def _do_not_wait_for_the_disk(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA synchronous=OFF")

    Base.metadata.create_all(database.engine)
    yield database
    database.close()


@settings(deadline=None, max_examples=100)
@given(st.lists(DEEDS, max_size=25))
def test_it_loses_nothing_and_does_nothing_twice(
    database: Database, deeds: list[tuple[str, int, int]]
) -> None:
    with database.writing() as session:
        session.execute(sa.delete(Due))
        session.execute(sa.delete(Event))
    world = World(database)
    for deed in deeds:
        world.act(*deed)
    world.work_everything_off()
    with database.reading() as session:
        ends = {row.id: row.state for row in session.scalars(sa.select(Due))}
        effects = [event.data["row"] for event in session.scalars(sa.select(Event))]
    done = {id for id, state in ends.items() if state == DueState.DONE}
    assert len(ends) == world.wanted
    assert sorted(effects) == sorted(done)
    assert set(ends) == done | world.cancelled | world.dead
    assert not done & (world.cancelled | world.dead)
