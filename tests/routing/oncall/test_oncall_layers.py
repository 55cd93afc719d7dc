from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from routing.oncall import (
    Absence,
    Difference,
    Override,
    Reason,
    Schedule,
    Shift,
    Swap,
    Turn,
    diff,
    gaps,
    next_shift,
    on_call,
    order,
    shifts,
)

WEEKLY = {"name": "primary", "rotation": "weekly", "handover": "mon 08:00", "start": "2026-01-05"}
NIGHTS = {"name": "nights", "rotation": "daily", "handover": "20:00", "start": "2026-01-05"}
ROTATION, OVERRIDE, COVER = Reason


def jan(day: int, hour: int = 8) -> datetime:
    return datetime(2026, 1, day, hour, tzinfo=UTC)


def schedule(
    *layers: dict[str, Any], members: tuple[str, ...] = ("dana", "luis", "priya"), **more: Any
) -> Schedule:
    listed = [{"members": list(members)} | layer for layer in layers or (WEEKLY,)]
    return Schedule.from_dict({"zone": "UTC", "layers": listed, **more})


def change(start: datetime, end: datetime, **who: Any) -> dict[str, Any]:
    return {"from": start, "to": end, **who}


def test_it_names_one_person_or_nobody() -> None:
    assert on_call(schedule(), jan(5)) == ("dana",)
    assert on_call(schedule(), jan(5) - timedelta(microseconds=1)) == ()
    assert on_call(schedule(), jan(12)) == ("luis",)


def test_it_lays_a_later_layer_on_top_where_it_has_somebody() -> None:
    nights = NIGHTS | {"members": ["sam"], "hours": {"mon-fri": "20:00-06:00"}}
    found = shifts(schedule(WEEKLY, nights), jan(5), jan(6))
    assert found == [
        Shift(jan(5), jan(5, 20), "dana", "primary", ROTATION),
        Shift(jan(5, 20), jan(6, 6), "sam", "nights", ROTATION),
        Shift(jan(6, 6), jan(6), "dana", "primary", ROTATION),
    ]


def test_it_finds_gaps_ahead_where_no_layer_has_anybody() -> None:
    nights = NIGHTS | {"hours": {"mon-fri": "20:00-06:00"}}
    assert gaps(schedule(nights), jan(5, 0), jan(6, 0)) == [(jan(5, 0), jan(5, 20))]
    assert gaps(schedule(), jan(5), jan(30)) == []


def test_it_replaces_one_person_whoever_it_is_or_nobody_for_an_override() -> None:
    changes = [
        change(jan(6), jan(7), person="sam", instead_of="dana"),
        change(jan(8), jan(9), person="sam", instead_of="luis"),  # luis is not on call then
        change(jan(11), jan(13), person="wren"),
        change(jan(14), jan(15), person=None),
    ]
    rota = schedule(overrides=changes)
    assert shifts(rota, jan(6), jan(16)) == [
        Shift(jan(6), jan(7), "sam", "primary", OVERRIDE),
        Shift(jan(7), jan(11), "dana", "primary", ROTATION),
        Shift(jan(11), jan(13), "wren", None, OVERRIDE),
        Shift(jan(13), jan(14), "luis", "primary", ROTATION),
        Shift(jan(15), jan(16), "luis", "primary", ROTATION),
    ]
    assert gaps(rota, jan(6), jan(16)) == [(jan(14), jan(15))]


def test_it_leaves_nobody_where_one_person_is_removed_even_above_another_layer() -> None:
    nights = NIGHTS | {"members": ["sam"], "hours": {"mon-fri": "20:00-06:00"}}
    rota = schedule(WEEKLY, nights, overrides=[change(jan(5, 22), jan(7), person=None, instead_of="sam")])
    assert gaps(rota, jan(5), jan(8)) == [(jan(5, 22), jan(6, 6)), (jan(6, 20), jan(7, 6))]


def test_it_fills_a_gap_with_an_override_of_whoever_would_be_on_call() -> None:
    rota = schedule(overrides=[change(jan(1), jan(2), person="sam")])
    assert on_call(rota, jan(1)) == ("sam",)
    assert order(rota, jan(1)) == ("sam",)


