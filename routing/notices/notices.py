"""Writing a notice down, in the transaction of what it tells; the worker sends it.

A case has one notice of each kind. That somebody has the case is told once: whoever takes it over from the first
engineer speaks with the customer anyway, and a second name would only raise the question of who it is now.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import due
from core.database import insert_into, wake_after_commit
from core.models import Case, Message
from routing.context import Context
from routing.correspondence import receipts
from routing.coverage import Outcome
from routing.notices.models import CustomerNotice, NoticeKind, NoticeState
from routing.policy import Policy

SEND = "notice.send"
MAIL = "mail"
_CHANNELS = ("phone", "sms")
# The engineer's phone rings first.
_AFTER = timedelta(seconds=2)
# A caller who is still on the line may be about to enter another number; the end of the call ends the wait.
_WHILE_ON_THE_LINE = timedelta(seconds=60)


def opened(
    session: Session, context: Context, case: Case, policy: Policy, outcome: Outcome, now: datetime,
    first: Message, *, on_the_line: bool,
) -> None:  # fmt: skip
    """Tell the customer that ``case`` is open, with ``first``; not if a colleague has just spoken with them.

    What comes by text is told in the answer to it, what comes by mail by mail.
    """
    if case.channel == MAIL:
        receipts.opened(session, context, case, policy, outcome, now, first=first)
    elif case.channel == "phone" and outcome is not Outcome.ANSWERED:
        write(session, case, policy, NoticeKind.OPENED, now, _WHILE_ON_THE_LINE if on_the_line else _AFTER)


def accepted(session: Session, context: Context, case: Case, policy: Policy, now: datetime) -> None:
    """Tell the customer that somebody has ``case``."""
    if case.responded_at is None and case.channel == MAIL:
        receipts.accepted(session, context, case, policy, now)
    elif case.responded_at is None:
        write(session, case, policy, NoticeKind.ACCEPTED, now, _AFTER)


def write(
    session: Session, case: Case, policy: Policy, kind: NoticeKind, now: datetime, wait: timedelta = _AFTER
) -> None:
    """Write one notice down, unless the case has it, has no line, or its line sends none."""
    line = policy.lines.get(case.line) if case.line else None
    if line is None or line.caller_receipts == "off" or case.channel not in _CHANNELS:
        return
    # By the unique key and without an error: an accept must not fail for the sake of a receipt.
    notice = session.scalar(
        insert_into(CustomerNotice, session.get_bind().dialect.name)
        .values(case_id=case.id, kind=kind, state=NoticeState.WAITING, created_at=now)
        .on_conflict_do_nothing(index_elements=["case_id", "kind"])
        .returning(CustomerNotice.id)
    )
    if notice is not None:
        due.enqueue(session, SEND, subject(case.id), now + wait, notice=notice)


def caller_has_gone(session: Session, case_id: int | None, now: datetime) -> None:
    """The call is over: nothing more will be entered, and the notice need not wait."""
    if case_id is None:
        return
    hastened = session.execute(
        sa.update(due.Due)
        .where(
            due.Due.subject == subject(case_id),
            due.Due.kind == SEND,
            due.Due.state == due.DueState.READY,
            due.Due.due_at > now + _AFTER,
        )
        .values(due_at=now + _AFTER)
    )
    if hastened.rowcount:  # type: ignore[attr-defined]
        wake_after_commit(session)


def subject(case_id: int) -> str:
    """What the due work of a case's notices is filed under."""
    return f"notices:{case_id}"
