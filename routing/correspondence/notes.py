"""An engineer's page by mail as something that they can answer: the answer goes to the customer."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from core.mail_addresses import Kind
from routing.context import Context
from routing.correspondence.conversation import conversation_of, sender_of
from routing.correspondence.desk import desk_of
from routing.correspondence.letters import clean_text
from routing.correspondence.replies import no_way
from routing.paging.channels.base import Answerable
from routing.paging.models import Attempt

# Where a mail program quotes without marks, this is where an engineer's own words end.
ANSWER_ABOVE = "-- Write above this line: what is below it is not sent --"
_MOST_SHOWN = 5000  # characters of the customer's words


def answerable(session: Session, context: Context, attempt: Attempt, since: datetime) -> Answerable | None:
    """How the mail of ``attempt`` can be answered; None where the customer cannot be reached by mail.

    All mails about one case to one engineer stand under one reference, so that they are one conversation there.
    """
    policy, case = context.policies.current().policy, attempt.case
    desk, talk = desk_of(context, policy, case), conversation_of(session, case, policy)
    if desk is None or no_way(context, desk, talk):
        return None
    words = [desk.say("note_answer", case=case.id, marker=desk.mailbox.private_marker)]
    if talk.last is not None and talk.last.body.strip():
        writer = sender_of(talk.last)
        name = writer.name or writer.address if writer else "The customer"
        words.append(f"{name}:\n{clean_text(talk.last.body)[:_MOST_SHOWN]}")
    return Answerable(
        reply_to=desk.engineer_address(case.id, attempt.person_key),
        message_id=desk.message_id(case.id, Kind.ENGINEER, seed=f"attempt {attempt.id} {since.isoformat()}"),
        references=(desk.page_reference(case.id, attempt.person_key),),
        said_above=ANSWER_ABOVE, said_below="\n\n".join(words), loop_value=desk.signed.loop_value(),
    )  # fmt: skip
