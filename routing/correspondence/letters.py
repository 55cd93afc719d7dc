"""From a letter to the bytes that are sent. Pure: the same letter is the same bytes, but for MIME's boundaries.

Whatever names, subjects and files are called, nothing of them reaches a line of the header that is not theirs.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime
from enum import StrEnum

from core.mail_addresses import address_key, ascii_domain, required_address
from routing.correspondence.fields import field as header_field
from routing.correspondence.fields import mailbox_words, one_line, text_words

LOOP_FIELD = "X-Nightbell-Loop"
_CLEAN = policy.SMTP.clone(cte_type="7bit")
_LONGEST_NAME = 100
_LONGEST_LINE = 76  # of a text as it stands
_LONGEST_ADDRESS = 254  # RFC 5321, 4.5.3.1.3: a path of 256 with its brackets
_LONGEST_FILE_NAME = 150
_MOST_QUOTED_LINES = 200
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,80}/[a-z0-9][a-z0-9!#$&^_.+-]{0,80}")
_DOMAIN = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")
_ID = re.compile(r"<[!-;=?-~]{1,900}>")
_UNSENDABLE = re.compile("[\0\ud800-\udfff]")


class Manner(StrEnum):
    """Who writes: a person, or a machine, in answer to a mail or by itself (RFC 3834, 5)."""

    WRITTEN = "no"
    ANSWERED = "auto-replied"
    GENERATED = "auto-generated"


@dataclass(frozen=True)
class Party:
    """Somebody with a mail address, which may have an international domain."""

    name: str
    address: str

    @property
    def key(self) -> str:
        """What to compare addresses by."""
        return address_key(self.address)


@dataclass(frozen=True)
class File:
    """An attachment; ``data`` is as it was before any encoding."""

    name: str
    content_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class Quotation:
    """An earlier message that is quoted below the text; ``lead`` introduces it (``On ..., Maria wrote:``)."""

    lead: str
    text: str = field(repr=False)


@dataclass(frozen=True)
class Letter:
    """A mail before it is bytes. Message-IDs have their angle brackets; ``references`` has the oldest first."""

    sender: Party
    to: Party
    subject: str
    text: str = field(repr=False)
    at: datetime
    message_id: str
    copies: tuple[Party, ...] = ()
    reply_to: str = ""
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    manner: Manner = Manner.WRITTEN
    loop_value: str = ""
    quotation: Quotation | None = None
    files: tuple[File, ...] = ()


def composed(letter: Letter) -> bytes:
    """The letter as RFC 5322 has it, with CRLF; ValueError for an address that no mail can have."""
    lines = [
        *_identification(letter),
        header_field("Subject", text_words(one_line(letter.subject))),
        header_field("From", _mailbox(letter.sender)),
        header_field("To", _mailbox(letter.to)),
    ]
    if letter.copies:
        lines.append(header_field("Cc", _listed(letter.copies)))
    if letter.reply_to:
        lines.append(header_field("Reply-To", _mailbox(Party(letter.sender.name, letter.reply_to))))
    lines.append(header_field("Date", [format_datetime(letter.at)]))
    if letter.manner is not Manner.WRITTEN:
        lines.append(header_field("Auto-Submitted", [letter.manner.value]))
        lines.append(header_field("X-Auto-Response-Suppress", ["All"]))
    if letter.loop_value:
        lines.append(header_field(LOOP_FIELD, text_words(one_line(letter.loop_value))))
    return "".join(lines).encode() + (_with_files(letter) if letter.files else _text_alone(_body(letter)))


def _identification(letter: Letter) -> Iterator[str]:
    """The fields with identifiers."""
    fields: dict[str, Sequence[str]] = {
        "Message-ID": [letter.message_id], "In-Reply-To": [letter.in_reply_to], "References": letter.references,
    }  # fmt: skip
    for name, ids in fields.items():
        sound = [each for each in ids if _ID.fullmatch(each)]
        if sound:
            yield f"{name}: " + "\r\n ".join(sound) + "\r\n"


def _mailbox(party: Party) -> Sequence[str]:
    if not can_be_written_to(party.address):
        raise ValueError("no mail address that can be written to")
    local, _, domain = party.address.strip().rpartition("@")
    return mailbox_words(one_line(party.name)[:_LONGEST_NAME], local, ascii_domain(domain))


def _listed(parties: Sequence[Party]) -> Iterator[str]:
    for party in parties:
        *words, last = _mailbox(party)
        yield from words
        yield last if party is parties[-1] else f"{last},"


def _text_alone(text: str) -> bytes:
    """The rest of a mail that is a text: as it is where it can be, else in what is the shorter form."""
    raw = text.encode()
    how, body = "7bit", raw
    if not text.isascii() or max(map(len, text.split("\n"))) > _LONGEST_LINE:
        how, body = "quoted-printable", binascii.b2a_qp(raw, istext=True)
        if len(body) > len(raw) * 3 // 2:
            how, body = "base64", base64.encodebytes(raw.replace(b"\n", b"\r\n"))
    head = (
        'MIME-Version: 1.0\r\nContent-Type: text/plain; charset="utf-8"\r\n'
        f"Content-Transfer-Encoding: {how}\r\n\r\n"
    )
    return head.encode() + body.replace(b"\n", b"\r\n")


def _with_files(letter: Letter) -> bytes:
    """The rest of a mail with files."""
    content = EmailMessage(policy=_CLEAN)
    content.set_content(_body(letter), charset="utf-8")
    for file in letter.files:
        _attach(content, file)
    return content.as_bytes(policy=_CLEAN)


def can_be_written_to(address: str) -> bool:
    """Whether a mail can be sent to an address: in plain form, with a domain that servers know in ASCII."""
    try:
        key = required_address(address)
    except ValueError:
        return False
    local, _, domain = key.rpartition("@")
    shown = local.isprintable() and not local.startswith("=?")
    return shown and _DOMAIN.fullmatch(domain) is not None and len(key) <= _LONGEST_ADDRESS


def _body(letter: Letter) -> str:
    text = clean_text(letter.text).rstrip("\n")
    if letter.quotation is None:
        return text + "\n"
    lines = clean_text(letter.quotation.text).split("\n")
    quoted = [f">{' ' if line and not line.startswith('>') else ''}{line}" for line in lines]
    if len(quoted) > _MOST_QUOTED_LINES:
        quoted = [*quoted[:_MOST_QUOTED_LINES], "> [...]"]
    return "\n".join([text, "", one_line(letter.quotation.lead), *quoted, ""])


def _attach(message: EmailMessage, file: File) -> None:
    kind = file.content_type.lower().partition(";")[0].strip()
    main, _, sub = kind.partition("/")
    # Whole mails, and parts of parts, may not be encoded for sending; as files they arrive as they are.
    if not _TYPE.fullmatch(kind) or main in ("message", "multipart"):
        main, sub = "application", "octet-stream"
    message.add_attachment(file.data, main, sub, filename=file_name(file.name), cte="base64")


def file_name(name: str) -> str:
    """A name that is one on every system, without a path; never empty."""
    last = re.split(r"[/\\]", one_line(name))[-1].strip(". ")
    return last[-_LONGEST_FILE_NAME:] or "attachment"


def clean_text(text: str) -> str:
    """``text`` with plain line ends, and without what no mail can carry."""
    return _UNSENDABLE.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))


def distinct(parties: Iterable[Party], without: Sequence[str] = ()) -> tuple[Party, ...]:
    """Each address once, in order, but none of those whose keys are in ``without``."""
    left = {each.key: each for each in reversed(list(parties)) if each.key not in without}
    return tuple(reversed(left.values()))
