"""Who is on call, in lines of text. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from routing import oncall
from routing.oncall import Difference, Reason, Schedule
from routing.oncall.local_times import shown_instant
from routing.rosters.calendars import duties_between
from routing.rosters.models import AbsenceFeed, ScheduleChange

NOBODY = "NOBODY"
_AHEAD = timedelta(days=400)
_WHY = {Reason.OVERRIDE: "  (changed)", Reason.COVER: "  (stands in)", Reason.ROTATION: ""}

Names = Mapping[str, str]


def line_now(key: str, schedule: Schedule, at: datetime, names: Names) -> str:
    """Who is on call at ``at``, until when, and who is next."""
    zone = ZoneInfo(schedule.zone)
    found = duties_between(key, schedule, at, at + timedelta(days=28))
    if len(found) == 1:  # a long duty
        found = duties_between(key, schedule, at, at + _AHEAD)
    current, *later = found
    if not later:
        return f"{key}: {_name(current.person, names)}, with no end in sight"
    until, following = shown_instant(current.end, zone), _name(later[0].person, names)
    return f"{key}: {_name(current.person, names)} until {until}, then {following}"


def lines_of_week(
    key: str, schedule: Schedule, start: datetime, end: datetime, names: Names
) -> Iterator[str]:
    """The shifts and gaps of a period, in local time."""
    zone = ZoneInfo(schedule.zone)
    yield f"{key} ({zone.key})"
    shifts = [
        (shift.start, shift.end, _name(shift.person, names) + _WHY[shift.reason])
        for shift in oncall.shifts(schedule, start, end)
    ]
    empty = [(begins, ends, f"{NOBODY} on call") for begins, ends in oncall.gaps(schedule, start, end)]
    for begins, ends, who in sorted([*shifts, *empty]):
        yield f"  {shown_instant(begins, zone)}  to  {shown_instant(ends, zone)}  {who}"


def lines_of_gaps(key: str, schedule: Schedule, start: datetime, end: datetime) -> Iterator[str]:
    """The periods in which nobody is on call."""
    zone = ZoneInfo(schedule.zone)
    for begins, ends in oncall.gaps(schedule, start, end):
        yield f"{key}: {NOBODY} from {shown_instant(begins, zone)} to {shown_instant(ends, zone)}"


def lines_of_effect(
    key: str, differences: Iterable[Difference], zone: ZoneInfo, names: Names
) -> Iterator[str]:
    """What a change does."""
    for begins, ends, before, after in differences:
        period = f"{shown_instant(begins, zone)} to {shown_instant(ends, zone)}"
        yield f"{key}: {period}: {_name(after, names)} instead of {_name(before, names)}"


def line_of_change(row: ScheduleChange, zone: ZoneInfo, names: Names) -> str:
    """A change as a row of a list."""
    change = oncall.read_change(row.kind, row.data, zone)
    who = " and ".join(_name(person, names) for person in oncall.people_of(change)) or NOBODY
    if isinstance(change, oncall.Override):
        who = _name(change.by, names)
        who += f" instead of {_name(change.replaces, names)}" if change.replaces else ""
    period = f"{shown_instant(row.from_at, zone)} to {shown_instant(row.to_at, zone)}"
    end = "  withdrawn" if row.withdrawn_at else ""
    where = row.schedule or "all schedules"
    return f"{row.id:5}  {row.kind:8}  {where}: {who}, {period}  [{row.source}, {row.created_by}]{end}"


def line_of_subscription(feed: AbsenceFeed, zone: ZoneInfo, names: Names) -> str:
    """A calendar that absences come from; its address is a secret, and not shown."""
    seen = f"read {shown_instant(feed.fetched_at, zone)}" if feed.fetched_at else "not read yet"
    failing = f"; since {shown_instant(feed.failed_at, zone)}: {feed.last_error}" if feed.failed_at else ""
    only = f", only {feed.matching!r}" if feed.matching else ""
    return f"{feed.source:>5}  calendar of {_name(feed.person, names)}{only}, {seen}{failing}"


def _name(person: str | None, names: Names) -> str:
    return NOBODY if person is None else names.get(person, person)
