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
from routing.paging import acceptance, bundles, sending
from routing.paging.models import Page, Purpose
from routing.paging.rows import locked_page
from routing.paging.states import PageState

_AT_ONCE = 50


def members(context: Context, claim: due.Claim) -> None:
    """Due work: each case of a bundle gets its owner, or is passed on, with its event and its receipt.

    In parts, so that a storm keeps no database busy for seconds; what is left is taken up again at once. The lead is
    locked first: who has it at that moment is who gets a part, whatever else is being written.
    """
    work, now = claim.payload, context.clock.now()
    with context.database.writing() as session:
        lead = locked_page(session, work["lead"])
        more = _write_some(session, context, lead, work, now)
        if not (due.again(session, claim, now, **work) if more else due.finish(session, claim)):
            raise due.LeaseLost(claim.subject)
        if not more and (lead.case.responded_at is not None or lead.case.closed_at is not None):
            bundles.succeed(session, lead, now)


def _write_some(
    session: Session, context: Context, lead: Page, work: Mapping[str, Any], now: datetime
) -> bool:
    """One part of the bundle; False when there is none left."""
    if work["do"] == bundles.ACCEPT and lead.acknowledged_by is None:
        return False  # of those who must acknowledge, all who did have passed: it rings on
    found = bundles.some_members(session, lead, _AT_ONCE, *_which(lead, work))
    for page in (locked_page(session, page_id) for page_id in found):
        if page.lead_id != lead.id:
            continue  # somebody was quicker
        if not _WRITTEN[work["do"]](session, context, lead, page, now):
            page.lead_id = None  # answered meanwhile: no more of this bundle
    return bool(found)


def _which(lead: Page, work: Mapping[str, Any]) -> tuple[sa.ColumnElement[bool], ...]:
    """Which pages of the bundle this is about."""
    if work["do"] == bundles.ACCEPT:
        return (Page.state == PageState.JOINED,)
    had = (Page.state == PageState.ACKNOWLEDGED, Page.acknowledged_by.in_(work["people"]))
    return (*had, Page.acknowledged_by != lead.acknowledged_by) if work["do"] == bundles.TAKE else had


def _accept(session: Session, context: Context, lead: Page, page: Page, now: datetime) -> bool:
    page.position = max(page.position, lead.position)
    policy = context.policies.current().policy
    return acceptance.take(session, context, page, lead.acknowledged_by or "", policy, now)


def _pass(session: Session, context: Context, lead: Page, page: Page, now: datetime) -> bool:
    # Beside a lead that still rings for others who must acknowledge, it goes back to that.
    position = lead.position if lead.state == PageState.RINGING else None
    return acceptance.let_go(session, page, context.policies.current(), now, position=position)


def _take(session: Session, context: Context, lead: Page, page: Page, now: datetime) -> bool:
    person = session.get_one(Person, lead.acknowledged_by)
    return acceptance.take_over(session, context, page, person) is acceptance.Answer.DONE


_WRITTEN = {bundles.ACCEPT: _accept, bundles.PASS: _pass, bundles.TAKE: _take}


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
