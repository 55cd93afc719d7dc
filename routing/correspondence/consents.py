"""Consent to additional charges, asked for by mail: a page behind a link that works once, or a reply with one word.

The consent is stored with its time; then the case has priority 1, its hour runs from there, and the on-call
consultant is rung. In business hours nothing of the kind is needed: the question is over when they begin.

In the same way a contact is asked whether it was they who asked for priority 1, where no server could say so.
"""

from __future__ import annotations

import enum
import re
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.models import Case, CaseStatus
from routing.business_hours import BusinessCalendar
from routing.consents import is_about_sender, question_of
from routing.context import Context
from routing.correspondence import automatic
from routing.correspondence.conversation import sender_of
from routing.correspondence.desk import Desk, desk_of
from routing.correspondence.letters import Party, can_be_written_to
from routing.correspondence.models import ConsentAbout, ConsentRequest, ConsentState, MailKind, OutboundMail
from routing.policy import Policy
from routing.wording import hours_in_words, written_instant

HIGHEST = 1
_CONFIRMED_WITHIN = timedelta(hours=12)


class Standing(enum.StrEnum):
    """Whether a consent can still be given."""

    OPEN = "open"
    ACCEPTED = "accepted"  # with this link or by mail, before
    NOT_NEEDED = "not-needed"  # the case was answered, closed, or is urgent already
    IN_HOURS = "in-hours"  # we are open: no charges apply
    EXPIRED = "expired"  # we were open since


def standing(request: ConsentRequest, case: Case, calendar: BusinessCalendar, now: datetime) -> Standing:
    """Where the question stands at ``now``."""
    if request.state == ConsentState.ACCEPTED:
        return Standing.ACCEPTED
    if case.status == CaseStatus.CLOSED or case.responded_at is not None or case.priority == HIGHEST:
        return Standing.NOT_NEEDED
    if request.about == ConsentAbout.SENDER:
        # Once the desk has closed there may be charges to accept, which were not asked about.
        closed_since = calendar.is_open(request.asked_at) and not calendar.is_open(now)
        return Standing.EXPIRED if closed_since or now >= request.expires_at else Standing.OPEN
    if calendar.is_open(now):
        return Standing.IN_HOURS
    return Standing.EXPIRED if now >= request.expires_at else Standing.OPEN


def ask(session: Session, context: Context, case: Case, desk: Desk, now: datetime) -> None:
    """Ask the customer of ``case``, who may be told something, what the last decision wants to know of them."""
    asked = _whom(session, case)
    if asked is None:
        automatic.held_back(session, case, MailKind.CONSENT_REQUEST, "no mail address is known", now)
        return
    calendar = desk.policy.calendar_of(case.service)
    question = question_of(session, case)
    about = ConsentAbout.SENDER if question and is_about_sender(question) else ConsentAbout.CHARGES
    charges = about is ConsentAbout.CHARGES
    request = ConsentRequest(
        case_id=case.id, about=about, address=asked.key, nonce=secrets.token_urlsafe(12), asked_at=now,
        expires_at=calendar.next_opening(now) if charges else _confirmed_until(calendar, now),
    )  # fmt: skip
    session.add(request)
    session.flush()
    text = desk.say(
        "mail_consent_ask" if charges else "mail_sender_ask", **words(context, desk, case, request),
        hours=hours_in_words(calendar),
        terms=desk.say("mail_consent_terms"), until=written_instant(request.expires_at, calendar.zone),
        accepted_target=accepted_target(desk.policy, case),
    )  # fmt: skip
    automatic.tell(session, context, case, desk, MailKind.CONSENT_REQUEST, text, now, to=asked)


def _confirmed_until(calendar: BusinessCalendar, now: datetime) -> datetime:
    """Twelve hours; of a question by day no longer than we are open, for then there may be charges to accept."""
    until = now + _CONFIRMED_WITHIN
    if not calendar.is_open(now):
        return until
    return next(closes for _, closes in calendar.open_windows(now, until))


def _whom(session: Session, case: Case) -> Party | None:
    """Who has asked for urgent work: the author of the mail, whose answer proves that it was they.

    Never the address where they want answers: anybody can write that into a mail.
    """
    mail = automatic.latest_mail(session, case)
    author = sender_of(mail) if mail is not None else None
    return author if author is not None and can_be_written_to(author.address) else None


def words(context: Context, desk: Desk, case: Case, request: ConsentRequest) -> dict[str, object]:
    """What the sentences about a consent have in common."""
    zone = desk.policy.calendar_of(case.service).zone
    return {
        "case": case.id,
        "due": written_instant(case.due_at, zone) if case.due_at else "an agreed time",
        "word": desk.mailbox.consent_words[0],
        "link": context.links.consent_url(request.id, request.nonce),
    }


def accepted_target(policy: Policy, case: Case) -> str:
    """The response time once the charges are accepted: ``1 hour``."""
    tier = policy.tiers.get(case.tier) if case.tier else None
    return tier.target(HIGHEST).respond if tier else "the agreed time"


def read(session: Session, context: Context, token: str, *, lock: bool = False) -> ConsentRequest | None:
    """The question that a link's token names; None if it is not ours."""
    found = context.links.read_consent(token)
    if found is None:
        return None
    id, nonce = found
    request = session.get(ConsentRequest, id, with_for_update=lock, populate_existing=lock)
    return request if request is not None and secrets.compare_digest(request.nonce, nonce) else None


def open_request(session: Session, case: Case, address: str) -> ConsentRequest | None:
    """The latest question on ``case`` that ``address`` (as compared) was asked and has not answered."""
    return session.scalar(
        sa.select(ConsentRequest)
        .where(
            ConsentRequest.case_id == case.id,
            ConsentRequest.address == address,
            ConsentRequest.state == ConsentState.ASKED,
        )
        .order_by(ConsentRequest.id.desc())
        .limit(1)
        .with_for_update()
    )


def answers(session: Session, request: ConsentRequest, ids: Collection[str]) -> bool:
    """Whether a mail with these Message-IDs in its references answers ``request``: only who was asked knows them."""
    asked = sa.select(OutboundMail.rfc_message_id).where(
        OutboundMail.case_id == request.case_id,
        OutboundMail.kind == MailKind.CONSENT_REQUEST,
        OutboundMail.to_address == request.address,
    )
    return any(id in ids for id in session.scalars(asked))


def says_yes(first_line: str, words: list[str]) -> bool:
    """Whether a line is one of the words that accept, and nothing else but marks around it."""
    return _bare(first_line) in {_bare(word) for word in words}


def means_yes(first_line: str, words: list[str]) -> bool:
    """Whether a line has such a word among others: it might be meant so, and nobody may take it so."""
    said = re.findall(r"\w+", first_line.casefold())
    return any(_bare(word) in said for word in words)


def _bare(text: str) -> str:
    return re.sub(r"^[\W_]+|[\W_]+$", "", text.casefold())


def hint(session: Session, context: Context, request: ConsentRequest, now: datetime) -> None:
    """Say once that a reply was not taken as a consent."""
    case, policy = request.case, context.policies.current().policy
    desk = desk_of(context, policy, case)
    found = standing(request, case, policy.calendar_of(case.service), now)
    if desk is None or request.hinted_at is not None or found is not Standing.OPEN:
        return
    request.hinted_at = now
    text = desk.say("mail_consent_unclear", **words(context, desk, case, request))
    automatic.tell(
        session, context, case, desk, MailKind.CONSENT_ANSWER, text, now, to=Party("", request.address)
    )
