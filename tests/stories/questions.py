"""What a story asks the house at its end: cases, decisions, pages, and whose telephone rang how often."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from console.case_page import describe
from core.due import Due
from core.models import Case, Event, Recording
from intake.phone.models import Call
from routing.context import Context
from routing.decisions import DecisionRecord
from routing.paging.models import Attempt, Page
from simulator.company import PhoneCompany
from tests.stories.people import ENGINEERS
from webhooks.receipts import Counter


class Questions:
    """Reads, and changes nothing."""

    context: Context
    company: PhoneCompany

    def sql(self, statement: Any) -> Any:
        """All rows of a statement."""
        with self.context.database.reading() as session:
            return session.scalars(statement).all()

    @property
    def cases(self) -> list[Case]:
        """All cases, the earliest first."""
        return list(self.sql(sa.select(Case).order_by(Case.id)))

    @property
    def case(self) -> Case:
        """The only case."""
        (case,) = self.cases
        return case

    @property
    def decision(self) -> DecisionRecord:
        """The decision of the only case."""
        return self._one_decision(DecisionRecord.case_id == self.case.id)

    @property
    def reasons(self) -> list[str]:
        """Why: the codes of the only case's decision."""
        return [reason["code"] for reason in self.decision.reasons]

    @property
    def near_miss_decision(self) -> DecisionRecord:
        """The decision of the only call that ended without a message."""
        return self._one_decision(DecisionRecord.outcome == "near-miss")

    def _one_decision(self, condition: sa.ColumnElement[bool]) -> DecisionRecord:
        found: list[DecisionRecord] = list(self.sql(sa.select(DecisionRecord).where(condition)))
        (decision,) = found
        return decision

    @property
    def near_misses(self) -> list[Call]:
        """The calls that ended without a message."""
        return list(self.sql(sa.select(Call).where(Call.near_miss.is_(True))))

    def shown(self, number: int | None = None) -> dict[str, Any]:
        """What the page of a case shows."""
        with self.context.database.reading() as session:
            case = session.get_one(Case, number or self.case.id)
            return describe(session, self.context, case)

    def events(self, kind: str) -> list[Event]:
        """The events of a kind."""
        return list(self.sql(sa.select(Event).where(Event.kind == kind).order_by(Event.id)))

    @property
    def all_events(self) -> list[Event]:
        """Everything that was recorded, the earliest first."""
        return list(self.sql(sa.select(Event).order_by(Event.id)))

    @property
    def errors_of_due_work(self) -> list[str]:
        """What the list of due work says of its failures."""
        return list(self.sql(sa.select(Due.last_error).where(Due.last_error.is_not(None))))

    @property
    def phone_calls(self) -> list[Call]:
        """The calls that came in, the earliest first."""
        return list(self.sql(sa.select(Call).order_by(Call.started_at)))

    @property
    def recordings(self) -> list[Recording]:
        """The recordings that the product knows of, the earliest first."""
        return list(self.sql(sa.select(Recording).order_by(Recording.received_at)))

    @property
    def pages(self) -> list[Page]:
        """The pages, the earliest first."""
        return list(self.sql(sa.select(Page).order_by(Page.id)))

    def attempts(self, channel: str = "voice") -> list[Attempt]:
        """The attempts to reach engineers, the earliest first."""
        return list(self.sql(sa.select(Attempt).where(Attempt.channel == channel).order_by(Attempt.id)))

    def due(self, state: str = "ready") -> list[str]:
        """The kinds of the work that is in a state."""
        return list(self.sql(sa.select(Due.kind).where(Due.state == state).order_by(Due.due_at)))

    def waiting(self, kind: str) -> list[Due]:
        """The work of a kind that is still to be done, the earliest first."""
        ready = sa.select(Due).where(Due.kind == kind, Due.state == "ready")
        return list(self.sql(ready.order_by(Due.due_at, Due.id)))

    def counter(self, name: str) -> int:
        """The value of a counter."""
        return sum(row.value for row in self.sql(sa.select(Counter).where(Counter.name == name)))

    def rings(self, number: str) -> int:
        """How often a phone has been rung by us."""
        return sum(call.direction == "outbound-api" for call in self.company.phone(number).calls)

    def texts(self, number: str) -> list[str]:
        """The texts that a phone got."""
        return [text.body for text in self.company.phone(number).sms if text.direction == "received"]

    @property
    def rung(self) -> dict[str, int]:
        """Whose phones have been rung by us, and how often."""
        return {number: self.rings(number) for number in ENGINEERS if self.rings(number)}

    @property
    def texted(self) -> dict[str, int]:
        """Who got texts, and how many."""
        return {number: len(self.texts(number)) for number in ENGINEERS if self.texts(number)}
