"""The same questions answered by walking: step after step along the wall clock, knowing nothing of tables.

A desk is open when the wall clock shows a time inside a window. The hour that is shown twice is lived through
once: the second time the clock counts as standing still, at the latest time that it has shown.
"""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

LOOK_BACK = timedelta(hours=30)


class Walker:
    """Walks from ``start`` in steps; windows are minutes of the date that they begin on, or 1440 and more."""

    def __init__(
        self, zone: str, week: dict[int, list[tuple[int, int]]], special: dict[date, list], step: int
    ):
        self.zone = ZoneInfo(zone)
        self.week = week
        self.special = special
        self.step = timedelta(minutes=step)

    def shown(self, instant: datetime) -> datetime:
        return instant.astimezone(self.zone).replace(tzinfo=None)

    def shows_open(self, shown: datetime) -> bool:
        day, minute = shown.date(), shown.hour * 60 + shown.minute
        own = self.special.get(day)
        if own is not None:
            return any(opens <= minute < closes for opens, closes in own)
        eve = day - timedelta(days=1)
        if any(opens <= minute < closes for opens, closes in self.week.get(day.weekday(), [])):
            return True
        nights = self.week.get(eve.weekday(), []) + (self.special.get(eve) or [])
        return any(minute < closes - 1440 for _, closes in nights)

    def steps(self, start: datetime, end: datetime):
        """(instant, open) for each step from start until end."""
        instant = start - LOOK_BACK
        latest = self.shown(instant)
        while instant < end:
            latest = max(latest, self.shown(instant))
            if instant >= start:
                yield instant, self.shows_open(latest)
            instant += self.step

    def elapsed(self, start: datetime, end: datetime) -> timedelta:
        return self.step * sum(is_open for _, is_open in self.steps(start, end))

    def windows(self, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
        found: list[tuple[datetime, datetime]] = []
        for instant, is_open in self.steps(start, end):
            if is_open and found and found[-1][1] == instant:
                found[-1] = (found[-1][0], instant + self.step)
            elif is_open:
                found.append((instant, instant + self.step))
        return found

    def due(self, start: datetime, amount: timedelta, limit: datetime) -> datetime | None:
        left = amount
        for instant, is_open in self.steps(start, limit):
            if is_open and not left:
                return instant  # nothing to use up: the opening
            left -= self.step if is_open else timedelta()
            if is_open and not left:
                return instant + self.step
        return None
