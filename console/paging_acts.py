"""Accepting a case and passing it on, from its page or from a shell, and what the page needs for it."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from core.models import Case, Person
from routing import handling
from routing.clocks.rules import NotPossible
from routing.context import Context
from routing.paging import pages
from routing.paging.models import Page
from routing.paging.pages import Answer

PAGING = "paging"  # the name of the buttons' form


def act(session: Session, context: Context, case: Case, person: Person, *, accepts: bool) -> None:
    """``person`` accepts ``case`` or passes it on; :class:`NotPossible` says why they cannot."""
    page = pages.latest_page(session, case)
    if page is None:
        raise NotPossible(f"case {case.id} is not ringing anybody")
    if accepts:
        outcome = pages.accept(session, context, page, person)
    else:
        outcome = pages.pass_on(session, context, page, person, pages.rung_at(session, page, person))
    if outcome is Answer.TAKEN:
        raise NotPossible(f"{_holder(session, page)} already has case {case.id}")
    if outcome is Answer.OVER:
        raise NotPossible(f"case {case.id} is not ringing anybody, or goes to the next engineer already")


def _holder(session: Session, page: Page) -> str:
    holder = session.get(Person, page.acknowledged_by) if page.acknowledged_by else None
    return holder.name if holder else "somebody else"


def paging_form(
    session: Session, context: Context, case: Case, reader: str | None, problem: str
) -> dict[str, Any] | None:
    """What the buttons on the page need; None when nobody is wanted for the case."""
    standing = pages.standing(session, case)
    if standing is None and not problem:
        return None
    return {
        "problem": problem,
        "token": context.links.form_token(case.id),
        "people": handling.people_by_name(session),
        "person": reader or "",
        "ringing": standing == "ringing",
        "had": standing == "had",
    }
