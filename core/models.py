"""The nouns that every package shares. Models are typed and quiet: methods read their own fields only."""

from __future__ import annotations

import enum
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.database import Base, Instant, Json
from core.exact import Exact
from core.prepared import prepared_insert
from core.straight import straight

FIRST_CASE_NUMBER = 1001


class Customer(Base):
    """A company that the vendor has promised something to."""

    __tablename__ = "customers"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(64), unique=True)
    name: Mapped[str] = mapped_column(sa.String(200))
    support_id: Mapped[str] = mapped_column(sa.String(12), unique=True)
    active: Mapped[bool] = mapped_column(default=True)

    contracts: Mapped[list[Contract]] = relationship(back_populates="customer")


class Contact(Base):
    """A person at a customer."""

    __tablename__ = "contacts"

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customers.id"), index=True)
    name: Mapped[str] = mapped_column(sa.String(200))
    phone: Mapped[str | None] = mapped_column(sa.String(16), index=True)
    email: Mapped[str | None] = mapped_column(sa.String(320), index=True)
    active: Mapped[bool] = mapped_column(default=True)

    may_request_priority_1: Mapped[bool] = mapped_column(default=False)

    customer: Mapped[Customer] = relationship()


class CustomerDomain(Base):
    """A domain whose mail comes from a customer. In the form in which addresses are compared."""

    __tablename__ = "customer_domains"

    domain: Mapped[str] = mapped_column(sa.String(253), primary_key=True)
    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customers.id"), index=True)


