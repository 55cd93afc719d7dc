"""A step that everyone must acknowledge: who must, who has, and whom the page still rings.

The rows are written when the step is rung for the first time; the page is done when each of them has acknowledged,
or has passed while somebody else has the case.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.models import Case, Person
from routing.paging.models import Acknowledgement, Page


def rows_of(session: Session, page: Page) -> Sequence[Acknowledgement]:
    """Who must acknowledge ``page``, or has; nobody for the usual page, which one person accepts for all."""
    found = sa.select(Acknowledgement).where(Acknowledgement.page_id == page.id)
    return session.scalars(found.order_by(Acknowledgement.person_key)).all()


def require(session: Session, page: Page, people: Iterable[str], now: datetime) -> None:
    """From now on each of ``people`` must acknowledge ``page``."""
    known = {row.person_key for row in rows_of(session, page)}
    for person in dict.fromkeys(people):
        if person not in known:
            session.add(Acknowledgement(page_id=page.id, person_key=person, required_at=now))
    session.flush()


def still_to_ring(session: Session, page: Page, people: Sequence[str]) -> list[str]:
    """Those of ``people`` who have not acknowledged; those who must, where all of ``people`` have.

    All of them again, where all have passed: a promise is running.
    """
    rows = rows_of(session, page)
    done = {row.person_key for row in rows if not row.is_missing}
    missing = [row.person_key for row in rows if row.is_missing]
    return [key for key in people if key not in done] or missing or [*people]


def note(session: Session, page: Page, person: str, now: datetime, *, passed: bool = False) -> bool:
    """``person`` has acknowledged ``page``, or passes; False if they had done so before."""
    row = session.get(Acknowledgement, (page.id, person))
    if row is None:
        row = Acknowledgement(page_id=page.id, person_key=person)
        session.add(row)
    elif (row.passed_at if passed else row.acknowledged_at) is not None:
        return False
    if passed:
        row.passed_at, row.acknowledged_at = now, None
    else:
        row.acknowledged_at, row.passed_at = now, None
    session.flush()
    return True


def done_by(session: Session, page: Page) -> list[str]:
    """Who has acknowledged ``page``, the first one first."""
    rows = [(row.acknowledged_at, row.person_key) for row in rows_of(session, page) if row.acknowledged_at]
    return [person for _, person in sorted(rows)]


def acknowledgements_of(session: Session, case: Case) -> list[dict[str, str | None]]:
    """Who must acknowledge the latest page of a case, and when they did or passed; ISO 8601, UTC."""
    latest = sa.select(sa.func.max(Page.id)).where(Page.case_id == case.id).scalar_subquery()
    found = (
        sa.select(Acknowledgement, Person.name)
        .join(Person, Person.key == Acknowledgement.person_key)
        .where(Acknowledgement.page_id == latest)
        .order_by(Person.key)
    )
    return [
        {
            "name": name,
            "acknowledged_at": row.acknowledged_at.isoformat() if row.acknowledged_at else None,
            "passed_at": row.passed_at.isoformat() if row.passed_at else None,
        }
        for row, name in session.execute(found)
    ]


_MISSING_NAMES = (
    sa.select(Person.name)
    .join(Acknowledgement, Acknowledgement.person_key == Person.key)
    .where(
        Acknowledgement.page_id == sa.bindparam("page"),
        Acknowledgement.is_missing,
        Person.key != sa.bindparam("but"),
    )
    .order_by(Person.key)
)


def missing_names(session: Session, page: Page, but: str | None = None) -> list[str]:
    """The names of those who must still acknowledge ``page``, without the person with the key ``but``."""
    return list(session.scalars(_MISSING_NAMES, {"page": page.id, "but": but or ""}))
