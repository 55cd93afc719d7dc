"""What changes in who is rung when, in words: schedules, escalations, drills. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from routing.drills.rules import DrillRule
from routing.escalation.rules import Escalation, Step
from routing.oncall import Schedule
from routing.oncall.changes import Absence, Override, Swap, Turn
from routing.policy_changes_values import fields, keyed, listed, shown, values


def schedules(name: str, before: Schedule, after: Schedule) -> Iterator[str]:
    """Layers by their names, and each change of the day as a sentence."""
    yield from values(f"{name}, zone", before.zone, after.zone)
    old, new = _layers(before), _layers(after)
    yield from keyed(f"{name}, layer", old, new, values, rotation_in_words)
    common = [layer for layer in old if layer in new]
    if common != (now := [layer for layer in new if layer in old]):
        yield f"{name}, order of the layers: {shown(common)} -> {shown(now)}"
    zone = ZoneInfo(after.zone)
    yield from listed(f"{name}, override", before.overrides, after.overrides, lambda o: _override(o, zone))
    yield from listed(f"{name}, swap", before.swaps, after.swaps, lambda s: _swap(s, zone))
    yield from listed(f"{name}, absence", before.absences, after.absences, lambda a: _absence(a, zone))


def schedule_in_words(schedule: Schedule) -> str:
    """Its layers."""
    return "; ".join(rotation_in_words(layer.to_dict()) for layer in schedule.layers)


def rotation_in_words(layer: dict[str, Any]) -> str:
    """``weekly, mon 08:00, from 2026-01-05: dana, luis``."""
    hours = f", {shown(layer['hours'])}" if "hours" in layer else ""
    when = f"{layer['rotation']}, {layer['handover']}, from {layer['start']}{hours}"
    return f"{when}: {', '.join(layer['members'])}"


def _layers(schedule: Schedule) -> dict[str, dict[str, Any]]:
    plain = (layer.to_dict() for layer in schedule.layers)
    return {layer["name"]: {key: v for key, v in layer.items() if key != "name"} for layer in plain}


def _override(override: Override, zone: ZoneInfo) -> str:
    instead = f" instead of {override.replaces}" if override.replaces else ""
    return f"{override.by or 'nobody'}{instead}, {_span(override, zone)}"


def _swap(swap: Swap, zone: ZoneInfo) -> str:
    return " for ".join(f"{turn.person}, {_span(turn, zone)}" for turn in (swap.one, swap.other))


def _absence(absence: Absence, zone: ZoneInfo) -> str:
    return f"{absence.person}, {_span(absence, zone)}"


def _span(period: Override | Absence | Turn, zone: ZoneInfo) -> str:
    return f"{_clock(period.start, zone)} - {_clock(period.end, zone)}"


def _clock(instant: datetime, zone: ZoneInfo) -> str:
    return f"{instant.astimezone(zone):%a %d %b %Y %H:%M %Z}"


def escalations(name: str, before: Escalation, after: Escalation) -> Iterator[str]:
    """Its steps as one sentence, and its other fields."""
    if before.steps != after.steps:
        yield f"{name}, steps: {escalation_in_words(before)} -> {escalation_in_words(after)}"
    yield from fields(name, before, after, leave_out=("steps",))


def escalation_in_words(escalation: Escalation) -> str:
    """``on-call for 90 s, then everyone for 90 s``."""
    return ", then ".join(_step(step) for step in escalation.steps)


def _step(step: Step) -> str:
    told = ("ring", "of", "at", "wait_s")
    rest = {k: value for k, value in step.model_dump(exclude_defaults=True).items() if k not in told}
    whose = f" of {step.of}" if step.of else ""
    at = ""
    if step.at is not None:
        at = f" at {step.at}" if step.share is None else f" at {step.at} of the time left"
    words = f"{step.ring}{whose}{at} for {step.wait_s} s"
    return words + "".join(f", {key} {shown(value)}" for key, value in rest.items())


def drill_in_words(rule: DrillRule) -> str:
    """When it is held, and how long it waits."""
    return f"{rule.before_min} min before, within {rule.hours}, {rule.wait_min} min to answer"
