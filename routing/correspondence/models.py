"""Mail on its way out, what is known of addresses that take none, and consents that were asked for by mail."""

from __future__ import annotations

import enum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.database import Base, Instant, Json, JsonList
from core.models import Case, Message
from routing.correspondence.states import MailState


class MailKind(enum.StrEnum):
    """What a mail is for."""

    RECEIPT = "receipt"  # the case is open
    ACCEPTED = "accepted"  # somebody has it
    REOPENED = "reopened"  # the case is open again
    REPLY = "reply"  # an engineer writes to the customer
    CONSENT_REQUEST = "consent-request"
    CONSENT_ANSWER = "consent-answer"
    ENGINEER_NOTICE = "engineer-notice"  # what became of an engineer's own mail

    @property
    def is_automatic(self) -> bool:
        """Whether no person wrote it, and no machine must answer it."""
        return self is not MailKind.REPLY

    @property
    def is_for_customer(self) -> bool:
        """Whether a customer gets it."""
        return self is not MailKind.ENGINEER_NOTICE


# They have a link with which whoever reads the case could accept charges for the customer.
FOR_THE_CUSTOMER_ALONE = (MailKind.CONSENT_REQUEST, MailKind.CONSENT_ANSWER)

_UNDER_WAY = sa.text("state = 'waiting' OR state = 'sending'")
_ONCE = sa.text("kind = 'receipt' OR kind = 'accepted'")


class OutboundMail(Base):
    """One mail, written in the transaction of what it tells, and sent by the worker.

    ``raw`` is the finished mail: each try sends the same bytes under the same Message-ID. ``remaining`` are the
    recipients that no server has taken it for yet; ``failures`` says of a recipient what became of it,
    ``{address: {status, permanent, said}}``. ``topic`` is the bare subject, by which repetitions are counted.
    ``cycle`` is the number of the case's promise in which it was written: of each, it is told once who has the case.
    """

    __tablename__ = "outbound_mails"
    __table_args__ = (
        sa.Index(
            "uq_outbound_mails_once",
            "case_id",
            "kind",
            "cycle",
            unique=True,
            postgresql_where=_ONCE,
            sqlite_where=_ONCE,
        ),
        sa.Index("ix_outbound_mails_to_address", "to_address", "created_at"),
        sa.Index(
            "ix_outbound_mails_under_way", "created_at", postgresql_where=_UNDER_WAY, sqlite_where=_UNDER_WAY
        ),
        sa.Index("ix_outbound_mails_sent_at", "sent_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(sa.ForeignKey("cases.id"), index=True)
    message_id: Mapped[int | None] = mapped_column(sa.ForeignKey("messages.id"))
    kind: Mapped[str] = mapped_column(sa.String(20))
    cycle: Mapped[int] = mapped_column(default=1, server_default="1")
    person: Mapped[str | None] = mapped_column(sa.String(64))
    to_address: Mapped[str] = mapped_column(sa.String(320))
    copies: Mapped[JsonList]
    remaining: Mapped[JsonList]
    failures: Mapped[Json]
    envelope_from: Mapped[str] = mapped_column(sa.String(400))
    rfc_message_id: Mapped[str] = mapped_column(sa.String(500), unique=True)
    topic: Mapped[str] = mapped_column(sa.String(200))
    raw: Mapped[bytes] = mapped_column(sa.LargeBinary, deferred=True)
    state: Mapped[str] = mapped_column(sa.String(12), default=MailState.WAITING)
    tries: Mapped[int] = mapped_column(default=0)
    alarmed: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[Instant]
    sent_at: Mapped[Instant | None]
    error: Mapped[str | None] = mapped_column(sa.String(300))

    case: Mapped[Case] = relationship()
    message: Mapped[Message | None] = relationship()

    @property
    def standing(self) -> MailState:
        """Its state as a member of the table."""
        return MailState(self.state)

    @property
    def purpose(self) -> MailKind:
        """Its kind as a member."""
        return MailKind(self.kind)

    @property
    def subject(self) -> str:
        """What its due work is filed under."""
        return f"outbound:{self.id}"

    @property
    def recipients(self) -> tuple[str, ...]:
        """Everybody it is for, the addressee first."""
        return (self.to_address, *map(str, self.copies))

    @property
    def reached_nobody(self) -> bool:
        """Whether it has failed for good for every recipient."""
        return all(self.failed_for_good(address) for address in self.recipients)

    def failed_for_good(self, address: str) -> bool:
        """Whether this recipient cannot get it any more."""
        failure: dict[str, Any] = self.failures.get(address, {})
        return bool(failure.get("permanent"))


class AddressFact(Base):
    """A mail address, as addresses are compared, that takes no mail, and why; until mail comes from it."""

    __tablename__ = "address_facts"

    address: Mapped[str] = mapped_column(sa.String(320), primary_key=True)
    no_mail_reason: Mapped[str] = mapped_column(sa.String(80))
    at: Mapped[Instant]


class ConsentState(enum.StrEnum):
    """What became of the question whether additional charges are accepted."""

    ASKED = "asked"  # whether it can still be answered is for the clock and the case to say
    ACCEPTED = "accepted"


class ConsentAbout(enum.StrEnum):
    """What a contact is asked."""

    CHARGES = "charges"  # whether they accept additional charges outside of business hours
    SENDER = "sender"  # whether it was they who asked for priority 1


class ConsentRequest(Base):
    """The question, by mail, whether additional charges are accepted, or whether a wish was the contact's own.

    ``address`` is who was asked; nobody else can accept by mail. ``nonce`` is in the signed link: it works once.
    ``expires_at``: for charges, when business hours begin and no consent is needed any more.
    """

    __tablename__ = "consent_requests"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(sa.ForeignKey("cases.id"), index=True)
    about: Mapped[str] = mapped_column(sa.String(10), default=ConsentAbout.CHARGES)
    address: Mapped[str] = mapped_column(sa.String(320))
    nonce: Mapped[str] = mapped_column(sa.String(32))
    state: Mapped[str] = mapped_column(sa.String(10), default=ConsentState.ASKED)
    asked_at: Mapped[Instant]
    expires_at: Mapped[Instant]
    accepted_at: Mapped[Instant | None]
    accepted_via: Mapped[str | None] = mapped_column(sa.String(10))
    hinted_at: Mapped[Instant | None]

    case: Mapped[Case] = relationship()
