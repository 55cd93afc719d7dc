"""A case as a conversation by mail: whom an answer goes to, who gets a copy, and what it answers."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.mail_addresses import address_key
from core.models import Case, Message
from routing.correspondence.desk import is_ours
from routing.correspondence.letters import Party, can_be_written_to, distinct
from routing.correspondence.threads import references
from routing.coverage_mail import PROVEN
from routing.merging import merged_here
from routing.policy import Policy
from routing.policy_mail import public_mail_hosts

CUSTOMER = "customer"
MOST_COPIES = 20
# What a machine sends on somebody's behalf names nobody whom an engineer would answer.
_NOBODY = frozenset({"loop", "bounce", "read receipt", "out of office", "calendar reply", "auto reply"})


@dataclass(frozen=True)
class Conversation:
    """What an answer needs to know. ``to`` is None where no mail address is known.

    ``last`` is the customer's latest message, whatever way it came, ``root`` the mail that is answered.
    """

    to: Party | None
    copies: tuple[Party, ...] = ()
    subject: str = ""
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    last: Message | None = field(default=None, repr=False)

    @property
    def recipients(self) -> tuple[Party, ...]:
        """Everybody who gets an answer to all."""
        return (*((self.to,) if self.to else ()), *self.copies)


def conversation_of(
    session: Session, case: Case, policy: Policy, said: Sequence[Message] | None = None
) -> Conversation:
    """The conversation of ``case`` as it stands; ``said`` is all that has been said, for who knows it."""
    messages = said if said is not None else _messages(session, case)
    theirs = [each for each in messages if each.author == CUSTOMER and each.public]
    mails = [each for each in theirs if each.channel == "mail" and _kind(each) not in _NOBODY]
    known = _known(case, mails)
    spoken = [each for each in mails if _key(sender_of(each)) in known]
    latest = spoken[-1] if spoken else None
    to = _answer_to(latest, policy) if latest else _contact(case)
    copies: tuple[Party, ...] = ()
    if latest is not None and to is not None:
        others = [each for each in _copied_in(latest, known) if _is_theirs(each, policy)]
        others = [each for each in others if each.key.isascii()]  # not every server takes the others at all
        copies = distinct(others, without=[to.key, *_engineers(policy)])[:MOST_COPIES]
    parent = _parent(messages, latest)
    return Conversation(
        to, copies, _subject(latest, case), *_place(parent), last=theirs[-1] if theirs else None
    )


def whole_conversation(session: Session, case: Case, policy: Policy) -> Conversation:
    """The same for a person's answer, which reaches those as well whose own case was merged into this one."""
    talk = conversation_of(session, case, policy)
    theirs = [conversation_of(session, each, policy).to for each in merged_here(session, case)]
    there = [*talk.copies, *(each for each in theirs if each is not None)]
    to = talk.to or next(iter(there), None)
    return replace(talk, to=to, copies=distinct(there, without=[to.key])[:MOST_COPIES]) if to else talk


def _messages(session: Session, case: Case) -> Sequence[Message]:
    statement = sa.select(Message).where(Message.case_id == case.id).order_by(Message.at, Message.id)
    return session.scalars(statement).all()


def _known(case: Case, mails: Sequence[Message]) -> Collection[str]:
    """Whose mail is answered: the case's contact, who opened it, their colleagues, and whom those copied in.

    Anybody else who has got hold of the case's address may add to it, but is told nothing.
    """
    known = {address_key(each) for each in (_contact_address(case), case.from_address) if each}
    domains = {each.rpartition("@")[2] for each in known} - public_mail_hosts()
    if case.customer_id is None:
        domains = set()  # of some mail host, perhaps: its other users are no colleagues
    for mail in mails:
        sender = _key(sender_of(mail))
        if sender in known or sender.rpartition("@")[2] in domains:
            known |= {sender, *(each.key for each in _copied_in(mail, known))}
    return known


def _copied_in(mail: Message, known: Collection[str]) -> list[Party]:
    """Whom the sender has in To and Cc. Where servers looked and do not vouch for the sender, not all of them count.

    Who can write a colleague's name into From can write their own into Cc, and would get the next answer.
    """
    sender, said = sender_of(mail), mail.details or {}
    sure = said.get("authentication") is None or said.get("trust") == PROVEN
    copied = _parties(mail, "to", "cc")
    return [each for each in copied if sure or each.key in known or _same_domain(each, sender)]


def _answer_to(mail: Message, policy: Policy) -> Party | None:
    """Where the sender wants answers, else the sender; never one of our own mailboxes, whatever the mail says.

    Who can write a sender's name can write a Reply-To as well: one of another domain counts if servers vouch for the
    sender.
    """
    sender = sender_of(mail)
    proven = (mail.details or {}).get("trust") == PROVEN
    wanted = [each for each in _parties(mail, "reply_to") if proven or _same_domain(each, sender)]
    return next((each for each in (*wanted, *_parties(mail, "from")) if _is_theirs(each, policy)), None)


def _same_domain(one: Party, other: Party | None) -> bool:
    return other is not None and one.key.rpartition("@")[2] == other.key.rpartition("@")[2]


def _is_theirs(party: Party, policy: Policy) -> bool:
    """Whether it is an address that can be written to, and none of ours."""
    return can_be_written_to(party.address) and not is_ours(policy, party.address)


def sender_of(mail: Message) -> Party | None:
    """Who wrote a mail."""
    return next(_parties(mail, "from"), None)


def _parties(mail: Message, *fields: str) -> Iterator[Party]:
    details: dict[str, Any] = mail.details or {}
    for name in fields:
        given = details.get(name) or []
        for each in given if isinstance(given, list) else [given]:
            if each.get("address"):
                yield Party(each.get("name") or "", each["address"])


def _kind(mail: Message) -> str:
    verdict = (mail.details or {}).get("verdict") or {}
    return str(verdict.get("kind", "person"))


def _key(party: Party | None) -> str:
    return party.key if party else ""


def _contact(case: Case) -> Party | None:
    address = _contact_address(case) or case.from_address
    if not address or not can_be_written_to(address):
        return None
    return Party(case.contact.name if case.contact else "", address)


def _contact_address(case: Case) -> str | None:
    return case.contact.email if case.contact else None


def _engineers(policy: Policy) -> list[str]:
    return [address_key(person.email) for person in policy.people.values() if person.email]


def _subject(latest: Message | None, case: Case) -> str:
    return str(((latest.details if latest else None) or {}).get("subject") or "") or case.title


def _parent(messages: Sequence[Message], latest: Message | None) -> Message | None:
    """The mail to answer: the customer's latest; else our own latest, so that our mails stay together."""
    if latest is not None and latest.mail_message_id:
        return latest
    return next((each for each in reversed(messages) if each.public and each.mail_message_id), None)


def _place(parent: Message | None) -> tuple[str, tuple[str, ...]]:
    if parent is None or not parent.mail_message_id:
        return "", ()
    earlier = (parent.details or {}).get("references") or []
    return parent.mail_message_id, references([str(each) for each in earlier], parent.mail_message_id)
