"""The clock's due work: safe to repeat, late, or planned anew; and cases that have no cycle yet."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from core import due
from core.models import Case, Event
from routing.clocks.breach import breach
from routing.clocks.models import ResponseCycle
from routing.responses import stamp_response
from tests.house import House
from tests.stories.people import MARIA, NIGHT

DUE_AT = NIGHT + timedelta(hours=1)


@pytest.fixture
def house(reused_url: str, tmp_path: Path) -> House:
    house = House(reused_url, tmp_path / "data")
    house.voicemail_from(MARIA)
    return house


def claimed(house: House) -> due.Claim:
    with house.context.database.writing() as session:
        row = session.scalars(
            sa.select(due.Due).where(due.Due.kind == "clock.breach", due.Due.state == "ready")
        ).one()
        return due._lease(session, row.id, house.scheduler.now() + timedelta(minutes=5))


def states(house: House) -> list[str]:
    return list(house.sql(sa.select(ResponseCycle.state)))


def test_it_marks_a_promise_once_though_it_is_done_twice(house: House) -> None:
    house.it_becomes(DUE_AT)
    claim = claimed(house)
    breach(house.context, claim)
    with pytest.raises(due.LeaseLost):
        breach(house.context, claim)
    assert states(house) == ["overdue"]
    assert len(house.sql(sa.select(Event).where(Event.kind == "case.breached"))) == 1
    house.context.close()


def test_it_leaves_alone_what_is_not_due_yet(house: House) -> None:
    breach(house.context, claimed(house))
    assert states(house) == ["running"]
    house.context.close()


def test_it_does_not_mark_what_was_answered_while_it_was_under_way(house: House) -> None:
    house.it_becomes(DUE_AT)
    claim = claimed(house)
    with house.context.database.writing() as session:
        assert stamp_response(session, session.get_one(Case, 1001), DUE_AT, "call", "dana")
    with pytest.raises(due.LeaseLost):
        breach(house.context, claim)
    assert states(house) == ["kept"]
    assert house.events("case.breached") == []
    house.context.close()


def test_it_takes_no_other_kind_of_answer(house: House) -> None:
    with pytest.raises(ValueError, match="accepted-page"), house.context.database.writing() as session:
        stamp_response(session, session.get_one(Case, 1001), NIGHT, "accepted-page", "dana")
    assert states(house) == ["running"]
    house.context.close()


def test_it_begins_the_record_of_a_case_that_an_older_release_opened(house: House) -> None:
    with house.context.database.writing() as session:
        session.execute(sa.delete(ResponseCycle))
    with house.context.database.writing() as session:
        assert stamp_response(
            session, session.get_one(Case, 1001), DUE_AT + timedelta(minutes=1), "reply", "dana"
        )
    (cycle,) = house.sql(sa.select(ResponseCycle))
    assert (cycle.number, cycle.state, cycle.started_at, cycle.due_at) == (1, "late", NIGHT, DUE_AT)
    assert (cycle.cover, cycle.policy_version) == ("24x7", house.decision.policy_version)
    assert (house.case.due_at, house.case.response_kind) == (DUE_AT, "reply")
    house.context.close()
