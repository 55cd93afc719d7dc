"""The shell around the call's table: loads what is known, asks the table, does what it says, answers with TwiML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import due, phone_numbers
from core.models import Event as EventRow
from core.models import Person, record
from core.prepared import prepared_insert, reads_of
from core.quick import QuickTransaction
from core.telephony import FINAL_CALL_STATUSES
from intake import callers, voicemail
from intake.callers import Caller
from intake.cases import Intake, open_case
from intake.phone import acts, known, script
from intake.phone.facts import Facts, Step
from intake.phone.flow import step
from intake.phone.models import Call
from intake.phone.states import Act, Event, State
from routing.context import Context
from routing.coverage import Consent
from routing.notices import notices
from routing.policies import CurrentPolicy
from routing.policy import Policy
from routing.policy_parts import Line

WATCH = "call.watch"
_WATCH_AFTER = timedelta(minutes=20)
_CALL, _EVENT, _DUE = (prepared_insert(model) for model in (Call, EventRow, due.Due))


class StaleStep(Exception):
    """The request is for a step that the call has left."""


def begin(
    transaction: QuickTransaction,
    current: CurrentPolicy,
    line_key: str,
    form: Mapping[str, str],
    now: datetime,
) -> str:
    """Answer a ringing line: the call's row, its event and its watch are written; the TwiML is returned.

    By prepared statements instead of objects: this path stands between a ringing phone and its answer.
    """
    sid, policy, line = form["CallSid"], current.policy, current.policy.lines[line_key]
    number = phone_numbers.caller_number(form.get("From", ""))
    day = now.astimezone(policy.calendar_of(line.service).zone).date()
    caller = callers.by_number(transaction.rows, current.directory, number, line.service, day)
    if caller.open_case_id is None:
        first = _first_answer(current, line_key, caller, now.replace(second=0, microsecond=0))
    else:
        first = _answer_of(known.first_facts(transaction.rows, policy, line_key, caller, number, now), line)
    consent = first.consent
    transaction.add(
        _CALL, sid=sid, line=line_key, from_number=number, stir=form.get("StirVerstat", "")[:40] or None,
        policy_version=current.version, started_at=now, state=first.step.next, hunted=first.hunted,
        customer_id=caller.customer_id, contact_id=caller.contact_id, identified_by=caller.identified_by,
        tier=caller.tier, consent_terms=caller.consent_terms, open_case_id=caller.open_case_id,
        consent=consent, consented_at=now if consent and consent.given else None,
    )  # fmt: skip
    transaction.add(_EVENT, at=now, kind="call.began", call_sid=sid, data={"line": line_key})
    transaction.add(_DUE, kind=WATCH, subject=f"call:{sid}", due_at=now + _WATCH_AFTER, payload={"call": sid})
    return first.document or script.document(first.step, line, sid, 1, first.hunted)


@dataclass(frozen=True)
class _Answer:
    """How a call begins. ``document`` is its TwiML, unless that names the call."""

    step: Step
    consent: Consent | None
    hunted: int
    document: str | None


@lru_cache(maxsize=1024)
def _first_answer(current: CurrentPolicy, line_key: str, caller: Caller, minute: datetime) -> _Answer:
    """The answer to a call without an open case: the same for all callers of a kind within a minute.

    Calendars open and close at whole minutes, and every time that is spoken is one.
    """
    facts = known.first_facts(_nothing, current.policy, line_key, caller, None, minute)
    return _answer_of(facts, current.policy.lines[line_key])


def _answer_of(facts: Facts, line: Line) -> _Answer:
    first = step(State.NEW, Event.CALLED, facts)
    consent = next((effect.value for effect in first.effects if effect.act is Act.CONSENT), None)
    hunted = sum(effect.act is Act.HUNT_NEXT for effect in first.effects)
    document = None if first.next is State.HUNT else script.document(first, line, "", 1, hunted)
    return _Answer(first, consent, hunted, document)


def _nothing(*_: object, **__: object) -> list[object]:
    raise AssertionError("a call without an open case asks the database nothing")


def take_step(
    session: Session,
    context: Context,
    sid: str,
    number: int,
    form: Mapping[str, str],
    *,
    silent: bool = False,
    at: datetime,
) -> str:
    """Do what the request for step ``number`` of a call asks for; the TwiML that answers it.

    ``at`` is when the request came: a call of which nothing else is known began then at the latest.
    """
    call = locked_call(session, sid)
    if call is None:
        # Its first request never reached the database; what the caller says now is not lost for that.
        call = adopt(session, context, sid, form.get("From", ""), form.get("To", ""), at)
    if number < call.step:
        raise StaleStep
    policy = context.policies.version(call.policy_version)
    line = policy.lines[call.line]
    event, entered = known.heard(session, context, call, line, form, silent)
    if "RecordingSid" in form or "RecordingUrl" in form:
        voicemail.announce(session, context, call, form)
    result = _advance(session, context, call, policy, event, entered)
    call.step = number + 1
    return script.document(result, line, sid, call.step, call.hunted)


def hung_up(session: Session, context: Context, sid: str) -> None:
    """The call is over, as the telephone company says; whatever was recorded counts as sent."""
    call = locked_call(session, sid)
    if call is None or call.ended_at is not None:
        return
    now = context.clock.now()
    call.ended_at = now
    record(session, "call.ended", now, call_sid=sid, case_id=call.case_id, state=call.state)
    _advance(session, context, call, context.policies.version(call.policy_version), Event.GONE, None)
    session.flush()
    due.cancel(session, f"call:{sid}", (WATCH,))
    notices.caller_has_gone(session, call.case_id, now)


def watch(context: Context, claim: due.Claim) -> None:
    """Due work: nothing was heard of the call's end; ask the telephone company."""
    sid = claim.payload["call"]
    over = context.telephony.call_status(sid) in FINAL_CALL_STATUSES
    with context.database.writing() as session:
        locked_call(session, sid)  # before the due work, as everywhere: the hang-up may come at this moment
        if not due.finish(session, claim):
            raise due.LeaseLost(claim.subject)
        if over:
            hung_up(session, context, sid)
        else:
            due.enqueue(session, WATCH, claim.subject, context.clock.now() + _WATCH_AFTER, call=sid)


