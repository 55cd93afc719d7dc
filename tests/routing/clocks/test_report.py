"""The share of promises kept, per service, tier and month, and that it stays quick with a million of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from core.database import Database
from core.models import Case
from routing.clocks.models import ResponseCycle
from routing.clocks.report import Month, Tally, breaches, company_zone, excused, percentage, running, tallies
from routing.clocks.rules import NotPossible
from routing.clocks.states import CycleState
from routing.policy import Policy

CENTRAL = ZoneInfo("America/Chicago")
NOVEMBER = Month(2026, 11, CENTRAL)
NOON = datetime(2026, 11, 10, 18, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
NOW = NOON + 10 * HOUR


def add(
    session: Session, state: CycleState, tier: str | None = "elite", at: datetime = NOON, **more: object
) -> int:
    number = session.scalar(sa.select(sa.func.count()).select_from(Case))
    case = Case(
        origin=f"test:{number}", channel="mail", service="support",
        verified=True, title="t", priority=1, contact_at=at, opened_at=at, target="",
    )  # fmt: skip
    session.add(case)
    session.flush()
    broken = state in (CycleState.OVERDUE, CycleState.LATE)
    due_at = more.pop("due_at", at + HOUR)
    cycle = ResponseCycle(
        case_id=case.id, number=1, state=state, service=more.pop("service", "support"), tier=tier, priority=1,
        started_at=at, target="1 hour", due_at=due_at, breached_at=due_at if broken else None,
        policy_version=1, calendar_fingerprint="", tz_version="", **more,
    )  # fmt: skip
    session.add(cycle)
    session.flush()
    return case.id


def test_it_counts_what_was_decided_and_lists_the_rest(database: Database) -> None:
    with database.writing() as session:
        for state in (
            CycleState.KEPT,
            CycleState.KEPT,
            CycleState.LATE,
            CycleState.UNPROMISED,
            CycleState.ANSWERED,
        ):
            add(session, state)
        overdue = add(session, CycleState.OVERDUE)
        runs = add(session, CycleState.RUNNING, due_at=NOW + HOUR)
        unmarked = add(session, CycleState.RUNNING)  # the worker has been away since
        forgiven = add(session, CycleState.EXCUSED)
        add(session, CycleState.KEPT, "classic")
        add(session, CycleState.UNPROMISED, None)
    with database.reading() as session:
        assert tallies(session, NOVEMBER, NOW) == [
            Tally("support", "classic", 1, 0, 0, 0),
            Tally("support", "elite", 2, 3, 1, 1),
        ]
        assert [cycle.case_id for cycle in running(session, NOVEMBER, NOW)] == [runs]
        assert [cycle.case_id for cycle in excused(session, NOVEMBER)] == [forgiven]
        missed = {cycle.case_id for cycle in breaches(session, NOVEMBER, NOW)}
        assert {overdue, unmarked} < missed
        assert len(missed) == 3


def test_it_counts_each_service_apart(database: Database) -> None:
    with database.writing() as session:
        add(session, CycleState.KEPT)
        add(session, CycleState.LATE, "managed-services", service="managed-services")
    with database.reading() as session:
        (only,) = tallies(session, NOVEMBER, NOW, "managed-services")
        assert (only.service, only.kept, only.missed) == ("managed-services", 0, 1)
        assert len(breaches(session, NOVEMBER, NOW, "support")) == 0


def test_it_counts_a_contact_in_the_companys_month(database: Database) -> None:
    """The first second of November in Chicago is 05:00 UTC; its last hour is in UTC's December."""
    begins = datetime(2026, 11, 1, 5, 0, tzinfo=UTC)
    ends = datetime(2026, 12, 1, 6, 0, tzinfo=UTC)
    assert (NOVEMBER.begins, NOVEMBER.ends) == (begins, ends)
    second = timedelta(seconds=1)
    with database.writing() as session:
        for at in (begins - second, begins, ends - second, ends):
            add(session, CycleState.KEPT, at=at)
    with database.reading() as session:
        assert [t.kept for t in tallies(session, NOVEMBER, NOW)] == [2]


def test_it_ends_a_year_with_december() -> None:
    december = Month.parse("2026-12", CENTRAL)
    assert december.ends == Month.parse("2027-01", CENTRAL).begins
    assert Month.of(december.ends - timedelta(seconds=1), CENTRAL) == december


@pytest.mark.parametrize(
    "text", ["", "2026", "2026-13", "2026-00", "26-11", "0001-01", "9999-12", "November", "2026-1 "]
)
def test_it_names_what_is_no_month(text: str) -> None:
    with pytest.raises(NotPossible, match="not a month; expected such as 2026-11"):
        Month.parse(text, CENTRAL)


@pytest.mark.parametrize(
    ("kept", "missed", "shown"),
    [
        (0, 0, "-"),
        (1, 0, "100.0 %"),
        (0, 1, "0.0 %"),
        (36, 1, "97.2 %"),
        (2, 1, "66.6 %"),
        (99_999, 1, "99.9 %"),
    ],
)
def test_it_says_all_only_where_all_were_kept(kept: int, missed: int, shown: str) -> None:
    assert percentage(Tally("support", "elite", kept, missed, 0, 0).share) == shown


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_it_never_shows_more_than_was_kept(kept: int, missed: int) -> None:
    share = Tally("support", "elite", kept, missed, 0, 0).share
    if share is not None:
        shown = Fraction(percentage(share).removesuffix(" %")) / 100
        assert shown <= share < shown + Fraction(1, 1000)


def test_it_counts_months_in_the_first_services_zone(policy: Policy) -> None:
    assert company_zone(policy) == CENTRAL


def test_it_reads_an_index_alone_for_a_months_share(database: Database) -> None:
    """With a million cycles the table itself is never read: what a month costs is what a month has."""
    if not database.is_sqlite:
        pytest.skip("PostgreSQL plans by statistics that an empty table does not have")
    statements: list[tuple[str, object]] = []
    with database.reading() as session:
        sa.event.listen(
            database.engine, "before_cursor_execute",
            lambda _c, _cur, text, values, *_: statements.append((text, values)),
        )  # fmt: skip
        tallies(session, NOVEMBER, NOW)
        breaches(session, NOVEMBER, NOW)
        plans = [
            " ".join(
                row[3] for row in session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values)
            )  # type: ignore[arg-type]
            for text, values in list(statements)
            if text.startswith("SELECT")
        ]
    share, marked, passed = plans
    assert "USING COVERING INDEX ix_response_cycles_month (started_at>? AND started_at<?)" in share
    assert "USING INDEX ix_response_cycles_breached (started_at>? AND started_at<?)" in marked
    assert "USING INDEX ix_response_cycles_" in passed
