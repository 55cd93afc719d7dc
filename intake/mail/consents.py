"""A question answered by a reply: one word, alone in the first line, from who was asked.

A server says that the reply is theirs; or it refers to the question itself, which only their mailbox has got.
"""

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
from routing.correspondence.desk import Desk, desk_of
from routing.correspondence.models import ConsentRequest
from routing.coverage_mail import FORGED, PROVEN

REPLY = "mail"


def would_accept(
    session: Session, context: Context, case: Case, mail: ParsedMail, *, trust: str
) -> ConsentRequest | None:
    """The question that ``mail`` answers with a consent; None if it is any other mail."""
    request, desk = _asked(session, context, case, mail)
    if request is None or desk is None or not _is_theirs(session, request, mail, trust):
        return None
    return request if consents.says_yes(first_line(mail), desk.mailbox.consent_words) else None


def answer(
    session: Session, context: Context, case: Case, mail: ParsedMail, now: datetime, *, trust: str
) -> bool:
    """Whether ``mail``, which is on ``case`` already, is the consent that was asked for; then it has been applied.

    Any other word is an ordinary message. One that may have been meant as a consent is answered once.
    """
    consent = would_accept(session, context, case, mail, trust=trust)
    if consent is not None:
        return accept(session, context, consent, REPLY, now) is Standing.OPEN
    request, desk = _asked(session, context, case, mail)
    if request is None or desk is None:
        return False
    line, words = first_line(mail), desk.mailbox.consent_words
    if consents.says_yes(line, words):
        record(session, "mail.consent-not-proven", now, case_id=case.id)
    if consents.means_yes(line, words):
        consents.hint(session, context, request, now)
    return False


def _asked(
    session: Session, context: Context, case: Case, mail: ParsedMail
) -> tuple[ConsentRequest | None, Desk | None]:
    """What the sender, a person, was asked on the case; and the desk that asked."""
    if case.consent_asked_at is None or mail.verdict.kind is not Kind.PERSON or mail.sender is None:
        return None, None
    request = consents.open_request(session, case, address_key(mail.sender.address))
    return request, desk_of(context, context.policies.current().policy, case)


def _is_theirs(session: Session, request: ConsentRequest, mail: ParsedMail, trust: str) -> bool:
    if trust == FORGED:
        return False
    return trust == PROVEN or consents.answers(session, request, {*mail.in_reply_to, *mail.references})


def first_line(mail: ParsedMail) -> str:
    """The first line that the sender wrote themselves; nothing of what they quoted or signed with."""
    written = "".join(piece.text for piece in mail.folded.pieces if piece.kind == "written")
    return next((line.strip() for line in written.split("\n") if line.strip()), "")
