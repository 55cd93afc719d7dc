"""The parts of the policy: services and their tiers, lines, people, customers and their contracts."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from core import phone_numbers
from core.twiml import Voice
from routing.contact_methods import ContactRule, Method, all_methods, check_names, phone_from_methods
from routing.escalation.rules import Seconds
from routing.mailboxes import MailDomain
from routing.prompt_texts import Prompts
from routing.targets import ResponseTarget

Priority = Annotated[int, Field(ge=1, le=4)]


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
    model_config = ConfigDict(extra="forbid", frozen=True)


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
