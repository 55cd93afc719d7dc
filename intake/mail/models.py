"""Mail as it came in: the raw bytes, and one row for each of our mailboxes that a mail was sent to."""

from __future__ import annotations

import enum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.database import Base, Instant, JsonList
from core.models import Case, Message


class MailState(enum.StrEnum):
    """What became of a mail."""

    STORED = "stored"  # safe, and waits to be taken in
    TAKEN = "taken"  # on its case
    POISON = "poison"  # on a case as well, but it could not be read; it can be taken in again
    DUPLICATE = "duplicate"  # another copy of a mail that is here already, with other bytes


class MailBytes(Base):
    """A mail as it came, to the byte. Attachments are not kept twice: they are read out of this."""

    __tablename__ = "mail_bytes"

    sha256: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    raw: Mapped[bytes] = mapped_column(sa.LargeBinary)


class InboundMail(Base):
    """A mail to one of our mailboxes. The unique key decides which of two copies is the first.

    ``recipient`` is the mailbox's own address, ``addressed`` how it was written: with its tag, or as an alias.
    ``dedupe_key`` is made of the Message-ID and the sender, or of what is said where there is no Message-ID.
    ``sender`` and ``topic`` are what a machine's next mail about the same is known by. ``authentication`` has the
    verdicts that we came to ourselves, ``[{name, result, reason, properties}]``; None where we did not look.
    """

    __tablename__ = "inbound_mails"
    __table_args__ = (
        sa.UniqueConstraint("dedupe_key", "recipient"),
        sa.Index("ix_inbound_mails_sender_topic", "sender", "topic"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    mailbox: Mapped[str | None] = mapped_column(sa.String(40))
    recipient: Mapped[str] = mapped_column(sa.String(400))
    addressed: Mapped[JsonList]
    envelope_from: Mapped[str | None] = mapped_column(sa.String(1000))
    via: Mapped[str] = mapped_column(sa.String(8))
    received_at: Mapped[Instant] = mapped_column(index=True)
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(sa.ForeignKey("mail_bytes.sha256"), index=True)
    dedupe_key: Mapped[str] = mapped_column(sa.String(80))
    message_id: Mapped[str | None] = mapped_column(sa.String(500), index=True)
    sender: Mapped[str | None] = mapped_column(sa.String(400))
    topic: Mapped[str | None] = mapped_column(sa.String(64))
    authentication: Mapped[list[dict[str, object]] | None] = mapped_column(sa.JSON(none_as_null=True))
    state: Mapped[str] = mapped_column(sa.String(10), default=MailState.STORED)
    case_id: Mapped[int | None] = mapped_column(sa.ForeignKey("cases.id"), index=True)
    message_row: Mapped[int | None] = mapped_column(sa.ForeignKey("messages.id"), index=True)
    taken_at: Mapped[Instant | None]
    error: Mapped[str | None] = mapped_column(sa.String(500))

    case: Mapped[Case | None] = relationship()
    message: Mapped[Message | None] = relationship()
