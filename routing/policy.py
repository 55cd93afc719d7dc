"""The policy: lines, tiers, calendars, prompts, rotations and escalation, as one value read from one document.

A policy is immutable. A new one replaces it whole, under a new version, so that every decision names the version
it was made under and a running escalation keeps the one it began with.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    InstanceOf,
    ValidationInfo,
    model_validator,
)
from pydantic_core import PydanticCustomError

from core import phone_numbers
from core.twiml import Say, Voice
from routing.business_hours import BusinessCalendar
from routing.contact_methods import (
    ContactRule,
    Hook,
    Limits,
    Method,
    all_methods,
    check_names,
    phone_from_methods,
)
from routing.drills.rules import DrillRule
from routing.escalation.rules import Escalation, Seconds, Step
from routing.mailboxes import Mailbox, MailDomain
from routing.oncall import Schedule
from routing.policy_checks import check
from routing.prompt_texts import Prompts, PromptText
from routing.prompts import shipped_sentence
from routing.targets import ResponseTarget

__all__ = ["Escalation", "Policy", "Step"]

Priority = Annotated[int, Field(ge=1, le=4)]

# The type of the error whose context has the mistakes between parts: a list of ``policy_checks.Mistake``.
NOT_JOINED_UP = "not_joined_up"
# The context of reading a policy that was checked when it was applied.
STORED = "stored"


def _e164(value: str) -> str:
    return phone_numbers.required_e164(value)


def _hunted(value: str) -> str:
    return value if value.startswith("sip:") else _e164(value)


def _support_id(value: str) -> str:
    if not (3 <= len(value) <= 12 and value.isascii() and value.isdigit()):
        raise ValueError(f"{value!r} is no support ID; expected 3 to 12 digits in quotes, such as '4471'")
    return value


E164 = Annotated[str, AfterValidator(_e164)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class TierTarget(_Part):
    """The response time for one priority, and the hours that it is kept in."""

    respond: str
    cover: Literal["24x7", "business hours"]

    @cached_property
    def target(self) -> ResponseTarget:
        """The response target as a value."""
        return ResponseTarget.parse(self.respond, self.cover)

    @model_validator(mode="after")
    def _readable(self) -> TierTarget:
        _ = self.target
        return self


class Tier(_Part):
    """What a contract promises for each priority."""

    name: str
    service: str
    targets: dict[Priority, TierTarget] = Field(min_length=1)

    def target(self, priority: int) -> TierTarget:
        """The promise for ``priority``; a service without it promises what its next lower priority has."""
        known = sorted(self.targets)
        return self.targets[next((p for p in known if p >= priority), known[-1])]

    @property
    def covered_priorities(self) -> tuple[int, ...]:
        """The priorities that are covered around the clock."""
        return tuple(p for p in sorted(self.targets) if self.targets[p].cover == "24x7")


class Consent(_Part):
    """Work outside business hours that the caller must agree to pay for."""

    accepted_priority: Priority
    refused_priority: Priority


class Service(_Part):
    """Something that customers have contracts for. Out of hours its tier covers it, or the caller's consent."""

    name: str
    calendar: str
    ordinary_priority: Priority = 3
    consent: Consent | None = None
    escalation: str | None = None
    # For these priorities another one than ``escalation``.
    escalation_by_priority: dict[Priority, str] = {}
    # What it is in the agreement, where its key does not say so.
    kind: Literal["support", "managed-services", "managed-operations"] | None = None

    @property
    def escalations(self) -> frozenset[str]:
        """All escalations that its cases may have."""
        usual = [self.escalation] if self.escalation else []
        return frozenset([*usual, *self.escalation_by_priority.values()])


class Line(_Part):
    """A telephone number that customers call."""

    name: str
    number: E164
    service: str
    language: str = "en-US"
    voice: str = "Polly.Joanna"
    team: list[Annotated[str, AfterValidator(_hunted)]] = []
    ring_s: Seconds = 20
    unknown_callers: Literal["notify", "page", "hold"] = "notify"
    unchosen_priority: Priority = 1
    min_voicemail_s: Annotated[int, Field(ge=1, le=30)] = 2
    max_voicemail_s: Annotated[int, Field(ge=10, le=3600)] = 300
    transcribe: bool = False
    caller_receipts: Literal["sms", "mail", "off"] = "sms"
    prompts: Prompts = {}

    @property
    def spoken_with(self) -> Voice:
        """The voice of the line."""
        return Voice(self.language, self.voice)


class PersonEntry(_Part):
    """Somebody who can be rung."""

    name: str
    phone: E164
    verified: bool = False
    email: str | None = None
    methods: dict[str, Method] = {}
    rules: list[ContactRule] = []
    quiet: list[str] = []

    # With methods alone, the first number among them is the person's phone: texts from there are theirs.
    _phone = model_validator(mode="before")(phone_from_methods)

    @model_validator(mode="after")
    def _known_methods(self) -> PersonEntry:
        known = all_methods(self.phone, self.verified, self.email, self.methods)
        check_names(self.methods, known, self.rules, self.quiet)
        return self


class ContactEntry(_Part):
    """A person at a customer."""

    name: str
    phone: E164 | None = None
    email: str | None = None
    may_request_priority_1: bool = False


class CheckEntry(_Part):
    """A contracted check of Managed Operations; ``direction`` is what the customer wants done when it fails."""

    name: str = Field(min_length=1, max_length=200)
    direction: str = Field(min_length=1, max_length=2000)
    priority: Priority


class CloudSystem(_Part):
    """A system in the cloud: a twelfth of its ``annual_fee`` is the monthly fee that credits are part of."""

    name: str = Field(min_length=1, max_length=200)
    annual_fee: Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=2)]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "USD"


class ContractEntry(_Part):
    """A customer's contract for a service: its tier, and what the agreement lets this service have."""

    tier: str
    consent: Literal["ask", "beforehand", "never"] = "ask"
    starts: date | None = None
    ends: date | None = None
    calendar: str | None = None
    monthly_hours: Annotated[Decimal, Field(gt=0, le=744, decimal_places=2)] | None = None
    checks: dict[str, CheckEntry] = {}
    cloud_systems: dict[str, CloudSystem] = {}


class CustomerEntry(_Part):
    """A company with contracts."""

    name: str
    support_id: Annotated[str, AfterValidator(_support_id)]
    calendar: str | None = None
    contracts: dict[str, ContractEntry] = {}
    domains: list[MailDomain] = []
    contacts: list[ContactEntry] = []


class Policy(_Part):
    """Everything that admins decide. Keys of the mappings are the names that the parts call each other by."""

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
