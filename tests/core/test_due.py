"""Durable work: nothing is lost, nothing is done by two, and a killed worker's work is taken over."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from core import due
from core.database import Database
from core.due import Claim, Due, DueState, LeaseLost
from core.models import Event, record
from tests.plans import plans_of

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
LEASE = timedelta(seconds=30)
RAN_OUT = timedelta(seconds=-1)  # a lease that has run out when it is given
SECOND = timedelta(seconds=1)


@pytest.fixture
def claim(database: Database) -> Callable[..., list[Claim]]:
    def claim(at: datetime = NOON, lease: timedelta = LEASE, limit: int = 10) -> list[Claim]:
        with database.writing() as session:
            return due.claim(session, at, lease, limit)

    return claim


Claiming = Callable[..., list[Claim]]


def enqueue(database: Database, *subjects: str, at: datetime = NOON, kind: str = "test") -> None:
    with database.writing() as session:
        for number, subject in enumerate(subjects):
            due.enqueue(session, kind, subject, at, number=number)


def finish(database: Database, claimed: Claim) -> bool:
    with database.writing() as session:
        return due.finish(session, claimed)


def rows(database: Database) -> list[Due]:
    with database.reading() as session:
        return list(session.scalars(sa.select(Due).order_by(Due.id)))


def states(database: Database) -> list[str]:
    return [row.state for row in rows(database)]


def test_it_hands_out_what_is_due_with_everything_it_was_given(database: Database, claim: Claiming) -> None:
    with database.writing() as session:
        due.enqueue(session, "page.ring", "page:12", NOON, page=12, position=0)
    (claimed,) = claim()
    assert (claimed.kind, claimed.subject, claimed.attempts) == ("page.ring", "page:12", 1)
    assert claimed.payload == {"page": 12, "position": 0}
    assert states(database) == [DueState.LEASED]
    assert finish(database, claimed)
    assert states(database) == [DueState.DONE]


def test_it_hands_out_nothing_before_its_time_and_nothing_twice(database: Database, claim: Claiming) -> None:
    enqueue(database, "case:1")
    assert claim(NOON - SECOND) == []
    assert len(claim(NOON)) == 1
    assert claim(NOON + timedelta(hours=1)) == []


def test_it_hands_out_the_longest_overdue_first(database: Database, claim: Claiming) -> None:
    for minutes in (3, 1, 2):
        enqueue(database, f"case:{minutes}", at=NOON + minutes * timedelta(minutes=1))
    subjects = [claim(NOON + timedelta(hours=1), limit=1)[0].subject for _ in range(3)]
    assert subjects == ["case:1", "case:2", "case:3"]


def test_it_hands_out_no_more_than_asked_for(database: Database, claim: Claiming) -> None:
    enqueue(database, *(f"case:{n}" for n in range(5)))
    assert [len(claim(limit=2)) for _ in range(4)] == [2, 2, 1, 0]


def test_it_lets_another_take_over_when_a_lease_has_run_out(database: Database, claim: Claiming) -> None:
    enqueue(database, "case:1")
    (lost,) = claim(lease=RAN_OUT)
    (taken,) = claim()
    assert (taken.id, taken.attempts) == (lost.id, 2)
    assert taken.token != lost.token
    assert claim() == []


def test_it_prefers_work_that_nobody_has_begun(database: Database, claim: Claiming) -> None:
    enqueue(database, "case:1")
    claim(lease=RAN_OUT)
    enqueue(database, "case:2")
    assert [claimed.subject for claimed in claim()] == ["case:2", "case:1"]


def test_it_changes_nothing_for_a_worker_that_lost_its_lease(database: Database, claim: Claiming) -> None:
    enqueue(database, "case:1")
    (lost,) = claim(lease=RAN_OUT)
    (taken,) = claim()
    before = rows(database)[0]
    with database.writing() as session:
        assert not due.holds(session, lost)
        assert not due.finish(session, lost)
        assert not due.renew(session, lost, LEASE)
        assert due.retry(session, lost, NOON, "too late") is None
        assert due.retry(session, lost, NOON, "too late", permanent=True) is None
    after = rows(database)[0]
    assert (after.state, after.lease_token, after.lease_until, after.last_error) == (
        before.state, before.lease_token, before.lease_until, None,
    )  # fmt: skip
    assert finish(database, taken)


def test_it_lets_a_slow_worker_finish_while_nobody_has_taken_over(
    database: Database, claim: Claiming
) -> None:
    enqueue(database, "case:1")
    (slow,) = claim(lease=RAN_OUT)
    assert finish(database, slow)
    assert claim() == []


def test_it_keeps_a_renewed_lease(database: Database, claim: Claiming) -> None:
    enqueue(database, "case:1")
    (claimed,) = claim(lease=RAN_OUT)
    with database.writing() as session:
        assert due.renew(session, claimed, LEASE)
        assert due.holds(session, claimed)
    assert claim() == []
    assert finish(database, claimed)


def test_it_commits_the_effect_of_work_with_its_end(database: Database, claim: Claiming) -> None:
    enqueue(database, "case:1", "case:2")
    one, two = claim()
    with due.finishing(database, one) as session:
        record(session, "done", NOON)
    with pytest.raises(ZeroDivisionError), due.finishing(database, two) as session:  # noqa: PT012  # the end of the block raises
        record(session, "undone", NOON)
        _ = 1 / 0
    assert states(database) == [DueState.DONE, DueState.LEASED]
    with database.reading() as session:
        assert session.scalars(sa.select(Event.kind)).all() == ["done"]


def test_it_rolls_back_the_effect_of_work_whose_lease_was_lost(database: Database, claim: Claiming) -> None:
    enqueue(database, "case:1")
    (lost,) = claim(lease=RAN_OUT)
    claim()
    with pytest.raises(LeaseLost, match="case:1"), due.finishing(database, lost) as session:
        record(session, "undone", NOON)
    with database.reading() as session:
        assert session.scalars(sa.select(Event.kind)).all() == []


def test_it_cancels_ready_and_leased_work_of_a_subject(database: Database, claim: Claiming) -> None:
    enqueue(database, "page:1")
    (running,) = claim()
    enqueue(database, "page:1", "page:2")
    with database.writing() as session:
        assert due.cancel(session, "page:1") == 2
    assert states(database) == [DueState.CANCELLED, DueState.CANCELLED, DueState.READY]
    with pytest.raises(LeaseLost), due.finishing(database, running):
        pass
    assert [claimed.subject for claimed in claim()] == ["page:2"]


def test_it_cancels_only_the_kinds_that_are_named(database: Database) -> None:
    for kind in ("ring", "send", "check"):
        enqueue(database, "page:1", kind=kind)
    with database.writing() as session:
        assert due.cancel(session, "page:1", ("ring", "check")) == 2
        assert due.cancel(session, "page:1", ("ring",)) == 0
    assert states(database) == [DueState.CANCELLED, DueState.READY, DueState.CANCELLED]


def test_it_does_not_cancel_what_is_done(database: Database, claim: Claiming) -> None:
    enqueue(database, "page:1")
    finish(database, claim()[0])
    with database.writing() as session:
        assert due.cancel(session, "page:1") == 0
    assert states(database) == [DueState.DONE]


def test_it_tries_again_after_growing_pauses_and_gives_up_at_last(
    database: Database, claim: Claiming
) -> None:
    enqueue(database, "case:1")
    now, pauses = NOON, []
    while True:
        (claimed,) = claim(now)
        with database.writing() as session:
            state = due.retry(session, claimed, now, "x" * 600)
        row = rows(database)[0]
        assert row.last_error == "x" * 500
        assert row.lease_token is None
        if state is DueState.DEAD:
            break
        assert claim(row.due_at - SECOND / 2) == []
        pauses.append((row.due_at - now).total_seconds())
        now = row.due_at
    assert pauses[:4] == [2, 4, 8, 16]
    assert pauses == sorted(pauses)
    assert pauses[-1] == 900
    assert len(pauses) == due.MAX_ATTEMPTS - 1
    assert rows(database)[0].state == DueState.DEAD
    assert claim(now + timedelta(days=30)) == []


def test_it_gives_up_at_once_what_can_never_succeed(database: Database, claim: Claiming) -> None:
    enqueue(database, "case:1")
    (claimed,) = claim()
    with database.writing() as session:
        assert due.retry(session, claimed, NOON, "wrong number", permanent=True) is DueState.DEAD
    assert states(database) == [DueState.DEAD]


def test_it_gives_up_work_that_killed_its_workers_too_often(database: Database, claim: Claiming) -> None:
    enqueue(database, "case:1")
    for _ in range(due.MAX_ATTEMPTS):
        assert len(claim(lease=RAN_OUT)) == 1
    assert claim() == []
    assert states(database) == [DueState.DEAD]
    assert rows(database)[0].last_error == "its worker died each time"


def test_it_knows_when_the_next_thing_is_due(database: Database, claim: Claiming) -> None:
    with database.reading() as session:
        assert due.outlook(session, NOON).next_due_at is None
        assert not due.outlook(session, NOON).anything
    enqueue(database, "case:2", at=NOON + SECOND)
    enqueue(database, "case:1")
    with database.reading() as session:
        assert due.outlook(session, NOON).next_due_at == NOON
        assert not due.outlook(session, NOON - SECOND).anything
        assert due.outlook(session, NOON).anything
    claim(NOON)
    with database.reading() as session:
        assert due.outlook(session, NOON).next_due_at == NOON + SECOND
        assert not due.outlook(session, NOON).anything


def test_it_looks_for_leases_that_have_run_out_too(database: Database, claim: Claiming) -> None:
    enqueue(database, "case:1")
    claim(lease=RAN_OUT)
    with database.reading() as session:
        assert due.outlook(session, NOON).anything


def test_it_loses_work_with_the_transaction_that_wanted_it(database: Database) -> None:
    with pytest.raises(RuntimeError), database.writing() as session:  # noqa: PT012  # the end of the block raises
        due.enqueue(session, "test", "case:1", NOON)
        session.flush()
        raise RuntimeError
    assert rows(database) == []


def test_it_skips_what_another_worker_is_just_claiming(database: Database) -> None:
    """On PostgreSQL two workers claim at the same time and neither waits for the other."""
    if database.is_sqlite:
        pytest.skip("SQLite has one writer at a time")
    enqueue(database, "case:1", "case:2", "case:3")
    with database.writing() as one, database.writing() as other:
        other.execute(sa.text("SET LOCAL lock_timeout = '2s'"))
        first = due.claim(one, NOON, LEASE, 2)
        second = due.claim(other, NOON, LEASE, 2)
    assert [claimed.subject for claimed in first] == ["case:1", "case:2"]
    assert [claimed.subject for claimed in second] == ["case:3"]


def test_it_gives_each_piece_of_work_to_one_of_many_workers(reused_url: str) -> None:
    databases = [Database(reused_url) for _ in range(3)]
    enqueue(databases[0], *(f"case:{n}" for n in range(60)))

    def work(database: Database) -> list[int]:
        mine: list[int] = []
        while True:
            with database.writing() as session:
                claims = due.claim(session, NOON, LEASE, 3)
            if not claims:
                return mine
            for claimed in claims:
                assert finish(database, claimed)
                mine.append(claimed.id)

    with ThreadPoolExecutor(3) as pool:
        shares = list(pool.map(work, databases))
    done = [id for share in shares for id in share]
    assert len(done) == len(set(done)) == 60
    for database in databases:
        database.close()


def test_patient_work_comes_last_however_long_it_has_waited(database: Database) -> None:
    """Ten thousand mails do not make a page wait."""
    with database.writing() as session:
        for number in range(5):
            due.enqueue(session, "mail", f"mail:{number}", NOON - timedelta(hours=1))
        due.enqueue(session, "page", "page:1", NOON)
    with database.writing() as session:
        kinds = [claim.kind for claim in due.claim(session, NOON, LEASE, 4, patient={"mail"}, most_patient=2)]
    assert kinds == ["page", "mail", "mail"]
    with database.writing() as session:
        assert due.claim(session, NOON, LEASE, 4, patient={"mail"}, most_patient=0) == []
        assert len(due.claim_more(session, "mail", NOON, LEASE, 10)) == 3


def test_it_finds_what_is_dead_and_what_waits_by_indexes(database: Database) -> None:
    """Nothing goes through what was done: /health is asked every few seconds, for years."""
    assert "ix_due_dead" in plans_of(database, due.how_many_dead)
    plans = plans_of(database, lambda session: due.unfinished(session, 200))
    for index in ("ix_due_dead", "ix_due_leased", "ix_due_ready"):
        assert index in plans


def test_it_lists_what_is_unfinished_the_dead_first(database: Database, claim: Claiming) -> None:
    enqueue(database, "done:1", "dead:1", "leased:1", at=NOON)
    done, dead, _ = claim()
    finish(database, done)
    with database.writing() as session:
        due.retry(session, dead, NOON, "never", permanent=True)
    enqueue(database, "late:1", at=NOON + SECOND)
    enqueue(database, "early:1")
    with database.reading() as session:
        assert [row.subject for row in due.unfinished(session, 9)] == [
            "dead:1",
            "leased:1",
            "early:1",
            "late:1",
        ]
        assert [row.subject for row in due.unfinished(session, 2)] == ["dead:1", "leased:1"]
        assert due.how_many_dead(session) == 1
