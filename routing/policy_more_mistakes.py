"""All mistakes of a calendar or a schedule: its reader stops at the first, which is left out to read on. Pure."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

from routing.business_hours import BusinessCalendar
from routing.business_hours.errors import CalendarError
from routing.oncall import Schedule, ScheduleError
from routing.policy_document import Place
from routing.policy_words import place_within

PartError = CalendarError | ScheduleError
_MOST = 50


def all_mistakes(first: PartError, part: Any) -> Iterator[tuple[Place, str]]:
    """Each mistake in ``part``, the raw document in which ``first`` was found, with its place inside of it."""
    read: Callable[[Any], object] = (
        BusinessCalendar.from_dict if isinstance(first, CalendarError) else Schedule.from_dict
    )
    part, gone, error = copy.deepcopy(part), list[Place](), first
    for _ in range(_MOST):
        found = _as_written(place_within(error.key), gone)
        if any(_belong_together(found, other) for other in gone):
            return  # what is left out is missed: that is no mistake of the writer's
        yield found, error.sentence
        place = _to_leave_out(place_within(error.key))
        gone.append(_as_written(place, gone))
        if not _leave_out(part, place):
            return
        try:
            read(part)
        except (CalendarError, ScheduleError) as further:
            error = further
        else:
            return


def _to_leave_out(place: Place) -> Place:
    """The entry of a list that the place is in; of the holidays all, because they depend on each other."""
    for end in range(len(place), 0, -1):
        if isinstance(place[end - 1], int):
            return place[:end]
    return place[:1] if place[:1] == ("holidays",) else place


def _leave_out(part: Any, place: Place) -> bool:
    try:
        for key in place[:-1]:
            part = part[key]
        if place[-1:] == ("zone",):
            part["zone"] = "UTC"
        else:
            del part[place[-1]]
    except (KeyError, IndexError, TypeError):
        return False
    return True


def _as_written(place: Place, gone: list[Place]) -> Place:
    """``place`` as the writer counts: entries before it may have been left out."""
    found: list[str | int] = []
    for key in place:
        if isinstance(key, int):
            for other in sorted(o[-1] for o in gone if o[:-1] == tuple(found) and isinstance(o[-1], int)):
                key += other <= key
        found.append(key)
    return tuple(found)


def _belong_together(one: Place, other: Place) -> bool:
    shared = min(len(one), len(other))
    return one[:shared] == other[:shared]
