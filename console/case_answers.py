"""The form on a case's page: an engineer says that they have answered the customer, how and when.

The signed link is the authority, as it is for reading. The form carries a token of its own, so that no other
site and no preview of the link can send it; there is no cookie that a browser would add by itself.
"""

from __future__ import annotations

from flask import Blueprint, Response, abort, request, url_for

from console.case_page import case_number, house_context, page_of
from console.case_promises import ANSWERED, WAYS
from console.private_answers import back_to
from core.links import LinkRefused
from core.models import Case
from routing import handling
from routing.clocks.rules import NotPossible
from routing.clocks.said_times import instant_said
from routing.context import Context

case_answers = Blueprint("case_answers", __name__)

_STALE = "The page had been open for too long. Look at what you entered, and send it again."
_FIELDS = ("person", "way", "words", "when")


@case_answers.post("/case/<token>/answered")
def answered(token: str) -> Response:
    """Stamp the response as the engineer states it; the page again with what is wrong if it cannot be."""
    context, number = house_context(), case_number(token)
    given = {name: request.form.get(name, "") for name in _FIELDS}
    try:
        context.links.check_form(request.form.get("form", ""), number)
        _state(context, number, given)
    except LinkRefused:
        return page_of(token, 422, {ANSWERED: _STALE}, given)
    except NotPossible as error:
        return page_of(token, 422, {ANSWERED: sentence(error)}, given)
    return back_to(url_for("case_page.show", token=token))


def _state(context: Context, number: int, given: dict[str, str]) -> None:
    if given["way"] not in WAYS:
        raise NotPossible("how the customer was answered is missing; choose one of the ways")
    now = context.clock.now()
    policy = context.policies.current().policy
    with context.database.writing() as session:
        case = session.get(Case, number)
        if case is None:
            abort(404)
        person = handling.somebody(session, given["person"])
        at = instant_said(given["when"], policy.calendar_of(case.service).zone, now)
        how = ": ".join(part for part in (given["way"], given["words"].strip()) if part)
        handling.state_response(session, case, at, how, person, now)


def sentence(error: NotPossible) -> str:
    """What is wrong, as a sentence."""
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."