def test_it_applies_a_later_override_to_what_an_earlier_one_left() -> None:
    first = change(jan(6), jan(8), person="sam", instead_of="dana")
    then = change(jan(7), jan(9), person="wren", instead_of="sam")
    assert on_call(schedule(overrides=[first, then]), jan(7)) == ("wren",)
    assert on_call(schedule(overrides=[then, first]), jan(7)) == ("sam",)
    assert on_call(schedule(overrides=[first, then]), jan(8)) == ("dana",)


def test_it_swaps_two_turns_and_the_turns_of_the_same_days_too() -> None:
    apart = {"dana": change(jan(6), jan(7)), "luis": change(jan(13), jan(14))}
    rota = schedule(swaps=[apart])
    assert [on_call(rota, jan(day)) for day in (6, 7, 13, 14)] == [("luis",), ("dana",), ("dana",), ("luis",)]
    same = {"dana": change(jan(5), jan(19)), "luis": change(jan(5), jan(19))}
    rota = schedule(swaps=[same])
    assert [on_call(rota, jan(day)) for day in (6, 13, 20)] == [("luis",), ("dana",), ("priya",)]


def test_it_gives_an_absent_persons_shift_to_the_next_who_is_not_absent() -> None:
    away = [change(jan(6), jan(8), person="dana"), change(jan(7), jan(9), person="luis")]
    assert shifts(schedule(absences=away), jan(5), jan(10)) == [
        Shift(jan(5), jan(6), "dana", "primary", ROTATION),
        Shift(jan(6), jan(7), "luis", "primary", COVER),
        Shift(jan(7), jan(8), "priya", "primary", COVER),
        Shift(jan(8), jan(10), "dana", "primary", ROTATION),
    ]


def test_it_joins_absences_of_one_person_that_overlap() -> None:
    away = [change(jan(5), jan(20), person="dana"), change(jan(6), jan(7), person="dana")]
    assert on_call(schedule(absences=away), jan(8)) == ("luis",)
    assert gaps(schedule(members=("dana",), absences=away), jan(5), jan(21)) == [(jan(5), jan(20))]
    daily = schedule(NIGHTS | {"members": ["dana"]}, absences=away)
    assert gaps(daily, jan(8), jan(21)) == [(jan(8), jan(20))]


def test_it_falls_to_the_lower_layer_when_the_whole_rotation_is_absent() -> None:
    nights = NIGHTS | {"members": ["sam", "wren", "sam"]}
    away = [change(jan(6), jan(8), person=name) for name in ("sam", "wren")]
    rota = schedule(WEEKLY, nights, absences=away)
    assert [on_call(rota, jan(day)) for day in (5, 6, 7, 8)] == [("dana",), ("dana",), ("dana",), ("sam",)]


def test_it_lets_an_override_name_somebody_who_is_absent() -> None:
    rota = schedule(
        absences=[change(jan(6), jan(8), person="sam")], overrides=[change(jan(6), jan(7), person="sam")]
    )
    assert on_call(rota, jan(6)) == ("sam",)


def test_it_rings_the_following_members_after_who_is_on_call() -> None:
    assert order(schedule(), jan(12)) == ("luis", "priya", "dana")
    assert order(schedule(), jan(1)) == ()
    assert order(schedule(members=("dana", "luis", "dana", "priya")), jan(5)) == ("dana", "luis", "priya")


def test_it_rings_nobody_who_is_absent_or_gave_the_duty_away() -> None:
    away = [change(jan(5), jan(30), person="luis")]
    assert order(schedule(absences=away), jan(6)) == ("dana", "priya")
    assert order(schedule(absences=away), jan(13)) == ("priya", "dana")
    given_away = [
        change(jan(5), jan(30), person="sam", instead_of="dana"),
        change(jan(5), jan(30), person=None, instead_of="luis"),
    ]
    assert order(schedule(overrides=given_away), jan(5)) == ("sam", "priya")
    assert order(schedule(overrides=given_away), jan(6)) == ("sam", "priya")
    assert order(schedule(overrides=given_away), jan(20)) == ("priya", "sam")
    assert order(schedule(overrides=[change(jan(5), jan(30), person="sam")]), jan(6)) == (
        "sam",
        "luis",
        "priya",
    )


