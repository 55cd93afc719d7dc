"""Reading an instant that a person typed: a time that the clocks skip is named, not guessed."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from routing.oncall.fields import day_or_time, instant
from routing.wall_time import instant_at


def typed_instant(text: str, zone: ZoneInfo, *, closing: bool = False) -> datetime:
    """The UTC instant of "2026-03-09 08:00", "2026-03-09T08:00-05:00" or "2026-03-09".

    Without an offset it is local time of ``zone``; of a time that happens twice the first occurrence. A date
    alone is its beginning, or its end when ``closing`` a period. ``ValueError`` for a time that does not exist.
    """
    found = day_or_time(text)
    if not isinstance(found, datetime) or found.tzinfo is not None:
        return instant(found, zone, closing=closing)
    exact = instant_at(found, zone)
    shown = exact.astimezone(zone)
    if shown.replace(tzinfo=None, fold=0) != found:
        raise ValueError(
            f"{found:%Y-%m-%d %H:%M} does not exist in {zone.key}: clocks are set forward over it; "
            f"the next time that does is {shown:%H:%M}"
        )
    return exact


def shown_instant(at: datetime, zone: ZoneInfo) -> str:
    """``Mon 2026-03-09 08:00 CDT``."""
    return f"{at.astimezone(zone):%a %Y-%m-%d %H:%M %Z}"
