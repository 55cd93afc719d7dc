"""On-call shifts as an iCalendar document (RFC 5545), the same bytes for the same shifts. Pure.

Written by hand: ten layers over a year are a thousand events, for which the library takes a quarter of a second.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple

from routing import oncall
from routing.oncall import Schedule

DAYS_BACK, DAYS_AHEAD = timedelta(days=30), timedelta(days=180)
_DAY = timedelta(days=1)
LOOK_BACK = timedelta(days=28)
_LOOK_AROUND = (LOOK_BACK, timedelta(days=400))
_NOBODY = "NOBODY on call"
_ESCAPES = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n", "\r": None})


class Duty(NamedTuple):
    """``person`` (None: nobody) is on call in ``schedule`` from ``start`` to ``end``, whole."""

    schedule: str
    person: str | None
    start: datetime
    end: datetime

    @property
    def uid(self) -> str:
        """The same for the same duty in every calendar, and each time that one is written."""
        said = f"{self.schedule}\0{self.person or ''}\0{self.start:%Y%m%dT%H%M%SZ}"
        return f"{hashlib.sha256(said.encode()).hexdigest()[:32]}@oncall.nightbell"


def window(now: datetime) -> tuple[datetime, datetime]:
    """What a calendar covers: whole days in UTC, so that it is the same all day long."""
    today = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
    return today - DAYS_BACK, today + DAYS_AHEAD + _DAY


def duties(key: str, schedule: Schedule, start: datetime, end: datetime) -> list[Duty]:
    """Who is on call in ``schedule`` between two instants, without a hole, and each duty whole at both ends.

    A duty that lasts for more than a year on either side is cut there.
    """
    for around in _LOOK_AROUND:
        # Cut at a day of the year, so that an endless duty has the same start tomorrow.
        begins = start - around if around < _DAY * 365 else _new_year(start - around)
        found = duties_between(key, schedule, begins, end + around)
        touching = [duty for duty in found if duty.start < end and duty.end > start]
        if touching[0].start > begins and touching[-1].end < end + around:
            break
    return touching


def _new_year(instant: datetime) -> datetime:
    return datetime(instant.year, 1, 1, tzinfo=UTC)


def duties_between(key: str, schedule: Schedule, start: datetime, end: datetime) -> list[Duty]:
    """Who is on call between two instants, without a hole, cut at both."""
    found: list[Duty] = []
    reached = start
    for shift in oncall.shifts(schedule, start, end):
        if shift.start > reached:
            found.append(Duty(key, None, reached, shift.start))
        if found and found[-1].person == shift.person:  # in another layer, or for another reason
            found[-1] = found[-1]._replace(end=shift.end)
        else:
            found.append(Duty(key, shift.person, shift.start, shift.end))
        reached = shift.end
    return [*found, Duty(key, None, reached, end)] if reached < end else found


def calendar_of_schedule(key: str, schedule: Schedule, names: Mapping[str, str], now: datetime,
                         stamp: datetime) -> bytes:  # fmt: skip
    """All duties of a schedule, gaps included, as a calendar. ``names`` are people's; ``stamp`` is DTSTAMP."""
    found = duties(key, schedule, *window(now))
    titles = ((duty, f"{_who(duty, names)}: {key}") for duty in found)
    return _calendar(f"On call: {key}", titles, stamp)


def _who(duty: Duty, names: Mapping[str, str]) -> str:
    return _NOBODY if duty.person is None else names.get(duty.person, duty.person)


def calendar_of_person(person: str, name: str, schedules: Mapping[str, Schedule], now: datetime,
                       stamp: datetime) -> bytes:  # fmt: skip
    """All duties of a person, over all schedules, as a calendar."""
    found = [
        duty
        for key, schedule in schedules.items()
        if person in schedule.people  # most people are in few
        for duty in duties(key, schedule, *window(now))
        if duty.person == person
    ]
    found.sort(key=lambda duty: (duty.start, duty.schedule))
    return _calendar(f"On call: {name}", ((duty, f"On call: {duty.schedule}") for duty in found), stamp)


def _calendar(name: str, events: Iterable[tuple[Duty, str]], stamp: datetime) -> bytes:
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Nightbell//On-call//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"NAME:{_text(name)}",
        f"X-WR-CALNAME:{_text(name)}",
        # RFC 7986; and the name that Outlook knows it by.
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        "X-PUBLISHED-TTL:PT1H",
    ]
    stamped = f"DTSTAMP:{_instant(stamp)}"
    for duty, title in events:
        lines += [
            "BEGIN:VEVENT",
            f"UID:{duty.uid}",
            stamped,
            f"DTSTART:{_instant(duty.start)}",
            f"DTEND:{_instant(duty.end)}",
            f"SUMMARY:{_text(title)}",
            # Whoever is on call can still be invited to a meeting.
            "TRANSP:TRANSPARENT",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return "".join(f"{_folded(line)}\r\n" for line in lines).encode()


def _instant(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _text(value: str) -> str:
    return value.translate(_ESCAPES)


def _folded(line: str) -> str:
    """At most 75 octets in a line, the rest on lines that begin with a space; characters stay whole."""
    if len(line) <= 75 and line.isascii():
        return line
    parts, part, size = [], "", 0
    for character in line:
        octets = len(character.encode())
        if size + octets > 75:
            parts.append(part)
            part, size = " ", 1
        part, size = part + character, size + octets
    return "\r\n".join([*parts, part])
