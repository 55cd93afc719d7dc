"""A schedule: rotations in layers, and what people changed on top of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from routing.oncall.changes import (
    Absence,
    Override,
    Swap,
    read_absence,
    read_override,
    read_swap,
    write_absence,
    write_override,
    write_swap,
)
from routing.oncall.errors import ScheduleError, at
from routing.oncall.fields import items, mapping
from routing.oncall.rotation import Rotation
from routing.wall_time import parse_zone

_T = TypeVar("_T")


@dataclass(frozen=True)
class Schedule:
    """Who is on call, decided in this order:

    1. In each layer the rotation names a person. Absent: the next member who is not; all absent: nobody.
    2. A later layer lies on top. Where it has somebody it replaces the layers below; where not, they show
       through.
    3. Swaps, then overrides, apply in order, each to the outcome of those before it. They name people
       expressly, so an absence does not undo them, and a removed person (``by`` None) leaves nobody, not the
       layer below.

    ``zone`` is that of times without an offset in a policy file, and of layers that name none.
    """

    zone: str
    layers: tuple[Rotation, ...] = ()
    overrides: tuple[Override, ...] = ()
    swaps: tuple[Swap, ...] = ()
    absences: tuple[Absence, ...] = ()

    def __post_init__(self) -> None:
        with at("zone"):
            parse_zone(self.zone)
        names: set[str] = set()
        for index, layer in enumerate(self.layers):
            if layer.name in names:
                raise ScheduleError(
                    f"layers[{index}].name", f"{layer.name!r} is taken; expected another name"
                )
            names.add(layer.name)

    @cached_property
    def members(self) -> tuple[str, ...]:
        """Everybody in a rotation, each once, in the order of the layers."""
        return tuple(dict.fromkeys(member for layer in self.layers for member in layer.members))

    @cached_property
    def people(self) -> tuple[str, ...]:
        """Everybody who is named anywhere, each once: the members first."""
        named: list[str | None] = [*self.members]
        for override in self.overrides:
            named += [override.by, override.replaces]
        for swap in self.swaps:
            named += [swap.one.person, swap.other.person]
        named += [absence.person for absence in self.absences]
        return tuple(dict.fromkeys(name for name in named if name is not None))

    @classmethod
    def from_dict(cls, data: object) -> Schedule:
        """A schedule as a policy file has it; a layer is read by ``Rotation.from_dict``.

        ``{zone, layers: [...], overrides: [{from, to, person: sam (null: nobody), instead_of: dana (none:
        whoever)}], swaps: [{dana: {from, to}, sam: {from, to}}], absences: [{person, from, to}]}``. Instants
        are text or YAML's own; without an offset they are in ``zone``; a date alone is all of that day. A
        ``Schedule`` is returned as it is. Raises ``ScheduleError`` with the path of the mistake.
        """
        if isinstance(data, Schedule):
            return data
        found = mapping(data, ("zone", "layers"), ("overrides", "swaps", "absences"))
        with at("zone"):
            zone = parse_zone(found["zone"])
        numbers = count(1)
        layers = _each(
            found["layers"],
            "layers",
            lambda layer: Rotation.from_dict(layer, zone=zone.key, name=f"layer {next(numbers)}"),
        )
        if not layers:
            raise ScheduleError("layers", "has no rotation; expected at least one")
        return cls(
            zone.key,
            layers,
            _each(found.get("overrides"), "overrides", lambda entry: read_override(entry, zone)),
            _each(found.get("swaps"), "swaps", lambda entry: read_swap(entry, zone)),
            _each(found.get("absences"), "absences", lambda entry: read_absence(entry, zone)),
        )

    def to_dict(self) -> dict[str, Any]:
        """The dict that ``from_dict`` reads as an equal schedule, if there is a layer."""
        zone = ZoneInfo(self.zone)
        changes = {
            "overrides": [write_override(override, zone) for override in self.overrides],
            "swaps": [write_swap(swap, zone) for swap in self.swaps],
            "absences": [write_absence(absence, zone) for absence in self.absences],
        }
        data: dict[str, Any] = {"zone": self.zone, "layers": [layer.to_dict() for layer in self.layers]}
        return data | {key: listed for key, listed in changes.items() if listed}


def _each(data: object, key: str, read: Callable[[object], _T]) -> tuple[_T, ...]:
    found: list[_T] = []
    with at(key):
        for index, entry in enumerate(items(data)):
            with at(f"[{index}]"):
                found.append(read(entry))
    return tuple(found)
