"""The part of the policy that says who is rung in which order: steps, and when they begin."""

from __future__ import annotations

import re
from datetime import timedelta
from fractions import Fraction
from functools import cached_property
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

Seconds = Annotated[int, Field(ge=1, le=86_400)]

ROLES = ("on-call", "next", "everyone")
_EXPECTED = "expected a share of the time that is left, such as 0.25, or a time such as '5 min' or '90 s'"
_TIME = re.compile(r"(\d{1,5}) (min|s)")
_LONGEST = timedelta(days=1)


def _moment(value: object) -> str:
    """A moment as it is kept: ``0.25``, ``5 min``, ``90 s``. ValueError when it is none."""
    text = "" if isinstance(value, bool) else str(value).strip()
    time = _TIME.fullmatch(text)
    if time is not None and _length(time) <= _LONGEST:
        return text
    try:
        share = Fraction(text)
    except (ValueError, ZeroDivisionError):
        share = Fraction(-1)
    if not 0 <= share < 1:
        raise ValueError(f"is {value!r}; {_EXPECTED}")
    return text


def _length(time: re.Match[str]) -> timedelta:
    return timedelta(seconds=int(time[1]) * (60 if time[2] == "min" else 1))


Moment = Annotated[str, BeforeValidator(_moment)]


class Step(BaseModel):
    """Whom to ring, and when: ``at`` a moment of the page, or after the step before has waited ``wait_s``.

    ``of`` is the schedule of ``on-call``, ``next`` and ``everyone``, where it is not the escalation's own.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    ring: str
    of: str | None = None
    at: Moment | None = None
    wait_s: Seconds = 90
    # The page is done only when each person of this step has acknowledged, not with the first one who does.
    everyone_must: bool = False

    @cached_property
    def after(self) -> timedelta | None:
        """How long after the page's beginning it begins, where ``at`` is a time."""
        time = _TIME.fullmatch(self.at) if self.at else None
        return _length(time) if time else None

    @cached_property
    def share(self) -> Fraction | None:
        """At which share of the time that is left when the page begins, where ``at`` is one."""
        return Fraction(self.at) if self.at and self.after is None else None


class Escalation(BaseModel):
    """Who is rung in which order until somebody accepts; the last step is repeated for ever."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schedule: str
    steps: list[Step] = Field(min_length=1)
    repeat_s: Seconds = 120
    ring_s: Annotated[int, Field(ge=5, le=120)] = 30
    # Cases that come within so many seconds of one that rings join it, and are accepted with it; 0: none do.
    bundle_s: Annotated[int, Field(ge=0, le=3600)] = 120
    # Shares of the response time: whoever has a case and has not answered is reminded when they are used up.
    remind_at: list[Annotated[float, Field(gt=0, lt=1)]] = [0.5, 0.75, 0.9]

    @field_validator("remind_at")
    @classmethod
    def _rising(cls, shares: list[float]) -> list[float]:
        if shares != sorted(set(shares)):
            raise ValueError(f"is {shares}; expected rising shares, such as [0.5, 0.75, 0.9]")
        return shares

    @model_validator(mode="after")
    def _in_order(self) -> Escalation:
        first, *others = self.steps
        if first.at is not None and (first.after or first.share):
            raise ValueError("the first step has an 'at': it begins at once; remove it")
        for kind in ("after", "share"):
            found = [moment for step in others if (moment := getattr(step, kind)) is not None]
            if found != sorted(found):
                raise ValueError("the steps' 'at' go back in time; put the steps in the order of their times")
        return self
