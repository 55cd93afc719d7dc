"""What is remembered of telephone numbers: that they cannot, or do not want to, get texts."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.database import insert_into
from routing.notices.models import NumberFact
from routing.notices.routes import STOPPED


def remember_no_text(session: Session, number: str, reason: str, now: datetime) -> None:
    """From now on ``number`` gets no texts of ours."""
    values = {"no_text_reason": reason, "at": now}
    session.execute(
        insert_into(NumberFact, session.get_bind().dialect.name)
        .values(number=number, **values)
        .on_conflict_do_update(index_elements=["number"], set_=values)
    )


def started_again(session: Session, number: str) -> bool:
    """The owner of ``number`` wants texts again; False if they had never stopped them."""
    found = sa.delete(NumberFact).where(NumberFact.number == number, NumberFact.no_text_reason == STOPPED)
    return bool(session.execute(found).rowcount)  # type: ignore[attr-defined]


def no_text_reason(session: Session, number: str | None) -> str | None:
    """Why ``number`` gets no texts; None if nothing is known against it."""
    if number is None:
        return None
    return session.scalar(sa.select(NumberFact.no_text_reason).where(NumberFact.number == number))
