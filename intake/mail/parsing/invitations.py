"""What a calendar part says, in words: an invitation, its cancellation, an answer (RFC 5545, RFC 5546). Pure."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from intake.mail.parsing.words import one_line

_MOST_BYTES = 1_000_000
_MOST_LINES = 2_000
_MOST_EVENTS = 10
_LONGEST_LINE = 20_000
_LONGEST_DESCRIPTION = 10_000
_KEPT = frozenset(
    ("SUMMARY", "DTSTART", "DTEND", "DUE", "DURATION", "RRULE", "RECURRENCE-ID", "STATUS", "LOCATION", "ORGANIZER",
     "ATTENDEE", "DESCRIPTION", "COMMENT")
)  # fmt: skip
_METHODS = {
    "request": "Invitation", "publish": "Event", "add": "Invitation to one more event", "cancel": "Cancelled",
    "counter": "Another time is proposed for", "declinecounter": "The proposed time is declined for",
    "refresh": "Asks for the latest version of", "reply": "Answer to the invitation",
}  # fmt: skip
_ANSWERS = {
    "ACCEPTED": "accepts", "DECLINED": "declines", "TENTATIVE": "accepts tentatively", "DELEGATED": "delegates",
}  # fmt: skip
_EVERY = {"DAILY": "day", "WEEKLY": "week", "MONTHLY": "month", "YEARLY": "year"}


def invitation_text(text: str, method: str = "") -> str:
    """The events of a calendar in words, each with when and where it is and who invites; empty if it cannot be read.

    ``method`` is the one that the part's Content-Type has. Times are told in the zone that they are given in.
    """
    lines = _lines(text)
    declared = next((line.partition(":")[2] for line in lines if line[:7].upper() == "METHOD:"), "")
    method = (declared or method).strip().lower()
    return "\n\n".join(filter(None, (_told(event, method) for event in _events(lines))))


def _lines(text: str) -> list[str]:
    """The unfolded lines (RFC 5545, 3.1); one that is too long is cut."""
    text = text[:_MOST_BYTES].replace("\r\n", "\n").replace("\r", "\n").replace("\n ", "").replace("\n\t", "")
    return [line[:_LONGEST_LINE] for line in text.split("\n") if line]


def _events(lines: list[str]) -> list[Any]:
    """The first events and tasks, read by the library from what of them is told; none if it cannot."""
    from icalendar import Calendar  # takes a tenth of a second to load, and few mails have a calendar

    kept = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Nightbell//Invitation//EN"]
    events = 0
    for name, block in _blocks(lines):
        if name == "VTIMEZONE":
            kept += block
        elif events < _MOST_EVENTS:
            events += 1
            kept += block
    if not events or len(kept) > _MOST_LINES:
        return []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a library that had to guess
        try:
            return list(Calendar.from_ical("\r\n".join([*kept, "END:VCALENDAR", ""])).walk(select=_is_told))
        except Exception:  # noqa: BLE001  # it has an error for each of the ways to write nonsense
            return []


def _is_told(component: Any) -> bool:
    return component.name in ("VEVENT", "VTODO")


def _blocks(lines: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Time zones that change by the year, whole, and what is told of events; not what is nested in them."""
    name, block, depth = "", [], 0
    for line in lines:
        upper = line[:100].upper().rstrip()
        if not name:
            name = upper[6:] if upper in ("BEGIN:VTIMEZONE", "BEGIN:VEVENT", "BEGIN:VTODO") else ""
            block, depth = [line], 1
            continue
        depth += upper.startswith("BEGIN:") - upper.startswith("END:")
        told = depth == 1 and upper.partition(":")[0].partition(";")[0] in _KEPT
        if name == "VTIMEZONE" or told or depth == 0:
            block.append(line)
        if depth == 0:
            if name != "VTIMEZONE" or all(
                "FREQ=YEARLY" in each.upper() for each in block if "FREQ=" in each.upper()
            ):
                yield name, block
            name = ""


