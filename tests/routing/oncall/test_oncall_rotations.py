from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from routing.oncall import Rotation, Schedule, shifts
from routing.wall_time import instant_at, on_day, parse_clock, parse_weekday, parse_window

HOUR = timedelta(hours=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def rotation(**fields: Any) -> Rotation:
    return Rotation.from_dict(
        {"zone": "America/Chicago", "start": "2026-01-05", "members": ["dana", "luis", "priya"]} | fields
    )


def spells(turns: Rotation, start: str, end: str) -> list[tuple[datetime, datetime, str]]:
    schedule = Schedule("UTC", (turns,))
    return [(s.start, s.end, s.person) for s in shifts(schedule, utc(start), utc(end))]


def test_it_hands_over_weekly_at_the_local_time_and_the_first_member_begins() -> None:
    turns = rotation(rotation="weekly", handover="mon 08:00")
    assert spells(turns, "2026-01-01 00:00", "2026-01-20 00:00") == [
        (utc("2026-01-05 14:00"), utc("2026-01-12 14:00"), "dana"),
        (utc("2026-01-12 14:00"), utc("2026-01-19 14:00"), "luis"),
        (utc("2026-01-19 14:00"), utc("2026-01-20 00:00"), "priya"),
    ]


@pytest.mark.parametrize(("sunday", "hours"), [("2026-03-08", 167), ("2026-11-01", 169), ("2026-07-05", 168)])
def test_it_makes_the_week_of_a_clock_change_an_hour_shorter_or_longer(sunday: str, hours: int) -> None:
    turns = rotation(rotation="weekly", handover="mon 08:00")
    noon = utc(f"{sunday} 18:00")
    week = next(
        s for s in turns.spells(noon - timedelta(days=14), noon + timedelta(days=14)) if s[0] <= noon < s[1]
    )
    assert week[1] - week[0] == hours * HOUR


def test_it_hands_over_at_the_end_of_the_gap_when_clocks_skip_the_handover() -> None:
    turns = rotation(rotation="daily", handover="02:30")
    handovers = [begins for begins, *_ in turns.spells(utc("2026-03-07 00:00"), utc("2026-03-10 00:00"))][1:]
    assert handovers == [utc("2026-03-07 08:30"), utc("2026-03-08 08:00"), utc("2026-03-09 07:30")]


def test_it_hands_over_at_the_first_of_two_occurrences() -> None:
    turns = rotation(rotation="daily", handover="01:30")
    handovers = [begins for begins, *_ in turns.spells(utc("2026-10-31 00:00"), utc("2026-11-03 00:00"))][1:]
    assert handovers == [utc("2026-10-31 06:30"), utc("2026-11-01 06:30"), utc("2026-11-02 07:30")]


def test_it_keeps_the_wall_time_of_shifts_of_hours_across_a_clock_change() -> None:
    turns = rotation(rotation="every 12 hours", handover="20:00", start="2026-03-06")
    chicago = ZoneInfo("America/Chicago")
    assert {turns.handover(n).astimezone(chicago).hour for n in range(20)} == {8, 20}
    night, day = [
        ends - begins for begins, ends, _ in turns.spells(utc("2026-03-08 02:00"), utc("2026-03-09 01:00"))
    ]
    assert (night, day) == (11 * HOUR, 12 * HOUR)


@pytest.mark.parametrize(
    ("start", "every", "hours"),
    [("2026-03-08", 3, 2), ("2026-11-01", 3, 4), ("2026-11-01", 2, 3), ("2026-06-10", 3, 3)],
)
def test_a_shift_of_hours_is_longer_or_shorter_on_the_night_of_a_clock_change(
    start: str, every: int, hours: int
) -> None:
    turns = rotation(rotation=f"every {every} hours", handover="00:00", start=start)
    assert turns.handover(1) - turns.handover(0) == hours * HOUR


def test_it_passes_over_a_shift_of_an_hour_that_the_clocks_skip() -> None:
    turns = rotation(
        rotation="every 1 hours", handover="00:00", start="2026-03-08", members=["a", "b", "c", "d"]
    )
    found = [
        turns.members[position]
        for *_, position in turns.spells(utc("2026-03-08 06:00"), utc("2026-03-08 09:00"))
    ]
    assert found == ["a", "b", "d"]  # at midnight, 01:00 and 03:00; nobody has 02:00


def test_it_counts_days_and_weeks_from_the_start() -> None:
    days = rotation(rotation="every 3 days", handover="08:00")
    assert [days.handover(n) for n in range(3)] == [utc(f"2026-01-{d:02} 14:00") for d in (5, 8, 11)]
    weeks = rotation(rotation="every 2 weeks", handover="mon 08:00")
    assert [weeks.handover(n) for n in range(3)] == [
        utc(f"2026-{d} 14:00") for d in ("01-05", "01-19", "02-02")
    ]


def test_it_makes_the_first_turn_short_when_the_start_is_on_another_weekday() -> None:
    turns = rotation(rotation="weekly", handover="mon 08:00", start="2026-01-08")
    assert [turns.handover(n) for n in range(3)] == [utc(f"2026-01-{d} 14:00") for d in ("08", "12", "19")]


def test_it_lets_a_member_take_two_turns_of_a_round() -> None:
    turns = rotation(rotation="daily", handover="00:00", members=["dana", "luis", "dana"])
    days = spells(turns, "2026-01-05 06:00", "2026-01-10 06:00")
    assert [(person, (ends - begins) // (24 * HOUR)) for begins, ends, person in days] == [
        ("dana", 1),
        ("luis", 1),
        ("dana", 2),  # the last of one round and the first of the next are one shift
        ("luis", 1),
    ]


def test_it_keeps_to_nights_and_whole_weekends() -> None:
    hours = {"mon-fri": "17:00-08:00", "sat": "00:00-24:00", "sun": ["00:00-24:00"]}
    turns = rotation(rotation="daily", handover="12:00", members=["dana"], hours=hours)
    assert [(begins, ends) for begins, ends, _ in spells(turns, "2026-01-08 18:00", "2026-01-13 18:00")] == [
        (utc("2026-01-08 23:00"), utc("2026-01-09 14:00")),
        (utc("2026-01-09 23:00"), utc("2026-01-12 06:00")),  # Monday 00:00: its night begins at 17:00
        (utc("2026-01-12 23:00"), utc("2026-01-13 14:00")),
    ]


def test_it_keeps_a_night_whole_that_runs_into_a_shorter_window() -> None:
    turns = rotation(rotation="daily", handover="12:00", hours={"fri": "17:00-08:00", "sat": "00:00-06:00"})
    assert [begins_ends[:2] for begins_ends in spells(turns, "2026-01-09 18:00", "2026-01-11 18:00")] == [
        (utc("2026-01-09 23:00"), utc("2026-01-10 14:00"))
    ]


def test_it_knows_the_windows_of_a_day_that_clocks_go_back_from() -> None:
    turns = rotation(
        zone="America/St_Johns",
        rotation="daily",
        handover="12:00",
        start="2010-11-01",
        hours={"sun": "00:00-01:00"},
    )
    second_pass = utc("2010-11-07 03:00")  # 23:30 of Saturday, after the first minute of Sunday
    assert spells(turns, "2010-11-07 02:00", "2010-11-08 00:00")[0][:2] == (
        utc("2010-11-07 02:30"),
        utc("2010-11-07 04:30"),
    )
    assert list(turns.spells(second_pass, second_pass + timedelta(minutes=1))) != []


def test_it_makes_a_night_window_an_hour_shorter_or_longer_with_the_clocks() -> None:
    turns = rotation(rotation="weekly", handover="mon 08:00", members=["dana"], hours={"sat": "22:00-06:00"})
    lengths = {
        sunday: next(turns.spells(utc(f"{sunday} 00:00"), utc(f"{sunday} 23:00")))[1] - utc(f"{sunday} 00:00")
        for sunday in ("2026-03-08", "2026-11-01", "2026-07-05")
    }
    assert lengths == {"2026-03-08": 11 * HOUR, "2026-11-01": 12 * HOUR, "2026-07-05": 11 * HOUR}


def test_it_drops_a_turn_of_a_day_that_a_zone_skipped() -> None:
    samoa = rotation(zone="Pacific/Apia", rotation="daily", handover="00:00", start="2011-12-28")
    turns = list(samoa.spells(utc("2011-12-28 10:00"), utc("2012-01-01 00:00")))
    assert [ends - begins for begins, ends, _ in turns[:-1]] == [24 * HOUR] * 3
    assert [position for _, _, position in turns] == [0, 1, 0, 1]  # the third member's day did not happen


def test_it_finds_an_instant_for_every_wall_time() -> None:
    chicago, lord_howe = ZoneInfo("America/Chicago"), ZoneInfo("Australia/Lord_Howe")
    day = date(2026, 3, 8)
    assert instant_at(datetime.combine(day, time(1, 59)), chicago) == utc("2026-03-08 07:59")
    assert instant_at(datetime.combine(day, time(2, 0)), chicago) == utc("2026-03-08 08:00")
    assert instant_at(datetime.combine(day, time(2, 59)), chicago) == utc("2026-03-08 08:00")
    assert instant_at(datetime.combine(day, time(3, 0)), chicago) == utc("2026-03-08 08:00")
    assert on_day(date(2026, 10, 4), 135, lord_howe) == utc("2026-10-03 15:30")  # 02:00 to 02:30 is skipped
    assert on_day(day, 150, chicago) == utc("2026-03-08 08:00")
    assert on_day(date(2026, 3, 7), 1440 + 150, chicago) == utc("2026-03-08 08:00")


def test_it_reads_times_windows_and_weekdays() -> None:
    assert [parse_clock(value) for value in ("08:00", "8:05", 480, time(23, 59))] == [480, 485, 480, 1439]
    assert parse_window("17:00 - 08:00") == (1020, 1920)
    assert parse_window("00:00-24:00") == parse_window("00:00-00:00") == (0, 1440)
    assert [parse_weekday(name) for name in ("mon", "Sunday", " WED ")] == [0, 6, 2]


@pytest.mark.parametrize("value", ["24:00", "8", "08:60", "8am", -5, 1440, True, None, 8.0])
def test_it_refuses_what_is_no_time_of_day(value: object) -> None:
    with pytest.raises(ValueError, match="is not a time of day"):
        parse_clock(value)


@pytest.mark.parametrize("value", ["08:00", "24:00-08:00", "08:00-25:00", "08:00-17:00-18:00", 800, None])
def test_it_refuses_what_is_no_window(value: object) -> None:
    with pytest.raises(ValueError, match="is not a window of time"):
        parse_window(value)
