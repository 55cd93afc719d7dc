"""Reading when an engineer says that they answered: on their wall clock, or as an instant. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from routing.clocks.rules import NotPossible

_DAY = timedelta(days=1)


def instant_said(text: str, zone: ZoneInfo, now: datetime) -> datetime:
    """``03:05`` (the last one there was), ``2026-11-24T03:05`` on the clocks of ``zone``, or with an offset.

    Nothing at all is ``now``. Of a time that clocks showed twice it is the later one, unless that is still to
    come: whoever means the earlier one gives the offset. :class:`NotPossible` for what is no time.
    """
    text = text.strip()
    if not text:
        return now
    try:
        wall = _wall(text, zone, now)
        return wall.astimezone(UTC) if wall.tzinfo else _instant(wall, zone, now)
    except (ValueError, OverflowError):
        raise NotPossible(f"{text!r} is not a time; expected such as 03:05 or 2026-11-24T03:05") from None


def _wall(text: str, zone: ZoneInfo, now: datetime) -> datetime:
    if "-" in text and len(text) > len("2026-11-24"):
        return datetime.fromisoformat(text)
    clock = time.fromisoformat(text)
    if clock.tzinfo is not None:
        raise ValueError("an offset without a date")
    return _last(clock, zone, now)


def _last(clock: time, zone: ZoneInfo, now: datetime) -> datetime:
    """The last day's wall time that is not after ``now``'s."""
    local = now.astimezone(zone).replace(tzinfo=None)
    wall = datetime.combine(local.date(), clock)
    return wall if wall <= local else wall - _DAY


def _instant(wall: datetime, zone: ZoneInfo, now: datetime) -> datetime:
    first, second = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first.astimezone(zone).replace(tzinfo=None) != wall:
        raise NotPossible(f"the clocks skipped {wall:%H:%M} on {wall:%Y-%m-%d}; look at the time")
    return second if second <= now else first
