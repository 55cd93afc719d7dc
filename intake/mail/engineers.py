"""An engineer answers by replying to a page by mail: to the customer, or with the private marker to colleagues.

Whatever is in doubt stays private: a marker below the first line, an encrypted text, a sender who is not proven to be
the engineer. The engineer is told then that nothing was sent. A vacation notice of an engineer is nothing at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import Any

from sqlalchemy.orm import Session

from core.mail_addresses import Kind as Whose
from core.mail_addresses import address_key
from core.models import Case, Message, Person, record
from intake.mail.markers import Marked, marked, without_marker
from intake.mail.parsing.model import ParsedMail
from intake.mail.parsing.verdicts import Kind
from routing import handling
from routing.clocks.rules import ENGINEER, NotPossible
from routing.context import Context
from routing.correspondence import engineer_notices, replies
from routing.correspondence.conversation import whole_conversation
from routing.correspondence.desk import desk_of, signed_addresses
from routing.correspondence.letters import File
from routing.correspondence.notes import ANSWER_ABOVE
from routing.correspondence.replies import Answer
from routing.correspondence.threads import bare_subject
from routing.coverage_mail import DOUBTED, FORGED, PROVEN
from routing.merging import goes_on_in
from routing.paging.reach import methods_of
from routing.policies import CurrentPolicy
from routing.policy import Policy

_SIGNATURES = frozenset(
    {"application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"}
)
# Of each it is asked whether it is one of each engineer's: whoever writes to thousands must not hold up the others.
_MOST_ADDRESSES = 200


@dataclass(frozen=True)
class Taken:
    """A mail of an engineer's, dealt with. ``message`` is its place on the case; None for a machine's."""

    case: Case
    message: Message | None


@dataclass(frozen=True)
class _Reading:
    """A mail being dealt with. ``owner`` is whose address it came to; None: other signs name the case."""

    session: Session
    context: Context
    mail: ParsedMail
    details: dict[str, Any]
    now: datetime
    case: Case
    owner: str | None = None

    @property
    def policy(self) -> Policy:
        """The policy of now."""
        return self.context.policies.current().policy

    @property
    def customers(self) -> set[str]:
        """Whom an answer on the case goes to, as addresses are compared."""
        return {each.key for each in whole_conversation(self.session, self.case, self.policy).recipients}


def take(
    session: Session,
    context: Context,
    mail: ParsedMail,
    details: dict[str, Any],
    trust: str,
    now: datetime,
    case: Case | None = None,
    dealt_with_on: Callable[[], int | None] = lambda: None,
) -> Taken | None:
    """Deal with ``mail`` if it is an engineer's, or pretends to be; None if it is not, and a customer's perhaps.

    ``details`` are those of its message, ``trust`` is in its sender. ``case`` is the one that it belongs to by other
    signs, if that is known; ``dealt_with_on`` finds the case on which a copy of it, to another mailbox, has been.
    """
    found = _meant(session, context, mail)
    meant, owner = found if found is not None else (case, None)
    if meant is None:
        return None
    reading = _Reading(session, context, mail, details, now, meant, owner)
    writer = _engineer(reading)
    if writer is None:
        return _of_nobody(reading)
    if dealt_with_on() == meant.id:
        return Taken(meant, None)  # nobody is to get it twice
    if mail.verdict.kind not in (Kind.PERSON, Kind.LIST):
        why = mail.verdict.reason
        record(session, "mail.engineer-away", now, case_id=meant.id, person=writer.key, why=why)
        return Taken(meant, None)
    # Whoever got a copy of the engineer's own mail has that address as well.
    believed = trust not in (FORGED, DOUBTED) if owner == writer.key else trust == PROVEN
    if not believed:
        return _refused(reading, owner or writer.key)
    return Taken(meant, _written(reading, writer))


def _meant(session: Session, context: Context, mail: ParsedMail) -> tuple[Case, str | None] | None:
    """The case and the owner of the address that the mail went to; else the case of the page that it answers.

    Of a case that was merged into another it is that one.
    """
    signed = signed_addresses(context)
    people = context.policies.current().policy.people
    tagged = (each.key for each in (*mail.delivered_to, *mail.recipients) if "+" in each.address)
    for address in islice(dict.fromkeys(tagged), _MOST_ADDRESSES):
        for person in people:
            number = signed.engineer_case_of(address, person)
            found = session.get(Case, number) if number is not None else None
            if found is not None:
                return goes_on_in(session, found), person
    for id in (*mail.in_reply_to, *reversed(mail.references)):
        thread = signed.thread_of(id)
        found = session.get(Case, thread.case) if thread and thread.kind is Whose.ENGINEER else None
        if found is not None:
            return goes_on_in(session, found), None
    return None


def _engineer(reading: _Reading) -> Person | None:
    """The engineer whose address the mail comes from."""
    sender = reading.mail.sender
    key = address_key(sender.address) if sender else ""
    name = _addresses(reading.context.policies.current()).get(key) if key else None
    found = reading.session.get(Person, name) if name else None
    return found if found is not None and found.active else None


@lru_cache(maxsize=2)
def _addresses(current: CurrentPolicy) -> dict[str, str]:
    """The mail addresses of all engineers, as they are compared -> key; of two with one address the first."""
    found: dict[str, str] = {}
    for name, entry in current.policy.people.items():
        methods = [method.address for method in methods_of(entry).values() if method.channel == "mail"]
        for address in (*methods, *([entry.email] if entry.email else [])):
            found.setdefault(address_key(address), name)
    return found


def _of_nobody(reading: _Reading) -> Taken | None:
    """Somebody else writes to an engineer's address: a customer who answers all, or one who has got hold of it."""
    sender = reading.mail.sender
    if reading.owner is None or (sender is not None and address_key(sender.address) in reading.customers):
        return None
    return _refused(reading, reading.owner)


