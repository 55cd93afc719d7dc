"""An engineer writes on a case's page: to the customer, by mail, or for colleagues. Two forms, two addresses.

As with the form for an answer that was given elsewhere, the signed link is the authority, and a form must come from
a page of ours. What is sent twice by an impatient finger is sent once.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import Blueprint, Response, abort, request, url_for
from sqlalchemy.orm import Session
from werkzeug.exceptions import RequestEntityTooLarge

from console.case_answers import sentence
from console.case_page import case_number, house_context, page_of
from console.case_reply_form import NOTE, REPLY, refuse_note
from console.private_answers import back_to
from core.links import LinkRefused
from core.models import Case, Message, Person
from routing import handling
from routing.clocks.rules import ENGINEER, NotPossible
from routing.context import Context
from routing.correspondence import replies
from routing.correspondence.letters import File
from routing.correspondence.replies import MOST_BYTES, Answer
from routing.paging import pages

case_replies = Blueprint("case_replies", __name__)

_FIELDS = ("person", "text")
_FORM_BYTES = MOST_BYTES + 2 * 1_048_576
_AN_IMPATIENT_FINGER = timedelta(minutes=2)
_STALE = "The page had been open for too long. Look at what you wrote, and send it again."
_TOO_LARGE = f"The files are too large: a mail takes {MOST_BYTES // 1_048_576} MB. Nothing was sent."

_Act = Callable[[Session, Context, Case, Person, datetime], None]


@case_replies.post("/case/<token>/reply")
def reply(token: str) -> Response:
    """Mail the customer, which answers them."""
    request.max_content_length = request.max_form_memory_size = _FORM_BYTES

    def act(session: Session, context: Context, case: Case, person: Person, now: datetime) -> None:
        refuse_note(context, case, _text())
        files = [
            File(each.filename or "", each.mimetype, each.read())
            for each in request.files.getlist("files")
            if each.filename
        ]
        answer = Answer(_text(), files, copies="to_all" in request.form)
        replies.reply(session, context, case, person, answer, now)

    return _written(token, REPLY, act)


@case_replies.post("/case/<token>/note")
def note(token: str) -> Response:
    """Keep a note for colleagues; it goes nowhere."""

    def act(session: Session, context: Context, case: Case, person: Person, now: datetime) -> None:
        handling.write(session, case, _text(), person, now, public=False)

    return _written(token, NOTE, act)


def _text() -> str:
    return request.form.get("text", "").replace("\r\n", "\n")


def _written(token: str, form: str, act: _Act) -> Response:
    context, number = house_context(), case_number(token)
    if (request.content_length or 0) > _FORM_BYTES:
        return page_of(token, 413, {form: _TOO_LARGE})  # not even read
    try:
        given = {name: request.form.get(name, "") for name in _FIELDS}
        given["to_all"] = request.form.get("to_all", "off")
        context.links.check_form(request.form.get("form", ""), number)
        _act_once(context, number, given["person"], form == REPLY, act)
    except RequestEntityTooLarge:
        return page_of(token, 413, {form: _TOO_LARGE})
    except LinkRefused:
        return page_of(token, 422, {form: _STALE}, given)
    except NotPossible as error:
        files = " Choose your files again." if any(each.filename for each in request.files.values()) else ""
        return page_of(token, 422, {form: sentence(error) + files}, given)
    return back_to(url_for("case_page.show", token=token, _anchor="messages"))


def _act_once(context: Context, number: int, who: str, public: bool, act: _Act) -> None:
    now = context.clock.now()
    with context.database.writing() as session:
        case = session.get(Case, number)
        if case is None:
            abort(404)
        person = handling.somebody(session, who)
        pages.locked_pages(session, case)
        session.refresh(case, with_for_update={"key_share": True})
        if not _is_there(session, case, public, now):
            act(session, context, case, person, now)


def _is_there(session: Session, case: Case, public: bool, now: datetime) -> bool:
    """Whether the same words were written on the case a moment ago."""
    same = sa.select(Message.id).where(
        Message.case_id == case.id, Message.author == ENGINEER, Message.public.is_(public),
        Message.body == _text(), Message.at > now - _AN_IMPATIENT_FINGER,
    )  # fmt: skip
    return session.scalar(same.limit(1)) is not None
