"""A customer's call."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base, Instant


class Call(Base):
    """One inbound call, from its first webhook on. ``step`` counts the answers given, so that a repeated request
    gets the answer it got before and has no second effect."""

    __tablename__ = "calls"
    __table_args__ = (
        sa.Index(
            "ix_calls_near_miss",
            "started_at",
            postgresql_where=sa.text("near_miss"),
            sqlite_where=sa.text("near_miss"),
        ),
    )

    sid: Mapped[str] = mapped_column(sa.String(34), primary_key=True)
    line: Mapped[str] = mapped_column(sa.String(40))
    from_number: Mapped[str | None] = mapped_column(sa.String(16))
    stir: Mapped[str | None] = mapped_column(sa.String(40))
    policy_version: Mapped[int]
    started_at: Mapped[Instant]
    ended_at: Mapped[Instant | None]
    state: Mapped[str] = mapped_column(sa.String(12))
    step: Mapped[int] = mapped_column(default=1)
    tries: Mapped[int] = mapped_column(default=0)
    hunted: Mapped[int] = mapped_column(default=0)
    taken_by: Mapped[str | None] = mapped_column(sa.String(200))
    customer_id: Mapped[int | None] = mapped_column(sa.ForeignKey("customers.id"))
    contact_id: Mapped[int | None] = mapped_column(sa.ForeignKey("contacts.id"))
    identified_by: Mapped[str | None] = mapped_column(sa.String(12))
    tier: Mapped[str | None] = mapped_column(sa.String(40))
    consent_terms: Mapped[str] = mapped_column(sa.String(12), default="ask")
    priority: Mapped[int | None]
    priority_assumed: Mapped[bool] = mapped_column(default=False)
    consent: Mapped[str | None] = mapped_column(sa.String(12))
    consented_at: Mapped[Instant | None]
    callback_number: Mapped[str | None] = mapped_column(sa.String(16))
    open_case_id: Mapped[int | None] = mapped_column(sa.ForeignKey("cases.id"))
    adding: Mapped[bool] = mapped_column(default=False)
    sent: Mapped[bool] = mapped_column(default=False)
    case_id: Mapped[int | None] = mapped_column(sa.ForeignKey("cases.id"))
    near_miss: Mapped[bool] = mapped_column(default=False)
