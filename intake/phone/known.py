"""What is known of a call when its next step is decided: the facts, and the event that a request stands for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import phone_numbers
from core.models import Case
from core.prepared import Prepared, Read, reads_of
from intake import callers, voicemail
from intake.callers import Caller
from intake.phone.facts import Facts, OpenCase, Standing
from intake.phone.models import Call
from intake.phone.states import Event, State
from routing.context import Context
from routing.coverage import ContactFacts, Outcome
from routing.decisions import decision_of_case
from routing.paging.models import Page
from routing.paging.states import PageState
from routing.policy import Policy
from routing.policy_parts import Line

_KEYS = {"1": Event.KEY_1, "2": Event.KEY_2, "3": Event.KEY_3, "9": Event.KEY_9}


def first_facts(
    read: Read, policy: Policy, line_key: str, caller: Caller, number: str | None, now: datetime
) -> Facts:
    """The facts of a call that is just beginning."""
    line = policy.lines[line_key]
    contact = ContactFacts(
        at=now, channel="phone", service=line.service, line=line_key, customer=caller.customer,
        customer_key=caller.customer_key, identified_by=caller.identified_by, tier=caller.tier,
    )  # fmt: skip
    return Facts(
        policy, line_key, contact, now,
        team_left=len(line.team),
        consent_terms=caller.consent_terms,
        open_case=_open_case(read, policy, caller.open_case_id),
        callback_number=number,
    )  # fmt: skip


def facts_of(session: Session, context: Context, call: Call, policy: Policy, entered: str | None) -> Facts:
    """The facts of a call at its next step."""
    line = policy.lines[call.line]
    return Facts(
        policy, call.line,
        voicemail.contact_facts(session, call, line.service, voicemail=False),
        context.clock.now(),
        tries=call.tries,
        team_left=len(line.team) - call.hunted,
        consent_terms=call.consent_terms,
        open_case=_open_case(reads_of(session), policy, call.open_case_id),
        new_case=_new_case(session, call.case_id),
        adding=call.adding,
        callback_number=call.callback_number or call.from_number,
        entered_number=entered,
        has_message=call.sent or call.state != State.REVIEW or bool(voicemail.messages_of(session, context, call)),
    )  # fmt: skip


def heard(
    session: Session, context: Context, call: Call, line: Line, form: Mapping[str, str], silent: bool
) -> tuple[Event, str | None]:
    """The event that a request of the call stands for, and the telephone number that was entered, if one was.

    A support ID that is known identifies the caller here, before the next step is decided.
    """
    digits = form.get("Digits", "")
    state = State(call.state)
    if silent:
        return Event.SILENT, None
    if "RecordingUrl" in form or "RecordingSid" in form:
        return _recorded(form, line), None
    if state is State.HUNT:
        return (Event.TAKEN if call.taken_by else Event.NOT_TAKEN), None
    if state is State.SUPPORT_ID:
        return _identified(session, context, call, line, digits, form), None
    if state is State.CALLBACK and digits not in ("", "1"):
        number = phone_numbers.to_e164(digits)
        return (Event.NUMBER if number else Event.NOT_A_NUMBER), number
    return (_KEYS.get(digits, Event.OTHER_KEY) if digits else Event.NO_KEY), None


def _recorded(form: Mapping[str, str], line: Line) -> Event:
    if form.get("Digits") == "hangup":
        return Event.RECORDED_AND_GONE
    seconds = form.get("RecordingDuration", "")
    # The length is final only in the recording callback, but a message of a second is no message.
    too_short = seconds.isdigit() and int(seconds) < line.min_voicemail_s
    return Event.SILENT if too_short else Event.RECORDED


def _identified(
    session: Session, context: Context, call: Call, line: Line, digits: str, form: Mapping[str, str]
) -> Event:
    if not digits:
        return Event.SKIPPED if form.get("FinishedOnKey") == "#" else Event.NO_KEY
    policy = context.policies.version(call.policy_version)
    day = call.started_at.astimezone(policy.calendar_of(line.service).zone).date()
    caller = callers.by_support_id(context.policies.current().directory, digits, line.service, day)
    if caller is None:
        return Event.NOT_IDENTIFIED
    call.customer_id, call.identified_by = caller.customer_id, caller.identified_by
    call.tier, call.consent_terms = caller.tier, caller.consent_terms
    return Event.IDENTIFIED


_ringing = (
    sa.select(sa.func.count())
    .select_from(Page)
    .where(Page.case_id == Case.id, sa.or_(Page.state == PageState.RINGING, Page.state == PageState.JOINED))
    .scalar_subquery()
)
_OPEN_CASE = Prepared(
    sa.select(Case.engineer, Case.tier, Case.priority, Case.service, _ringing.label("ringing")).where(
        Case.id == sa.bindparam("number")
    )
)


def _open_case(read: Read, policy: Policy, number: int | None) -> OpenCase | None:
    if number is None:
        return None
    (case,) = read(_OPEN_CASE, number=number)
    if case.engineer is not None:
        standing = Standing.HAS_ENGINEER
    else:
        standing = Standing.RINGING if case.ringing else Standing.WAITS
    tier = policy.tiers.get(case.tier) if case.tier else None
    covered = tier is not None and tier.target(case.priority).cover == "24x7"
    may_escalate = covered and policy.escalation_of(case.service, case.priority) is not None
    return OpenCase(number, standing, may_escalate)


def _new_case(session: Session, number: int | None) -> OpenCase | None:
    decision = decision_of_case(session, number) if number is not None else None
    if number is None or decision is None:
        return None
    return OpenCase(number, outcome=Outcome(decision.outcome), due_at=decision.due_at)