class Contract(Base):
    """What joins a customer to a service: its tier, and its terms for work outside business hours.

    ``monthly_hours`` of Managed Services; ``checks`` of Managed Operations, ``{key: {name, direction, priority}}``;
    ``cloud_systems``, ``{key: {name, annual_fee: "12000.00", currency: "USD"}}``: fees are exact decimal text.
    """

    __tablename__ = "contracts"
    __table_args__ = (sa.UniqueConstraint("customer_id", "service"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customers.id"))
    service: Mapped[str] = mapped_column(sa.String(40))
    tier: Mapped[str] = mapped_column(sa.String(40))
    consent: Mapped[str] = mapped_column(sa.String(12), default="ask")
    starts_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    calendar: Mapped[str | None] = mapped_column(sa.String(40))
    monthly_hours: Mapped[Decimal | None] = mapped_column(Exact)
    checks: Mapped[Json] = mapped_column(default=dict)
    cloud_systems: Mapped[Json] = mapped_column(default=dict)

    customer: Mapped[Customer] = relationship(back_populates="contracts")


class Person(Base):
    """Somebody of the vendor's who can be rung."""

    __tablename__ = "people"

    key: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(200))
    phone: Mapped[str] = mapped_column(sa.String(16), index=True)
    phone_verified: Mapped[bool] = mapped_column(default=False)
    email: Mapped[str | None] = mapped_column(sa.String(320))
    active: Mapped[bool] = mapped_column(default=True)


class CaseStatus(enum.StrEnum):
    """Where a case stands."""

    OPEN = "open"
    CLOSED = "closed"


class Case(Base):
    """A contact with a promise attached. ``id`` is the case number that people say and read.

    A case that came by mail has its ``mailbox`` and the sender's ``from_address`` instead of a line and a number.
    ``needs_look``: a mail of it could not be read, or its sender is forged. ``consent_asked_at`` is when the
    customer was asked to accept additional charges; nothing is urgent until they have.
    """

    __tablename__ = "cases"
    __table_args__ = (
        sa.Index(
            "ix_cases_open_from",
            "from_number",
            postgresql_where=sa.text("status = 'open'"),
            sqlite_where=sa.text("status = 'open'"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(sa.Identity(start=FIRST_CASE_NUMBER), primary_key=True)
    origin: Mapped[str] = mapped_column(sa.String(120), unique=True)
    channel: Mapped[str] = mapped_column(sa.String(16))
    service: Mapped[str] = mapped_column(sa.String(40))
    line: Mapped[str | None] = mapped_column(sa.String(40))
    mailbox: Mapped[str | None] = mapped_column(sa.String(40))
    customer_id: Mapped[int | None] = mapped_column(sa.ForeignKey("customers.id"), index=True)
    contact_id: Mapped[int | None] = mapped_column(sa.ForeignKey("contacts.id"))
    verified: Mapped[bool]
    tier: Mapped[str | None] = mapped_column(sa.String(40))
    title: Mapped[str] = mapped_column(sa.String(200))
    priority: Mapped[int]
    status: Mapped[str] = mapped_column(sa.String(8), default=CaseStatus.OPEN)
    from_number: Mapped[str | None] = mapped_column(sa.String(16))
    callback_number: Mapped[str | None] = mapped_column(sa.String(16))
    from_address: Mapped[str | None] = mapped_column(sa.String(400))
    needs_look: Mapped[bool] = mapped_column(default=False)
    contact_at: Mapped[Instant]
    opened_at: Mapped[Instant]
    target: Mapped[str] = mapped_column(sa.String(40))
    due_at: Mapped[Instant | None]
    consent_asked_at: Mapped[Instant | None]
    consented_at: Mapped[Instant | None]
    engineer: Mapped[str | None] = mapped_column(sa.ForeignKey("people.key"))
    acknowledged_at: Mapped[Instant | None]
    responded_at: Mapped[Instant | None]
    response_kind: Mapped[str | None] = mapped_column(sa.String(20))
    closed_at: Mapped[Instant | None]
    merged_into: Mapped[int | None]  # the number of the case that this one goes on in

    customer: Mapped[Customer | None] = relationship()
    contact: Mapped[Contact | None] = relationship()

    @property
    def callable_number(self) -> str | None:
        """Where the customer wants to be called back, E.164; of who wrote, the telephone that we know."""
        own = self.callback_number or self.from_number
        if own is not None or self.contact_id is None:
            return own
        return self.contact.phone if self.contact else None


class Message(Base):
    """Something said on a case: a voicemail, a text, a mail, a note. ``public`` ones the customer may see.

    Of a mail: ``mail_message_id`` is its Message-ID in angle brackets, ``html`` may be shown as it is, and
    ``details`` has ``subject``, ``from`` {name, address}, ``to``, ``cc``, ``quoted``, ``signature``, ``attachments``
    [{index, name, type, size, inline, content_id, sha256}], ``remote_images``, ``authentication``, ``verdict``,
    ``problems`` and ``person``, as far as there is something to say.
    """

    __tablename__ = "messages"
    __table_args__ = (
        sa.Index(
            "ix_messages_mail_message_id",
            "mail_message_id",
            postgresql_where=sa.text("mail_message_id IS NOT NULL"),
            sqlite_where=sa.text("mail_message_id IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(sa.ForeignKey("cases.id"), index=True)
    at: Mapped[Instant]
    channel: Mapped[str] = mapped_column(sa.String(16))
    author: Mapped[str] = mapped_column(sa.String(16))
    body: Mapped[str] = mapped_column(sa.Text, default="")
    public: Mapped[bool] = mapped_column(default=True)
    mail_message_id: Mapped[str | None] = mapped_column(sa.String(500))
    html: Mapped[str | None] = mapped_column(sa.Text)
    details: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))


class RecordingState(enum.StrEnum):
    """What became of a recording, as far as the telephone company has said."""

    ANNOUNCED = "announced"  # the caller's key press or hang-up ended it; the final word is still to come
    COMPLETED = "completed"
    NEAR_MISS = "near-miss"  # absent, silent or too short to be a message
    REFUSED = "refused"  # its address is not on the telephone company's host


class Recording(Base):
    """A voicemail's audio: where the telephone company has it, and where we keep it."""

    __tablename__ = "recordings"

    sid: Mapped[str] = mapped_column(sa.String(34), primary_key=True)
    call_sid: Mapped[str] = mapped_column(sa.String(34), index=True)
    case_id: Mapped[int | None] = mapped_column(sa.ForeignKey("cases.id"), index=True)
    state: Mapped[str] = mapped_column(sa.String(12))
    duration_s: Mapped[int | None]
    received_at: Mapped[Instant]
    error_code: Mapped[str | None] = mapped_column(sa.String(10))
    storage_key: Mapped[str | None] = mapped_column(sa.String(200))
    sha256: Mapped[str | None] = mapped_column(sa.String(64))
    size_bytes: Mapped[int | None]
    fetched_at: Mapped[Instant | None]
    transcript: Mapped[str | None] = mapped_column(sa.Text)


class Event(Base):
    """One thing that happened: audit, timeline and outbox at once. Written with the change that it tells."""

    __tablename__ = "events"
    __table_args__ = (
        # Partial: the first event of a call, written while its phone rings, has no case yet.
        sa.Index(
            "ix_events_case_id",
            "case_id",
            postgresql_where=sa.text("case_id IS NOT NULL"),
            sqlite_where=sa.text("case_id IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[Instant]
    kind: Mapped[str] = mapped_column(sa.String(40))
    case_id: Mapped[int | None] = mapped_column(sa.ForeignKey("cases.id"))
    call_sid: Mapped[str | None] = mapped_column(sa.String(34), index=True)
    person: Mapped[str | None] = mapped_column(sa.String(64))
    data: Mapped[Json]


_EVENT = prepared_insert(Event)


def record(
    session: sa.orm.Session,
    kind: str,
    at: datetime,
    *,
    case_id: int | None = None,
    call_sid: str | None = None,
    person: str | None = None,
    **data: Any,
) -> None:
    """Write an event in the transaction of the change that it tells."""
    straight(session, _EVENT, at=at, kind=kind, case_id=case_id, call_sid=call_sid, person=person, data=data)
