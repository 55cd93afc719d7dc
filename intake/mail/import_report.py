"""What became of imported mails, counted; what is said of it is true of the instant, and names what still waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.models import Case
from intake.mail.models import InboundMail, MailState
from intake.mail.receiving import Stored

_IN_ONE_QUESTION = 500


@dataclass
class Counts:
    """Of the mails of an import: those that are new (their ids), and why the others are not."""

    new: list[int] = field(default_factory=list)
    same: int = 0
    kept_apart: int = 0
    too_large: int = 0

    @property
    def total(self) -> int:
        """All that were found."""
        return len(self.new) + self.same + self.kept_apart + self.too_large

    def add(self, stored: Sequence[Stored]) -> None:
        """One mail; to several of our mailboxes it is new if it is to any of them."""
        fresh = [each.id for each in stored if not each.duplicate]
        if fresh:
            self.new.append(fresh[0])
        elif any(each.kept_apart for each in stored):
            self.kept_apart += 1
        else:
            self.same += 1

    def in_words(self) -> list[str]:
        """A line for each count that is not nothing."""
        lines = {
            f"{len(self.new)} new": len(self.new),
            f"{self.same} left out: here before, the same to the byte": self.same,
            f"{self.kept_apart} kept apart: here before with the same Message-ID and sender, but other bytes "
            "(nightbell mail list --state duplicate; nightbell mail replay ID takes one in)": self.kept_apart,
            f"{self.too_large} too large": self.too_large,
        }
        return [line for line, number in lines.items() if number]


@dataclass(frozen=True)
class Became:
    """What the worker has made of new mails so far."""

    waiting: int = 0
    opened: int = 0
    added: int = 0
    noted: int = 0
    looked_at: int = 0

    def in_words(self) -> list[str]:
        """A line for each count that is not nothing."""
        lines = {
            f"{self.opened} opened a case": self.opened,
            f"{self.added} went onto a case that there was": self.added,
            f"{self.noted} belonged to no case: our own mail, come back": self.noted,
            f"{self.looked_at} of these to be looked at: unreadable, or of a forged sender "
            "(nightbell mail list)": self.looked_at,
            f"{self.waiting} not taken in yet: the worker does that (python worker.py)": self.waiting,
        }
        return [line for line, number in lines.items() if number]


def became(session: Session, ids: Sequence[int]) -> Became:
    """What has become of the mails with these ids."""
    found: dict[str, int] = {}
    for first in range(0, len(ids), _IN_ONE_QUESTION):
        query = (
            sa.select(InboundMail.id, InboundMail.state, Case.origin, Case.needs_look)
            .outerjoin(Case, Case.id == InboundMail.case_id)
            .where(InboundMail.id.in_(ids[first : first + _IN_ONE_QUESTION]))
        )
        for row in session.execute(query):
            opened = row.origin == f"mail:{row.id}"
            looked_at = row.state == MailState.POISON or (opened and row.needs_look)
            for name in (_place(row.state, row.origin, opened=opened), *(["looked_at"] if looked_at else [])):
                found[name] = found.get(name, 0) + 1
    return Became(**found)


def _place(state: str, origin: str | None, *, opened: bool) -> str:
    if state == MailState.STORED:
        return "waiting"
    if origin is None:
        return "noted"
    return "opened" if opened else "added"
