"""Receipts: each request is kept under its business key with the answer it got, in the transaction of its effect.

The unique key decides races; a repeated request gets the stored answer and has no second effect.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.database import Base, Database, Instant, Json
from core.prepared import prepared_insert
from core.straight import straight


class Receipt(Base):
    """A request that was answered: its raw form, and the answer."""

    __tablename__ = "receipts"

    key: Mapped[str] = mapped_column(sa.String(120), primary_key=True)
    at: Mapped[Instant]
    form: Mapped[Json]
    answer: Mapped[str] = mapped_column(sa.Text)


class Counter(Base):
    """A count of something that leaves no other trace, such as forged requests."""

    __tablename__ = "counters"

    name: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    value: Mapped[int] = mapped_column(sa.BigInteger)


KEEP = prepared_insert(Receipt)


def keep(session: Session, key: str, form: dict[str, str], answer: str, at: datetime) -> None:
    """Write the receipt; IntegrityError when the request has been answered before."""
    straight(session, KEEP, key=key, at=at, form=form, answer=answer)


def answer_to(database: Database, key: str) -> str | None:
    """The answer that a request got."""
    with database.reading() as session:
        return session.scalar(sa.select(Receipt.answer).where(Receipt.key == key))


def counted(session: Session, name: str) -> int:
    """The value of a counter."""
    return session.scalar(sa.select(Counter.value).where(Counter.name == name)) or 0


def count(database: Database, name: str, by: int) -> None:
    """Add to a counter."""
    with database.writing() as session:
        raised = session.execute(
            sa.update(Counter).where(Counter.name == name).values(value=Counter.value + by)
        )
        if not raised.rowcount:  # type: ignore[attr-defined]
            session.add(Counter(name=name, value=by))
