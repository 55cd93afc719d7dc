"""Is it a machine that writes? Facts of the mail in, a verdict with its reasons out.

Nothing is dropped for what is found here: it decides whether an automatic answer may go out, whether a closed
case is opened again, and whether a customer has been heard.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from intake.mail.parsing.addresses import Address
from intake.mail.parsing.bounces import Bounce
from intake.mail.parsing.fields import Fields


class Kind(StrEnum):
    """Who writes, from the strongest claim to the weakest; a person if there is none."""

    LOOP = "loop"
    BOUNCE = "bounce"
    READ_RECEIPT = "read receipt"
    OUT_OF_OFFICE = "out of office"
    CALENDAR_REPLY = "calendar reply"
    AUTO_REPLY = "auto reply"
    LIST = "list"
    AUTO_GENERATED = "auto generated"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Sign:
    """One reason to believe that a machine writes: a kind, and a code of what was seen."""

    kind: Kind
    reason: str


@dataclass(frozen=True, slots=True)
class Ours:
    """How our own mail is known: the loop marker's field and value, our hosts, our mailboxes (small letters)."""

    loop_field: str = "X-Nightbell-Loop"
    loop_value: str = ""
    hosts: Collection[str] = ()
    mailboxes: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """All signs, the strongest first; none for a person's mail."""

    signs: tuple[Sign, ...] = ()
    bounce: Bounce | None = None

    @property
    def kind(self) -> Kind:
        return self.signs[0].kind if self.signs else Kind.PERSON

    @property
    def reason(self) -> str:
        """The code of the strongest sign, empty for a person."""
        return self.signs[0].reason if self.signs else ""

    @property
    def may_answer(self) -> bool:
        """Whether an automatic answer may go out (RFC 3834, 2): never to a machine, a list or nobody."""
        return not self.signs

    @property
    def may_reopen(self) -> bool:
        """Whether it may open a closed case again, and counts as word from the customer."""
        return self.kind in (Kind.PERSON, Kind.LIST, Kind.AUTO_GENERATED)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a verdict is made from. ``envelope_from`` is None where the envelope is unknown, "" for the null path."""

    fields: Fields
    subject: str
    sender: Address | None
    message_id: str | None
    content_type: str
    report_type: str
    part_types: Collection[str]
    calendar_method: str
    bounce: Bounce | None
    envelope_from: str | None


_ORDER = list(Kind)
_OUT_OF_OFFICE = re.compile(
    r"out of (?:the )?office|on vacation|on holiday|annual leave|away from (?:the )?office|abwesenheit"
    r"|nicht im (?:büro|haus)|außer haus|abwesend|absence du bureau|absent(?:e)? du bureau|en congé"
    r"|fuera de la oficina|ausente de la oficina|fuori (?:ufficio|sede)|afwezig|niet aanwezig"
    r"|fora do escritório|frånvaro|fravær|mimo kancelář|poza biurem|poissa toimistosta|不在",
    re.IGNORECASE,
)
_AUTO_SUBJECT = re.compile(
    r"\s*(?:auto(?:matic)?[ -]?(?:reply|response|matic reply)|automatische (?:antwort|reply)|automatisch antwoord"
    r"|réponse automatique|respuesta automática|risposta automatica|resposta automática|autoreply|auto:|autosvar"
    r"|automaattinen vastaus|automatická odpověď|自動応答|自动答复|自動返信)"
    # People write of automatic replies that do not work; a machine puts a colon behind it, or says no more.
    r"\s*(?:(?<=:)|[:\uff1a\])\u3011]|[-\u2013\u2014|]\s|$|(?:from|von|de|di|van|fra|från)\b)",
    re.IGNORECASE,
)
_MAILERS = re.compile(
    r"(?:mailer[-_.]?daemon|postmaster|mail[-_]?delivery|bounce[s]?|mdaemon)(?:[+=-].*)?", re.IGNORECASE
)
_BOUNCE_SUBJECT = re.compile(
    r"undeliver|not (?:be )?delivered|(?:unable to|could not) deliver"
    r"|delivery (?:status notification|has failed|failure|failed)|returned mail"
    r"|mail delivery (?:failed|system|failure)|failure notice|unzustellbar|nicht zugestellt|non remis"
    r"|message you sent could not|delivery report|rejected:",
    re.IGNORECASE,
)
_ROBOTS = re.compile(r"(?:no[-_.]?reply|do[-_.]?not[-_.]?reply|donotreply|noreply\+.*)", re.IGNORECASE)
_PRECEDENCE = {"bulk": Kind.LIST, "list": Kind.LIST, "junk": Kind.AUTO_GENERATED, "auto_reply": Kind.AUTO_REPLY,
               "auto-reply": Kind.AUTO_REPLY}  # fmt: skip
_LIST_FIELDS = (
    b"list-id",
    b"list-unsubscribe",
    b"list-post",
    b"mailing-list",
    b"x-mailing-list",
    b"x-beenthere",
)
_AUTO_REPLY_FIELDS = (b"x-autoreply", b"x-autorespond", b"x-autoresponse", b"x-auto-reply", b"x-autoreply-from",
                      b"x-mail-autoreply", b"x-auto-reply-from")  # fmt: skip


def judge(seen: Seen, ours: Ours) -> Verdict:
    """Who writes, and how that is known. The subject alone is believed last, and only with something else."""
    signs = [*_of_loops(seen, ours), *_of_reports(seen), *_of_fields(seen), *_of_words(seen)]
    if seen.calendar_method == "reply":
        signs.append(Sign(Kind.CALENDAR_REPLY, "calendar-method-reply"))
    if any(sign.kind in (Kind.AUTO_REPLY, Kind.OUT_OF_OFFICE) for sign in signs) and _OUT_OF_OFFICE.search(
        seen.subject
    ):
        signs.append(Sign(Kind.OUT_OF_OFFICE, "subject-out-of-office"))
    # A delivery report is written by a machine in answer to us: its other fields say nothing more.
    return Verdict(tuple(sorted(dict.fromkeys(signs), key=lambda sign: _ORDER.index(sign.kind))), seen.bounce)


def _value(fields: Fields, name: bytes) -> str | None:
    raw = fields.first(name)
    return None if raw is None else raw[:500].decode("latin-1").strip().lower()


def _of_loops(seen: Seen, ours: Ours) -> list[Sign]:
    signs = []
    marks = [raw.decode("latin-1").strip() for raw in seen.fields.every(ours.loop_field.lower().encode())]
    if ours.loop_value and ours.loop_value in marks:
        signs.append(Sign(Kind.LOOP, "own-loop-marker"))
    host = (seen.message_id or "").rpartition("@")[2].rstrip(">").lower()
    if host and host in ours.hosts:
        signs.append(Sign(Kind.LOOP, "own-message-id"))
    if seen.sender is not None and seen.sender.key in ours.mailboxes:
        signs.append(Sign(Kind.LOOP, "from-own-mailbox"))
    return signs


def _of_reports(seen: Seen) -> list[Sign]:
    fields = seen.fields
    if seen.bounce is not None and seen.bounce.permanent is not None:
        return [Sign(Kind.BOUNCE, "delivery-report")]
    if seen.bounce is not None:
        return [Sign(Kind.AUTO_GENERATED, "delivery-report-of-success")]
    if seen.report_type == "delivery-status" or "message/delivery-status" in seen.part_types:
        return [Sign(Kind.BOUNCE, "delivery-report-unread")]
    if (
        seen.report_type == "disposition-notification"
        or "message/disposition-notification" in seen.part_types
    ):
        return [Sign(Kind.READ_RECEIPT, "disposition-notification")]
    if fields.first(b"x-failed-recipients") is not None:
        return [Sign(Kind.BOUNCE, "x-failed-recipients")]
    # Some servers write their own daemon where the path was empty.
    path = _value(fields, b"return-path") or ""
    null_path = seen.envelope_from == "" or path == "<>" or path.startswith("<mailer-daemon")
    mailer = seen.sender is not None and _MAILERS.fullmatch(seen.sender.address.partition("@")[0]) is not None
    if mailer and (null_path or _BOUNCE_SUBJECT.search(seen.subject)):
        return [Sign(Kind.BOUNCE, "mailer-daemon")]
    if null_path and _BOUNCE_SUBJECT.search(seen.subject):
        return [Sign(Kind.BOUNCE, "null-path-and-subject")]
    if seen.content_type == "multipart/report" and _BOUNCE_SUBJECT.search(seen.subject):
        return [Sign(Kind.BOUNCE, "report-and-subject")]
    return [Sign(Kind.AUTO_GENERATED, "null-return-path")] if null_path else []


def _of_fields(seen: Seen) -> list[Sign]:
    fields = seen.fields
    signs = []
    submitted = (_value(fields, b"auto-submitted") or "no").partition(";")[0].partition("(")[0].strip()
    if submitted == "auto-replied":
        signs.append(Sign(Kind.AUTO_REPLY, "auto-submitted-auto-replied"))
    elif submitted != "no":
        signs.append(Sign(Kind.AUTO_GENERATED, "auto-submitted"))
    precedence = _value(fields, b"precedence") or _value(fields, b"x-precedence") or ""
    if precedence in _PRECEDENCE:
        signs.append(Sign(_PRECEDENCE[precedence], f"precedence-{precedence.replace('_', '-')}"))
    suppress = {word.strip() for word in (_value(fields, b"x-auto-response-suppress") or "").split(",")}
    if suppress & {"all", "autoreply", "oof"}:
        signs.append(Sign(Kind.AUTO_GENERATED, "x-auto-response-suppress"))
    signs += [Sign(Kind.LIST, name.decode()) for name in _LIST_FIELDS if fields.first(name) is not None][:1]
    for name in _AUTO_REPLY_FIELDS:
        if _value(fields, name) not in (None, "no", "false", "0", ""):
            signs.append(Sign(Kind.AUTO_REPLY, name.decode()))
    if fields.first(b"x-loop") is not None:
        signs.append(Sign(Kind.AUTO_GENERATED, "x-loop"))
    if (_value(fields, b"feedback-id") and signs) or _value(
        fields, b"x-ms-exchange-generated-message-source"
    ):
        signs.append(Sign(Kind.AUTO_GENERATED, "generated-by-server"))
    return signs


def _of_words(seen: Seen) -> list[Sign]:
    signs = []
    if _AUTO_SUBJECT.match(seen.subject):
        signs.append(Sign(Kind.AUTO_REPLY, "subject-automatic-reply"))
    local = seen.sender.address.partition("@")[0] if seen.sender is not None else ""
    if _ROBOTS.fullmatch(local):
        signs.append(Sign(Kind.AUTO_GENERATED, "no-reply-sender"))
    elif _MAILERS.fullmatch(local):
        signs.append(Sign(Kind.AUTO_GENERATED, "mailer-sender"))
    return signs
