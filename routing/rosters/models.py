"""The rows: changes of schedules, addresses under which calendars are read, and calendars that we read."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base, Instant, Json


class ScheduleChange(Base):
    """An absence, an override or a swap, as ``routing.oncall.read_change`` reads it from ``kind`` and ``data``.

    ``schedule`` is None for an absence, which is one from all schedules. ``from_at`` and ``to_at`` enclose what
    the change touches. ``source`` says where it came from: ``cli``, ``file:NAME`` or ``ics:ID`` of a subscription.
    """

    __tablename__ = "schedule_changes"
    __table_args__ = (
        # Partial: what a ringing page has to look at, and not what was withdrawn.
        sa.Index(
            "ix_schedule_changes_in_force",
            "to_at",
            postgresql_where=sa.text("withdrawn_at IS NULL"),
            sqlite_where=sa.text("withdrawn_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    schedule: Mapped[str | None] = mapped_column(sa.String(64))
    kind: Mapped[str] = mapped_column(sa.String(10))
    data: Mapped[Json]
    from_at: Mapped[Instant]
    to_at: Mapped[Instant]
    person: Mapped[str | None] = mapped_column(sa.String(64), index=True)
    source: Mapped[str] = mapped_column(sa.String(120))
    created_at: Mapped[Instant]
    created_by: Mapped[str] = mapped_column(sa.String(64))
    withdrawn_at: Mapped[Instant | None]


class CalendarFeed(Base):
    """A secret address under which a calendar can be read; only a fingerprint of its secret is kept.

    ``kind`` is ``person`` or ``schedule``, and ``key`` that of the person or schedule.
    """

    __tablename__ = "calendar_feeds"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(10))
    key: Mapped[str] = mapped_column(sa.String(64))
    token_sha256: Mapped[str] = mapped_column(sa.String(64), unique=True)
    created_at: Mapped[Instant]
    created_by: Mapped[str] = mapped_column(sa.String(64))
    void_at: Mapped[Instant | None]


class AbsenceFeed(Base):
    """A calendar whose busy events are a person's absences. ``url`` is a secret: it must not come into logs."""

    __tablename__ = "absence_feeds"

    id: Mapped[int] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(sa.String(64), index=True)
    url: Mapped[str] = mapped_column(sa.Text)
    matching: Mapped[str | None] = mapped_column(sa.String(200))
    created_at: Mapped[Instant]
    created_by: Mapped[str] = mapped_column(sa.String(64))
    fetched_at: Mapped[Instant | None]
    failed_at: Mapped[Instant | None]
    last_error: Mapped[str | None] = mapped_column(sa.String(300))
    withdrawn_at: Mapped[Instant | None]

    @property
    def source(self) -> str:
        """The ``source`` of the absences that come from it."""
        return f"ics:{self.id}"
