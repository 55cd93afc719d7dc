"""Pages and the attempts to reach people for them."""

from __future__ import annotations

import enum

import sqlalchemy as sa
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.database import Base, Instant
from core.models import Case, Person
from routing.paging.states import PageState


class Page(Base):
    """One escalation of a case. The policy version that it began with is its rule to the end.

    ``position`` counts the steps taken; it only grows, and whatever wants the next step names the position that
    it saw, so that a late key press or a late callback cannot escalate twice. ``due_at`` is the promise that its
    steps are cut from: the earliest of its bundle. Pages that join another name it as their ``lead_id``; the lead
    keeps when the last one joined, and until when its acceptance takes in those that follow. ``asked`` is whom the
    case was handed to by name: they are rung first, and alone.
    """

    __tablename__ = "pages"
    __table_args__ = (
        sa.Index(
            "ix_pages_ringing",
            "escalation",
            postgresql_where=sa.text("state = 'ringing'"),
            sqlite_where=sa.text("state = 'ringing'"),
        ),
        sa.Index(
            "ix_pages_open_until",
            "open_until",
            postgresql_where=sa.text("open_until IS NOT NULL"),
            sqlite_where=sa.text("open_until IS NOT NULL"),
        ),
        sa.Index(
            "ix_pages_joined",
            "lead_id",
            postgresql_where=sa.text("state = 'joined'"),
            sqlite_where=sa.text("state = 'joined'"),
        ),
        sa.Index(
            "ix_pages_lead_id",
            "lead_id",
            "state",
            postgresql_where=sa.text("lead_id IS NOT NULL"),
            sqlite_where=sa.text("lead_id IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(sa.ForeignKey("cases.id"), index=True)
    policy_version: Mapped[int]
    escalation: Mapped[str] = mapped_column(sa.String(40))
    state: Mapped[str] = mapped_column(sa.String(12), default=PageState.RINGING)
    position: Mapped[int] = mapped_column(default=0)
    started_at: Mapped[Instant]
    rung_at: Mapped[Instant | None]
    acknowledged_at: Mapped[Instant | None]
    acknowledged_by: Mapped[str | None] = mapped_column(sa.ForeignKey("people.key"))
    lead_id: Mapped[int | None] = mapped_column(sa.ForeignKey("pages.id"))
    due_at: Mapped[Instant | None]
    joined_at: Mapped[Instant | None]
    open_until: Mapped[Instant | None]
    asked: Mapped[str | None] = mapped_column(sa.ForeignKey("people.key"))

    case: Mapped[Case] = relationship()

    @property
    def subject(self) -> str:
        """What its due work is filed under."""
        return f"page:{self.id}"

    @property
    def is_had(self) -> bool:
        """Whether somebody has the case by it; it may still ring for others who must acknowledge, too."""
        return self.acknowledged_by is not None and self.state in (PageState.ACKNOWLEDGED, PageState.RINGING)


class Acknowledgement(Base):
    """Somebody who must acknowledge a page (``required_at``), or has acknowledged or passed one that many must."""

    __tablename__ = "acknowledgements"

    page_id: Mapped[int] = mapped_column(sa.ForeignKey("pages.id"), primary_key=True)
    person_key: Mapped[str] = mapped_column(sa.ForeignKey("people.key"), primary_key=True)
    required_at: Mapped[Instant | None]
    acknowledged_at: Mapped[Instant | None]
    passed_at: Mapped[Instant | None]

    @hybrid_property
    def is_missing(self) -> bool:
        """Whether the page still waits for this person."""
        return self.required_at is not None and self.acknowledged_at is None and self.passed_at is None

    @is_missing.inplace.expression
    @classmethod
    def _is_missing(cls) -> sa.ColumnElement[bool]:
        return sa.and_(cls.required_at.is_not(None), cls.acknowledged_at.is_(None), cls.passed_at.is_(None))


class AttemptState(enum.StrEnum):
    """How far an attempt has come. The terminal states are sticky."""

    QUEUED = "queued"
    SENDING = "sending"  # written before the request goes out: it may or may not have happened
    SENT = "sent"  # the telephone company has it: the phone rings, the text is under way
    ANSWERED = "answered"
    DELIVERED = "delivered"
    ACCEPTED = "accepted"
    PASSED = "passed"
    NO_KEY = "no-key"  # answered, by a mailbox perhaps, and nobody pressed a key
    NO_ANSWER = "no-answer"
    BUSY = "busy"
    FAILED = "failed"
    CANCELLED = "cancelled"
    GATHERED = "gathered"  # another message to the same number tells of it
    LIMITED = "limited"  # the number had got as much as carriers tolerate, to the end of the step

    @property
    def is_final(self) -> bool:
        """Whether nothing more can come of the attempt."""
        return self not in _LIVE


_LIVE = frozenset({AttemptState.QUEUED, AttemptState.SENDING, AttemptState.SENT, AttemptState.ANSWERED})
LIVE_STATES = tuple(sorted(_LIVE))


class Purpose(enum.StrEnum):
    """Why somebody is sent something; the name of the sentence in the policy is ``sms_`` and this."""

    PAGE = "page"
    LOUD = "loud"
    NOTIFY = "notify"
    ADDED = "added"
    REMIND = "remind"  # whoever has the case has not answered the customer
    BROKEN = "broken"  # nor in time: the next level is rung
    RELIEVED = "relieved"  # somebody else has the case now
    RETURNED = "returned"  # an answer did not reach the customer
    DRILL = "drill"  # nothing has happened: before a shift, to prove that they can be reached
    UNREACHED = "unreached"  # somebody did not answer a drill
    DUTY = "duty"  # they are on call from now on, and somebody has a case that is not answered
    OFF_DUTY = "offduty"  # they have a case that is not answered, and somebody else is on call from now on
    WAITS = "waits"  # nobody was rung for it, nobody has answered, and its promise ends or is broken
    FOLLOWED = "followed"  # more cases have come since they accepted many


class Attempt(Base):
    """One try to reach one person by one of their methods, for a case, or for a drill, which has none.

    Written when its step begins, before anything goes out. ``address`` is in the channel's form (E.164, a mail
    address, a URL or ``env:NAME``). ``text`` is what was sent, kept so that a second try says the same and can be
    recognised.
    """

    __tablename__ = "attempts"
    __table_args__ = (
        sa.Index("ix_attempts_address_sent_at", "address", "sent_at"),
        sa.Index(
            "ix_attempts_queued",
            "address",
            "id",
            postgresql_where=sa.text("state = 'queued'"),
            sqlite_where=sa.text("state = 'queued'"),
        ),
        sa.Index(
            "ix_attempts_told_with",
            "told_with",
            postgresql_where=sa.text("told_with IS NOT NULL"),
            sqlite_where=sa.text("told_with IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int | None] = mapped_column(sa.ForeignKey("cases.id"), index=True)
    page_id: Mapped[int | None] = mapped_column(sa.ForeignKey("pages.id"), index=True)
    drill_id: Mapped[int | None] = mapped_column(sa.ForeignKey("drills.id"), index=True)
    position: Mapped[int] = mapped_column(default=0)
    person_key: Mapped[str] = mapped_column(sa.ForeignKey("people.key"))
    channel: Mapped[str] = mapped_column(sa.String(16))
    purpose: Mapped[str] = mapped_column(sa.String(10))
    method: Mapped[str] = mapped_column(sa.String(40), default="", server_default="")
    number_of_try: Mapped[int] = mapped_column(default=1, server_default="1")
    address: Mapped[str] = mapped_column(sa.String(500))
    from_number: Mapped[str] = mapped_column(sa.String(16))
    state: Mapped[str] = mapped_column(sa.String(12), default=AttemptState.QUEUED)
    provider_sid: Mapped[str | None] = mapped_column(sa.String(340), unique=True)
    sequence: Mapped[int] = mapped_column(default=-1)
    menu: Mapped[str] = mapped_column(sa.String(12), default="menu")
    step: Mapped[int] = mapped_column(default=0)
    tries: Mapped[int] = mapped_column(default=0)
    text: Mapped[str | None] = mapped_column(sa.Text)
    created_at: Mapped[Instant]
    planned_for: Mapped[Instant | None]
    sent_at: Mapped[Instant | None]
    error: Mapped[str | None] = mapped_column(sa.String(200))
    told_with: Mapped[int | None] = mapped_column(sa.ForeignKey("attempts.id"))

    page: Mapped[Page | None] = relationship()
    case: Mapped[Case] = relationship()
    person: Mapped[Person] = relationship()

    @property
    def is_live(self) -> bool:
        """Whether something may still come of it."""
        return not AttemptState(self.state).is_final

    @property
    def subject(self) -> str:
        """What its due work is filed under: its page, so that an accept cancels it."""
        if self.drill_id:
            return f"drill:{self.drill_id}"
        return f"page:{self.page_id}" if self.page_id else f"case:{self.case_id}"
