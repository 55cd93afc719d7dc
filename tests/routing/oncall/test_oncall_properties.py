from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import oncall_oracle as oracle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.oncall import Reason, Rotation, Schedule, diff, gaps, next_shift, on_call, order, shifts

EXAMPLES = 60
PEOPLE = ["dana", "luis", "priya", "sam", "wren"]
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
SPAN = timedelta(days=4)
# Nights on which clocks change: by an hour, half an hour, at midnight, for Ramadan, by a day; one quiet.
NIGHTS = [
    ("America/Chicago", "2026-03-08"),
    ("America/Chicago", "2026-11-01"),
    ("Europe/Berlin", "2026-03-29"),
    ("Europe/Berlin", "2026-10-25"),
    ("Australia/Lord_Howe", "2026-04-05"),
    ("Australia/Lord_Howe", "2026-10-04"),
    ("America/Santiago", "2026-04-05"),
    ("America/Santiago", "2026-09-06"),
    ("Africa/Cairo", "2026-04-24"),
    ("Africa/Cairo", "2026-10-30"),
    ("Africa/Casablanca", "2026-02-15"),
    ("Africa/Casablanca", "2026-03-22"),
    ("America/St_Johns", "2026-11-01"),
    ("America/St_Johns", "2010-11-07"),  # back from 00:01 to 23:01 of the day before
    ("Antarctica/Troll", "2026-03-29"),
    ("Asia/Kathmandu", "2026-05-01"),
    ("Pacific/Apia", "2011-12-30"),
]
people = st.sampled_from(PEOPLE)
minutes = st.one_of(
    st.sampled_from([0, 30, 60, 90, 120, 150, 180, 480, 1020, 1435]), st.integers(0, 287).map(lambda n: n * 5)
)


def clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


@st.composite
def hours(draw: st.DrawFn) -> dict[str, list[str]]:
    pattern = draw(st.sampled_from(["nights", "days", "single"]))
    if pattern == "nights":
        edge = clock(draw(minutes))
        return {
            day: [f"{edge}-{clock(draw(minutes))}" if day == "sun" else f"{edge}-{edge}"] for day in DAYS[4:]
        }
    days = draw(st.lists(st.sampled_from(DAYS), min_size=1, unique=True))
    if pattern == "single":
        return {days[0]: [f"{clock(draw(minutes))}-{clock(draw(minutes))}"]}
    edges = sorted(draw(st.lists(minutes, min_size=2, max_size=4, unique=True)))
    spans = [f"{clock(edges[n])}-{clock(edges[n + 1])}" for n in range(0, len(edges) - 1, 2)]
    return dict.fromkeys(days, spans)


@st.composite
def layers(draw: st.DrawFn, zone: str, night: datetime, number: int) -> dict[str, Any]:
    rotation = draw(
        st.sampled_from(
            ["daily", "weekly", "every 2 days", "every 2 weeks", "every 5 hours", "every 24 hours"]
        )
    )
    day = f"{draw(st.sampled_from(DAYS))} " if "week" in rotation else ""
    layer = {
        "name": f"layer {number}",
        "zone": draw(st.sampled_from([zone, zone, "America/Chicago"])),
        "rotation": rotation,
        "handover": day + clock(draw(minutes)),
        "start": (night - timedelta(days=draw(st.integers(-3, 20)))).date().isoformat(),
        "members": draw(st.lists(people, min_size=1, max_size=4)),
    }
    return layer | ({"hours": draw(hours())} if draw(st.booleans()) else {})


@st.composite
def periods(draw: st.DrawFn, start: datetime) -> dict[str, datetime]:
    begins = start + draw(st.integers(-100, 1000)) * oracle.STEP
    return {"from": begins, "to": begins + draw(st.integers(1, 600)) * oracle.STEP}


@st.composite
def cases(draw: st.DrawFn) -> tuple[dict[str, Any], datetime]:
    """A schedule as a dict, and the instant two days before its clocks change."""
    zone, date = draw(st.sampled_from(NIGHTS))
    night = datetime.fromisoformat(date).replace(tzinfo=UTC)
    start = night - SPAN / 2
    pairs = st.lists(people, min_size=2, max_size=2, unique=True)
    data = {
        "zone": zone,
        "layers": [draw(layers(zone, night, number)) for number in range(draw(st.integers(1, 3)))],
        "overrides": [
            draw(periods(start))
            | {"person": draw(st.none() | people), "instead_of": draw(st.none() | people)}
            for _ in range(draw(st.integers(0, 4)))
        ],
        "swaps": [{who: draw(periods(start)) for who in draw(pairs)} for _ in range(draw(st.integers(0, 2)))],
        "absences": [draw(periods(start)) | {"person": draw(people)} for _ in range(draw(st.integers(0, 4)))],
    }
    return data, start


