"""A case's events in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.models import Case, Event, Person, Recording

# Event kind -> sentence; {who} is the person's name, the rest is the event's data.
SENTENCES: dict[str, str] = {
    "call.began": "A call came in on the line.",
    "call.consent": "Additional charges: {consent}.",
    "call.ended": "The caller hung up.",
    "call.adopted": "A call was taken in that had begun without us.",
    "call.began-earlier": "The call had begun earlier than we knew at first.",
    "call.near-miss": "The call ended without a message.",
    "voicemail.heard-of": "A voicemail was left.",
    "voicemail.near-miss": "A recording was silent or too short to be a message.",
    "voicemail.refused": "The recording's address was refused: {why}.",
    "voicemail.stored": "The voicemail was fetched and stored.",
    "voicemail.transcribed": "The voicemail was written down by the telephone company.",
    "case.opened": "The case was opened with priority {priority}.",
    "case.opened-by-machine": "{machine} opened the case with priority {priority}: {subject}",
    "case.added-to": "The customer added a message.",
    "case.added-to-by-machine": "{machine} came in: {subject}",
    "case.escalated": "The customer asked for the next engineer.",
    "case.callback-changed": "The caller gave another number to call back.",
    "case.responded": "The customer was answered by {how}.",
    "case.stated": "{who} said: the customer was answered at {answered_at} ({words}).",
    "case.response-withdrawn": "{who} took the answer back: it had reached no person; the promise is open again.",
    "case.response-returned": "The answer was taken back: it reached nobody; the promise is open again.",
    "case.breached": "The promise was broken: nobody had answered within {target}.",
    "case.priority-changed": "{who} changed the priority from {old} to {new}; the promise is {promise}.",
    "case.replied": "{who} wrote to the customer.",
    "case.noted": "{who} took a note for colleagues.",
    "case.closed": "{who} closed the case{why}.",
    "case.merged": "{who} merged it into case {into}: whatever comes for it goes there.",
    "case.merged-here": "{who} merged case {merged} into this one.",
    "case.reopened": "The case was opened again.",
    "case.ordinary-again": "It came back with priority {priority}: what was urgent then has been answered.",
    "case.sender-confirmed": "The contact confirmed by {via} that they asked for it; the promise runs from then.",
    "case.consented": "The customer accepted the additional charges by {via}; the promise runs from then.",
    "case.priority-asked": "The customer asked for priority {priority}; the promise runs from then.",
    "case.priority-refused": "Priority 1 was asked for and not given. {why}",
    "mail.report": "A delivery report came in: {subject}",
    "mail.duplicate": "Another copy of a mail came, and was kept apart.",
    "mail.own-came-back": "A mail of ours came back to us.",
    "mail.unreadable": "The mail could not be read ({why}); look at its bytes.",
    "mail.forged": "The sender's address is forged: the domain that it names disowns the mail.",
    "mail.claims-case": "The mail names case {claimed}, but its sender has no part in that one.",
    "mail.from-elsewhere": "A mail came from somebody who is not known to belong to the customer.",
    "mail.not-reopened": "It stays closed: it was opened again by mail {times} times within a day.",
    "mail.replayed": "The mail was read once more.",
    "page.called-off": "Nobody is to be called any more.",
    "page.started": "Ringing began.",
    "page.step": "Step {position}: {people} to be called.",
    "page.joined": "It rings with case {lead}, which came before.",
    "page.voice-sent": "{who}'s phone was called.",
    "page.sms-sent": "A text was sent to {who}.",
    "page.told": "{who} was told by {channel}.",
    "page.not-reachable": "{who} has no verified phone, and was not called.",
    "page.unverified-rung": "Nobody to be called has a verified phone: {people} to be called all the same.",
    "page.gathered": "{who} is told of it with case {told_with}, by {channel}: the number has got enough for now.",
    "page.limited": "{who} was not sent more by {channel}: the number has got as much as carriers tolerate.",
    "page.over-limit": "Every phone had been called as often as carriers tolerate; one was called all the same.",
    "page.not-sent": "{who} could not be reached by {channel}.",
    "page.unanswered": "{who} did not accept: {ending}.",
    "page.revived": "Ringing had stopped without a reason, and was begun again.",
    "page.accepted": "{who} accepted the case.",
    "case.reminded": "{who} was reminded: {used}.",
    "case.reminder-heard": "{who} has heard the reminder.",
    "page.acknowledged": "{who} {did}; still to acknowledge: {people}.",
    "page.handed": "{who} handed the case to {people}.",
    "page.duty-changed": "The duty changed: {people} on call now.",
    "page.passed": "{who} passed the case on.",
    "notice.sent": "The customer was told by {channel} that the case was {notice}.",
    "notice.not-sent": "The customer could not be told by {channel}: {error}.",
    "notice.skipped": "The customer was not told that the case was {notice}: {why}.",
    "mail.sent": "{mail_words} left by mail.",
    "mail.not-answered": "No automatic mail was sent ({mail_words}): {why}.",
    "mail.held-back": "{mail_words} was not sent after all: {why}.",
    "mail.slow": "{mail_words} could not be delivered yet: {error}.",
    "mail.not-delivered": "{mail_words} could not be delivered: {error}.",
    "mail.delayed": "{who}'s answer has not left yet, and is tried again: {error}.",
    "mail.report-not-proven": "A report says that the customer gets no mail; nothing proves that it is about ours, "
    "and nothing follows from it.",
    "mail.notification-returned": "The mail that told an engineer of the case came back.",
    "mail.engineer-away": "{who}'s mail program answered by itself; that is no answer of theirs.",
    "mail.engineer-not-sent": "{who}'s mail was not sent to the customer: {why}.",
    "mail.note-was-public": "{who}'s note for colleagues went to the customer as well: it was in copy.",
    "mail.stranger": "Somebody else wrote to {who}'s own address for the case; nothing was sent.",
    "mail.consent-not-proven": "A reply said yes, but nothing proves whose it is; it was not taken so.",
    "oncall.changed": "A change of who is on call was made: {what}.",
    "oncall.withdrawn": "A change of who is on call was withdrawn: {what}.",
    "oncall.imported": "{who}'s absences were read from a calendar: {new} new, {gone} gone.",
    "oncall.import-failed": "{who}'s calendar could not be read: {problem}.",
    "oncall.import-ended": "{who}'s calendar is read no more.",
    "oncall.feed-made": "A calendar address was made.",
    "oncall.gap": "Nobody is on call in {schedule} at times ahead.",
}


_MAILS = {
    "receipt": "The receipt",
    "accepted": "The word that somebody has the case",
    "reopened": "The word that the case is open again",
    "reply": "The answer",
    "consent-request": "The question to the customer",
    "consent-answer": "The word about their answer",
    "engineer-notice": "The word to an engineer",
}
# Who wrote a mail that no person wrote: its verdict's kind -> words.
_MACHINES = {
    "loop": "A mail of our own, come back,",
    "bounce": "A delivery report",
    "read receipt": "A read receipt",
    "out of office": "An out-of-office reply",
    "calendar reply": "An answer to an invitation",
    "auto reply": "An automatic reply",
    "list": "A mail to a list",
    "auto generated": "A machine's mail",
}
_ENDINGS = {
    "no-key": "the call was answered, but nobody pressed a key",
    "no-answer": "nobody answered",
    "busy": "the line was busy",
    "failed": "the call could not be connected",
    "cancelled": "the call was ended",
}


@dataclass(frozen=True)
class Entry:
    """One line of a timeline."""

    at: datetime
    kind: str
    text: str


def timeline(session: Session, case: Case) -> list[Entry]:
    """What happened on a case and on its calls, the earliest first."""
    calls = sa.select(Recording.call_sid).where(Recording.case_id == case.id)
    opened_by = sa.select(Event.call_sid).where(Event.case_id == case.id, Event.kind == "case.opened")
    events = session.scalars(
        sa.select(Event)
        .where(sa.or_(Event.case_id == case.id, Event.call_sid.in_(calls), Event.call_sid.in_(opened_by)))
        .order_by(Event.at, Event.id)
    ).all()
    names = {person.key: person.name for person in session.scalars(sa.select(Person))}
    return [Entry(event.at, event.kind, _sentence(event, names)) for event in events]


def _sentence(event: Event, names: Mapping[str, str]) -> str:
    values: dict[str, Any] = {**event.data, "who": names.get(event.person or "", "Somebody")}
    if "people" in values:
        values["people"] = " and ".join(names.get(key, key) for key in values["people"])
    if event.kind == "case.reminded":
        percent = values["percent"]
        values["used"] = (
            f"{percent} % of the response time was used up" if percent < 100 else "the promise is broken"
        )
    if event.kind == "page.acknowledged":
        values["did"] = "does not take part" if values["passed"] else "acknowledged"
        values["people"] = values["people"] or "nobody"
    if "position" in values:
        values["position"] = values["position"] + 1
    if "mail" in values:
        values["mail_words"] = _MAILS.get(values["mail"], "A mail")
    if "wrote" in values:
        values["machine"] = _MACHINES.get(values["wrote"])
    if "subject" in values:
        values["subject"] = values["subject"] or "(no subject)"
    if event.kind == "page.unanswered":
        values["ending"] = _ENDINGS.get(values["how"], values["how"])
    text = SENTENCES.get(_sentence_of(event), event.kind).format_map(values | _promise_words(event))
    if event.kind == "page.step" and values.get("loud"):
        text += " Nobody has accepted so far; the last step is repeated."
    return text


def _sentence_of(event: Event) -> str:
    if event.kind == "case.response-withdrawn" and event.person is None:
        return "case.response-returned"
    if event.data.get("wrote") in _MACHINES and event.kind in ("case.opened", "case.added-to"):
        return f"{event.kind}-by-machine"
    stated = event.kind == "case.responded" and event.data.get("how") == "stated"
    return "case.stated" if stated else event.kind


def _promise_words(event: Event) -> dict[str, str]:
    """What the sentences on promises say in other words than the event's data."""
    data = event.data
    if event.kind == "case.priority-changed":
        promise = f"{data['new_target'] or 'none'} now, from the contact on"
        return {
            "promise": promise if data["moved"] else f"{data['old_target'] or 'none'} still: it was answered"
        }
    if event.kind == "case.closed":
        return {"why": f" without an answer: {data['reason']}" if data["reason"] else ""}
    if _sentence_of(event) == "case.stated":
        return {"answered_at": f"{datetime.fromisoformat(data['answered_at']):%Y-%m-%d %H:%M} UTC"}
    return {}
