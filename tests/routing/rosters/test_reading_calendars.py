"""Absences out of calendars, written as Google, Outlook and Apple write them, and as nobody should."""

from __future__ import annotations

import itertools
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.rosters.confined import read_confined
from routing.rosters.reading import Reading, merged, read_calendar
from routing.rosters.sieve import NotACalendar

CENTRAL = ZoneInfo("America/Chicago")
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def calendar(*events: str, head: str = "") -> bytes:
    """A calendar file of events, each given by its lines."""
    blocks = [f"BEGIN:VEVENT\nUID:{number}\nDTSTAMP:20260101T000000Z\n{event.strip()}\nEND:VEVENT"
              for number, event in enumerate(events)]  # fmt: skip
    text = "\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//A//B//EN", head, *blocks, "END:VCALENDAR"])
    return "\r\n".join(line for line in text.splitlines() if line).encode()


def read(data: bytes, matching: str | None = None, zone: ZoneInfo = CENTRAL) -> list[str]:
    """The absences in local time."""
    return shown(read_calendar(data, zone, NOW, matching), zone)


def shown(reading: Reading, zone: ZoneInfo = CENTRAL) -> list[str]:
    return [
        f"{start.astimezone(zone):%m-%d %H:%M} {end.astimezone(zone):%m-%d %H:%M}"
        for start, end in reading.periods
    ]


GOOGLE = """BEGIN:VCALENDAR
PRODID:-//Google Inc//Google Calendar 70.9054//EN
VERSION:2.0
CALSCALE:GREGORIAN
METHOD:PUBLISH
X-WR-CALNAME:dana@nightbell.example
X-WR-TIMEZONE:America/Chicago
BEGIN:VEVENT
DTSTART;VALUE=DATE:20260306
DTEND;VALUE=DATE:20260309
DTSTAMP:20260301T090000Z
UID:4o1@google.com
CREATED:20260201T090000Z
DESCRIPTION:Skiing\\, at last. A description so long that it is folded over t
 wo lines\\; BEGIN:VEVENT is in it.
SEQUENCE:0
STATUS:CONFIRMED
SUMMARY:Vacation
TRANSP:OPAQUE
BEGIN:VALARM
ACTION:DISPLAY
TRIGGER:-P0DT0H30M0S
DESCRIPTION:This is an event reminder
END:VALARM
END:VEVENT
BEGIN:VEVENT
DTSTART;VALUE=DATE:20260310
DTEND;VALUE=DATE:20260311
DTSTAMP:20260301T090000Z
UID:4o2@google.com
SUMMARY:Luis's birthday
TRANSP:TRANSPARENT
END:VEVENT
END:VCALENDAR
"""

OUTLOOK = """BEGIN:VCALENDAR
METHOD:PUBLISH
PRODID:Microsoft Exchange Server 2010
VERSION:2.0
X-WR-CALNAME:Calendar
BEGIN:VTIMEZONE
TZID:Customized Time Zone 1
BEGIN:STANDARD
DTSTART:16010101T020000
TZOFFSETFROM:-0500
TZOFFSETTO:-0600
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=1SU;BYMONTH=11
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:-0600
TZOFFSETTO:-0500
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=2SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
BEGIN:VEVENT
RRULE:FREQ=WEEKLY;UNTIL=20260325T140000Z;INTERVAL=1;BYDAY=WE;WKST=SU
EXDATE;TZID=Customized Time Zone 1:20260311T090000
UID:040000008200E00074C5B7101A82E008
SUMMARY;LANGUAGE=en-us:Out of Office
DTSTART;TZID=Customized Time Zone 1:20260304T090000
DTEND;TZID=Customized Time Zone 1:20260304T120000
CLASS:PUBLIC
DTSTAMP:20260301T090000Z
TRANSP:OPAQUE
STATUS:CONFIRMED
X-MICROSOFT-CDO-BUSYSTATUS:OOF
END:VEVENT
BEGIN:VEVENT
UID:040000008200E00074C5B7101A82E008
RECURRENCE-ID;TZID=Customized Time Zone 1:20260318T090000
SUMMARY:Out of Office
DTSTART;TZID=Customized Time Zone 1:20260319T100000
DTEND;TZID=Customized Time Zone 1:20260319T110000
DTSTAMP:20260301T090000Z
X-MICROSOFT-CDO-BUSYSTATUS:OOF
END:VEVENT
BEGIN:VEVENT
UID:home
SUMMARY:At home
DTSTART;TZID=Central Standard Time:20260305T090000
DTEND;TZID=Central Standard Time:20260305T170000
DTSTAMP:20260301T090000Z
X-MICROSOFT-CDO-BUSYSTATUS:WORKINGELSEWHERE
END:VEVENT
BEGIN:VEVENT
UID:windows name without a definition
SUMMARY:Dentist
DTSTART;TZID=Central Standard Time:20260306T090000
DTEND;TZID=Central Standard Time:20260306T100000
DTSTAMP:20260301T090000Z
X-MICROSOFT-CDO-BUSYSTATUS:BUSY
END:VEVENT
END:VCALENDAR
"""