def _refused(reading: _Reading, owner: str) -> Taken:
    """Keep it for colleagues, send nothing, and tell the engineer whose address it is."""
    mail, case = reading.mail, reading.case
    name = mail.sender.readable if mail.sender else "an unknown sender"
    message = _kept(reading, "unknown", f"{name} wrote:\n\n{mail.text}", None)
    record(reading.session, "mail.stranger", reading.now, case_id=case.id, person=owner)
    engineer_notices.tell(
        reading.session, reading.context, case, owner, "mail_stranger", reading.now, name=name
    )
    return Taken(case, message)


def _written(reading: _Reading, writer: Person) -> Message:
    """What an engineer wrote: sent on, or kept for colleagues."""
    desk = desk_of(reading.context, reading.policy, reading.case)
    marker = desk.mailbox.private_marker if desk else "NOTE:"
    words = own_words(reading.mail)
    first, _, rest = words.partition("\n")
    if marked(first, marker) is Marked.YES:
        return _noted(reading, writer, f"{without_marker(first, marker)}\n{rest}")
    hindrance = _hindrance(reading, words, marker)
    if hindrance:
        return _not_sent(reading, writer, words, hindrance)
    try:
        return _sent(reading, writer, words)
    except NotPossible as error:
        return _not_sent(reading, writer, words, str(error))


def own_words(mail: ParsedMail) -> str:
    """What the sender wrote: no quotation, no signature, and nothing below the line that our pages begin with."""
    written = "".join(piece.text for piece in mail.folded.pieces if piece.kind == "written")
    return written.partition(ANSWER_ABOVE)[0].strip()


def _hindrance(reading: _Reading, words: str, marker: str) -> str:
    """Why a mail is not sent on, in words; empty if it can be."""
    mail = reading.mail
    if mail.damaged is not None:
        return "it could not be read in full"
    if mail.protection and mail.protection.endswith("encrypted"):
        return "it is encrypted"
    first, *rest = words.split("\n")
    below = any(marked(line, marker) is Marked.YES for line in rest)
    if below or _in_subject(reading, marker) or marked(first, marker) is Marked.PERHAPS:
        return f"it has {marker} in an odd place or form, so that it is not clear what the customer may see"
    return "" if words or list(_files(mail)) else "it has no text of its own"


def _in_subject(reading: _Reading, marker: str) -> bool:
    """Whether the engineer has put the marker before the subject; the customer may have called the case so."""
    subject, title = bare_subject(reading.mail.subject), bare_subject(reading.case.title)
    return marked(subject, marker) is Marked.YES and marked(title, marker) is Marked.NO


def _sent(reading: _Reading, writer: Person, words: str) -> Message:
    mail, files = reading.mail, list(_files(reading.mail))
    reached = frozenset(each.key for each in mail.recipients)
    answer = Answer(words or _list_of(files), files, reached=reached, own_message_id=mail.message_id)
    sent = replies.reply(reading.session, reading.context, reading.case, writer, answer, reading.now)
    if sent.message.details is None:
        sent.message.details = {**reading.details, "person": writer.key}
    return sent.message


def _files(mail: ParsedMail) -> Iterator[File]:
    for each in mail.attachments:
        if each.content_type not in _SIGNATURES:
            yield File(each.name, each.content_type, each.data)


def _list_of(files: Sequence[File]) -> str:
    return "\n".join(["Attached:", *(file.name for file in files)])


def _noted(reading: _Reading, writer: Person, text: str) -> Message:
    """A note for colleagues; if its mail went to the customer as well, that is written down."""
    session, mail, case = reading.session, reading.mail, reading.case
    if reading.customers & {each.key for each in mail.recipients}:
        record(session, "mail.note-was-public", reading.now, case_id=case.id, person=writer.key)
    text = text.strip() or _list_of(list(_files(mail)))
    message = handling.write(
        session, case, text[: handling.MOST_CHARACTERS], writer, reading.now, public=False, channel="mail"
    )
    message.mail_message_id, message.details = mail.message_id, {**reading.details, "person": writer.key}
    return message


def _not_sent(reading: _Reading, writer: Person, words: str, why: str) -> Message:
    message = _kept(reading, ENGINEER, words or reading.mail.text, writer.key)
    session, case, now = reading.session, reading.case, reading.now
    record(session, "mail.engineer-not-sent", now, case_id=case.id, person=writer.key, why=why)
    engineer_notices.tell(session, reading.context, case, writer.key, "mail_not_sent", now, why=why)
    return message


def _kept(reading: _Reading, author: str, text: str, person: str | None) -> Message:
    message = Message(
        case_id=reading.case.id, at=reading.now, channel="mail", author=author, body=text, public=False,
        mail_message_id=reading.mail.message_id, details={**reading.details, "person": person},
    )  # fmt: skip
    reading.session.add(message)
    reading.session.flush()
    return message
