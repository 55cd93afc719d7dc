"""What of a calendar file matters for absences: a quick pass over its text, before anything is understood. Pure.

It bounds what the slow, thorough reader gets: events near the period, without their descriptions and guests.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

MAX_BYTES = 5 * 1024 * 1024
MAX_EVENTS = 2_000
_DAY = timedelta(days=1)
_KEPT = frozenset(
    (
        "UID", "DTSTAMP", "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID", "STATUS",
        "TRANSP", "SUMMARY", "SEQUENCE", "X-MICROSOFT-CDO-BUSYSTATUS",
    )
)  # fmt: skip
_REPEATS_WITHIN_A_DAY = ("FREQ=SECONDLY", "FREQ=MINUTELY", "FREQ=HOURLY")


class NotACalendar(ValueError):
    """The file cannot be read as a calendar, or not safely; the text says why, and quotes nothing of it."""


def sieve(data: bytes, start: datetime, end: datetime) -> tuple[str, int]:
    """The calendar's time zones and those events that may touch ``start`` to ``end``; and how many were left out
    because they repeat within a day. :class:`NotACalendar` for what is none, is cut off, or is too much.
    """
    lines = _lines(data)
    kept = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Nightbell//Sieve//EN"]
    events = skipped = 0
    for name, block in _blocks(lines):
        if name == "VTIMEZONE":
            kept += block
            continue
        event = _wanted_lines(block)
        if not _may_touch(event, start.date(), end.date()):
            continue
        if any(of in event.get("RRULE", "").upper() for of in _REPEATS_WITHIN_A_DAY):
            skipped += 1
            continue
        events += 1
        kept += ["BEGIN:VEVENT", *event["lines"].split("\n"), "END:VEVENT"]
    if events > MAX_EVENTS:
        raise NotACalendar(f"has {events} events that may be ahead; expected at most {MAX_EVENTS}")
    return "\r\n".join([*kept, "END:VCALENDAR", ""]), skipped


def _lines(data: bytes) -> list[str]:
    """The unfolded lines of a calendar file (RFC 5545, 3.1)."""
    if len(data) > MAX_BYTES:
        raise NotACalendar(
            f"is larger than {MAX_BYTES // 1024 // 1024} MB; expected a calendar of one person"
        )
    text = data.decode("utf-8-sig", errors="replace").replace("\0", "").strip()
    if text[:1] == "<":
        raise NotACalendar("is a web page and not a calendar; does its address need a sign-in?")
    if text[:15].upper() != "BEGIN:VCALENDAR":
        raise NotACalendar("is not a calendar; expected a file that begins with BEGIN:VCALENDAR")
    if text[-13:].upper() != "END:VCALENDAR":
        raise NotACalendar("is cut off; expected END:VCALENDAR at its end")
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\n ", "").replace("\n\t", "")
    return text.split("\n")


def _blocks(lines: list[str]) -> Iterator[tuple[str, list[str]]]:
    """The time zones whole, and the events without what is nested in them, such as alarms."""
    name, block, depth = "", [], 0
    for line in lines:
        mark = line[:6].upper()
        if not name:
            found = line[6:].strip().upper() if mark == "BEGIN:" else ""
            if found in ("VTIMEZONE", "VEVENT"):
                name, block, depth = found, [line] if found == "VTIMEZONE" else [], 1
            continue
        depth += (mark == "BEGIN:") - (line[:4].upper() == "END:")
        if name == "VTIMEZONE" or (depth == 1 and line[:4].upper() != "END:"):
            block.append(line)
        if depth == 0:
            if line[4:].strip().upper() != name:
                break
            yield name, block
            name = ""
    if name:
        raise NotACalendar(f"is cut off inside a {name}; expected its END")


def _wanted_lines(block: list[str]) -> dict[str, str]:
    """Property -> its value, for those that are kept; ``lines`` has their text."""
    found: dict[str, str] = {}
    kept: list[str] = []
    for line in block:
        name = line.partition(":")[0].partition(";")[0].upper()
        if name in _KEPT:
            kept.append(line)
            found[name] = line.rpartition(":")[2]
    return found | {"lines": "\n".join(kept)}


def _may_touch(event: dict[str, str], first: date, last: date) -> bool:
    """Whether an event may touch the days, generously; one that cannot be understood here may."""
    starts = _day(event.get("DTSTART", ""))
    if starts is None or "RDATE" in event:
        return "DTSTART" in event
    if starts > last + _DAY and "RECURRENCE-ID" not in event:
        return False
    if {"RRULE", "RECURRENCE-ID", "DURATION"} & event.keys():
        return True
    ends = _day(event["DTEND"]) if "DTEND" in event else starts + _DAY
    return ends is None or ends >= first - _DAY


def _day(value: str) -> date | None:
    try:
        return datetime.strptime(value[:8], "%Y%m%d").date()  # noqa: DTZ007  # a day, not an instant
    except ValueError:
        return None
