"""Telling an engineer by mail what became of their own mail; not too often, for two programs may be talking."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.mail_addresses import Kind, address_key
from core.models import Case, Person
from routing.context import Context
from routing.correspondence.desk import desk_of
from routing.correspondence.letters import Letter, Manner, Party
from routing.correspondence.models import MailKind, OutboundMail
from routing.correspondence.outbox import post

_MOST_AN_HOUR = 5


def tell(
    session: Session, context: Context, case: Case, person: str, key: str, now: datetime, **values: object
) -> None:
    """Write the sentence ``key`` to the engineer, if there is an address and a desk to write from."""
    policy = context.policies.current().policy
    desk, known = desk_of(context, policy, case), session.get(Person, person)
    if desk is None or known is None or not known.email or not context.mailer.configured:
        return
    if _told_lately(session, known.email, now) >= _MOST_AN_HOUR:
        return
    subject = desk.say("mail_not_sent_subject", case=case.id)
    letter = Letter(
        sender=desk.sender, to=Party(known.name, known.email), subject=subject,
        text=desk.say(key, case=case.id, **values), at=now, message_id=desk.message_id(case.id, Kind.ENGINEER),
        reply_to=desk.engineer_address(case.id, person), references=(desk.page_reference(case.id, person),),
        manner=Manner.ANSWERED, loop_value=desk.signed.loop_value(),
    )  # fmt: skip
    post(session, case, MailKind.ENGINEER_NOTICE, letter, now, person=person)


def _told_lately(session: Session, address: str, now: datetime) -> int:
    told = sa.select(sa.func.count()).where(
        OutboundMail.to_address == address_key(address),
        OutboundMail.kind == MailKind.ENGINEER_NOTICE,
        OutboundMail.created_at > now - timedelta(hours=1),
    )
    return session.scalar(told) or 0
