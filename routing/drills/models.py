"""The record of drills: who proved reachable before their shift, when and how, and who did not."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.database import Base, Instant
from core.models import Person
from routing.drills.rules import DrillEvent, DrillState, after


class Drill(Base):
    """One test page to one person. ``shift_start`` is None for a drill on demand."""

    __tablename__ = "drills"
    __table_args__ = (sa.UniqueConstraint("schedule", "person_key", "shift_start"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    schedule: Mapped[str] = mapped_column(sa.String(40))
    person_key: Mapped[str] = mapped_column(sa.ForeignKey("people.key"), index=True)
    shift_start: Mapped[Instant | None]
    begun_at: Mapped[Instant] = mapped_column(index=True)
    ends_at: Mapped[Instant]
    state: Mapped[str] = mapped_column(sa.String(12), default=DrillState.RINGING)
    proved_at: Mapped[Instant | None]
    proved_by: Mapped[str | None] = mapped_column(sa.String(16))

    person: Mapped[Person] = relationship()

    @property
    def subject(self) -> str:
        """What its due work is filed under."""
        return f"drill:{self.id}"

    def move(self, event: DrillEvent) -> bool:
        """Let ``event`` happen; False if it changes nothing any more."""
        following = after(DrillState(self.state), event)
        if following is None:
            return False
        self.state = following
        return True
