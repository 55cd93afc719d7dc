"""Doing what a step of a call says, in the transaction that answers it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from core.models import Case, CaseStatus, record
from intake import voicemail
from intake.phone.facts import Effect
from intake.phone.models import Call
from intake.phone.states import Act
from routing.context import Context
from routing.coverage import Consent
from routing.handling import reopen
from routing.paging import pages

_Doer = Callable[[Session, Context, Call, Any], None]


def do(session: Session, context: Context, call: Call, effect: Effect) -> None:
    """Do one effect of a step."""
    _DOERS[effect.act](session, context, call, effect.value)


def _try_again(session: Session, context: Context, call: Call, value: Any) -> None:
    call.tries += 1


def _hunt_next(session: Session, context: Context, call: Call, value: Any) -> None:
    call.hunted += 1


def _choose(session: Session, context: Context, call: Call, priority: int) -> None:
    call.priority, call.priority_assumed = priority, False


def _assume(session: Session, context: Context, call: Call, priority: int) -> None:
    call.priority, call.priority_assumed = priority, True


def _consent(session: Session, context: Context, call: Call, consent: Consent) -> None:
    now = context.clock.now()
    call.consent, call.consented_at = consent, now if consent.given else None
    record(session, "call.consent", now, call_sid=call.sid, consent=consent)


def _add_to_case(session: Session, context: Context, call: Call, value: Any) -> None:
    call.adding = True


def _report_new(session: Session, context: Context, call: Call, value: Any) -> None:
    call.open_case_id = None


def _escalate(session: Session, context: Context, call: Call, value: Any) -> None:
    case = session.get_one(Case, call.open_case_id)
    if case.status == CaseStatus.CLOSED:
        reopen(session, case, None, context.clock.now(), context.policies.current(), call.started_at)
    pages.escalate(session, context, case, context.clock.now())


def _send(session: Session, context: Context, call: Call, value: Any) -> None:
    voicemail.send(session, context, call)


def _await_recording(session: Session, context: Context, call: Call, value: Any) -> None:
    voicemail.gone_while_recording(session, context, call)


def _set_callback(session: Session, context: Context, call: Call, number: str | None) -> None:
    call.callback_number = number
    if call.case_id is not None:
        session.get_one(Case, call.case_id).callback_number = number
        record(session, "case.callback-changed", context.clock.now(), case_id=call.case_id, by="caller")


_DOERS: dict[Act, _Doer] = {
    Act.TRY_AGAIN: _try_again,
    Act.HUNT_NEXT: _hunt_next,
    Act.CHOOSE: _choose,
    Act.ASSUME: _assume,
    Act.CONSENT: _consent,
    Act.ADD_TO_CASE: _add_to_case,
    Act.REPORT_NEW: _report_new,
    Act.ESCALATE: _escalate,
    Act.SEND: _send,
    Act.SET_CALLBACK: _set_callback,
    Act.AWAIT_RECORDING: _await_recording,
    Act.HANG_UP: _send,  # whatever was recorded counts as sent; without a message it is a near miss
}