def took(session: Session, context: Context, sid: str, index: int) -> bool:
    """A colleague pressed 1 on the whisper: the call is theirs, and a case that has been answered."""
    call = locked_call(session, sid)
    if call is None or call.taken_by is not None or call.ended_at is not None:
        return False
    policy = context.policies.version(call.policy_version)
    line = policy.lines[call.line]
    person = session.scalar(sa.select(Person).where(Person.phone == line.team[index]).limit(1))
    call.taken_by = person.name if person else line.team[index]
    title = f"Call taken by {call.taken_by}"
    intake = Intake(
        origin=f"call:{sid}",
        facts=voicemail.contact_facts(session, call, line.service, voicemail=False),
        title=title,
        body=title,
        customer_id=call.customer_id,
        contact_id=call.contact_id,
        from_number=call.from_number,
        call_sid=sid,
    )
    case = open_case(session, context, intake, CurrentPolicy(call.policy_version, policy))
    case.engineer = person.key if person else None
    call.case_id, call.sent = case.id, True
    return True


def adopt(session: Session, context: Context, sid: str, from_: str, to: str, started_at: datetime) -> Call:
    """Write the row of a call that began without us; it is taken to be recording."""
    current = context.policies.current()
    policy = current.policy
    line_key = policy.line_by_number.get(to) or next(iter(policy.lines))
    service = policy.lines[line_key].service
    number = phone_numbers.caller_number(from_)
    day = started_at.astimezone(policy.calendar_of(service).zone).date()
    caller = callers.by_number(reads_of(session), current.directory, number, service, day)
    call = Call(
        sid=sid,
        line=line_key,
        from_number=number,
        policy_version=current.version,
        started_at=started_at,
        state=State.RECORDING,
        customer_id=caller.customer_id,
        contact_id=caller.contact_id,
        identified_by=caller.identified_by,
        tier=caller.tier,
        consent_terms=caller.consent_terms,
    )
    session.add(call)
    session.flush()
    record(session, "call.adopted", started_at, call_sid=sid, line=line_key)
    return call


def began_earlier(session: Session, sid: str, at: datetime) -> None:
    """The first request of a call comes to light after a later one had to do without it.

    The promise runs from the contact (the true start), as long as nothing was promised by another.
    """
    call = locked_call(session, sid)
    if call is None or at >= call.started_at:
        return
    if call.case_id is None:
        call.started_at = at
    record(session, "call.began-earlier", at, call_sid=sid, case_id=call.case_id)


def _advance(
    session: Session, context: Context, call: Call, policy: Policy, event: Event, entered: str | None
) -> Step:
    result = step(State(call.state), event, known.facts_of(session, context, call, policy, entered))
    call.state = result.next
    if not any(effect.act is Act.TRY_AGAIN for effect in result.effects):
        call.tries = 0
    for effect in result.effects:
        acts.do(session, context, call, effect)
    return result


def locked_call(session: Session, sid: str) -> Call | None:
    """The call, locked until the end of the transaction; None if it is not known."""
    return session.get(Call, sid, with_for_update=True)
