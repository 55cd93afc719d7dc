from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from ruamel.yaml import YAML

from routing.oncall import Override, Rotation, Schedule, ScheduleError, Unit, on_call

POLICY = """
zone: America/Chicago
layers:
  - {name: primary, rotation: weekly, handover: "mon 08:00", start: 2026-01-05, members: [dana, luis]}
  - name: nights
    zone: Europe/Berlin
    rotation: daily
    handover: 17:00
    start: 2026-01-05
    hours: {mon-thu: 17:00-08:00, fri: ["17:00-24:00"], sat-sun: 00:00-24:00}
    members: [priya, 1042]
  - {rotation: every 3 days, start: 2026-01-05 06:30, hours: {Sunday: 09:00-10:00}, members: [sam, sam, wren]}
  - {name: h, rotation: every 12 hours, start: 2026-01-05T06:30:00Z, hours: {sun: 09:00-9:30}, members: [a]}
overrides:
  - {from: 2026-02-02 08:00, to: 2026-02-03T08:00:00-06:00, person: sam, instead_of: dana}
  - {from: 2026-02-04T14:00:00Z, to: 2026-02-05, person: null}
swaps:
  - dana: {from: 2026-03-02, to: 2026-03-02}
    luis: {from: 2026-03-09, to: 2026-03-09}
absences:
  - {person: luis, from: 2026-12-24, to: 2026-12-26}
"""
LAYER = {
    "name": "primary",
    "rotation": "weekly",
    "handover": "mon 08:00",
    "start": "2026-01-05",
    "members": ["dana"],
}
DAY = {"from": "2026-01-06", "to": "2026-01-06"}
DAY_BACKWARDS = {"from": "2026-01-06", "to": "2026-01-04"}
NO_TIME = {"from": "2026-01-06 08:00", "to": "2026-01-06 08:00"}
SAM = {"person": "sam"}


def policy(**fields: Any) -> dict[str, Any]:
    return {"zone": "America/Chicago", "layers": [LAYER]} | fields


def layer(**fields: Any) -> dict[str, Any]:
    return policy(layers=[LAYER | fields])


def changed(kind: str, change: dict[Any, Any]) -> dict[str, Any]:
    return policy(**{kind: [change]})


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_it_reads_a_policy_file() -> None:
    schedule = Schedule.from_dict(YAML(typ="safe").load(POLICY))
    primary, nights, third, half_days = schedule.layers
    assert (primary.zone, primary.every, primary.unit, primary.weekday) == (
        "America/Chicago",
        1,
        Unit.WEEKS,
        0,
    )
    assert (nights.zone, nights.members, len(nights.hours)) == ("Europe/Berlin", ("priya", "1042"), 7)
    assert (third.name, third.every, third.unit, third.handover(0)) == (
        "layer 3",
        3,
        Unit.DAYS,
        utc("2026-01-05 12:30"),
    )
    assert half_days.handover(1) == utc("2026-01-05 18:30")
    assert schedule.overrides == (
        Override(utc("2026-02-02 14:00"), utc("2026-02-03 14:00"), "dana", "sam"),
        Override(utc("2026-02-04 14:00"), utc("2026-02-06 06:00"), None, None),
    )
    assert schedule.swaps[0].one.end == utc("2026-03-03 06:00")
    assert (schedule.absences[0].start, schedule.absences[0].end) == (
        utc("2026-12-24 06:00"),
        utc("2026-12-27 06:00"),
    )


def test_it_reads_back_what_it_writes_even_through_yaml() -> None:
    schedule = Schedule.from_dict(YAML(typ="safe").load(POLICY))
    assert Schedule.from_dict(schedule.to_dict()) == schedule
    again = [Rotation.from_dict(layer.to_dict()) for layer in schedule.layers]
    assert again == list(schedule.layers)


def test_it_writes_what_people_would_write() -> None:
    assert Schedule.from_dict(policy(layers=[LAYER | {"hours": {"fri": "17:00-8:00"}}])).to_dict() == {
        "zone": "America/Chicago",
        "layers": [LAYER | {"zone": "America/Chicago", "hours": {"fri": ["17:00-08:00"]}}],
    }


def test_it_takes_a_schedule_as_it_is() -> None:
    schedule = Schedule.from_dict(policy())
    assert Schedule.from_dict(schedule) is schedule


def test_it_accepts_what_yaml_makes_of_dates_times_and_numbers() -> None:
    yaml_1_1 = {"rotation": "daily", "handover": 17 * 60, "start": date(2026, 1, 5), "members": [7]}
    schedule = Schedule.from_dict(policy(layers=[yaml_1_1]))
    assert schedule.layers[0].handover(0) == utc("2026-01-05 23:00")
    assert on_call(schedule, utc("2026-01-06 00:00")) == ("7",)


@pytest.mark.parametrize("rotation", ["daily", "every day", "Every 1 days", "every 1 day"])
def test_it_reads_one_rotation_written_in_several_ways(rotation: str) -> None:
    daily = Schedule.from_dict(layer(rotation=rotation, handover="08:00")).layers[0]
    assert (daily.every, daily.unit, daily.to_dict()["rotation"]) == (1, Unit.DAYS, "daily")


