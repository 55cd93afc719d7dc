"""Rotations that hand over on a day of the month."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oncall_oracle import first_instant

from routing.oncall import Rotation, Schedule, ScheduleError, Unit, on_call
from routing.oncall.cadence import in_month, month_number

MEMBERS = ["dana", "luis", "priya"]
MOMENT = timedelta(microseconds=1)


def rotation(**changes: Any) -> Rotation:
    data = {
        "rotation": "monthly", "handover": "day 1 08:00", "start": "2026-01-15", "members": MEMBERS,
        "zone": "America/Chicago",
    }  # fmt: skip
    return Rotation.from_dict(data | changes)


def local(found: Rotation, number: int) -> str:
    return f"{found.handover(number).astimezone(ZoneInfo(found.zone)):%Y-%m-%d %H:%M %Z}"


@pytest.mark.parametrize(
    ("changes", "handovers"),
    [
        ({}, ["2026-01-15 08:00 CST", "2026-02-01 08:00 CST", "2026-03-01 08:00 CST", "2026-04-01 08:00 CDT"]),
        ({"handover": "day 15 08:00"}, ["2026-01-15 08:00 CST", "2026-02-15 08:00 CST", "2026-03-15 08:00 CDT"]),
        ({"handover": "last day 20:00"}, ["2026-01-15 20:00 CST", "2026-01-31 20:00 CST", "2026-02-28 20:00 CST"]),
        ({"handover": "day 30 20:00"}, ["2026-01-15 20:00 CST", "2026-01-30 20:00 CST", "2026-02-28 20:00 CST",
                                        "2026-03-30 20:00 CDT"]),
        ({"rotation": "every 3 months"}, ["2026-01-15 08:00 CST", "2026-02-01 08:00 CST", "2026-05-01 08:00 CDT"]),
        # 02:30 of 8 March does not exist.
        ({"handover": "day 8 02:30"}, ["2026-01-15 02:30 CST", "2026-02-08 02:30 CST", "2026-03-08 03:00 CDT"]),
        ({"start": "2026-01-15 09:15", "handover": None}, ["2026-01-15 09:15 CST", "2026-02-15 09:15 CST"]),
    ],
)  # fmt: skip
def test_it_hands_over_on_a_day_of_the_month(changes: dict[str, Any], handovers: list[str]) -> None:
    found = rotation(**changes)
    assert [local(found, number) for number in range(len(handovers))] == handovers
    assert Rotation.from_dict(found.to_dict()) == found


@given(
    st.integers(1, 31), st.integers(1, 5), st.dates(date(2025, 1, 1), date(2025, 12, 31)),
    st.sampled_from(["America/Chicago", "Australia/Lord_Howe", "Africa/Cairo"]), st.integers(0, 287),
)  # fmt: skip
def test_it_agrees_with_going_from_month_to_month(
    day: int, every: int, start: date, zone: str, five_minutes: int
) -> None:
    hour, minute = divmod(five_minutes * 5, 60)
    found = rotation(
        rotation=f"every {every} months", handover=f"day {day} {hour:02}:{minute:02}", start=start, zone=zone
    )
    schedule = Schedule(zone, (found,))
    months = month_number(start)
    first = every - 1 if start == in_month(months, day) else 0  # else the first turn is a short one
    days = [in_month(months + ahead, day) for ahead in range(36)]
    days = [start, *[each for each in days if each > start][first::every]]
    at = [first_instant(datetime(d.year, d.month, d.day, hour, minute), zone) for d in days[:6]]  # noqa: DTZ001
    assert on_call(schedule, at[0] - MOMENT) == ()
    for number, instant in enumerate(at):
        assert found.handover(number) == instant
        assert on_call(schedule, instant) == (MEMBERS[number % 3],)
        if number:
            assert on_call(schedule, instant - MOMENT) == (MEMBERS[(number - 1) % 3],)


@pytest.mark.parametrize(
    "handover",
    ["08:00", "mon 08:00", "day 0 08:00", "day 32 08:00", "day 08:00", "1 08:00", "first day 08:00"],
)
def test_it_says_which_days_there_are(handover: str) -> None:
    with pytest.raises(ScheduleError, match="names no day of the month; expected such as day 1 08:00"):
        rotation(handover=handover)


def test_it_refuses_a_day_of_the_month_for_weeks() -> None:
    with pytest.raises(ScheduleError, match="is not a weekday"):
        rotation(rotation="weekly")
    with pytest.raises(ScheduleError, match="has day 3 of the month"):
        Rotation("r", "UTC", ("dana",), datetime(2026, 1, 1), unit=Unit.WEEKS, day=3)  # noqa: DTZ001


def test_it_finds_who_is_on_call_a_century_later_at_once() -> None:
    schedule = Schedule("UTC", (rotation(),))
    assert on_call(schedule, datetime(2126, 1, 1, tzinfo=UTC)) != ()
