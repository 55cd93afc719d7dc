"""The due work of bundles: what one key press accepted or passed on is written case by case, in small parts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import due
from core.models import Case, Person
from routing.context import Context
from routing.paging import bundles, pages, sending
from routing.paging.models import Page, Purpose
from routing.paging.rows import locked_page
from routing.paging.states import PageState

_AT_ONCE = 50


def members(context: Context, claim: due.Claim) -> None:
    """Due work: each case of a bundle gets its owner, or is passed on, with its event and its receipt.

    In parts, so that a storm keeps no database busy for seconds; what is left is taken up again at once.
    """
    work, now = claim.payload, context.clock.now()
    states = (PageState.JOINED,) if work["accept"] else (PageState.ACKNOWLEDGED,)
    with context.database.writing() as session:
        had_by = None if work["accept"] else work["person"]
        found = bundles.some_members(session, work["lead"], states, _AT_ONCE, had_by)
        taken_at = session.get_one(Page, work["lead"]).position
        for page in (locked_page(session, page_id) for page_id in found):
            if page.lead_id != work["lead"] or page.state not in states:
                continue  # somebody was quicker
            if work["accept"]:
                page.position = max(page.position, taken_at)
                pages.take(session, context, page, work["person"], context.policies.current().policy, now)
            elif not _let_go(session, context, page, work, now):
                page.lead_id = None  # answered meanwhile: no more of this bundle
        if not (due.again(session, claim, now, **work) if found else due.finish(session, claim)):
            raise due.LeaseLost(claim.subject)


def _let_go(session: Session, context: Context, page: Page, work: Mapping[str, Any], now: datetime) -> bool:
    """Pass a case of the bundle on, or write who has taken it over."""
    if "to" not in work:
        return pages.let_go(session, page, context.policies.current(), now)
    person = session.get_one(Person, work["to"])
    return pages.take_over(session, context, page, person) is pages.Answer.DONE


def closed(context: Context, claim: due.Claim) -> None:
    """Due work: the window is over. Whoever accepted is told how many cases have followed since."""
    work, now = claim.payload, context.clock.now()
    with due.finishing(context.database, claim) as session:
        lead = locked_page(session, work["lead"])
        followed = session.scalar(
            sa.select(sa.func.count())
            .select_from(Page)
            .where(Page.lead_id == lead.id, Page.started_at > datetime.fromisoformat(work["at"]))
        )
        if not followed or lead.acknowledged_by != work["person"]:
            return
        case = session.get_one(Case, lead.case_id)
        policy = context.policies.current().policy
        sending.tell(session, case, policy, [work["person"]], Purpose.FOLLOWED, now, page=lead)
