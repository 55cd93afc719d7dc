"""The rows of pages: their kinds of due work, locking them in the order of the house, ending what is under way.

Locks are taken in one order everywhere: the pages of a case (the earliest first), attempts, the case, due work.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import due
from core.models import Case
from routing.paging.models import LIVE_STATES, Attempt, AttemptState, Page
from routing.paging.states import PageEvent, PageState, after

VOICE = "voice"
DUTY = "duty.look"
RING, STEP_OVER, SEND, CHECK, HANG_UP = (
    "page.ring",
    "page.step-over",
    "page.send",
    "page.check",
    "page.hang-up",
)


# Put together once: these are asked for each request of the telephone company about a page.
_LOCKED = sa.select(Page).order_by(Page.id).with_for_update().execution_options(populate_existing=True)
_OF_ITS_CASE = _LOCKED.where(
    Page.case_id == sa.select(Page.case_id).where(Page.id == sa.bindparam("page")).scalar_subquery()
)
_OF_THE_CASE = _LOCKED.where(Page.case_id == sa.bindparam("case"))


def locked_page(session: Session, page_id: int) -> Page:
    """The page, locked with all others of its case until the end of the transaction."""
    found = session.scalars(_OF_ITS_CASE, {"page": page_id})
    return next(page for page in list(found) if page.id == page_id)


def locked_pages(session: Session, case: Case) -> list[Page]:
    """All pages of a case, the earliest first, locked: before its cycle is."""
    return list(session.scalars(_OF_THE_CASE, {"case": case.id}))


def move(page: Page, event: PageEvent) -> bool:
    """Let ``event`` happen to a locked page; False if it comes too late to change anything."""
    following = after(PageState(page.state), event)
    if following is None:
        return False
    page.state = following
    return True


def stop(session: Session, page: Page, now: datetime) -> None:
    """End everything that is planned or under way for a page; whoever is speaking may finish."""
    end_attempts(session, now, Attempt.page_id == page.id)
    session.flush()
    due.cancel(session, page.subject)


def plan_duty(session: Session, page: Page, at: datetime, was: Sequence[str] | None) -> None:
    """Look at ``at`` whether other people than ``was`` have the duty (None: whoever has it then is the first)."""
    due.enqueue(session, DUTY, page.subject, at, page=page.id, was=list(was) if was else None)


def stop_for(session: Session, page: Page, person: str, now: datetime) -> None:
    """End what is planned or under way for one person of a page; the others are rung on."""
    end_attempts(session, now, Attempt.page_id == page.id, Attempt.person_key == person)


def end_attempts(session: Session, now: datetime, *which: sa.ColumnElement[bool]) -> None:
    """End the attempts for which all of ``which`` hold."""
    live = sa.select(Attempt).where(Attempt.state.in_(LIVE_STATES), *which).with_for_update()
    for attempt in session.scalars(live):
        if attempt.provider_sid is None:
            # Not yet out, or just going out: the sender looks at the page once more before it dials.
            attempt.state = AttemptState.CANCELLED
        elif attempt.channel == VOICE and attempt.state != AttemptState.ANSWERED:
            due.enqueue(session, HANG_UP, f"attempt:{attempt.id}", now, sid=attempt.provider_sid)
