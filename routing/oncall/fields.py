"""Reading the fields of a policy file: text, or the dates, times and numbers that YAML makes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from routing.oncall.errors import ScheduleError, at
from routing.wall_time import instant_at

_DAY = timedelta(days=1)


def mapping(data: object, required: Sequence[str], optional: Sequence[str] = ()) -> Mapping[str, Any]:
    """``data`` if it is a mapping that has all the ``required`` keys and no unknown one."""
    if not isinstance(data, Mapping):
        raise ScheduleError("", f"is {data!r}; expected a mapping with {', '.join(required)}")
    known = [*required, *optional]
    for key in data:
        if key not in known:
            raise ScheduleError(str(key), f"is not known here; expected one of {', '.join(known)}")
    for key in required:
        if key not in data:
            raise ScheduleError(key, "is missing; it has to be given")
    return data


def items(data: object) -> Sequence[Any]:
    """``data`` if it is a list; nothing (an empty key in YAML) is an empty one."""
    if data is None:
        return ()
    if isinstance(data, str) or not isinstance(data, Sequence):
        raise ValueError(f"{data!r} is not a list; expected one")
    return data


def person(value: object) -> str:
    """A person's key. Bare numbers are taken as text; A bare ``no`` is a boolean to YAML 1.1."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{value!r} is not a person; expected a person's key, in quotes if YAML changes it")
    return value.strip()


def persons(data: object) -> tuple[str, ...]:
    """The keys of a list of people."""
    found: list[str] = []
    for index, value in enumerate(items(data)):
        with at(f"[{index}]"):
            found.append(person(value))
    return tuple(found)


def day_or_time(value: object) -> date | datetime:
    """A ``date``, or a ``datetime`` (naive or aware) if a time of day is given."""
    if isinstance(value, date):
        return value
    if isinstance(value, str):
        for kind in (date, datetime):
            try:
                return kind.fromisoformat(value.strip())
            except ValueError:
                continue
    raise ValueError(f"{value!r} is not a date that exists; expected YYYY-MM-DD or YYYY-MM-DD HH:MM")


def instant(value: object, zone: ZoneInfo, *, closing: bool = False) -> datetime:
    """A UTC instant. Without an offset it is wall time in ``zone``.

    A date alone is its midnight; when ``closing`` a period, the midnight that ends it, because "absent 24 to
    26 December" means the 26th too.
    """
    found = day_or_time(value)
    if not isinstance(found, datetime):
        return instant_at(datetime.combine(found + _DAY if closing else found, time()), zone)
    return instant_at(found, zone) if found.tzinfo is None else found.astimezone(UTC)


def period(data: Mapping[str, Any], zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The instants of ``from`` and ``to``."""
    with at("from"):
        start = instant(data["from"], zone)
    with at("to"):
        end = instant(data["to"], zone, closing=True)
    return start, end


def period_text(start: datetime, end: datetime, zone: ZoneInfo) -> dict[str, Any]:
    """``from`` and ``to`` as people of ``zone`` read them, with the offset, so that they are exact."""
    return {"from": start.astimezone(zone).isoformat(" "), "to": end.astimezone(zone).isoformat(" ")}
