"""What a mail says: values without behaviour. Nothing of one line in them holds CR, LF or NUL."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from intake.mail.parsing.addresses import Address
from intake.mail.parsing.authentication import Authentication
from intake.mail.parsing.charsets import Charsets
from intake.mail.parsing.fields import Fields
from intake.mail.parsing.quoting import Folded
from intake.mail.parsing.verdicts import Verdict
from intake.mail.parsing.words import field_text


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a mail, as it was before it was encoded for sending. Never unpacked, but for winmail.dat.

    ``content_id`` is without angle brackets, for ``cid:`` references. ``inline`` says that the sender wants it
    shown in the text. ``text`` is what a mail that is attached says; ``unpacked_from`` names the winmail.dat.
    """

    name: str
    content_type: str
    data: bytes = field(repr=False)
    content_id: str | None = None
    inline: bool = False
    text: str = field(default="", repr=False)
    unpacked_from: str | None = None


@dataclass(frozen=True, slots=True)
class ParsedMail:
    """A mail, read. ``sender`` is whom an answer concerns, ``reply_to`` where they want it.

    ``text`` is the whole text with its quotations, ``folded`` the same in pieces; ``described``
    tells in words what parts say that are no text, such as an invitation. ``html`` is as sent and must
    not be shown; ``safe_html`` may be. ``outside`` is text before the first and after the last part, which mail
    programs do not show. ``date`` is what the sender's clock said: for display only. ``damaged`` says why the
    mail could not be read, if so: the other fields are then what could be saved, and the raw bytes should be
    looked at. ``problems`` are smaller things that were wrong with it.
    """

    subject: str = ""
    sender: Address | None = None
    from_addresses: tuple[Address, ...] = ()
    reply_to: tuple[Address, ...] = ()
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    delivered_to: tuple[Address, ...] = ()
    date: datetime | None = None
    message_id: str | None = None
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    text: str = field(default="", repr=False)
    html: str | None = field(default=None, repr=False)
    safe_html: str | None = field(default=None, repr=False)
    remote_images: int = 0
    folded: Folded = field(default_factory=Folded, repr=False)
    described: str = field(default="", repr=False)
    outside: str = field(default="", repr=False)
    attachments: tuple[Attachment, ...] = ()
    verdict: Verdict = field(default_factory=Verdict)
    authentication: Authentication | None = None
    protection: str | None = None
    damaged: str | None = None
    problems: tuple[str, ...] = ()
    fields: Fields = field(default_factory=Fields, repr=False, compare=False)

    @property
    def recipients(self) -> tuple[Address, ...]:
        """To and Cc, each address once."""
        return tuple({each.key: each for each in (*self.to, *self.cc) if each.address}.values())

    @property
    def written(self) -> str:
        """What the sender wrote, without quotation and signature."""
        return self.folded.written

    def header(self, name: str) -> str | None:
        """The topmost field of a name, in one line; None if there is none."""
        raw = self.fields.first(name.lower().encode("latin-1", "replace"))
        return None if raw is None else field_text(raw, Charsets(), limit=10_000)
