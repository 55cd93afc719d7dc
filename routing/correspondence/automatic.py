"""Automatic mails to a case's customer: held back where nobody may be answered, else written into the outbox."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.models import Case, Message, record
from core.prepared import Prepared
from core.straight import straight_rows, write
from routing.context import Context
from routing.correspondence.address_facts import no_mail_reason
from routing.correspondence.answering import Addressee, why_not
from routing.correspondence.conversation import CUSTOMER, Conversation, conversation_of
from routing.correspondence.desk import Desk, is_ours
from routing.correspondence.letters import Letter, Manner, Party
from routing.correspondence.models import MailKind, OutboundMail
from routing.correspondence.outbox import details_of, post, topic_of
from routing.correspondence.states import MailState
from routing.correspondence.threads import answering_subject
from routing.policy import Policy

# What has been answered by these is not counted: each belongs to one act of a person.
_UNCOUNTED = (MailKind.REPLY, MailKind.ENGINEER_NOTICE, MailKind.CONSENT_ANSWER)


_SENT = Prepared(
    sa.select(OutboundMail.topic).where(
        OutboundMail.to_address == sa.bindparam("address"),
        OutboundMail.created_at > sa.bindparam("since"),
        *(OutboundMail.kind != kind for kind in _UNCOUNTED),
        OutboundMail.state != MailState.SUPPRESSED,
    )
)


def may_be_told(
    session: Session,
    context: Context,
    case: Case,
    desk: Desk,
    now: datetime,
    *,
    count_alike: bool = True,
    talk: Conversation | None = None,
    cause: Message | None = None,
) -> str | None:
    """Why the customer of ``case`` gets no automatic mail; None if they may.

    ``talk`` and ``cause``, the latest mail, are looked up where they are not known.
    """
    talk = talk or conversation_of(session, case, desk.policy)
    address = talk.to.key if talk.to else None
    if address is not None:
        _hold_the_count(session, address)
    cause = cause or latest_mail(session, case)
    sent, alike = _counts(session, address, topic_of(talk.subject), desk.policy, now)
    facts = Addressee(
        address=address,
        wanted=desk.mailbox.receipts == "on",
        mail_works=context.mailer.configured,
        ours=address is not None and is_ours(desk.policy, address),
        machine=_machine(cause),
        forged=bool(cause and (cause.details or {}).get("forged")),
        unread=bool(cause and (cause.details or {}).get("damaged")),
        no_mail_reason=no_mail_reason(session, address) if address else None,
        sent=sent,
        sent_alike=alike if count_alike else 0,
    )
    return why_not(facts, desk.policy.limits)


def tell(
    session: Session, context: Context, case: Case, desk: Desk, kind: MailKind, text: str, now: datetime,
    manner: Manner = Manner.ANSWERED, to: Party | None = None, cycle: int = 1,
    talk: Conversation | None = None,
) -> OutboundMail:  # fmt: skip
    """Write an automatic mail to the customer of ``case``, or to ``to``, in the thread of their mail."""
    talk = talk or conversation_of(session, case, desk.policy)
    to = to or talk.to
    assert to is not None, "somebody without an address has been found to be one who may be told"
    letter = Letter(
        sender=desk.sender, to=to, subject=answering_subject(case.id, talk.subject), text=text, at=now,
        message_id=desk.message_id(case.id), reply_to=desk.customer_address(case), in_reply_to=talk.in_reply_to,
        references=talk.references, manner=manner, loop_value=desk.signed.loop_value(),
    )  # fmt: skip
    message = write(
        session, Message, case_id=case.id, at=now, channel="mail", author="system", body=_shown(context, text),
        public=True, mail_message_id=letter.message_id, details=details_of(letter),
    )  # fmt: skip
    return post(session, case, kind, letter, now, message=message, cycle=cycle)


def _shown(context: Context, text: str) -> str:
    """The text without its link to a consent: whoever reads the case could accept for the customer."""
    link = re.compile(rf"{re.escape(context.settings.public_url)}/consent/\S*")
    return link.sub("(the link of the customer)", text)


def held_back(session: Session, case: Case, kind: MailKind, why: str, now: datetime) -> None:
    """Write down that the customer was not told."""
    record(session, "mail.not-answered", now, case_id=case.id, mail=kind, why=why)


def latest_mail(session: Session, case: Case) -> Message | None:
    """The customer's latest mail; of a case that a report has opened, that report."""
    mails = sa.select(Message).where(Message.case_id == case.id, Message.channel == "mail")
    theirs = session.scalar(mails.where(Message.author == CUSTOMER).order_by(Message.id.desc()).limit(1))
    if theirs is not None:
        return theirs
    return session.scalar(mails.order_by(Message.id).limit(1))


def _machine(mail: Message | None) -> str:
    verdict = ((mail.details if mail else None) or {}).get("verdict") or {}
    return "" if verdict.get("may_answer", True) else str(verdict.get("reason") or verdict.get("kind"))


def _counts(
    session: Session, address: str | None, topic: str, policy: Policy, now: datetime
) -> tuple[int, int]:
    """How many automatic mails the address has got lately, and how many with this subject."""
    if address is None:
        return 0, 0
    since = now - timedelta(minutes=policy.limits.automatic_mails_min)
    topics = [row.topic for row in straight_rows(session, _SENT, address=address, since=since)]
    return len(topics), topics.count(topic)


def _hold_the_count(session: Session, address: str) -> None:
    """Let no other transaction count the mails to ``address`` before this one has ended; SQLite has one writer."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(address, 0))))
