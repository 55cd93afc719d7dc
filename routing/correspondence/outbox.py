"""The outbox: a mail is written down, finished, in the transaction of what it tells; the worker sends it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import due
from core.models import Case, Message
from core.straight import write
from routing.correspondence.letters import Letter, Party, composed, file_name
from routing.correspondence.models import MailKind, OutboundMail
from routing.correspondence.threads import bare_subject

DELIVER = "mail.deliver"
BLOCKED_AFTER = timedelta(minutes=15)
_LONGEST_TOPIC = 200


def details_of(letter: Letter) -> dict[str, Any]:
    """A letter of ours as the details of its message."""
    return {
        "subject": letter.subject,
        "from": _party(letter.sender),
        "to": [_party(letter.to)],
        "cc": [_party(each) for each in letter.copies],
        "references": list(letter.references),
        "attachments": [
            {
                "index": index,
                "name": file_name(file.name),
                "type": file.content_type,
                "size": len(file.data),
                "inline": False,
                "sha256": hashlib.sha256(file.data).hexdigest(),
            }
            for index, file in enumerate(letter.files)
        ],
    }


def _party(party: Party) -> dict[str, str]:
    return {"name": party.name, "address": party.address}


def post(
    session: Session, case: Case, kind: MailKind, letter: Letter, now: datetime, *, message: Message | None = None,
    person: str | None = None, bounces_to: Callable[[int], str] | None = None, cycle: int = 1,
) -> OutboundMail:  # fmt: skip
    """Write a mail down, to be sent at once. ``message`` is its place on the case, ``person`` who wrote or gets it.

    ``bounces_to`` makes the envelope's sender from the mail's id; what is automatic has none (RFC 3834, 3.3).
    ``cycle`` matters for what a customer is told once of each promise.
    """
    mail = write(
        session, OutboundMail, case_id=case.id, message_id=message.id if message else None, kind=kind, cycle=cycle,
        person=person,
        to_address=letter.to.key, copies=[each.key for each in letter.copies],
        remaining=[letter.to.key, *(each.key for each in letter.copies)], failures={}, envelope_from="",
        rfc_message_id=letter.message_id, topic=topic_of(letter.subject), raw=composed(letter), created_at=now,
    )  # fmt: skip
    if bounces_to is not None:
        mail.envelope_from = bounces_to(mail.id)
    due.enqueue(session, DELIVER, mail.subject, now, mail=mail.id)
    return mail


def topic_of(subject: str) -> str:
    """What mails are called alike by."""
    return bare_subject(subject).casefold()[:_LONGEST_TOPIC]


def nothing_leaves(session: Session, now: datetime) -> bool:
    """Whether mail waits and no server has taken any for a while: it is our way out that is blocked, then."""
    since = now - BLOCKED_AFTER
    waits = sa.exists().where(
        sa.or_(OutboundMail.state == "waiting", OutboundMail.state == "sending"),
        OutboundMail.created_at < since,
    )
    left = sa.exists().where(OutboundMail.sent_at > since)
    return bool(session.scalar(sa.select(sa.and_(waits, ~left))))