APPLE = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Apple Inc.//macOS 15.1//EN
CALSCALE:GREGORIAN
BEGIN:VEVENT
CREATED:20260101T000000Z
UID:A-1
DTSTART;VALUE=DATE:20260402
DURATION:P2D
DTSTAMP:20260301T090000Z
SUMMARY:Urlaub – Müller
TRANSP:OPAQUE
X-APPLE-TRAVEL-ADVISORY-BEHAVIOR:AUTOMATIC
END:VEVENT
BEGIN:VEVENT
UID:A-2
DTSTART:20260407T080000
DTEND:20260407T093000
DTSTAMP:20260301T090000Z
SUMMARY:Floating
END:VEVENT
BEGIN:VEVENT
UID:A-3
DTSTART;TZID=Europe/Berlin:20260408T080000
DTEND;TZID=Europe/Berlin:20260408T090000
DTSTAMP:20260301T090000Z
SUMMARY:Cancelled
STATUS:CANCELLED
END:VEVENT
BEGIN:VEVENT
UID:A-4
DTSTART;TZID=/freeassociation.sourceforge.net/Europe/Berlin:20260409T080000
DTEND;TZID=/freeassociation.sourceforge.net/Europe/Berlin:20260409T090000
DTSTAMP:20260301T090000Z
SUMMARY:Slashed
END:VEVENT
END:VCALENDAR
"""


def test_it_reads_a_calendar_as_google_writes_it() -> None:
    assert read(GOOGLE.encode()) == ["03-06 00:00 03-09 00:00"]


def test_it_reads_a_calendar_as_outlook_writes_it() -> None:
    # The zone is one that only the file defines; Wednesday 11 is taken out, Wednesday 18 moved to Thursday.
    assert read(OUTLOOK.replace("\n", "\r\n").encode()) == [
        "03-04 09:00 03-04 12:00",
        "03-06 09:00 03-06 10:00",
        "03-19 10:00 03-19 11:00",
        "03-25 09:00 03-25 12:00",
    ]


def test_it_reads_a_calendar_as_apple_writes_it() -> None:
    assert read(APPLE.encode()) == [
        "04-02 00:00 04-04 00:00",
        "04-07 08:00 04-07 09:30",
        "04-09 01:00 04-09 02:00",
    ]


def test_it_takes_only_events_that_match_the_pattern() -> None:
    assert read(OUTLOOK.encode(), "dentist|vacation") == ["03-06 09:00 03-06 10:00"]
    assert read(APPLE.encode(), "^urlaub") == ["04-02 00:00 04-04 00:00"]
    assert read(GOOGLE.encode(), "skiing") == []  # that is in the description


@pytest.mark.parametrize("start", ["\ufeff", "\r\n\r\n", ""])
def test_it_reads_files_with_marks_and_empty_lines_before_them(start: str) -> None:
    assert len(read((start + GOOGLE).encode())) == 1


def test_it_keeps_whole_days_whole_on_nights_when_clocks_change() -> None:
    day = calendar("DTSTART;VALUE=DATE:20260308\nSUMMARY:Off")
    (only,) = read_calendar(day, CENTRAL, NOW).periods
    assert only[1] - only[0] == timedelta(hours=23)
    santiago = ZoneInfo("America/Santiago")
    midnight = calendar("DTSTART;VALUE=DATE:20260906\nSUMMARY:Off")  # its 00:00 does not exist
    reading = read_calendar(midnight, santiago, datetime(2026, 9, 1, tzinfo=UTC))
    assert shown(reading, santiago) == ["09-06 01:00 09-07 00:00"]


def test_it_keeps_the_wall_time_of_what_repeats_across_a_change_of_clocks() -> None:
    daily = calendar(
        "DTSTART;TZID=America/Chicago:20260307T230000\nDTEND;TZID=America/Chicago:20260308T050000\n"
        "RRULE:FREQ=DAILY;COUNT=3\nSUMMARY:Sleep"
    )
    assert read(daily) == ["03-07 23:00 03-08 05:00", "03-08 23:00 03-09 05:00", "03-09 23:00 03-10 05:00"]


def test_it_reads_what_repeats_without_an_end_for_180_days() -> None:
    reading = read_calendar(
        calendar("DTSTART:20200101T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY\nSUMMARY:x"), CENTRAL, NOW
    )
    assert len(reading.periods) == 180
    assert reading.periods[-1][0] < NOW + timedelta(days=180)


def test_it_ignores_what_is_over_and_what_is_far_ahead() -> None:
    events = [f"DTSTART:{day}T090000Z\nDTEND:{day}T100000Z" for day in ("20260228", "20260302", "20270302")]
    assert read(calendar(*events)) == ["03-02 03:00 03-02 04:00"]


def test_it_keeps_what_began_before_now_and_is_not_over() -> None:
    assert read(calendar("DTSTART;VALUE=DATE:20260101\nDTEND;VALUE=DATE:20260401")) == [
        "01-01 00:00 04-01 00:00"
    ]


def test_it_takes_a_cancelled_occurrence_out_of_what_repeats() -> None:
    series = "UID:s\nDTSTART:20260302T150000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=3"
    gone = "UID:s\nRECURRENCE-ID:20260303T150000Z\nDTSTART:20260303T150000Z\nDURATION:PT1H\nSTATUS:CANCELLED"
    far = "UID:s\nRECURRENCE-ID:20260304T150000Z\nDTSTART:20280304T150000Z\nDURATION:PT1H"
    data = calendar(series, gone, far).replace(b"UID:0\r\n", b"").replace(b"UID:1\r\n", b"")
    assert read(data.replace(b"UID:2\r\n", b"")) == ["03-02 09:00 03-02 10:00"]


def test_it_leaves_out_events_that_cannot_be_read_and_says_how_many() -> None:
    data = calendar(
        "DTSTART:20260302T150000Z\nDURATION:PT1H",
        "DTSTART:not a time\nDURATION:PT1H",
        "SUMMARY:no start at all",
        "DTSTART:20260303T150000Z\nDTEND:20260302T150000Z",  # it ends before it begins
        "DTSTART:20260304T150000Z\nDURATION:PT1H\nRRULE:FREQ=FORTNIGHTLY",
        "DTSTART:20260305T150000Z",  # a moment
    )
    reading = read_calendar(data, CENTRAL, NOW)
    assert "03-02 09:00 03-02 10:00" in shown(reading)
    assert len(reading.periods) <= 2
    assert reading.unreadable >= 1
    assert "could not be read" in reading.notes[0]


@pytest.mark.parametrize("often", ["SECONDLY", "MINUTELY", "HOURLY"])
def test_it_leaves_out_what_repeats_within_a_day(often: str) -> None:
    data = calendar(
        f"DTSTART:20200101T000000Z\nDURATION:PT1S\nRRULE:FREQ={often}", "DTSTART;VALUE=DATE:20260303"
    )
    reading = read_calendar(data, CENTRAL, NOW)
    assert (len(reading.periods), reading.repeating_within_a_day) == (1, 1)
    assert "repeat within a day" in reading.notes[0]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is not a calendar"),
        (b"\x00\xff\xfe\x89PNG", "is not a calendar"),
        (b"<!DOCTYPE html><title>Sign in</title>", "web page"),
        (b"  \n<html>", "web page"),
        (b'{"error": "not found"}', "is not a calendar"),
        (GOOGLE.encode()[:-40], "is cut off"),
        (b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20260302T000000Z\nEND:VCALENDAR", "cut off inside"),
        (calendar("SUMMARY:" + "x" * 10_000_000), "larger than 5 MB"),
        (calendar(*["DTSTART:20260302T150000Z\nDURATION:PT1H"] * 10_000), "has 10000 events"),
    ],
    ids=["empty", "bytes", "page", "page after space", "json", "cut", "cut inside", "10 MB", "10,000 events"],
)
def test_it_says_what_is_wrong_with_what_is_no_calendar(data: bytes, said: str) -> None:
    began = time.process_time()
    with pytest.raises(NotACalendar, match=said):
        read_calendar(data, CENTRAL, NOW)
    assert time.process_time() - began < 2


def test_it_reads_ten_thousand_old_events_quickly() -> None:
    old = ["DTSTART:20250302T150000Z\nDTEND:20250302T160000Z\nDESCRIPTION:" + "x" * 200] * 10_000
    began = time.process_time()
    assert read(calendar(*old, "DTSTART;VALUE=DATE:20260303")) == ["03-03 00:00 03-04 00:00"]
    assert time.process_time() - began < 2


def test_it_gives_the_same_in_a_process_of_its_own() -> None:
    for data in (GOOGLE, OUTLOOK, APPLE):
        assert read_confined(data.encode(), CENTRAL, NOW) == read_calendar(data.encode(), CENTRAL, NOW)
    with pytest.raises(NotACalendar, match="web page"):
        read_confined(b"<html>", CENTRAL, NOW)


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY;BYHOUR=" + ",".join(map(str, range(24))) + ";BYMINUTE=" + ",".join(map(str, range(60)))
        + ";BYSECOND=" + ",".join(map(str, range(60))),
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
    ],
    ids=["every second in disguise", "never"],
)  # fmt: skip
def test_it_ends_what_would_never_end(rule: str) -> None:
    began = time.process_time()
    try:
        found = len(read_confined(calendar(f"DTSTART:19700101T000000Z\nRRULE:{rule}"), CENTRAL, NOW).periods)
    except NotACalendar as error:
        assert "too long" in str(error) or "repetition" in str(error)  # noqa: PT017
    else:
        assert found <= 1
    assert time.process_time() - began < 2


def test_it_ends_a_pattern_that_would_never_end() -> None:
    event = "DTSTART:20260302T150000Z\nDURATION:PT1H\nSUMMARY:" + "a" * 60 + "!"
    with pytest.raises(NotACalendar, match="too long"):
        read_confined(calendar(event), CENTRAL, NOW, "(a+)+$")


@given(st.binary(max_size=300))
def test_it_survives_any_bytes(rubbish: bytes) -> None:
    for data in (rubbish, calendar("X").replace(b"X", rubbish), GOOGLE.encode()[:200] + rubbish):
        try:
            assert isinstance(read_calendar(data, CENTRAL, NOW), Reading)
        except NotACalendar as error:
            assert str(error)  # noqa: PT017


_LINES = st.lists(
    st.sampled_from(
        [*GOOGLE.splitlines(), *OUTLOOK.splitlines(), "RRULE:FREQ=DAILY;UNTIL=2026", "DURATION:-P1D", "RRULE:",
         "RDATE;VALUE=PERIOD:20260302T000000Z/PT1H", "DTEND;VALUE=DATE:20260302", "DTSTART;TZID=Nowhere:20260302T1"]
    ),
    max_size=40,
)  # fmt: skip


@given(_LINES)
def test_it_survives_any_lines(lines: list[str]) -> None:
    data = "\r\n".join(["BEGIN:VCALENDAR", *lines, "END:VCALENDAR"]).encode()
    try:
        assert isinstance(read_calendar(data, CENTRAL, NOW), Reading)
    except NotACalendar as error:
        assert str(error)  # noqa: PT017


_INSTANTS = st.integers(0, 500).map(lambda hours: NOW + timedelta(hours=hours))


@given(st.lists(st.tuples(_INSTANTS, _INSTANTS).filter(lambda each: each[0] < each[1]), max_size=12))
def test_it_makes_disjoint_periods_that_cover_the_same(periods: list[tuple[datetime, datetime]]) -> None:
    joined = list(merged(periods))
    assert all(one[1] < other[0] for one, other in itertools.pairwise(joined))
    for hours in range(0, 510, 1):
        at = NOW + timedelta(hours=hours)
        assert any(a <= at < b for a, b in periods) == any(a <= at < b for a, b in joined)
