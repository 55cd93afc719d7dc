"""An engineer answers the customer by mail: kept on the case, sent through the outbox, and the response stamped.

All three are one transaction. What could not be delivered in the end is taken back (``undelivered``).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from core.models import Case, Message, Person
from routing import handling
from routing.clocks.rules import NotPossible
from routing.context import Context
from routing.correspondence.conversation import Conversation, sender_of, whole_conversation
from routing.correspondence.desk import Desk, desk_of
from routing.correspondence.letters import File, Letter, Party, Quotation, distinct
from routing.correspondence.models import MailKind
from routing.correspondence.outbox import details_of, post
from routing.correspondence.threads import answering_subject
from routing.wording import written_instant

MOST_BYTES = 20 * 1024 * 1024
MOST_FILES = 50


@dataclass(frozen=True)
class Answer:
    """What an engineer writes. ``reached`` are addresses (as compared) that their own mail went to already."""

    text: str
    files: Sequence[File] = ()
    copies: bool = True
    reached: Collection[str] = ()
    own_message_id: str | None = None


@dataclass(frozen=True)
class Sent:
    """Whom an answer goes to by mail; nobody, and why, where there is no way."""

    message: Message
    to: tuple[Party, ...] = ()
    why_not: str = ""


def no_way(context: Context, desk: Desk | None, talk: Conversation) -> str:
    """Why nothing can be mailed to the customer, in words; empty if it can."""
    if desk is None:
        return "the policy has no mailbox for the service"
    if talk.to is None:
        return "no mail address of the customer is known"
    return "" if context.mailer.configured else "no mail server is set (NIGHTBELL_SMTP_URL)"


def reply(
    session: Session, context: Context, case: Case, person: Person, answer: Answer, now: datetime
) -> Sent:
    """Answer the customer of ``case``; :class:`NotPossible` says what is wrong with the answer.

    Without a way by mail the answer is kept on the case all the same, as the one of a call or a portal is; not
    that of a mail, whose customer waits for one.
    """
    _check_files(answer.files)
    policy = context.policies.current().policy
    desk, talk = desk_of(context, policy, case), whole_conversation(session, case, policy)
    hindrance = no_way(context, desk, talk)
    if hindrance and (answer.files or case.channel == "mail"):
        raise NotPossible(f"the answer cannot be mailed: {hindrance}")
    text = _without_links(context, answer.text)
    message = handling.write(
        session, case, text, person, now, public=True, channel="console" if hindrance else "mail"
    )
    if hindrance or desk is None:
        return Sent(message, why_not=hindrance)
    wanted = talk.recipients if answer.copies else talk.recipients[:1]
    left = distinct(wanted, without=list(answer.reached))
    if not left:
        message.mail_message_id = answer.own_message_id
        return Sent(message, wanted)
    letter = _letter(desk, talk, case, person, answer, left, text, now)
    message.mail_message_id, message.details = letter.message_id, details_of(letter)
    message.details["person"] = person.key
    post(
        session, case, MailKind.REPLY, letter, now, message=message, person=person.key,
        bounces_to=desk.bounce_address,
    )  # fmt: skip
    return Sent(message, wanted)


def _letter(
    desk: Desk, talk: Conversation, case: Case, person: Person, answer: Answer, to: tuple[Party, ...],
    text: str, now: datetime,
) -> Letter:  # fmt: skip
    foot = desk.say("mail_reply_foot", engineer=person.name, case=case.id)
    return Letter(
        sender=desk.sender_of(person.name), to=to[0], copies=to[1:],
        subject=answering_subject(case.id, talk.subject), text=f"{text.rstrip()}\n\n{foot}", at=now,
        message_id=desk.message_id(case.id), reply_to=desk.customer_address(case), in_reply_to=talk.in_reply_to,
        references=talk.references, loop_value=desk.signed.loop_value(), quotation=_quotation(desk, talk, case),
        files=tuple(answer.files),
    )  # fmt: skip


def _quotation(desk: Desk, talk: Conversation, case: Case) -> Quotation | None:
    """The customer's latest words, where they wrote any."""
    last = talk.last
    if last is None or last.channel != "mail" or not last.body.strip():
        return None
    writer = sender_of(last)
    name = (writer.name or writer.address) if writer else "you"
    at = written_instant(last.at, desk.policy.calendar_of(case.service).zone)
    return Quotation(desk.say("mail_quoted", at=at, name=name), last.body)


def _check_files(files: Sequence[File]) -> None:
    if len(files) > MOST_FILES:
        raise NotPossible(f"{len(files)} files are too many for one mail; at most {MOST_FILES}")
    size = sum(len(file.data) for file in files)
    if size > MOST_BYTES:
        raise NotPossible(
            f"the files have {size / 1_048_576:.0f} MB together, and a mail takes {MOST_BYTES // 1_048_576} MB; "
            "send less, or a link"
        )


def _without_links(context: Context, text: str) -> str:
    """The text without signed links to a case: they are for engineers, and open what customers must not see."""
    link = re.compile(rf"{re.escape(context.settings.public_url)}/case/\S*", re.IGNORECASE)
    return link.sub("[...]", text)
