"""Business hours: when a desk is open, when an amount of open time is used up, and how much of it has passed.

Pure: no clock, no database. Instants go in aware and come out in UTC; every rule about daylight saving is in
:mod:`routing.business_hours.wall_clock`, every rule about holidays in
:mod:`routing.business_hours.holiday_rules`.
"""

from routing.business_hours.business_calendar import BusinessCalendar
from routing.business_hours.errors import BeyondHorizon, CalendarError, NeverCloses, NeverOpens
from routing.business_hours.holiday_rules import HolidayRules, SpecialDay
from routing.business_hours.windows import Window

__all__ = [
    "BeyondHorizon",
    "BusinessCalendar",
    "CalendarError",
    "HolidayRules",
    "NeverCloses",
    "NeverOpens",
    "SpecialDay",
    "Window",
]
