"""Escalation: who is rung at which step, and when the next one comes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
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
    waits = [escalation.step_over_at(steps, position, NIGHT, NIGHT, None) - NIGHT for position in range(4)]
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


def timed(*steps: dict[str, object], ring_s: int = 30) -> Escalation:
    return Escalation(schedule="support", steps=[Step(ring="everyone", **s) for s in steps], ring_s=ring_s)  # type: ignore[arg-type]


def seconds(steps: Escalation, left: float | None, begun_at: datetime = NIGHT) -> list[float]:
    """When the steps begin, counted from the page's beginning, with so many seconds left of the promise."""
    due_at = begun_at + timedelta(seconds=left) if left is not None else None
    return [(at - begun_at).total_seconds() for at in escalation.begins(steps, begun_at, due_at)]


_QUARTERS = ({}, {"at": 0.25}, {"at": "0.5"}, {"at": 0.75})
_MINUTES = ({}, {"at": "5 min"}, {"at": "90 s", "wait_s": 60})


@pytest.mark.parametrize(
    ("steps", "left", "begin"),
    [
        (_QUARTERS, 3600, [0, 900, 1800, 2700]),
        (_QUARTERS, 900, [0, 225, 450, 675]),
        (_QUARTERS, 1, [0, 0, 0, 0]),  # hardly anything is left: everybody at once
        (_QUARTERS, 60, [0, 0, 0, 30]),  # each step keeps a ring's length, from the last one back
        (_QUARTERS, 0, [0, 90, 180, 270]),  # broken: nothing to be a share of
        (_QUARTERS, -3600, [0, 90, 180, 270]),
        (_QUARTERS, None, [0, 90, 180, 270]),
        (({}, {"at": "5 min"}, {"at": "10 min"}), 3600, [0, 300, 600]),
        (({}, {"at": "5 min"}, {"at": "10 min"}), 480, [0, 300, 450]),  # the third is pulled forward
        (({}, {"at": "5 min"}, {"at": "10 min"}), 120, [0, 60, 90]),
        (({}, {"at": "5 min"}, {"at": "10 min"}), -60, [0, 300, 600]),
        (({"wait_s": 60}, {"at": "1/3"}, {}), 900, [0, 300, 390]),
        (({"wait_s": 600}, {"at": 0.1}), 900, [0, 90]),
        (({}, {"at": "200000000000000/400000000000001"}), 900, [0, 450]),  # exact, however fine the share
        (({}, {"at": 0.5}, {"at": "1 min"}), 3600, [0, 1800, 1800]),
        (({"wait_s": 3600}, {"wait_s": 3600}, {}), 3600, [0, 3540, 3570]),
    ],
)  # fmt: skip
def test_it_cuts_the_steps_from_the_time_that_is_left(
    steps: tuple[dict[str, object], ...], left: float | None, begin: list[float]
) -> None:
    assert seconds(timed(*steps), left) == begin


_ats = st.one_of(
    st.just({}),
    st.integers(1, 7200).map(lambda s: {"wait_s": s}),
    st.fractions(0, 1).filter(lambda f: f < 1).map(lambda f: {"at": str(f)}),
    st.integers(0, 240).map(lambda m: {"at": f"{m} min"}),
)


@st.composite
def _rules(draw: st.DrawFn) -> Escalation:
    steps: list[dict[str, object]] = [{}, *draw(st.lists(_ats, max_size=6))]
    for kind in ("min", "/"):  # what would go back in time is no rule
        places = [n for n, s in enumerate(steps) if _kind(s) == kind]
        inside = sorted((steps[n] for n in places), key=lambda s: Fraction(str(s["at"]).removesuffix(" min")))
        for place, step in zip(places, inside, strict=True):
            steps[place] = step
    return timed(*steps, ring_s=draw(st.integers(5, 120)))


def _kind(step: dict[str, object]) -> str:
    at = str(step.get("at", ""))
    return "min" if at.endswith("min") else "/" if at else "wait"


@given(rule=_rules(), left=st.integers(-7200, 36_000).filter(lambda s: s != 0), late=st.integers(0, 600))
def test_its_steps_come_in_order_and_never_after_the_promise(rule: Escalation, left: int, late: int) -> None:
    begun_at, due_at = NIGHT, NIGHT + timedelta(seconds=left)
    planned = escalation.begins(rule, begun_at, due_at)
    assert planned[0] == begun_at, "the first one is never delayed, past the promise too"
    assert list(planned) == sorted(planned)
    if left > 0:
        assert planned[-1] <= due_at
    # A worker that finds the rows later computes the same; a step that was rung late delays none behind the promise.
    assert escalation.begins(rule, begun_at, due_at) == planned
    for position in range(len(planned) - 1):
        rung_at = planned[position] + timedelta(seconds=late)
        over_at = escalation.step_over_at(rule, position, rung_at, begun_at, due_at)
        assert over_at >= rung_at
        assert left < 0 or over_at <= max(due_at, rung_at)
    last = len(planned) - 1
    again = escalation.next_ring_at(rule, last + 1, planned[-1], planned[-1])
    assert again == planned[-1] + timedelta(seconds=rule.repeat_s), (
        "it is repeated for ever, before and after"
    )


@pytest.mark.parametrize(
    "at", [1, 1.5, -0.1, "5", "5 minutes", "0 h", "nan", "1/0", "100000 min", True, "", "25 %"]
)
def test_it_refuses_what_is_no_moment(at: object) -> None:
    with pytest.raises(ValueError, match="expected a share of the time that is left"):
        Step(ring="next", at=at)  # type: ignore[arg-type]


def test_it_refuses_steps_that_go_back_in_time_or_begin_late() -> None:
    with pytest.raises(ValueError, match="go back in time"):
        timed({}, {"at": 0.5}, {"at": 0.25})
    with pytest.raises(ValueError, match="the first step has an 'at'"):
        timed({"at": 0.5}, {})


def test_it_rings_the_rotation_of_another_schedule(policy: Policy) -> None:
    steps = Escalation(
        schedule="support",
        steps=[Step(ring="on-call"), Step(ring="on-call", of="consultants"), Step(ring="next"),
               Step(ring="next", of="consultants"), Step(ring="everyone", of="consultants")],
    )  # fmt: skip
    people = [escalation.people_at(policy, steps, position, NIGHT) for position in range(5)]
    assert people == [("dana",), ("priya",), ("luis",), ("sam",), ("priya", "sam")]
    assert escalation.schedules_in(steps) == ("support", "consultants")
    assert escalation.everybody(policy, steps, NIGHT) == {"dana", "luis", "priya", "sam"}


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
