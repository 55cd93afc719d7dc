"""Accepting a case, or passing it on, on its page: a button, which a preview of the link cannot press.

The signed link is the authority; a link in a text or a mail to an engineer names them. Nothing changes on GET.
"""

from __future__ import annotations

from flask import Blueprint, Response, abort, request, url_for

from console.case_answers import sentence
from console.case_page import case_number, house_context, page_of
from console.paging_acts import PAGING, Wish, act
from console.private_answers import back_to
from core.links import LinkRefused
from core.models import Case
from routing import handling
from routing.clocks.rules import NotPossible

case_paging = Blueprint("case_paging", __name__)

_STALE = "The page had been open for too long. Press the button again."


@case_paging.post("/case/<token>/accept")
def accept(token: str) -> Response:
    """Take the case, as the person that the form names."""
    return _press(token, Wish.ACCEPT)


@case_paging.post("/case/<token>/pass")
def pass_on(token: str) -> Response:
    """Let the next engineer take it."""
    return _press(token, Wish.PASS)


@case_paging.post("/case/<token>/take")
def take_over(token: str) -> Response:
    """Take the case from whoever has it."""
    return _press(token, Wish.TAKE)


def _press(token: str, wish: Wish) -> Response:
    context, number = house_context(), case_number(token)
    person = request.form.get("person", "")
    try:
        context.links.check_form(request.form.get("form", ""), number)
        with context.database.writing() as session:
            case = session.get(Case, number)
            if case is None:
                abort(404)
            act(session, context, case, handling.somebody(session, person), wish)
    except LinkRefused:
        return page_of(token, 422, {PAGING: _STALE})
    except NotPossible as error:
        return page_of(token, 422, {PAGING: sentence(error)})
    return back_to(url_for("case_page.show", token=token))
