"""What a step of a phone call may depend on, and what it comes to. Pure."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from core.twiml import Say
from intake.phone.states import Act, State
from routing.business_hours.errors import CalendarError
from routing.coverage import Consent, ContactFacts, Decision, Outcome, decide
from routing.policy import Policy
from routing.wording import spoken_instant


@dataclass(frozen=True)
class Effect:
    """An act and its value: the priority chosen, the consent."""

    act: Act
    value: Any = None


class Standing(enum.StrEnum):
    """How an open case stands, as far as its caller is told."""

    HAS_ENGINEER = "has_engineer"
    RINGING = "ringing"
    WAITS = "waits"


@dataclass(frozen=True)
class OpenCase:
    """The caller's open case, or the one just opened. ``due_at`` and ``outcome`` are those of its decision."""

    number: int
    standing: Standing = Standing.WAITS
    may_escalate: bool = False
    outcome: Outcome = Outcome.WAIT
    due_at: datetime | None = None


@dataclass(frozen=True)
class Facts:
    """Everything that a step may depend on."""

    policy: Policy
    line: str
    contact: ContactFacts
    now: datetime
    tries: int = 0
    team_left: int = 0
    consent_terms: str = "ask"
    open_case: OpenCase | None = None
    new_case: OpenCase | None = None
    adding: bool = False
    callback_number: str | None = None
    entered_number: str | None = None
    has_message: bool = True

    def say(self, key: str, **values: object) -> Say:
        """The sentence ``key`` in the line's voice."""
        return self.policy.say(key, self.line, **values)

    def decision(self, *, priority: int | None = None, consent: Consent | None = None) -> Decision:
        """What will be decided, if a voicemail is left."""
        contact = replace(self.contact, voicemail=True)
        if priority is not None:
            contact = replace(contact, priority=priority)
        if consent is not None:
            contact = replace(contact, consent=consent)
        return decide(contact, self.policy)

    def spoken(self, instant: datetime | None) -> str:
        """An instant in words, in the time zone of the service."""
        if instant is None:
            return "our next business day"
        zone = self.policy.calendar_of(self.contact.service).zone
        return spoken_instant(instant, zone, self.now)

    @property
    def opening(self) -> str:
        """When business hours begin again: ``at 8 AM today``, ``Monday at 8 AM``."""
        try:
            opening = self.spoken(self.policy.calendar_of(self.contact.service).next_opening(self.now))
        except CalendarError:  # a desk that never opens: it has around-the-clock promises only
            return self.spoken(None)
        return f"at {opening}" if opening.endswith(("today", "tomorrow")) else opening


@dataclass(frozen=True)
class Step:
    """What is said, what the call then waits for, and what is done."""

    say: tuple[Say, ...]
    next: State
    effects: tuple[Effect, ...] = ()

    def after(self, *said: Say) -> Step:
        """The same step with something said first."""
        return replace(self, say=(*said, *self.say))

    def doing(self, *effects: Effect) -> Step:
        """The same step with something done first."""
        return replace(self, effects=(*effects, *self.effects))
