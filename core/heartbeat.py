"""Signs of life: each worker says when it last looked for work, each mail process that it is there."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.database import Base, Instant

WORKER, MAIL = "", "mail"


class Heartbeat(Base):
    """When a process was last seen alive. A worker is named by host and process, others are ``kind@`` before it."""

    __tablename__ = "heartbeats"

    name: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    at: Mapped[Instant]


def beat(session: Session, name: str, now: datetime, kind: str = WORKER) -> None:
    """Say that ``name`` is alive: a worker, or of another ``kind``."""
    full = f"{kind}@{name}" if kind else name
    session.merge(Heartbeat(name=full[:80], at=now))


def last_beat(session: Session, kind: str = WORKER) -> datetime | None:
    """When any worker, or any of another ``kind``, was last seen."""
    of_kind = Heartbeat.name.startswith(f"{kind}@") if kind else ~Heartbeat.name.contains("@")
    return session.scalar(sa.select(Heartbeat.at).where(of_kind).order_by(Heartbeat.at.desc()).limit(1))


def mailbox_kind(number: int) -> str:
    """The kind under which it is said that a mailbox has been read: the first one, the second one."""
    return f"mailbox{number}"
