"""Texts from engineers: ``ACK 1042`` accepts, ``PASS 1042`` passes on."""

from __future__ import annotations

import re
from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.models import Case, Person
from routing.context import Context
from routing.drills import planning
from routing.drills.content import values_of
from routing.paging import acceptance, bundles, everyone, pages, reach
from routing.paging.acceptance import Answer
from routing.paging.content import page_values
from routing.paging.models import Attempt, Page
from routing.paging.states import PageState
from routing.policy import Policy

_LARGEST_NUMBER = 2**31 - 1  # that a case can have; PostgreSQL refuses to compare with more
_COMMAND = re.compile(r"^\W*(ack|pass|take)[a-z]*\W*(\d{1,12})?\W*$", re.IGNORECASE)


def answer(session: Session, context: Context, from_number: str, body: str) -> str | None:
    """Do what a text asks for; the text that answers it. None for a sender who is no engineer."""
    policy = context.policies.current().policy
    person = _sender(session, policy, from_number)
    if person is None:
        return None
    command = _COMMAND.match(body)
    page = _page(session, person, command[2]) if command else None
    if page is None and command is not None and command[2] is None and command[1].lower() == "ack":
        drill = planning.waiting_for(session, person.key, context.clock.now())
        if drill is not None:
            planning.prove(session, drill, "sms", context.clock.now())
            return policy.say("sms_drill_proved", None, **values_of(session, policy, drill)).text
    if command is None or (page is None and command[2] is None):
        return policy.say("sms_help").text
    if page is None:
        return policy.say("sms_no_page", **_only_number(command[2])).text
    if command[1].lower() == "ack":
        outcome, done = acceptance.accept(session, context, page, person), "sms_accepted"
    else:
        page = bundles.spoken_for(session, page)  # the answer names the case that is meant
        if command[1].lower() == "take":
            outcome, done = acceptance.take_over(session, context, page, person), "sms_accepted"
        else:
            position = pages.rung_at(session, page, person)
            outcome, done = acceptance.pass_on(session, context, page, person, position), "sms_passed"
    sentence = {
        Answer.DONE: done, Answer.ALREADY_YOURS: "sms_accepted", Answer.TAKEN: "sms_taken",
        Answer.OVER: "sms_no_page",
    }[outcome]  # fmt: skip
    session.flush()
    if sentence == "sms_accepted" and everyone.rows_of(session, page):
        sentence = "sms_acknowledged"
    now = context.clock.now()
    values: Mapping[str, object] = page_values(
        session, page.case, policy, context.links, now, page, person.key
    )
    return policy.say(sentence, page.case.line, **values).text


def _sender(session: Session, policy: Policy, number: str) -> Person | None:
    """The engineer whose phone this is, or one of whose verified numbers."""
    person = session.scalar(sa.select(Person).where(Person.phone == number, Person.active.is_(True)).limit(1))
    owner = reach.owner_of(policy, number) if person is None else None
    return session.get(Person, owner) if owner else person


def _only_number(number: str) -> dict[str, object]:
    return {"case": number}


def _page(session: Session, person: Person, case_number: str | None) -> Page | None:
    """The latest page of the case; without a number, the only ringing page that this person was called for."""
    latest = sa.select(Page).order_by(Page.id.desc()).with_for_update()
    if case_number is not None and int(case_number) > _LARGEST_NUMBER:
        return None
    if case_number is not None:
        return session.scalar(latest.join(Case).where(Case.id == int(case_number)).limit(1))
    rung = sa.select(Attempt.page_id).where(Attempt.person_key == person.key)
    ringing = session.scalars(latest.where(Page.state == PageState.RINGING, Page.id.in_(rung)).limit(2)).all()
    return ringing[0] if len(ringing) == 1 else None
