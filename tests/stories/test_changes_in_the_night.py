"""Who is on call changes while a page rings: the next step rings whoever is on call by then."""

from __future__ import annotations

from datetime import timedelta

from routing.oncall import Absence, Override
from routing.rosters import changes, imports
from routing.rosters.models import ScheduleChange
from tests.house import House
from tests.stories.people import DANA, LUIS, MARIA, PRIYA, SAM, STRANGER, agreement

HOUR = timedelta(hours=1)
CALENDAR = b"""BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//A//B//EN
BEGIN:VEVENT
UID:1
DTSTAMP:20260301T000000Z
DTSTART;VALUE=DATE:20260304
SUMMARY:Ill
END:VEVENT
END:VCALENDAR
"""


def add(house: House, change: Absence | Override, schedule: str | None = None) -> ScheduleChange:
    policy = house.context.policies.current().policy
    with house.context.database.writing() as session:
        return changes.add_change(
            session, policy, change, schedule, source="cli", by="admin", now=house.scheduler.now()
        )


def next_rung(house: House) -> dict[str, int]:
    """Whose phones have been rung when another one is."""
    before = house.rung
    house.until(lambda: house.rung != before)
    return house.rung


def test_it_rings_the_stand_in_when_an_absence_is_imported_while_a_page_rings(house: House) -> None:
    house.voicemail_from(MARIA)
    house.fast_forward(30)
    assert house.rung == {DANA: 1}
    # Luis, who would be next, is ill; his calendar says so from now on.
    imports.import_file(house.context, "luis", CALENDAR, "luis.ics", matching=None, by="admin")
    assert next_rung(house) == {DANA: 1, PRIYA: 1}
    house.picks_up(PRIYA).presses("1").hears("You have case")
    assert house.case.engineer == "priya"


def test_it_rings_whom_an_override_names_and_nobody_else(house: House) -> None:
    now = house.scheduler.now()
    row = add(house, Override(now - HOUR, now + HOUR, "dana", "sam"), "support")
    house.voicemail_from(MARIA)
    house.fast_forward(30)
    assert house.rung == {SAM: 1}
    with house.context.database.writing() as session:
        changes.withdraw(session, row.id, house.scheduler.now(), "admin")
    assert next_rung(house) == {SAM: 1, DANA: 1}, "the duty is hers again while the page rings"
    assert next_rung(house) == {SAM: 1, DANA: 1, LUIS: 1}


def test_it_changes_a_page_that_rings_under_an_older_policy(house: House) -> None:
    house.voicemail_from(MARIA)
    house.fast_forward(30)
    house.apply(agreement(("members: [dana, luis, priya, sam]", "members: [sam, priya]")))
    now = house.scheduler.now()
    # The page goes on by the rotation it began with, but what happened to people since is a fact.
    add(house, Absence("luis", now, now + HOUR))
    assert next_rung(house) == {DANA: 1, PRIYA: 1}


def test_it_texts_the_stand_in_where_nobody_is_rung(house: House) -> None:
    now = house.scheduler.now()
    add(house, Absence("dana", now, now + HOUR))
    house.call(STRANGER).presses("#").presses("1").leaves()
    house.fast_forward(60)
    assert (house.rung, house.texted) == ({}, {LUIS: 1})


def test_it_rings_everybody_when_an_override_leaves_nobody(house: House) -> None:
    now = house.scheduler.now()
    add(house, Override(now - HOUR, now + HOUR, None, None), "support")
    house.voicemail_from(MARIA)
    house.fast_forward(30)
    assert house.rung == {DANA: 1, LUIS: 1, PRIYA: 1, SAM: 1}