def test_it_rings_the_following_members_of_the_layer_that_is_on_top() -> None:
    nights = NIGHTS | {"members": ["sam", "wren"], "hours": {"mon-fri": "20:00-06:00"}}
    rota = schedule(WEEKLY, nights)
    assert order(rota, jan(6, 21)) == ("wren", "sam")
    assert order(rota, jan(6, 12)) == ("dana", "luis", "priya")


def test_it_finds_the_next_shift_whole_and_not_the_one_under_way() -> None:
    assert next_shift(schedule(), "dana", jan(5)) == Shift(jan(5), jan(12), "dana", "primary", ROTATION)
    assert next_shift(schedule(), "dana", jan(6)) == Shift(
        jan(26), jan(26) + timedelta(7), "dana", "primary", ROTATION
    )
    assert next_shift(schedule(), "nobody", jan(6)) is None
    assert next_shift(schedule(members=("dana",)), "dana", jan(6)) is None
    always = next_shift(schedule(members=("dana",)), "dana", jan(1), within=timedelta(days=50))
    assert always == Shift(jan(5), jan(1) + timedelta(days=50), "dana", "primary", ROTATION)


def test_it_tells_minute_by_minute_who_would_change() -> None:
    before = schedule()
    after = schedule(members=("dana", "priya", "luis"), overrides=[change(jan(6), jan(7, 9), person=None)])
    assert diff(before, after, jan(5), jan(26)) == [
        Difference(jan(6), jan(7, 9), "dana", None),
        Difference(jan(12), jan(19), "luis", "priya"),
        Difference(jan(19), jan(26), "priya", "luis"),
    ]
    assert diff(before, before, jan(5), jan(26)) == []
    assert diff(Schedule("UTC"), before, jan(1), jan(6)) == [Difference(jan(5), jan(6), None, "dana")]


def test_it_does_not_call_another_reason_for_the_same_person_a_difference() -> None:
    same = schedule(overrides=[change(jan(6), jan(7), person="dana")])
    assert len(shifts(same, jan(5), jan(8))) == 3
    assert diff(schedule(), same, jan(5), jan(8)) == []


def test_it_takes_instants_of_any_zone_and_answers_in_utc() -> None:
    chicago = Schedule.from_dict({"zone": "America/Chicago", "layers": [WEEKLY | {"members": ["dana"]}]})
    start = datetime.fromisoformat("2026-01-05T12:00:00-06:00")
    (shift,) = shifts(chicago, start, start + timedelta(hours=1))
    assert (shift.start, shift.start.tzinfo) == (start, UTC)


def test_it_says_nothing_of_an_empty_period_and_refuses_one_backwards_or_without_zone() -> None:
    assert shifts(schedule(), jan(6), jan(6)) == []
    assert gaps(schedule(), jan(1), jan(1)) == []
    with pytest.raises(ValueError, match="before it starts"):
        shifts(schedule(), jan(7), jan(6))
    with pytest.raises(ValueError, match="has no zone"):
        on_call(schedule(), jan(6).replace(tzinfo=None))


def test_it_is_a_value_that_can_be_built_without_a_file() -> None:
    built = Schedule(
        "UTC",
        schedule().layers,
        overrides=(Override(jan(6), jan(7), "dana", "sam"),),
        swaps=(Swap(Turn("dana", jan(8), jan(9)), Turn("luis", jan(13), jan(14))),),
        absences=(Absence("priya", jan(20), jan(21)),),
    )
    assert Schedule.from_dict(built.to_dict()) == built
    assert hash(built) == hash(Schedule.from_dict(built.to_dict()))
    assert built.members == ("dana", "luis", "priya")
    assert built.people == ("dana", "luis", "priya", "sam")
