"""A slow second opinion: who is on call, straight from the rules, for one instant at a time.

It reads the same dicts as ``Schedule.from_dict`` and shares no code with it. All times in the dicts are
multiples of five minutes, and so are all offsets of the zones, so that steps of five minutes miss nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

STEP = timedelta(minutes=5)
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@lru_cache(maxsize=100_000)
def first_instant(wall: datetime, zone: str) -> datetime:
    """The first instant at which the clock shows ``wall`` or later, looked for one step after the other."""
    instant = wall.replace(tzinfo=UTC) - timedelta(hours=15)
    while instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0) < wall:
        instant += STEP
    return instant


def steps(start: datetime, end: datetime) -> Iterator[datetime]:
    """Every five minutes from ``start``, and the last microsecond before each."""
    while start < end:
        yield start
        yield start + STEP - timedelta(microseconds=1)
        start += STEP


class Oracle:
    """Answers for instants from ``start`` to ``end``."""

    def __init__(self, data: dict[str, Any], start: datetime, end: datetime) -> None:
        self.data = data
        self.handovers = [[h for h in handovers(layer, end) if h <= end] for layer in data["layers"]]
        self.windows = [list(windows(layer, start, end)) for layer in data["layers"]]

    def person_at(self, instant: datetime) -> str | None:
        """Who is on call."""
        person: str | None = None
        for number in range(len(self.data["layers"])):
            on_duty = self.member_at(number, instant)
            person = on_duty if on_duty is not None else person
        for swap in self.data["swaps"]:
            (one, ones), (other, others) = swap.items()
            if person == one and _within(ones, instant):
                person = other
            elif person == other and _within(others, instant):
                person = one
        for override in self.data["overrides"]:
            if _within(override, instant) and override.get("instead_of") in (None, person):
                person = override["person"]
        return person

    def member_at(self, number: int, instant: datetime) -> str | None:
        """Who has the duty in one layer, after absences."""
        layer = self.data["layers"][number]
        handed_over = sum(handover <= instant for handover in self.handovers[number])
        opened = "hours" not in layer or any(_within(window, instant) for window in self.windows[number])
        if not handed_over or not opened:
            return None
        away = {absence["person"] for absence in self.data["absences"] if _within(absence, instant)}
        members = layer["members"]
        for ahead in range(len(members)):
            member: str = members[(handed_over - 1 + ahead) % len(members)]
            if member not in away:
                return member
        return None


def handovers(layer: dict[str, Any], until: datetime) -> Iterator[datetime]:
    """The start and all handovers up to ``until``, and some after it."""
    day, _, clock = layer["handover"].rpartition(" ")
    hour, minute = clock.split(":")
    wall = datetime.fromisoformat(layer["start"]) + timedelta(hours=int(hour), minutes=int(minute))
    yield first_instant(wall, layer["zone"])
    kind = {"daily": "every 1 days", "weekly": "every 1 weeks"}.get(layer["rotation"], layer["rotation"])
    _, every, unit = kind.split()
    step = timedelta(**{unit: int(every)})
    if not day or _DAYS[wall.weekday()] == day:
        wall += step
    while day and _DAYS[wall.weekday()] != day:
        wall += timedelta(days=1)
    while wall.replace(tzinfo=UTC) < until + timedelta(days=3):
        yield first_instant(wall, layer["zone"])
        wall += step


def windows(layer: dict[str, Any], start: datetime, end: datetime) -> Iterator[dict[str, datetime]]:
    """The windows of a layer near the period, as instants."""
    day = start.replace(tzinfo=None, hour=0, minute=0) - timedelta(days=4)
    while day.replace(tzinfo=UTC) < end + timedelta(days=2):
        for window in layer.get("hours", {}).get(_DAYS[day.weekday()], []):
            opens, closes = (timedelta(hours=int(t[:2]), minutes=int(t[3:])) for t in window.split("-"))
            if closes <= opens:
                closes += timedelta(days=1)
            zone = layer["zone"]
            yield {"from": first_instant(day + opens, zone), "to": first_instant(day + closes, zone)}
        day += timedelta(days=1)


def _within(period: dict[str, Any], instant: datetime) -> bool:
    return bool(period["from"] <= instant < period["to"])
