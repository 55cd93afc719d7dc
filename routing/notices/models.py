"""Notices to customers, and what is known of telephone numbers that cannot get them."""

from __future__ import annotations

import enum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.database import Base, Instant
from core.models import Case


class NoticeKind(enum.StrEnum):
    """What the customer is told."""

    OPENED = "opened"
    ACCEPTED = "accepted"


class NoticeState(enum.StrEnum):
    """How far a notice has come. What has ended stays ended, but for a text that comes back: it may become a mail."""

    WAITING = "waiting"
    SENDING = "sending"  # written before the request goes out: it may or may not have happened
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    SKIPPED = "skipped"  # there was no way to tell them, or nothing left to tell


class CustomerNotice(Base):
    """One thing that the customer of a case is told. The unique key is what keeps it from being told twice.

    ``text`` is what was sent, word for word: after a crash the telephone company is asked for exactly that.
    ``provider_sid`` is the MessageSid of a text, or the Message-ID of a mail.
    """

    __tablename__ = "customer_notices"
    __table_args__ = (sa.UniqueConstraint("case_id", "kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(sa.ForeignKey("cases.id"))
    kind: Mapped[str] = mapped_column(sa.String(10))
    state: Mapped[str] = mapped_column(sa.String(10))
    channel: Mapped[str | None] = mapped_column(sa.String(8))
    address: Mapped[str | None] = mapped_column(sa.String(320), index=True)
    text: Mapped[str | None] = mapped_column(sa.Text)
    provider_sid: Mapped[str | None] = mapped_column(sa.String(200))
    created_at: Mapped[Instant]
    sent_at: Mapped[Instant | None]
    error: Mapped[str | None] = mapped_column(sa.String(200))

    case: Mapped[Case] = relationship()


class NumberFact(Base):
    """A telephone number (E.164) that cannot or does not want to get texts, and why."""

    __tablename__ = "number_facts"

    number: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    no_text_reason: Mapped[str] = mapped_column(sa.String(40))
    at: Mapped[Instant]
