"""When a drill is held: some time before a shift, at an hour that is reasonable. Pure."""

from __future__ import annotations

import enum
import re
from datetime import datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from routing.wall_time import instant_at

_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


def _hours(value: str) -> str:
    found = _HOURS.fullmatch(value)
    if found is None or found[1] + found[2] >= found[3] + found[4]:
        raise ValueError(f"is {value!r}; expected hours of one day, such as '08:00-21:00'")
    return value


class DrillRule(BaseModel):
    """A test page before each shift of a schedule; ``hours`` are on the clocks of the schedule's zone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    before_min: Annotated[int, Field(ge=5, le=1440)] = 30
    hours: Annotated[str, AfterValidator(_hours)] = "08:00-21:00"
    wait_min: Annotated[int, Field(ge=1, le=120)] = 15

    @property
    def window(self) -> tuple[time, time]:
        """The hours as times."""
        begins, _, ends = self.hours.partition("-")
        return time.fromisoformat(begins), time.fromisoformat(ends)


def drill_at(shift_start: datetime, rule: DrillRule, zone: ZoneInfo) -> datetime:
    """When the drill before a shift begins: ``before_min`` before it, or in the last reasonable hours before that.

    A shift that begins at 8 in the morning is not drilled at half past seven where the hours begin at eight, but
    on the evening before, early enough for the drill to end within the hours.
    """
    wanted = shift_start - timedelta(minutes=rule.before_min)
    local = wanted.astimezone(zone)
    begins, ends = rule.window
    day_begins, day_ends = (datetime.combine(local.date(), edge) for edge in (begins, ends))
    last = max(day_begins, day_ends - timedelta(minutes=rule.wait_min)).time()
    if begins <= local.time() <= last:
        return wanted
    day = local.date() if local.time() > last else local.date() - timedelta(days=1)
    return min(wanted, instant_at(datetime.combine(day, last), zone))


class DrillState(enum.StrEnum):
    """Where a drill stands."""

    RINGING = "ringing"
    PROVED = "proved"
    UNANSWERED = "unanswered"


class DrillEvent(enum.StrEnum):
    """What can happen to a drill."""

    ACKNOWLEDGED = "acknowledged"
    TIME_OVER = "time-over"


# A late acknowledgement is one: the person can be reached after all.
TABLE: dict[tuple[DrillState, DrillEvent], DrillState] = {
    (DrillState.RINGING, DrillEvent.ACKNOWLEDGED): DrillState.PROVED,
    (DrillState.RINGING, DrillEvent.TIME_OVER): DrillState.UNANSWERED,
    (DrillState.UNANSWERED, DrillEvent.ACKNOWLEDGED): DrillState.PROVED,
}


def after(state: DrillState, event: DrillEvent) -> DrillState | None:
    """The state that follows; None when ``event`` changes nothing any more."""
    return TABLE.get((state, event))
