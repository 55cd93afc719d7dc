"""From a letter to the bytes that are sent. Pure: the same letter is the same bytes, but for MIME's boundaries.

Whatever names, subjects and files are called, nothing of them reaches a line of the header that is not theirs.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email import policy
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from enum import StrEnum

from core.mail_addresses import address_key, ascii_domain, required_address

LOOP_FIELD = "X-Nightbell-Loop"
_CLEAN = policy.SMTP.clone(cte_type="7bit")
_LONGEST_NAME = 100
_LONGEST_WORD = 60  # of a subject as it stands; a longer one could not be folded
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
    message = EmailMessage(policy=_CLEAN)
    message["From"] = _mailbox(letter.sender)
    message["To"] = _mailbox(letter.to)
    if letter.copies:
        message["Cc"] = tuple(_mailbox(each) for each in letter.copies)
    if letter.reply_to:
        message["Reply-To"] = _mailbox(Party(letter.sender.name, letter.reply_to))
    message["Date"] = format_datetime(letter.at)
    if letter.manner is not Manner.WRITTEN:
        message["Auto-Submitted"] = letter.manner.value
        message["X-Auto-Response-Suppress"] = "All"
    if letter.loop_value:
        message[LOOP_FIELD] = one_line(letter.loop_value)
    message.set_content(_body(letter), charset="utf-8")
    for file in letter.files:
        _attach(message, file)
    utf8 = not all(each.address.rpartition("@")[0].isascii() for each in (letter.to, *letter.copies))
    return _identification(letter) + _subject(letter) + message.as_bytes(policy=_CLEAN.clone(utf8=utf8))


def _identification(letter: Letter) -> bytes:
    """The fields with identifiers, written by hand: the library breaks those that are longer than a line."""
    fields: dict[str, Sequence[str]] = {
        "Message-ID": [letter.message_id], "In-Reply-To": [letter.in_reply_to], "References": letter.references,
    }  # fmt: skip
    lines = []
    for name, ids in fields.items():
        sound = [each for each in ids if _ID.fullmatch(each)]
        if sound:
            lines.append(f"{name}: " + "\r\n ".join(sound) + "\r\n")
    return "".join(lines).encode("ascii")


def _subject(letter: Letter) -> bytes:
    """Written by hand as well: the library writes encoded words with nothing in them, which RFC 2047 forbids."""
    text = one_line(letter.subject)
    is_plain = text.isascii() and "=?" not in text and max(map(len, text.split()), default=0) < _LONGEST_WORD
    value = Header(text, "us-ascii" if is_plain else "utf-8", header_name="Subject").encode(linesep="\r\n")
    return f"Subject: {value}\r\n".encode("ascii")


def _mailbox(party: Party) -> Address:
    if not can_be_written_to(party.address):
        raise ValueError("no mail address that can be written to")
    local, _, domain = party.address.strip().rpartition("@")
    domain = ascii_domain(domain)
    return Address(one_line(party.name)[:_LONGEST_NAME], local, domain)


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


def one_line(text: str) -> str:
    """``text`` in one line, without controls and what else can steer how it is shown."""
    kept = "".join(" " if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c for c in text)
    kept = "".join(c for c in kept if unicodedata.bidirectional(c) not in _STEERING)
    return " ".join(kept.split())


_STEERING = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})


def clean_text(text: str) -> str:
    """``text`` with plain line ends, and without what no mail can carry."""
    return _UNSENDABLE.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))


def distinct(parties: Iterable[Party], without: Sequence[str] = ()) -> tuple[Party, ...]:
    """Each address once, in order, but none of those whose keys are in ``without``."""
    left = {each.key: each for each in reversed(list(parties)) if each.key not in without}
    return tuple(reversed(left.values()))
