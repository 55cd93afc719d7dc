"""Calendars of who is on call, fetched as calendar programs do and read back with another library."""

from __future__ import annotations

import itertools
import time
from datetime import UTC, datetime, timedelta

import pytest
from icalendar import Calendar

from bench.bench_oncall import schedule as large_schedule
from routing.oncall import Absence, Override, Schedule, shifts
from routing.rosters import changes
from routing.rosters.calendars import calendar_of_schedule, duties
from tests.routing.rosters.rota import NOW, SAMPLE, Rota

DAY = timedelta(days=1)


def address(rota: Rota, of: str, *options: str) -> str:
    return rota.does("feed", of, *options).split()[-1].removeprefix("https://bell.example")


def events(body: bytes) -> list[tuple[str, datetime, datetime]]:
    calendar = Calendar.from_ical(body)
    assert calendar.errors == []
    return [(str(e["SUMMARY"]), e["DTSTART"].dt, e["DTEND"].dt) for e in calendar.walk("VEVENT")]


def test_it_shows_a_person_their_shifts_of_all_schedules(rota: Rota) -> None:
    answer = rota.client.get(address(rota, "sam"))
    assert (answer.status_code, answer.mimetype) == (200, "text/calendar")
    assert answer.headers["Cache-Control"] == "private, max-age=300"
    found = events(answer.data)
    assert {summary for summary, _, _ in found} == {"On call: support", "On call: consultants"}
    for key, schedule in rota.policy.schedules.items():
        theirs = [
            (shift.start, shift.end)
            for shift in shifts(schedule, NOW - 60 * DAY, NOW + 240 * DAY)
            if shift.person == "sam" and shift.end > NOW - 30 * DAY and shift.start < NOW + 180 * DAY
        ]
        assert [(start, end) for summary, start, end in found if summary.endswith(key)] == theirs
    assert Calendar.from_ical(answer.data)["X-WR-CALNAME"] == "On call: Sam Keller"
    assert b"REFRESH-INTERVAL;VALUE=DURATION:PT1H" in answer.data
    for private in (b"+1713", b"@nightbell.example", b"Dana"):
        assert private not in answer.data


def test_it_shows_a_schedule_with_its_gaps(rota: Rota) -> None:
    rota.does(
        "override", "support", "--person", "nobody", "--from", "2026-03-20 02:00", "--to", "2026-03-20 03:00"
    )
    found = events(rota.client.get(address(rota, "support")).data)
    (gap,) = (each for each in found if each[0] == "NOBODY on call: support")
    assert gap[1:] == (datetime(2026, 3, 20, 7, tzinfo=UTC), datetime(2026, 3, 20, 8, tzinfo=UTC))
    ordered = sorted(found, key=lambda each: each[1])
    assert all(one[2] == other[1] for one, other in itertools.pairwise(ordered))


def test_it_knows_no_other_address_and_does_not_say_why(rota: Rota) -> None:
    known = address(rota, "sam")
    answers = [
        rota.client.get(f"/calendar/{token}.ics")
        for token in ("x", "0" * 43, known[10:-5], "a" * 5000, "%00", "..%2f")
    ]
    assert {(answer.status_code, answer.data) for answer in answers} == {(404, answers[0].data)}
    assert rota.client.get(known.replace(".ics", "")).status_code == 404


def test_it_makes_the_old_address_void_with_a_new_one(rota: Rota) -> None:
    old = address(rota, "sam")
    code, said = rota.nightbell("feed", "sam")
    assert code == 1
    assert "--renew" in said
    assert old not in said
    new = address(rota, "sam", "--renew")
    assert [rota.client.get(each).status_code for each in (old, new)] == [404, 200]
    assert len(old.removeprefix("/calendar/").removesuffix(".ics")) == 43


def test_it_ends_with_the_person(rota: Rota) -> None:
    where = address(rota, "luis")
    assert rota.client.get(where).status_code == 200
    without = SAMPLE.read_text().replace("[dana, luis, priya, sam]", "[dana, priya, sam]")
    rota.apply("\n".join(line for line in without.splitlines() if not line.startswith("  luis:")))
    assert rota.client.get(where).status_code == 404


def test_it_answers_304_until_something_changes(rota: Rota) -> None:
    where = address(rota, "support")
    tag = rota.client.get(where).headers["ETag"]
    rota.clock.instant += timedelta(hours=3)
    again = rota.client.get(where, headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    rota.does("absence", "dana", "--to", "2026-03-05")
    changed = rota.client.get(where, headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["ETag"] != tag


def test_it_keeps_the_uid_of_a_shift_from_day_to_day(rota: Rota) -> None:
    with rota.writing() as session:
        for day in range(0, 60, 9):
            change = Override(NOW + day * DAY, NOW + (day + 2) * DAY, None, "priya")
            changes.add_change(session, rota.policy, change, "support", source="cli", by="x", now=NOW)
        changes.add_change(
            session, rota.policy, Absence("dana", NOW, NOW + 9 * DAY), None, source="cli", by="x", now=NOW
        )
    where = address(rota, "support")
    seen: dict[str, tuple[str, datetime, datetime]] = {}
    for _ in range(50):
        calendar = Calendar.from_ical(rota.client.get(where).data)
        for event in calendar.walk("VEVENT"):
            duty = (str(event["SUMMARY"]), event["DTSTART"].dt, event["DTEND"].dt)
            assert seen.setdefault(str(event["UID"]), duty) == duty
        rota.clock.instant += DAY
    assert len(seen) == len(set(seen.values()))


def test_it_keeps_the_start_of_a_duty_that_never_ends() -> None:
    alone = Schedule.from_dict(
        {"zone": "UTC", "layers": [{"rotation": "daily", "start": "2020-01-01 08:00", "members": ["dana"]}]}
    )
    found = [duties("k", alone, NOW + day * DAY, NOW + (180 + day) * DAY) for day in range(3)]
    assert len({duty.uid for (duty,) in found}) == 1


def test_it_is_written_as_the_standard_says(rota: Rota) -> None:
    rota.apply(SAMPLE.read_text().replace("Sam Keller", '"Zoë; Krüger, \\\\ von und zu ' + "ü" * 60 + '"'))
    body = rota.client.get(address(rota, "support")).data
    assert all(len(line) <= 75 for line in body.split(b"\r\n"))
    assert b"\n" not in body.replace(b"\r\n", b"")
    names = {summary for summary, _, _ in events(body)}
    assert any(name.startswith("Zoë; Krüger, \\ von und zu ü") for name in names)


def test_it_says_that_it_cannot_be_read_now_when_the_database_is_down(
    rota: Rota, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.stories.plumbing import no_database

    where = address(rota, "support")
    monkeypatch.setattr(rota.context.database, "reading", no_database)
    answer = rota.client.get(where)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")


def test_it_is_quick_for_ten_layers_with_200_overrides() -> None:
    schedule = large_schedule(layers=10, overrides=200)
    now = datetime(2026, 3, 1, tzinfo=UTC)
    calendar_of_schedule("k", schedule, {}, now, now)
    took = []
    for _ in range(5):
        began = time.process_time()
        body = calendar_of_schedule("k", schedule, {}, now, now)
        took.append(time.process_time() - began)
    assert body.count(b"BEGIN:VEVENT") > 400
    assert min(took) < 0.2
