"""Additional charges accepted by a reply: one word, alone in the first line, from who was asked."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from core.mail_addresses import address_key
from core.models import Case, record
from intake.mail.parsing.model import ParsedMail
from intake.mail.parsing.verdicts import Kind
from routing.context import Context
from routing.correspondence import consents
from routing.correspondence.accepting import accept
from routing.correspondence.consents import Standing
from routing.correspondence.desk import desk_of

REPLY = "mail"


def answer(
    session: Session, context: Context, case: Case, mail: ParsedMail, now: datetime, *, proven: bool
) -> bool:
    """Whether ``mail``, which is on ``case`` already, is the consent that was asked for; then it has been applied.

    Any other word is an ordinary message. One that may have been meant as a consent is answered once.
    """
    address = address_key(mail.sender.address) if mail.sender else ""
    if mail.verdict.kind is not Kind.PERSON or not address:
        return False
    request = consents.open_request(session, case, address)
    desk = desk_of(context, context.policies.current().policy, case)
    if request is None or desk is None:
        return False
    line, words = first_line(mail), desk.mailbox.consent_words
    if consents.says_yes(line, words) and proven:
        return accept(session, context, request, REPLY, now) is Standing.OPEN
    if consents.says_yes(line, words):
        record(session, "mail.consent-not-proven", now, case_id=case.id)
    if consents.means_yes(line, words):
        consents.hint(session, context, request, now)
    return False


def first_line(mail: ParsedMail) -> str:
    """The first line that the sender wrote themselves; nothing of what they quoted or signed with."""
    written = "".join(piece.text for piece in mail.folded.pieces if piece.kind == "written")
    return next((line.strip() for line in written.split("\n") if line.strip()), "")
