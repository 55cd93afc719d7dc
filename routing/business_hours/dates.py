"""Dates of holidays as text: ``2026-12-24`` once, ``12-24`` every year."""

from __future__ import annotations

import re
from datetime import date

from routing.business_hours.errors import CalendarError

_RECURRING = re.compile(r"\d{2}-\d{2}", re.ASCII)
_ONCE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_A_LEAP_YEAR = 2000


def is_recurring(when: str) -> bool:
    """Whether the date is one of each year."""
    return len(when) == len("12-24")


def on(when: str, year: int) -> date | None:
    """The date in ``year``; none when it is in another year, or 29 February of a common one."""
    text = f"{year:04}-{when}" if is_recurring(when) else when
    try:
        day = date.fromisoformat(text)
    except ValueError:  # 02-29
        return None
    return day if day.year == year else None


def is_date_like(text: str) -> bool:
    """Whether the text was meant as a date rather than as a name."""
    return re.fullmatch(r"[\d./-]+", text) is not None


def refuse_bad_date(when: object) -> None:
    """Raise :class:`CalendarError` for what is neither a date nor a day of the year."""
    if isinstance(when, str) and (_RECURRING.fullmatch(when) or _ONCE.fullmatch(when)):
        try:
            date.fromisoformat(f"{_A_LEAP_YEAR}-{when}" if is_recurring(when) else when)
        except ValueError:
            raise CalendarError(f"{when!r} is not a date that exists") from None
        return
    raise CalendarError(f"{when!r} is not a date; expected '2026-12-24', or '12-24' for every year")