def _told(event: Any, method: str) -> str:
    """One event in lines. What of it makes no sense is left out."""
    head = _METHODS.get(method, "Event")
    if str(event.get("STATUS", "")).upper() == "CANCELLED":
        head = _METHODS["cancel"]
    title = one_line(str(event.get("SUMMARY", ""))) or "(without a title)"
    description = str(event.get("DESCRIPTION", "")).strip()[:_LONGEST_DESCRIPTION]
    lines = {
        "When": _tried(_when, event),
        "Repeats": _tried(_repeats, event),
        "Where": one_line(str(event.get("LOCATION", ""))),
        "Organizer": _tried(_organizer, event),
        "Answer": _tried(_answers, event) if method in ("reply", "counter") else "",
        "Comment": one_line(str(event.get("COMMENT", ""))),
    }
    told = [f"{head}: {title}", *(f"{name}: {value}" for name, value in lines.items() if value)]
    return "\n".join(told) + (f"\n\n{description}" if description and method != "reply" else "")


def _tried(tell: Any, event: Any) -> str:
    try:
        return str(tell(event))
    except Exception:  # noqa: BLE001  # the library reads a property when it is asked for, and may find nonsense
        return ""


def _when(event: Any) -> str:
    start = event["DTSTART"].dt if "DTSTART" in event else None
    end = event[("DTEND", "DUE")["DUE" in event]].dt if {"DTEND", "DUE"} & set(event) else None
    if start is None:
        return f"until {_instant(end)}, {_zone(event['DUE'])}" if end is not None else ""
    if not isinstance(start, datetime):
        last = end - timedelta(days=1) if isinstance(end, date) and not isinstance(end, datetime) else start
        return f"{_day(start)}, all day" if last <= start else f"{_day(start)} to {_day(last)}, all day"
    if end is None and "DURATION" in event:
        end = start + event["DURATION"].dt
    until = ""
    if isinstance(end, datetime) and end > start:
        until = f" to {end:%H:%M}" if end.date() == start.date() else f" to {_instant(end)}"
    return f"{_instant(start)}{until}, {_zone(event['DTSTART'])}"


def _day(day: date) -> str:
    return f"{day:%a %d %b %Y}"


def _instant(at: datetime) -> str:
    return f"{at:%a %d %b %Y, %H:%M}" if isinstance(at, datetime) else _day(at)


def _zone(value: Any) -> str:
    """The zone as the calendar calls it, with its offset, for names of zones are not the same everywhere."""
    name, offset = one_line(str(value.params.get("TZID", "")), 100), value.dt.utcoffset()
    if offset is None:
        return name or "in whatever zone one is"
    hours = f"UTC{value.dt:%z}"
    hours = "UTC" if not offset else f"{hours[:6]}:{hours[6:8]}"
    return f"{name} ({hours})" if name and name.upper() != "UTC" else hours


def _repeats(event: Any) -> str:
    """The rule in short; days and months of more complicated ones are left to a calendar program."""
    rule = event.get("RRULE")
    if not rule:
        return ""
    unit, count = _EVERY.get(str(rule["FREQ"][0]).upper(), "so often"), int(rule.get("INTERVAL", [1])[0])
    every = f"every {unit}" if count == 1 else f"every {count} {unit}s"
    if "COUNT" in rule:
        return f"{every}, {int(rule['COUNT'][0])} times"
    return f"{every}, until {_day(rule['UNTIL'][0])}" if "UNTIL" in rule else every


def _organizer(event: Any) -> str:
    return _person(event["ORGANIZER"]) if "ORGANIZER" in event else ""


def _answers(event: Any) -> str:
    given = event.get("ATTENDEE", [])
    given = given if isinstance(given, list) else [given]
    told = ((each, _ANSWERS.get(str(each.params.get("PARTSTAT", "")).upper())) for each in given[:20])
    return "; ".join(f"{_person(each)} {answer}" for each, answer in told if answer)


def _person(value: Any) -> str:
    address, name = str(value), one_line(str(value.params.get("CN", "")))
    address = one_line(address[7:] if address[:7].lower() == "mailto:" else address)
    return f"{name} <{address}>" if name and name != address else address
