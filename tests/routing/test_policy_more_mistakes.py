"""Every mistake of a calendar and of a schedule is named at once, each with the line where it was written."""

from __future__ import annotations

import pytest

from routing.policies import PolicyError, parse_policy
from tests.stories.people import agreement

HOLIDAYS = "    holidays:\n      country: US\n"
HANDOVER = (
    "        handover: mon 08:00\n        start: 2026-01-05\n        members: [dana, luis, priya, sam]\n"
)


def mistakes(*changes: tuple[str, str]) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        parse_policy(agreement(*changes))
    return caught.value.mistakes


def places(*changes: tuple[str, str]) -> list[str]:
    return [line.split(", ", 1)[1].split(":")[0] for line in mistakes(*changes)]


def test_it_names_all_of_a_calendar() -> None:
    said = mistakes(
        ("    zone: America/Chicago\n    hours", "    zone: America/Chicag\n    hours"),
        ('tue: ["08:00-17:00"]', 'tue: ["08:00-12:00", "11:00-13:00", "14:00-15:00", "14:30-18:00"]'),
        ('wed: ["08:00-17:00"]', 'wed: ["08:00"]'),
        (HOLIDAYS, f"{HOLIDAYS}      add: [2026-12-24, 2026-02-30, 2026-12-31, 2026-02-31]\n"),
    )
    found = {line.split(", ", 1)[1].split(":")[0]: line for line in said}
    assert set(found) == {
        "calendars.business.zone", "calendars.business.hours.tue.1", "calendars.business.hours.tue.3",
        "calendars.business.hours.wed.0", "calendars.business.holidays.add.1.date",
        "calendars.business.holidays.add.3.date",
    }  # fmt: skip
    assert "14:30-18:00 overlaps 14:00-15:00" in found["calendars.business.hours.tue.3"]
    assert "'2026-02-31' is not a date" in found["calendars.business.holidays.add.3.date"]
    assert all(line.startswith("line ") for line in said)


def test_it_blames_nothing_on_what_it_has_left_out() -> None:
    """Without its country a holiday cannot be removed; but there is a country, only a wrong one."""
    changes = (HOLIDAYS, "    holidays:\n      country: XX\n      remove: [Columbus Day]\n")
    assert places(changes) == ["calendars.business.holidays.country"]


def test_it_names_all_of_a_schedule() -> None:
    absences = (
        "    absences:\n      - {person: dana, from: 2026-02-30, to: 2026-03-01}\n"
        "      - {person: luis, from: 2026-03-01, to: 2026-03-02}\n"
        "      - {person: sam, from: 2026-03-09, to: 2026-03-01}\n"
    )
    second = (
        "      - name: second\n        rotation: hourly\n        start: 2026-01-05\n        members: [sam]\n"
    )
    found = places((HANDOVER, HANDOVER + second + absences))
    assert found[0].startswith("schedules.support.layers.1")
    assert [place.split(".")[3] for place in found[1:]] == ["0", "2"]
    assert all(place.startswith("schedules.support.absences.") for place in found[1:])


def test_it_names_a_calendar_that_is_none_once() -> None:
    assert places(
        ("  business:\n    zone: America/Chicago\n", "  other: 7\n  business:\n    zone: America/Chicago\n")
    ) == ["calendars.other"]
