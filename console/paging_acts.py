"""Accepting a case and passing it on, from its page or from a shell, and what the page needs for it."""

from __future__ import annotations

import enum
from typing import Any

from sqlalchemy.orm import Session

from core.models import Case, Person
from routing import handling
from routing.clocks.rules import NotPossible
from routing.context import Context
from routing.paging import acceptance, pages
from routing.paging.acceptance import Answer
from routing.paging.models import Page

PAGING = "paging"  # the name of the buttons' form


class Wish(enum.StrEnum):
    """What somebody wants to do with a case that rings, or that somebody has."""

    ACCEPT = "accept"
    PASS = "pass"  # noqa: S105
    TAKE = "take"


def hand(session: Session, context: Context, case: Case, person: Person, to: Person) -> None:
    """``person`` hands ``case`` to somebody by name; :class:`NotPossible` unless they have it, unanswered."""
    page = pages.latest_page(session, case)
    outcome = acceptance.hand_to(session, context, page, person, to) if page is not None else Answer.OVER
    if outcome is not Answer.DONE:
        raise NotPossible(f"{person.name} does not have case {case.id}, or it is answered; accept it first")


def act(session: Session, context: Context, case: Case, person: Person, wish: Wish) -> None:
    """``person`` accepts ``case``, passes it on or takes it over; :class:`NotPossible` says why they cannot."""
    page = pages.latest_page(session, case)
    if page is None:
        raise NotPossible(f"case {case.id} is not ringing anybody")
    if wish is Wish.ACCEPT:
        outcome = acceptance.accept(session, context, page, person)
    elif wish is Wish.TAKE:
        outcome = acceptance.take_over(session, context, page, person)
    else:
        outcome = acceptance.pass_on(session, context, page, person, pages.rung_at(session, page, person))
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
