"""The record of promises: one row for each cycle of a case, with all that proves its verdict again."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base, Instant
from routing.clocks.states import CycleState


class ResponseCycle(Base):
    """A promise and what became of it. The last cycle of a case is the one whose values the case shows.

    ``breached_at`` is the instant at which the promise was broken, not the one at which that was noticed.
    """

    __tablename__ = "response_cycles"
    __table_args__ = (
        sa.UniqueConstraint("case_id", "number"),
        # It has all that a month's percentage needs: the table itself is not read for it.
        sa.Index("ix_response_cycles_month", "started_at", "service", "tier", "state", "due_at"),
        sa.Index(
            "ix_response_cycles_breached",
            "started_at",
            postgresql_where=sa.text("breached_at IS NOT NULL"),
            sqlite_where=sa.text("breached_at IS NOT NULL"),
        ),
        sa.Index(
            "ix_response_cycles_running",
            "due_at",
            postgresql_where=sa.text("state = 'running'"),
            sqlite_where=sa.text("state = 'running'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(sa.ForeignKey("cases.id"))
    number: Mapped[int]
    state: Mapped[str] = mapped_column(sa.String(12))
    service: Mapped[str] = mapped_column(sa.String(40))
    tier: Mapped[str | None] = mapped_column(sa.String(40))
    customer: Mapped[str | None] = mapped_column(sa.String(64))
    priority: Mapped[int]
    started_at: Mapped[Instant]
    target: Mapped[str] = mapped_column(sa.String(40))
    cover: Mapped[str | None] = mapped_column(sa.String(16))
    due_at: Mapped[Instant | None]
    responded_at: Mapped[Instant | None]
    response_kind: Mapped[str | None] = mapped_column(sa.String(20))
    responded_by: Mapped[str | None] = mapped_column(sa.String(64))
    said_how: Mapped[str | None] = mapped_column(sa.Text)
    said_at: Mapped[Instant | None]
    breached_at: Mapped[Instant | None]
    excuse: Mapped[str | None] = mapped_column(sa.String(16))
    excused_by: Mapped[str | None] = mapped_column(sa.String(64))
    excused_at: Mapped[Instant | None]
    policy_version: Mapped[int]
    calendar_fingerprint: Mapped[str] = mapped_column(sa.String(64))
    tz_version: Mapped[str] = mapped_column(sa.String(20))

    @property
    def standing(self) -> CycleState:
        """Its state as a member of the table."""
        return CycleState(self.state)

    @property
    def subject(self) -> str:
        """What its due work is filed under."""
        return f"clock:{self.case_id}"
