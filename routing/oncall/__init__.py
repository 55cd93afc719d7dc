"""Who is on call: rotations in layers, overrides, swaps and absences, and the questions people ask of them.

Everything is half-open ``[start, end)``, takes aware datetimes, and answers in UTC.
"""

from routing.oncall.answers import Difference, Shift, diff, gaps, next_shift, on_call, order, shifts
from routing.oncall.cadence import Unit
from routing.oncall.changes import Absence, Override, Swap, Turn
from routing.oncall.composition import (
    Change,
    ChangeKind,
    compose,
    kind_of,
    people_of,
    read_change,
    span_of,
    write_change,
)
from routing.oncall.errors import ScheduleError
from routing.oncall.hours import Window
from routing.oncall.rotation import Rotation
from routing.oncall.schedule import Schedule
from routing.oncall.timeline import Reason

__all__ = [
    "Absence",
    "Change",
    "ChangeKind",
    "Difference",
    "Override",
    "Reason",
    "Rotation",
    "Schedule",
    "ScheduleError",
    "Shift",
    "Swap",
    "Turn",
    "Unit",
    "Window",
    "compose",
    "diff",
    "gaps",
    "kind_of",
    "next_shift",
    "on_call",
    "order",
    "people_of",
    "read_change",
    "shifts",
    "span_of",
    "write_change",
]
