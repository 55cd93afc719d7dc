"""When a drill is held, and what may become of it."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.drills.rules import TABLE, DrillEvent, DrillRule, DrillState, after, drill_at

CENTRAL = ZoneInfo("America/Chicago")


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CENTRAL).astimezone(UTC)


@pytest.mark.parametrize(
    ("shift", "rule", "at"),
    [
        ("2026-03-09T17:00", {}, "2026-03-09T16:30"),
        ("2026-03-09T08:00", {}, "2026-03-08T20:45"),  # half past seven is no hour for a drill
        ("2026-03-09T08:00", {"hours": "07:00-21:00"}, "2026-03-09T07:30"),
        ("2026-03-09T08:30", {}, "2026-03-09T08:00"),
        ("2026-03-09T23:30", {}, "2026-03-09T20:45"),
        ("2026-03-10T00:10", {}, "2026-03-09T20:45"),
        ("2026-03-09T21:20", {}, "2026-03-09T20:45"),
        ("2026-03-09T17:00", {"before_min": 120}, "2026-03-09T15:00"),
        ("2026-03-08T08:00", {}, "2026-03-07T20:45"),  # the night in which the clocks go forward
        ("2026-11-01T08:00", {}, "2026-10-31T20:45"),
    ],
)
def test_it_is_held_before_the_shift_at_a_reasonable_hour(
    shift: str, rule: dict[str, object], at: str
) -> None:
    assert drill_at(local(shift), DrillRule(**rule), CENTRAL) == local(at)  # type: ignore[arg-type]


@given(
    minutes=st.integers(0, 60 * 24 * 400),
    before=st.integers(5, 1440),
    wait=st.integers(1, 120),
    hours=st.tuples(st.integers(0, 22), st.integers(1, 23)).filter(lambda pair: pair[0] < pair[1]),
)
def test_it_is_always_before_the_shift_and_within_the_hours(
    minutes: int, before: int, wait: int, hours: tuple[int, int]
) -> None:
    shift = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    rule = DrillRule(before_min=before, wait_min=wait, hours=f"{hours[0]:02}:00-{hours[1]:02}:00")
    at = drill_at(shift, rule, CENTRAL)
    assert at <= shift - timedelta(minutes=before)
    assert shift - at < timedelta(minutes=before) + timedelta(hours=49)
    wall = at.astimezone(CENTRAL).time()
    assert time(hours[0]) <= wall <= time(hours[1]) or wall.hour == 3, (
        "or at the end of the hour that there is not"
    )


@pytest.mark.parametrize("hours", ["21:00-08:00", "08:00", "8-21", "08:00-24:00", "08:00-08:00", ""])
def test_it_refuses_what_are_no_hours_of_one_day(hours: str) -> None:
    with pytest.raises(ValueError, match="expected hours of one day"):
        DrillRule(hours=hours)


EDGES = [
    (DrillState.RINGING, DrillEvent.ACKNOWLEDGED, DrillState.PROVED),
    (DrillState.RINGING, DrillEvent.TIME_OVER, DrillState.UNANSWERED),
    (DrillState.UNANSWERED, DrillEvent.ACKNOWLEDGED, DrillState.PROVED),
]


@pytest.mark.parametrize(("state", "event", "follows"), EDGES)
def test_it_follows_each_edge(state: DrillState, event: DrillEvent, follows: DrillState) -> None:
    assert after(state, event) is follows


def test_it_has_no_other_edge_and_an_exit_from_every_state_but_the_last() -> None:
    assert set(TABLE) == {(state, event) for state, event, _ in EDGES}
    for state, event in set(product(DrillState, DrillEvent)) - set(TABLE):
        assert after(state, event) is None
    assert {state for state, _ in TABLE} == set(DrillState) - {DrillState.PROVED}
