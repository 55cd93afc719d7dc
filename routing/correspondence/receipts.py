"""What the customer of a mail is told unasked: that the case is open, or open again, and who has it (RFC 3834)."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.models import Case, Message, Person
from routing.clocks import cycles
from routing.context import Context
from routing.correspondence import automatic, consents
from routing.correspondence.conversation import conversation_of
from routing.correspondence.desk import Desk, desk_of
from routing.correspondence.letters import Manner
from routing.correspondence.models import MailKind, OutboundMail
from routing.coverage import Outcome
from routing.decisions import codes_of_case
from routing.policy import Policy
from routing.wording import written_instant

_FIRST_WORDS = (MailKind.RECEIPT, MailKind.CONSENT_REQUEST)
_HEARD_OF = (*_FIRST_WORDS, MailKind.REOPENED)


def opened(
    session: Session,
    context: Context,
    case: Case,
    policy: Policy,
    outcome: Outcome,
    now: datetime,
    *,
    first: Message | None = None,
) -> None:
    """Tell the customer that the case of their mail is open, once.

    ``first`` is all that has been said on a case which this transaction opens.
    """
    desk = desk_of(context, policy, case)
    if desk is None or (first is None and _has(session, case, _FIRST_WORDS)):
        return
    talk = conversation_of(session, case, policy, [first] if first is not None else None)
    # Whoever asks for urgent work may do so three times in a row with the same subject.
    alike = outcome is not Outcome.ASK_CONSENT
    why = automatic.may_be_told(session, context, case, desk, now, count_alike=alike, talk=talk, cause=first)
    if why is not None:
        automatic.held_back(session, case, MailKind.RECEIPT, why, now)
        return
    if outcome is Outcome.ASK_CONSENT:
        consents.ask(session, context, case, desk, now)
        return
    text = opened_text(session, case, desk, outcome, now)
    automatic.tell(session, context, case, desk, MailKind.RECEIPT, text, now, talk=talk)


def accepted(session: Session, context: Context, case: Case, policy: Policy, now: datetime) -> None:
    """Tell the customer that somebody has their case, once for each promise; not if they have not heard of the case.

    Whoever takes over from the first engineer speaks with the customer anyway. But who had a case that was closed
    since says nothing of who has it now that it is open again.
    """
    desk, cycle = desk_of(context, policy, case), cycles.current_cycle(session, case)
    number = cycle.number if cycle is not None else 1
    if (
        desk is None
        or _has(session, case, (MailKind.ACCEPTED,), number)
        or not _has(session, case, _HEARD_OF)
    ):
        return
    # A person has pressed a key: no two programs can go on so.
    why = automatic.may_be_told(session, context, case, desk, now, count_alike=False)
    if why is not None:
        automatic.held_back(session, case, MailKind.ACCEPTED, why, now)
        return
    engineer = session.get(Person, case.engineer) if case.engineer and case.verified else None
    if engineer is not None:
        text = desk.say("mail_accepted", case=case.id, engineer=engineer.name.split()[0])
    else:
        text = desk.say("mail_accepted_noted", case=case.id)
    # Nothing was asked just now: a machine speaks by itself (RFC 3834, 5.2).
    automatic.tell(session, context, case, desk, MailKind.ACCEPTED, text, now, Manner.GENERATED, cycle=number)


def reopened(
    session: Session, context: Context, case: Case, policy: Policy, now: datetime, *, rung: bool
) -> None:
    """Tell the customer, whose mail has opened the case again, of the new promise; ``rung``: an engineer is.

    Mails with one subject are not counted for it: whoever opens the same case again is limited by the mailbox.
    """
    desk = desk_of(context, policy, case)
    if desk is None:
        return
    session.flush()
    why = automatic.may_be_told(session, context, case, desk, now, count_alike=False)
    if why is not None:
        automatic.held_back(session, case, MailKind.REOPENED, why, now)
        return
    if not case.verified or case.due_at is None or case.due_at <= now:
        text = desk.say("mail_reopened_noted", case=case.id)
    else:
        due = written_instant(case.due_at, policy.calendar_of(case.service).zone)
        text = desk.say("mail_reopened_paged" if rung else "mail_reopened_waits", case=case.id, due=due)
    automatic.tell(session, context, case, desk, MailKind.REOPENED, text, now)


def opened_text(session: Session, case: Case, desk: Desk, outcome: Outcome, now: datetime) -> str:
    """What a customer is told of a case, true at ``now``. Nobody unverified hears a promise."""
    if not case.verified or case.due_at is None or case.due_at <= now:
        return desk.say("mail_opened_noted", case=case.id)
    due = written_instant(case.due_at, desk.policy.calendar_of(case.service).zone)
    if outcome is Outcome.PAGE:
        return desk.say("mail_opened_paged", case=case.id, due=due)
    codes = codes_of_case(session, case.id)
    key = next((key for code, key in _REFUSED.items() if code in codes), "mail_opened_waits")
    return desk.say(key, case=case.id, due=due)


# Why a wish for priority 1 was not granted: the decision's reason -> what the customer is told.
_REFUSED = {
    "consent-not-given": "mail_opened_never",
    "priority-not-entitled": "mail_opened_not_entitled",
    "priority-not-proven": "mail_opened_not_entitled",
}


def _has(session: Session, case: Case, kinds: tuple[MailKind, ...], cycle: int | None = None) -> bool:
    """Whether the case has a mail of these kinds, in its promise of that number if one is given."""
    found = sa.exists().where(OutboundMail.case_id == case.id, OutboundMail.kind.in_(kinds))
    if cycle is not None:
        found = found.where(OutboundMail.cycle == cycle)
    return bool(session.scalar(sa.select(found)))
