"""What the forms "Answer the customer" and "Note for colleagues" on a case's page need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.models import Case, Person
from intake.mail.markers import Marked, marked
from routing.clocks.rules import NotPossible
from routing.context import Context
from routing.correspondence.address_facts import no_mail_reason
from routing.correspondence.conversation import whole_conversation
from routing.correspondence.desk import desk_of
from routing.correspondence.letters import Party
from routing.correspondence.replies import MOST_BYTES, no_way

REPLY, NOTE = "reply", "note"


def writing_forms(
    session: Session, context: Context, case: Case, problems: Mapping[str, str], given: Mapping[str, str]
) -> dict[str, Any]:
    """Both forms: whom an answer goes to, or why none can be mailed; what was wrong, and what had been entered."""
    policy = context.policies.current().policy
    talk = whole_conversation(session, case, policy)
    people = session.scalars(sa.select(Person).where(Person.active.is_(True)).order_by(Person.name))
    return {
        "problems": problems,
        "token": context.links.form_token(case.id),
        "people": [(person.key, person.name) for person in people],
        "person": given.get("person", case.engineer or ""),
        "text": {form: given.get("text", "") if problems.get(form) else "" for form in (REPLY, NOTE)},
        "no_way": no_way(context, desk_of(context, policy, case), talk),
        "to": _shown(talk.to) if talk.to else "",
        "comes_back": _that_come_back(session, talk.recipients),
        "copies": ", ".join(map(_shown, talk.copies)),
        "to_all": given.get("to_all", "on") == "on",
        "most_mb": MOST_BYTES // 1_048_576,
    }


def refuse_note(context: Context, case: Case, text: str) -> None:
    """:class:`NotPossible` for an answer that begins as a private note does, and by mail would be one."""
    desk = desk_of(context, context.policies.current().policy, case)
    first = text.strip().partition("\n")[0]
    if desk is not None and marked(first, desk.mailbox.private_marker) is not Marked.NO:
        raise NotPossible(
            f"the text begins with {desk.mailbox.private_marker}, as a note for colleagues does, and was not sent; "
            "write it as a note, or begin it with another word"
        )


def _that_come_back(session: Session, parties: Iterable[Party]) -> list[tuple[str, str]]:
    """Those of the recipients whose address takes no mail as far as we know, each with why."""
    known = ((each.address, no_mail_reason(session, each.address)) for each in parties)
    return [(address, reason) for address, reason in known if reason is not None]


def _shown(party: Party) -> str:
    return f"{party.name} <{party.address}>" if party.name else party.address
