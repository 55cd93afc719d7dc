"""The decision record: for every contact what was known, what followed and why, kept so that it can be proved."""

from __future__ import annotations

from datetime import datetime
from importlib.metadata import version

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.database import Base, Instant, Json, JsonList
from core.prepared import Prepared, prepared_insert
from core.straight import straight, straight_rows
from routing.coverage import ContactFacts, Decision

TZ_VERSION = version("tzdata")


class DecisionRecord(Base):
    """A decision as it was made: facts, outcome, reasons, and the versions of the rules."""

    __tablename__ = "decisions"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[Instant]
    case_id: Mapped[int | None] = mapped_column(sa.ForeignKey("cases.id"), index=True)
    call_sid: Mapped[str | None] = mapped_column(sa.String(34), index=True)
    outcome: Mapped[str] = mapped_column(sa.String(12))
    priority: Mapped[int]
    target: Mapped[str] = mapped_column(sa.String(40))
    due_at: Mapped[Instant | None]
    facts: Mapped[Json]
    reasons: Mapped[JsonList]
    policy_version: Mapped[int]
    calendar_fingerprint: Mapped[str] = mapped_column(sa.String(64))
    tz_version: Mapped[str] = mapped_column(sa.String(20))


_DECISION = prepared_insert(DecisionRecord)


def keep_decision(
    session: Session,
    decision: Decision,
    facts: ContactFacts,
    policy_version: int,
    at: datetime,
    *,
    case_id: int | None = None,
    call_sid: str | None = None,
) -> None:
    """Write the decision in the transaction of what it leads to."""
    straight(
        session,
        _DECISION,
        at=at,
        case_id=case_id,
        call_sid=call_sid,
        outcome=decision.outcome,
        priority=decision.priority,
        target=decision.target,
        due_at=decision.due_at,
        facts=facts.as_json(),
        reasons=[{"code": reason.code, "sentence": reason.sentence} for reason in decision.reasons],
        policy_version=policy_version,
        calendar_fingerprint=decision.calendar_fingerprint,
        tz_version=TZ_VERSION,
    )


_REASONS = Prepared(
    sa.select(DecisionRecord.reasons)
    .where(DecisionRecord.case_id == sa.bindparam("case"))
    .order_by(DecisionRecord.id)
    .limit(1)
)


def codes_of_case(session: Session, case_id: int) -> set[str]:
    """The codes of the reasons of the decision that a case was opened with."""
    return {
        str(reason["code"])
        for row in straight_rows(session, _REASONS, case=case_id)
        for reason in row.reasons
    }


def decision_of_case(session: Session, case_id: int) -> DecisionRecord | None:
    """The decision that a case was opened with."""
    return session.scalar(
        sa.select(DecisionRecord)
        .where(DecisionRecord.case_id == case_id)
        .order_by(DecisionRecord.id)
        .limit(1)
    )