MISTAKES = [
    (policy(zone="America/Dallas"), "zone", "is not an IANA zone; expected"),
    (policy(zone="America"), "zone", "is not an IANA zone"),
    (policy(zone=None), "zone", "is not an IANA zone"),
    (policy(layers=[]), "layers", "has no rotation; expected at least one"),
    (policy(layers=None), "layers", "has no rotation"),
    (policy(layers="primary"), "layers", "is not a list"),
    (policy(layers=["primary"]), "layers[0]", "expected a mapping"),
    (policy(layers=[LAYER, LAYER]), "layers[1].name", "is taken; expected another"),
    (policy(layer=[]), "layer", "is not known here; expected one of zone, layers"),
    ({"layers": [LAYER]}, "zone", "is missing"),
    ([], "", "expected a mapping"),
    (layer(zone="Mars/Olympus"), "layers[0].zone", "is not an IANA zone"),
    (layer(members=[]), "layers[0].members", "is empty; expected at least one person"),
    (layer(members=None), "layers[0].members", "is empty"),
    (layer(members="dana"), "layers[0].members", "is not a list"),
    (layer(members=["dana", ""]), "layers[0].members[1]", "is not a person"),
    (layer(members=["dana", False]), "layers[0].members[1]", "in quotes if YAML changes it"),
    (layer(rotation="fortnightly"), "layers[0].rotation", "expected weekly, daily, or every N"),
    (layer(rotation="every 0 days", handover="08:00"), "layers[0].rotation", "expected 1 to 1000"),
    (layer(rotation=7), "layers[0].rotation", "is not a rotation"),
    (layer(handover="08:00"), "layers[0].handover", "has no weekday; expected weekday and local time"),
    (layer(handover="mon 25:00"), "layers[0].handover", "is not a time of day"),
    (layer(handover="moonday 08:00"), "layers[0].handover", "is not a weekday; expected one of mon, tue"),
    (layer(handover=None), "layers[0].handover", "is missing; expected a local time"),
    (layer(rotation="daily"), "layers[0].handover", "is more than a time of day"),
    (layer(start="2026-02-30"), "layers[0].start", "is not a date that exists; expected YYYY-MM-DD"),
    (layer(start=20260105), "layers[0].start", "is not a date that exists"),
    (layer(start="2026-01-05 09:00"), "layers[0].start", "is not the handover's time"),
    (layer(start="1066-10-14"), "layers[0].start", "in the years 1970 to 2199"),
    (layer(handover=None, start="2026-01-05 08:00:30"), "layers[0].start", "to the minute"),
    (layer(hours={"mo": "08:00-17:00"}), "layers[0].hours.mo", "is not a weekday"),
    (layer(hours={"mon": "08:00"}), "layers[0].hours.mon", "is not a window of time"),
    (layer(hours={"mon": 8}), "layers[0].hours.mon", "is not a list"),
    (layer(hours={}), "layers[0].hours", "has no windows; expected weekdays"),
    (layer(hours={"mon": []}), "layers[0].hours", "no weekday has a window"),
    (layer(hours={"mon": ["08:00-12:00", "11:00-13:00"]}), "layers[0].hours.mon", "overlap"),
    (layer(hours={"mon-fri": "08:00-12:00", "wed": "08:00-12:00"}), "layers[0].hours.wed", "overlap"),
    (
        layer(hours={"sun": "22:00-06:00", "mon": "05:00-09:00"}),
        "layers[0].hours.mon",
        "sun 22:00-06:00 and mon",
    ),
    (layer(handovers="mon 08:00"), "layers[0].handovers", "is not known here"),
    (policy(overrides={}), "overrides", "is not a list"),
    (changed("overrides", DAY_BACKWARDS | SAM), "overrides[0].to", "is not after"),
    (changed("overrides", DAY), "overrides[0].person", "is missing"),
    (changed("overrides", DAY | SAM | {"from": "noon"}), "overrides[0].from", "is not a date"),
    (changed("overrides", DAY | SAM | {"instead_of": ""}), "overrides[0].instead_of", "is not a person"),
    (changed("overrides", DAY | SAM | {"reason": "ill"}), "overrides[0].reason", "is not known here"),
    (changed("absences", DAY | {"person": None}), "absences[0].person", "is not a person"),
    (changed("absences", NO_TIME | SAM), "absences[0].to", "expected a later instant"),
    (changed("swaps", {"dana": DAY}), "swaps[0]", "expected two people"),
    (changed("swaps", {"dana": DAY, "sam": {"from": "2026-01-06"}}), "swaps[0].sam.to", "is missing"),
    (changed("swaps", {"7": DAY, 7: DAY}), "swaps[0]", "cannot swap alone"),
]


@pytest.mark.parametrize(("data", "key", "sentence"), MISTAKES)
def test_it_says_where_a_mistake_is_and_what_is_expected(data: object, key: str, sentence: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        Schedule.from_dict(data)
    assert caught.value.key == key
    assert sentence in caught.value.sentence
    assert str(caught.value) == (f"{key}: {caught.value.sentence}" if key else caught.value.sentence)
    assert isinstance(caught.value, ValueError)


def test_it_refuses_instants_without_a_zone() -> None:
    with pytest.raises(ScheduleError, match="has no zone"):
        Override(utc("2026-01-06").replace(tzinfo=None), utc("2026-01-07"), None, "sam")
