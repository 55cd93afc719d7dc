"""Signs of life: each worker says when it last looked for work."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.database import Base, Instant


class Heartbeat(Base):
    """When a process was last seen alive."""

    __tablename__ = "heartbeats"

    name: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    at: Mapped[Instant]


def beat(session: Session, name: str, now: datetime) -> None:
    """Say that ``name`` is alive."""
    session.merge(Heartbeat(name=name, at=now))


def last_beat(session: Session) -> datetime | None:
    """When any worker was last seen."""
    return session.scalar(sa.select(Heartbeat.at).order_by(Heartbeat.at.desc()).limit(1))