@settings(max_examples=EXAMPLES // 2, deadline=None)
@given(cases())
def test_it_says_what_the_oracle_says_at_every_step_around_a_change_of_the_clocks(
    case: tuple[dict[str, Any], datetime],
) -> None:
    data, start = case
    schedule = Schedule.from_dict(data)
    found = shifts(schedule, start, start + SPAN)
    holes = gaps(schedule, start, start + SPAN)
    second_opinion = oracle.Oracle(data, start, start + SPAN)
    for index, instant in enumerate(oracle.steps(start, start + SPAN)):
        expected = second_opinion.person_at(instant)
        assert [shift.person for shift in found if shift.start <= instant < shift.end] == (
            [expected] if expected else []
        ), instant
        assert any(begins <= instant < ends for begins, ends in holes) == (expected is None), instant
        if index % 7 == 0:
            assert on_call(schedule, instant) == ((expected,) if expected else ())
            assert order(schedule, instant)[:1] == on_call(schedule, instant)


@settings(max_examples=EXAMPLES, deadline=None)
@given(cases())
def test_it_gives_shifts_that_tile_the_period_with_the_gaps_and_are_merged(
    case: tuple[dict[str, Any], datetime],
) -> None:
    data, start = case
    schedule = Schedule.from_dict(data)
    found, holes = shifts(schedule, start, start + SPAN), gaps(schedule, start, start + SPAN)
    pieces = sorted([(shift.start, shift.end) for shift in found] + holes)
    assert [begins for begins, _ in pieces] == [start, *(ends for _, ends in pieces[:-1])]
    assert pieces[-1][1] == start + SPAN
    assert all(begins < ends for begins, ends in pieces)
    assert not any(left.end == right.start and left[2:] == right[2:] for left, right in pairwise(found))
    assert not any(left[1] == right[0] for left, right in pairwise(holes))


@settings(max_examples=EXAMPLES // 2, deadline=None)
@given(cases(), st.data())
def test_it_finds_the_minutes_in_which_two_schedules_differ(
    case: tuple[dict[str, Any], datetime], draw: st.DataObject
) -> None:
    data, start = case
    changed = data | {"overrides": data["overrides"][1:], "absences": [], "layers": data["layers"][:1]}
    changed["overrides"] += [draw.draw(periods(start)) | {"person": draw.draw(st.none() | people)}]
    found = diff(Schedule.from_dict(data), Schedule.from_dict(changed), start, start + SPAN)
    old, new = (oracle.Oracle(each, start, start + SPAN) for each in (data, changed))
    for instant in oracle.steps(start, start + SPAN):
        before, after = old.person_at(instant), new.person_at(instant)
        here = [(each.before, each.after) for each in found if each.start <= instant < each.end]
        assert here == ([(before, after)] if before != after else []), instant
    assert not any(left.end == right.start and left[2:] == right[2:] for left, right in pairwise(found))


@settings(max_examples=EXAMPLES, deadline=None)
@given(cases(), people, st.integers(0, 1000))
def test_it_finds_the_next_shift_among_all_shifts(
    case: tuple[dict[str, Any], datetime], person: str, step: int
) -> None:
    data, start = case
    schedule, after = Schedule.from_dict(data), start + step * oracle.STEP
    horizon = after + timedelta(days=60)
    ahead = shifts(schedule, after - timedelta(days=60), horizon)
    expected = next((shift for shift in ahead if shift.person == person and shift.start >= after), None)
    assert next_shift(schedule, person, after, within=timedelta(days=60)) == expected


@settings(max_examples=EXAMPLES, deadline=None)
@given(cases())
def test_it_reads_back_what_it_writes(case: tuple[dict[str, Any], datetime]) -> None:
    schedule = Schedule.from_dict(case[0])
    assert Schedule.from_dict(schedule.to_dict()) == schedule


@settings(max_examples=EXAMPLES, deadline=None)
@given(cases())
def test_it_rings_everybody_at_most_once_and_nobody_who_is_absent_unless_put_there(
    case: tuple[dict[str, Any], datetime],
) -> None:
    data, start = case
    schedule = Schedule.from_dict(data | {"overrides": [], "swaps": []})
    for instant in (start + SPAN * n / 11 for n in range(11)):
        ringing = order(schedule, instant)
        away = {a["person"] for a in data["absences"] if a["from"] <= instant < a["to"]}
        assert len(set(ringing)) == len(ringing)
        assert not away & set(ringing)


@pytest.mark.parametrize("zone", sorted({zone for zone, _ in NIGHTS}))
@pytest.mark.parametrize("minute", [0, 30, 90, 150, 480, 1020])
def test_it_keeps_the_wall_time_of_the_handover_all_year_but_where_clocks_skip_it(
    zone: str, minute: int
) -> None:
    rotation = Rotation.from_dict(
        {
            "zone": zone,
            "rotation": "daily",
            "handover": clock(minute),
            "start": "2026-01-01",
            "members": PEOPLE,
        }
    )
    shown = [rotation.handover(number).astimezone(ZoneInfo(zone)) for number in range(366)]
    off = [local for local in shown if f"{local:%H:%M}" != clock(minute)]
    assert len(off) <= 2
    for local in off:  # the first instant after the gap: a moment earlier another offset held
        before = (local.astimezone(UTC) - timedelta(seconds=1)).astimezone(ZoneInfo(zone))
        assert before.utcoffset() != local.utcoffset()
    assert all(earlier.astimezone(UTC) < later.astimezone(UTC) for earlier, later in pairwise(shown))


@settings(max_examples=EXAMPLES, deadline=None)
@given(cases())
def test_it_gives_a_reason_that_the_changes_account_for(case: tuple[dict[str, Any], datetime]) -> None:
    data, start = case
    schedule = Schedule.from_dict(data)
    for shift in shifts(schedule, start, start + SPAN):
        changed = schedule.overrides or schedule.swaps
        assert shift.reason is not Reason.OVERRIDE or changed
        assert shift.reason is not Reason.COVER or schedule.absences
        assert shift.rotation is not None or shift.reason is Reason.OVERRIDE
