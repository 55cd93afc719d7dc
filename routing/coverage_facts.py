"""What decisions are made from, and what they are: the facts of a contact, the outcome, the reasons. Pure."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any


class Outcome(enum.StrEnum):
    """What a decision leads to."""

    PAGE = "page"  # the on-call engineer is rung until somebody accepts
    NOTIFY = "notify"  # the on-call engineer gets a message, nobody is rung
    WAIT = "wait"  # a case waits for business hours
    ASK_CONSENT = (
        "ask-consent"  # it waits, and the customer is asked: to accept charges, or whether they wrote it
    )
    ANSWERED = "answered"  # a colleague took the call
    NEAR_MISS = "near-miss"  # no voicemail: no case, nobody is rung, the call is listed


class Consent(enum.StrEnum):
    """What the customer said about additional charges outside of business hours."""

    ACCEPTED = "accepted"
    BEFOREHAND = "beforehand"
    REFUSED = "refused"
    NEVER = "never"

    @property
    def given(self) -> bool:
        """Whether the charges are accepted."""
        return self in (Consent.ACCEPTED, Consent.BEFOREHAND)


@dataclass(frozen=True)
class ContactFacts:
    """What was known of a contact. ``at`` is when it began: the call's start, mail's receipt (UTC)."""

    at: datetime
    channel: str
    service: str
    line: str | None = None
    customer: str | None = None
    customer_key: str | None = None
    identified_by: str | None = None
    tier: str | None = None
    priority: int | None = None
    priority_assumed: bool = False
    voicemail: bool = False
    consent: Consent | None = None
    taken_by: str | None = None
    stir: str | None = None  # what the carriers say of the calling number; evidence, never an identity
    mailbox: str | None = None
    sender: str | None = (
        None  # of mail: "proven", "unproven", "doubted" or "forged", by what servers found out
    )
    asked_with: str | None = None  # the words that ask for priority 1
    entitled: bool | None = None  # whether the contact may ask for it by mail
    automatic: bool | None = None  # a machine's answer to somebody's mail, such as out of office
    imported: bool | None = None  # old mail out of a file

    def as_json(self) -> dict[str, Any]:
        """The facts as they are stored."""
        known = ((name, getattr(self, name)) for name in _NAMES)
        return {name: value for name, value in known if value is not None} | {"at": self.at.isoformat()}

    @classmethod
    def of_json(cls, stored: dict[str, Any]) -> ContactFacts:
        """The facts that ``as_json`` gave."""
        consent = stored.get("consent")
        return cls(
            **stored
            | {"at": datetime.fromisoformat(stored["at"]), "consent": Consent(consent) if consent else None}
        )


_NAMES = tuple(each.name for each in fields(ContactFacts))


@dataclass(frozen=True)
class Reason:
    """Why: a stable code, and a sentence."""

    code: str
    sentence: str


@dataclass(frozen=True)
class Decision:
    """What happens, the promise that runs, and why."""

    outcome: Outcome
    priority: int
    target: str
    due_at: datetime | None
    reasons: tuple[Reason, ...]
    calendar_fingerprint: str = field(repr=False, default="")
