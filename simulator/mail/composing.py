"""Writing mails: what a person writes, and what a post office and an absent owner write by themselves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr

from simulator.mail.letters import Envelope, Letter
from simulator.mail.manners import OutOfOffice
from simulator.mail.reading import Mail

_RETURNED_WHOLE = 100_000  # bytes


class CannotWrite(ValueError):
    """No mail can be made of this; the message says why."""


@dataclass(frozen=True)
class Attachment:
    name: str
    type: str
    content: bytes


@dataclass(frozen=True)
class Draft:
    """What a person has written. ``to`` and ``cc``: (name, address). ``answers``: the mail that it replies to."""

    sender: tuple[str, str]
    to: Sequence[tuple[str, str]]
    cc: Sequence[tuple[str, str]] = ()
    subject: str = ""
    text: str = ""
    html: str = ""
    attachments: Sequence[Attachment] = ()
    answers: Mail | None = None
    headers: Sequence[tuple[str, str]] = ()

    @property
    def recipients(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(address for _, address in (*self.to, *self.cc)))


def written(draft: Draft, message_id: str, now: datetime) -> bytes:
    """The mail as bytes. Raises CannotWrite."""
    message = EmailMessage(policy=SMTP)
    try:
        _head(message, draft, message_id, now)
        message.set_content(draft.text)
        if draft.html:
            message.add_alternative(draft.html, subtype="html")
        for file in draft.attachments:
            main, _, sub = file.type.partition("/")
            if main == "message" or not sub:
                main, sub = "application", "octet-stream"
            message.add_attachment(file.content, main, sub, filename=file.name)
        return message.as_bytes()
    except (ValueError, LookupError) as error:
        raise CannotWrite(f"no mail can be made of this: {error}") from error


def _head(message: EmailMessage, draft: Draft, message_id: str, now: datetime) -> None:
    message["From"] = formataddr(draft.sender)
    message["To"] = ", ".join(formataddr(pair) for pair in draft.to)
    if draft.cc:
        message["Cc"] = ", ".join(formataddr(pair) for pair in draft.cc)
    message["Subject"] = draft.subject
    message["Date"] = format_datetime(now)
    message["Message-ID"] = message_id
    if draft.answers is not None:
        for name, value in threading(draft.answers):
            message[name] = value
    for name, value in draft.headers:
        message[name] = value


def threading(answered: Mail) -> list[tuple[str, str]]:
    """In-Reply-To and References of an answer (RFC 5322, 3.6.4)."""
    parent = answered.header("Message-ID")
    if not parent:
        return []
    before = answered.header("References") or answered.header("In-Reply-To")
    return [("In-Reply-To", parent), ("References", f"{before} {parent}".strip())]


def answered_subject(subject: str) -> str:
    return subject if re.match(r"re:", subject, re.IGNORECASE) else f"Re: {subject}"


def with_crlf(raw: bytes) -> bytes:
    """The line ends that SMTP asks for."""
    return raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")


def out_of_office(letter: Letter, manner: OutOfOffice, to: str, message_id: str, now: datetime) -> bytes:
    """What the absent owner of the mailbox answers."""
    received = letter.mail
    marked = [("Auto-Submitted", "auto-replied")] if manner.polite else []
    return written(
        Draft(
            sender=("", letter.mailbox),
            to=[("", to)],
            subject=f"Automatic reply: {received.header('Subject')}"[:200],
            text=f"{manner.text}\n",
            answers=received,
            headers=marked,
        ),
        message_id,
        now,
    )


def whom_to_tell(letter: Letter, manner: OutOfOffice) -> str:
    """To whom the owner's absence is said: a polite one obeys RFC 3834 (2 and 4). Empty: to nobody."""
    if manner.polite:
        return letter.envelope.sender if _may_be_answered(letter) else ""
    writers = letter.mail.addresses("reply-to") or letter.mail.addresses("from")
    return writers[0][1] if writers else ""


def _may_be_answered(letter: Letter) -> bool:
    mail = letter.mail
    automatic = mail.header("Auto-Submitted").split(";")[0].strip().lower() not in {"", "no"}
    bulk = mail.header("Precedence").lower() in {"bulk", "list", "junk"}
    listed = bool(mail.header("List-Id") or mail.header("List-Unsubscribe"))
    addressed = any(address.lower() == letter.mailbox for _, address in mail.addresses("to", "cc"))
    return addressed and not (automatic or bulk or listed)


@dataclass(frozen=True)
class Failure:
    """Why a recipient was not reached: an enhanced status code (RFC 3463) and words."""

    recipient: str
    status: str
    diagnostic: str


def status_in(text: str) -> str:
    """The enhanced status code that a reply begins with (RFC 2034), or the one for an unnamed failure."""
    found = re.match(r"5\.\d{1,3}\.\d{1,3}", text)
    return found[0] if found else "5.0.0"


def report(
    undelivered: Envelope, failure: Failure, reporter: str, message_id: str, now: datetime
) -> Envelope:
    """A delivery status notification (RFC 3464), put together by hand: what it encloses may be any bytes."""
    boundary = f"=_report_{message_id.strip('<>').partition('@')[0]}"
    head = [
        f"From: Mail Delivery System <mailer-daemon@{reporter}>",
        f"To: <{undelivered.sender}>",
        "Subject: Undelivered mail returned to sender",
        f"Date: {format_datetime(now)}",
        f"Message-ID: {message_id}",
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/report; report-type=delivery-status; boundary="{boundary}"',
    ]
    parts = [
        ("text/plain; charset=utf-8", _in_words(failure, reporter)),
        ("message/delivery-status", _as_status(failure, reporter, now)),
        _returned(undelivered.raw),
    ]
    body = b"".join(
        f"--{boundary}\r\nContent-Type: {kind}\r\n\r\n".encode() + content + b"\r\n"
        for kind, content in parts
    )
    raw = _lines(head) + b"\r\n\r\n" + body + f"--{boundary}--\r\n".encode()
    return Envelope("", (undelivered.sender,), raw)


def _returned(raw: bytes) -> tuple[str, bytes]:
    """The mail that comes back; of a large one the header alone (RFC 3462, 2)."""
    if len(raw) > _RETURNED_WHOLE:
        return "text/rfc822-headers", raw.partition(b"\r\n\r\n")[0]
    return "message/rfc822\r\nContent-Transfer-Encoding: 8bit", raw


def _in_words(failure: Failure, reporter: str) -> bytes:
    said = f"<{failure.recipient}>: {failure.diagnostic}"
    reason = "Your message could not be delivered to one recipient:"
    return _lines([f"This is the mail system at {reporter}.", "", reason, "", said])


def _as_status(failure: Failure, reporter: str, now: datetime) -> bytes:
    """Fields of the message, an empty line, fields of the recipient (RFC 3464, 2.1)."""
    return _lines(
        [
            f"Reporting-MTA: dns; {reporter}",
            f"Arrival-Date: {format_datetime(now)}",
            "",
            f"Final-Recipient: rfc822; {failure.recipient}",
            "Action: failed",
            f"Status: {failure.status}",
            f"Diagnostic-Code: smtp; {failure.diagnostic}",
        ]
    )


def _lines(lines: Sequence[str]) -> bytes:
    return "\r\n".join(lines).encode()
