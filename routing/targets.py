"""Response targets: how long until a human must have answered, and on which clock that is counted.

"Business" units run on the business calendar. Plain hours run on the cover: around the clock where the cover
is ``24x7``, else on the business calendar. A business day is as many open hours as a full standard day has,
so two business days from Tuesday 18:00 on an 8-to-5 desk end on Thursday at 17:00.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from routing.business_hours import BusinessCalendar

Unit = Literal["hours", "business hours", "business days"]
Cover = Literal["24x7", "business hours"]

_HOUR = 3_600_000_000
_MOST = 100_000
_MICROSECOND = timedelta(microseconds=1)
_TEXT = re.compile(
    r"\s*(\d{1,6}(?:\.\d{1,6})?)\s+(?:(business)\s+)?(hours?|days?)\s*", re.ASCII | re.IGNORECASE
)
_EXPECTED = "expected such as '1 hour', '4 business hours' or '2 business days'"


class TargetError(ValueError):
    """A response target cannot be understood; the text says what is expected."""


@dataclass(frozen=True)
class ResponseTarget:
    """The agreement's "4 Business Hours": an amount (above 0), its unit, and the cover it is kept in."""

    amount: Decimal
    unit: Unit
    cover: Cover = "business hours"

    def __init__(self, amount: Decimal | int, unit: Unit, cover: Cover = "business hours") -> None:
        if isinstance(amount, bool) or not isinstance(amount, (int, Decimal)):
            raise TargetError(f"an amount of {amount!r} is not exact; expected a whole number or a Decimal")
        if not Decimal(amount).is_finite() or not 0 < amount <= _MOST:
            raise TargetError(
                f"an amount of {amount} {unit} is no target; expected more than 0, at most {_MOST}"
            )
        if unit not in get_args(Unit):
            raise TargetError(f"{unit!r} is not a unit; expected one of {', '.join(get_args(Unit))}")
        if cover not in get_args(Cover):
            raise TargetError(f"{cover!r} is not a cover; expected one of {', '.join(get_args(Cover))}")
        object.__setattr__(self, "amount", Decimal(amount))
        object.__setattr__(self, "unit", unit)
        object.__setattr__(self, "cover", cover)

    @classmethod
    def parse(cls, text: str, cover: Cover = "business hours") -> ResponseTarget:
        """``1 Hour``, ``4 Business Hours``, ``2 business days``; :class:`TargetError` for anything else."""
        match = _TEXT.fullmatch(text)
        if match is None:
            raise TargetError(f"{text!r} is not a response target; {_EXPECTED}")
        amount, business, noun = match[1], match[2], match[3].lower().rstrip("s")
        if noun == "day" and not business:
            raise TargetError(f"{text!r} does not say which days; expected business days")
        if noun == "day":
            return cls(Decimal(amount), "business days", cover)
        return cls(Decimal(amount), "business hours" if business else "hours", cover)

    def __str__(self) -> str:
        """As the agreement prints it: ``1 Hour``, ``4 Business Hours``, ``2 Business Days``."""
        unit = self.unit.title()
        amount = self.amount.normalize()
        return f"{amount:f} {unit.removesuffix('s') if amount == 1 else unit}"

    @property
    def runs_around_the_clock(self) -> bool:
        """Whether nights and holidays count."""
        return self.unit == "hours" and self.cover == "24x7"

    def length(self, calendar: BusinessCalendar) -> timedelta:
        """The amount as time on its clock; :class:`NeverOpens` for business days without weekly hours."""
        hour = calendar.standard_day // _MICROSECOND if self.unit == "business days" else _HOUR
        whole = (self.amount * hour).to_integral_value(ROUND_HALF_EVEN)
        return timedelta(microseconds=int(whole))

    def due_at(self, contact_at: datetime, calendar: BusinessCalendar) -> datetime:
        """The instant (UTC) by which the contact must have been answered.

        ``contact_at`` is aware (:class:`ValueError` otherwise). A target used up at closing time is due then.
        """
        return self._clock(calendar).due(contact_at, self.length(calendar))

    def remaining(self, now: datetime, contact_at: datetime, calendar: BusinessCalendar) -> timedelta:
        """The time left on the target's clock; less than nothing is how much of it went by since it was due.

        Nothing at all can also mean "due and closed since": whether it is late is asked of :meth:`due_at`.
        """
        return self._clock(calendar).elapsed(now, self.due_at(contact_at, calendar))

    def used(self, now: datetime, contact_at: datetime, calendar: BusinessCalendar) -> timedelta:
        """The time that has gone by on the target's clock since the contact."""
        return self._clock(calendar).elapsed(contact_at, now)

    def _clock(self, calendar: BusinessCalendar) -> BusinessCalendar:
        return _around_the_clock(calendar.zone) if self.runs_around_the_clock else calendar


@lru_cache(maxsize=64)
def _around_the_clock(zone: ZoneInfo) -> BusinessCalendar:
    return BusinessCalendar.around_the_clock(zone)
