"""The response: the first contact of a human with the customer. Only that stops the response clock."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from core.models import Case, record


def stamp_response(session: Session, case: Case, at: datetime, kind: str, person: str | None) -> bool:
    """Stop the response clock of ``case``; False if it had been stopped before."""
    if case.responded_at is not None:
        return False
    case.responded_at, case.response_kind = at, kind
    in_time = case.due_at is None or at <= case.due_at
    record(session, "case.responded", at, case_id=case.id, person=person, how=kind, in_time=in_time)
    return True


def withdraw_response(session: Session, case: Case, at: datetime, person: str | None) -> None:
    """Let the response clock run on: it was no person who answered."""
    case.responded_at = case.response_kind = None
    record(session, "case.response-withdrawn", at, case_id=case.id, person=person)
