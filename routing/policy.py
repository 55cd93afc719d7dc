"""The policy: lines, tiers, calendars, prompts, rotations and escalation, as one value read from one document.

A policy is immutable. A new one replaces it whole, under a new version, so that every decision names the version
it was made under and a running escalation keeps the one it began with.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, InstanceOf, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from core.twiml import Say, Voice
from routing.business_hours import BusinessCalendar
from routing.contact_methods import Hook, Limits
from routing.drills.rules import DrillRule
from routing.escalation.rules import Escalation, Step
from routing.mailboxes import Mailbox
from routing.oncall import Schedule
from routing.policy_checks import check
from routing.policy_parts import CustomerEntry, Line, PersonEntry, Service, Tier
from routing.prompt_texts import Prompts, PromptText
from routing.prompts import shipped_sentence

__all__ = ["Escalation", "Policy", "Step"]

# The type of the error whose context has the mistakes between parts: a list of ``policy_checks.Mistake``.
NOT_JOINED_UP = "not_joined_up"
# The context of reading a policy that was checked when it was applied.
STORED = "stored"


class Policy(BaseModel):
    """Everything that admins decide. Keys of the mappings are the names that the parts call each other by."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    company: str
    calendars: dict[str, Annotated[InstanceOf[BusinessCalendar], BeforeValidator(BusinessCalendar.from_dict)]]
    services: dict[str, Service]
    tiers: dict[str, Tier]
    lines: dict[str, Line]
    mailboxes: dict[str, Mailbox] = {}
    prompts: Prompts
    people: dict[str, PersonEntry]
    schedules: dict[str, Annotated[InstanceOf[Schedule], BeforeValidator(Schedule.from_dict)]]
    escalations: dict[str, Escalation]
    customers: dict[str, CustomerEntry] = {}
    limits: Limits = Limits()
    webhooks: dict[str, Hook] = {}
    # By the key of a schedule: the test page before each of its shifts.
    drills: dict[str, DrillRule] = {}

    @cached_property
    def line_by_number(self) -> Mapping[str, str]:
        """E.164 number -> key of the line."""
        return {line.number: key for key, line in self.lines.items()}

    @cached_property
    def mailbox_by_address(self) -> Mapping[str, str]:
        """Each mailbox's address and aliases, as addresses are compared -> key of the mailbox."""
        return {
            address: key for key, box in self.mailboxes.items() for address in (box.address, *box.aliases)
        }

    def calendar_of(self, service: str, customer: str | None = None) -> BusinessCalendar:
        """The business calendar of a service; of the first one, if an old case names a service that is gone.

        With the key of a ``customer``: the calendar that the customer's promises run on, which the contract or
        the customer may name.
        """
        known = self.services.get(service) or next(iter(self.services.values()))
        theirs = self.customers.get(customer) if customer is not None else None
        if theirs is None:
            return self.calendars[known.calendar]
        contract = theirs.contracts.get(service)
        named = (contract.calendar if contract else None) or theirs.calendar or known.calendar
        return self.calendars[named]

    def kind_of(self, service: str) -> str:
        """What a service is in the agreement: ``support``, ``managed-services``, ``managed-operations``."""
        known = self.services.get(service)
        return (known.kind if known else None) or service

    def escalation_of(self, service: str, priority: int | None = None) -> str | None:
        """The escalation of a service, for a priority perhaps.

        Any, if an old case names a service that is gone: somebody must be rung.
        """
        known = self.services.get(service)
        if known is None:
            return next(iter(self.escalations), None)
        own = known.escalation_by_priority.get(priority) if priority is not None else None
        return own or known.escalation

    def name_of(self, line: str | None, service: str) -> str:
        """What a case came in on, in words; an old case may name a line and a service that are gone."""
        found = self.lines.get(line) if line else None
        found_service = self.services.get(service)
        return found.name if found else found_service.name if found_service else service

    def say(self, key: str, line: str | None = None, /, **values: object) -> Say:
        """The sentence ``key`` as ``line`` says it, filled with ``values``.

        An old case may name a line that is gone, and an old policy may lack a sentence that is newer than it.
        """
        spoken = self.lines.get(line) if line else None
        prompt = (spoken.prompts.get(key) if spoken else None) or self.prompts.get(key)
        prompt = prompt or PromptText(text=shipped_sentence(key))
        if prompt.audio:
            return Say(audio_url=prompt.audio)
        common = {"company": self.company, "line": spoken.name if spoken else ""}
        return Say(prompt.text.format_map(common | values), voice=spoken.spoken_with if spoken else Voice())

    @model_validator(mode="after")
    def _joined_up(self, info: ValidationInfo) -> Policy:
        if info.context == STORED:
            return self  # it was checked when it was applied, by the rules of then
        mistakes = check(self)
        if mistakes:
            raise PydanticCustomError(NOT_JOINED_UP, "the parts do not fit together", {"mistakes": mistakes})
        return self
