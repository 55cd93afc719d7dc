"""The page behind the link in a mail that asks for consent to additional charges, or whether a wish was theirs.

Opening it changes nothing: mail programs and scanners open links by themselves. Only its button accepts, once.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, render_template, url_for
from sqlalchemy.orm import Session

from console.case_page import house_context
from console.private_answers import back_to, private_page
from core import phone_numbers
from core.models import Case
from routing.context import Context
from routing.correspondence import accepting, consents
from routing.correspondence.consents import Standing
from routing.correspondence.desk import desk_of
from routing.correspondence.models import ConsentRequest
from routing.policy import Policy
from routing.wording import hours_in_words, written_instant

consent_page = Blueprint("consent_page", __name__)

_LINK = "link"
_STATUSES = {Standing.EXPIRED: 410}


@consent_page.get("/consent/<token>")
def show(token: str) -> Response:
    """What would be accepted, with its button; or why there is nothing to accept any more."""
    context = house_context()
    with context.database.reading() as session:
        request = consents.read(session, context, token)
        if request is None:
            return _page(404, found="unknown")
        return _page_of(session, context, request, token)


@consent_page.post("/consent/<token>")
def accept(token: str) -> Response:
    """Accept the charges: the on-call consultant is rung, and the hour runs from now."""
    context = house_context()
    with context.database.writing() as session:
        request = consents.read(session, context, token, lock=True)
        if request is None:
            return _page(404, found="unknown")
        accepting.accept(session, context, request, _LINK, context.clock.now())
    return back_to(url_for("consent_page.show", token=token))


def _page_of(session: Session, context: Context, request: ConsentRequest, token: str) -> Response:
    policy, case = context.policies.current().policy, request.case
    calendar = policy.calendar_of(case.service)
    found = consents.standing(request, case, calendar, context.clock.now())
    desk = desk_of(context, policy, case)
    return _page(
        _STATUSES.get(found, 200),
        found=found.value,
        about=request.about,
        token=token,
        company=policy.company,
        case=case.id,
        title=case.title,
        terms=desk.say("mail_consent_terms") if desk else "",
        target=consents.accepted_target(policy, case),
        due=written_instant(case.due_at, calendar.zone) if case.due_at else "",
        hours=hours_in_words(calendar),
        until=written_instant(request.expires_at, calendar.zone),
        accepted=written_instant(request.accepted_at, calendar.zone) if request.accepted_at else "",
        answered=case.responded_at is not None,
        phone=_phone(policy, case),
        keyword=desk.mailbox.urgent.keywords[0] if desk and desk.mailbox.urgent.keywords else "",
    )


def _phone(policy: Policy, case: Case) -> str:
    line = next((each for each in policy.lines.values() if each.service == case.service), None)
    return phone_numbers.shown(line.number) if line else ""


def _page(status: int, **values: Any) -> Response:
    return private_page(Response(render_template("consent.html", **values), status))
