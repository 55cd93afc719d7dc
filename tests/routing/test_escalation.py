"""Escalation: who is rung at which step, and when the next one comes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing import escalation
from routing.oncall import Schedule
from routing.policy import Escalation, Policy, Step

CENTRAL = ZoneInfo("America/Chicago")
NIGHT = datetime(2026, 3, 4, 2, 10, tzinfo=CENTRAL).astimezone(UTC)  # Dana's week; then come Luis, Priya, Sam
MINUTE = timedelta(minutes=1)


def rule(*rings: str, schedule: str = "support", wait_s: int = 90, repeat_s: int = 120) -> Escalation:
    steps = [Step(ring=ring, wait_s=wait_s) for ring in rings]
    return Escalation(schedule=schedule, steps=steps, repeat_s=repeat_s)


def with_schedule(policy: Policy, **schedule: object) -> Policy:
    document = {"zone": "America/Chicago", **schedule}
    return policy.model_copy(
        update={"schedules": {**policy.schedules, "other": Schedule.from_dict(document)}}
    )


def weekly(*members: str) -> dict[str, object]:
    return {
        "name": "only", "rotation": "weekly", "handover": "mon 08:00", "start": "2026-01-05",
        "members": list(members),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("ring", "people"),
    [
        ("on-call", ("dana",)),
        ("next", ("luis",)),
        ("everyone", ("dana", "luis", "priya", "sam")),
        ("sam", ("sam",)),
    ],
)
def test_it_knows_whom_a_step_rings(policy: Policy, ring: str, people: tuple[str, ...]) -> None:
    assert escalation.people_at(policy, rule(ring), 0, NIGHT) == people


def test_it_rings_the_one_who_is_on_call_at_that_instant(policy: Policy) -> None:
    monday = datetime(2026, 3, 9, 8, 0, tzinfo=CENTRAL).astimezone(UTC)
    before = monday - timedelta(seconds=1)
    people = [escalation.people_at(policy, rule("on-call", "next"), 0, at) for at in (before, monday)]
    assert people == [("dana",), ("luis",)]
    assert escalation.people_at(policy, rule("on-call", "next"), 1, monday) == ("priya",)


def test_it_takes_another_person_at_each_next_step(policy: Policy) -> None:
    steps = rule("on-call", "next", "next", "everyone", "next", "next")
    people = [escalation.people_at(policy, steps, position, NIGHT) for position in (0, 1, 2, 4, 5)]
    assert people == [("dana",), ("luis",), ("priya",), ("sam",), ("luis",)]


def test_it_repeats_the_last_step_for_ever(policy: Policy) -> None:
    steps = rule("on-call", "everyone")
    assert [escalation.is_repeat(steps, position) for position in range(4)] == [False, False, True, True]
    everyone = ("dana", "luis", "priya", "sam")
    assert escalation.people_at(policy, steps, 2, NIGHT) == everyone
    assert escalation.people_at(policy, steps, 500, NIGHT) == everyone


def test_it_rings_everybody_when_a_step_would_ring_nobody(policy: Policy) -> None:
    """A gap in the rotation: a promise is running all the same."""
    away = [
        {"person": name, "from": "2026-03-01T00:00", "to": "2026-03-08T00:00"} for name in ("dana", "luis")
    ]
    gap = with_schedule(policy, layers=[weekly("dana", "luis")], absences=away)
    for ring in ("on-call", "next", "everyone"):
        assert set(escalation.people_at(gap, rule(ring, schedule="other"), 0, NIGHT)) == {"dana", "luis"}
    assert escalation.people_at(gap, rule("sam", schedule="other"), 0, NIGHT) == ("sam",)


def test_it_rings_the_only_one_there_is_again(policy: Policy) -> None:
    alone = with_schedule(policy, layers=[weekly("dana")])
    steps = rule("on-call", "next", "everyone", schedule="other")
    assert [escalation.people_at(alone, steps, position, NIGHT) for position in range(3)] == [("dana",)] * 3


def test_it_waits_as_long_as_each_step_says(policy: Policy) -> None:
    steps = Escalation(
        schedule="support", steps=[Step(ring="on-call", wait_s=60), Step(ring="next", wait_s=30)]
    )
    waits = [escalation.wait_at(steps, position) for position in range(4)]
    assert waits == [MINUTE, MINUTE / 2, MINUTE / 2, MINUTE / 2]


@pytest.mark.parametrize(
    ("position", "given_up_after", "rings_after"),
    [
        (1, timedelta(seconds=3), timedelta(seconds=3)),  # busy at once: the next step at once
        (1, timedelta(seconds=90), timedelta(seconds=90)),
        (2, timedelta(seconds=3), timedelta(seconds=120)),  # a repeat: its phones have rung just now
        (2, timedelta(seconds=90), timedelta(seconds=120)),
        (9, timedelta(seconds=300), timedelta(seconds=300)),
    ],
)
def test_it_rings_the_next_step_at_once_and_a_repeat_after_a_pause(
    position: int, given_up_after: timedelta, rings_after: timedelta
) -> None:
    steps = rule("on-call", "everyone", repeat_s=120)
    assert escalation.next_ring_at(steps, position, NIGHT, NIGHT + given_up_after) == NIGHT + rings_after


@given(
    rings=st.lists(st.sampled_from(["on-call", "next", "everyone", "luis"]), min_size=1, max_size=5),
    position=st.integers(0, 20),
    days=st.integers(0, 800),
)
def test_it_never_rings_nobody(policy: Policy, rings: list[str], position: int, days: int) -> None:
    at = NIGHT + timedelta(days=days, hours=days % 24)
    people = escalation.people_at(policy, rule(*rings), position, at)
    assert people
    assert len(set(people)) == len(people)
    assert set(people) <= set(policy.people)
