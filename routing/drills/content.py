"""What a drill says: clearly that it is one, and how it is acknowledged."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from core.models import Person
from routing.business_hours import BusinessCalendar
from routing.drills.models import Drill
from routing.paging.channels import Outgoing
from routing.paging.models import Attempt
from routing.policy import Policy
from routing.wording import written_instant


def zone_of(policy: Policy, schedule: str) -> ZoneInfo:
    """The zone of a schedule; UTC if it has been removed since."""
    known = policy.schedules.get(schedule)
    return BusinessCalendar.around_the_clock(known.zone if known else "UTC").zone


def values_of(session: Session, policy: Policy, drill: Drill) -> dict[str, Any]:
    """The values of the placeholders that a drill's sentences may use."""
    name = session.get_one(Person, drill.person_key).name
    begins = drill.shift_start
    shift = (
        f" before the shift on {written_instant(begins, zone_of(policy, drill.schedule))}" if begins else ""
    )
    return {"name": name, "schedule": drill.schedule, "shift": shift}


def outgoing_of(session: Session, attempt: Attempt, policy: Policy, since: datetime, secret: str) -> Outgoing:
    """A drill's attempt as a channel needs it."""
    drill = session.get_one(Drill, attempt.drill_id)
    values = values_of(session, policy, drill)
    attempt.text = attempt.text or policy.say(f"sms_{attempt.purpose}", None, **values).text
    return Outgoing(
        attempt.id, attempt.channel, attempt.address, attempt.from_number, attempt.text, ring_s=30, since=since,
        title=policy.say("note_title_drill", None, **values).text, note=attempt.text, secret=secret,
        facts={
            "purpose": attempt.purpose, "person": attempt.person_key, "drill": drill.id, "schedule": drill.schedule,
            "shift_start": drill.shift_start.isoformat() if drill.shift_start else None,
        },
    )  # fmt: skip
