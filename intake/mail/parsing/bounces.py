"""Delivery reports: whose mail did not arrive, why, and which of ours it was (RFC 3464, RFC 3463)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from intake.mail.parsing.addresses import read_addresses
from intake.mail.parsing.charsets import Charsets
from intake.mail.parsing.fields import Fields, blocks, read_fields
from intake.mail.parsing.ids import read_ids
from intake.mail.parsing.words import field_text, unfold

_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_REPLY = re.compile(r"(?<![\d.])([45])(\d\d)(?=[ -])")
_COPIED_ID = re.compile(
    rb"^[ \t>]{0,8}Message-ID:[ \t]*(?:\r?\n[ \t>]+)?(<[^<>\s]{3,998}>)", re.IGNORECASE | re.MULTILINE
)
# Of servers that write for people only, and say so before they give up.
_ONLY_LATE = re.compile(
    r"warning message only|not (?:yet )?been delivered to|not need to (?:resend|send) your message"
    r"|will (?:continue|keep)(?: on)? (?:to try|trying|to attempt|to be tried)|delivery attempts will continue"
    r"|message (?:is|was|has been) delayed|will be (?:retried|tried again)|no action is required on your part",
    re.IGNORECASE,
)
_NAMED = re.compile(r"(?<![\w.+-])[\w.+=/'-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,9}", re.IGNORECASE)
# Lines that name somebody else: the fields of the mail that came back, and whom to ask.
_OF_OTHERS = re.compile(
    r"\W*(?:from|to|cc|bcc|sender|reply-to|subject|message-id|contact|please)\b(?!.{0,80}(?:fail|reject|unknown))",
    re.IGNORECASE,
)
_COPY_BEGINS = re.compile(
    r"[^a-z]*(?:below (?:this line )?is (?:a|the) copy|(?:original|returned|unsent|undelivered) (?:message|mail)\b"
    r"|(?:message|mail) (?:header|text|body|follows)|a copy of (?:the|your) message|returned (?:message|mail))",
    re.IGNORECASE,
)
_OFFICES = ("postmaster", "mailer-daemon", "mail-daemon", "hostmaster", "abuse", "support", "helpdesk")


@dataclass(frozen=True, slots=True)
class FailedRecipient:
    """One recipient of a report. ``status`` is the enhanced code such as ``5.1.1``, ``action`` as in RFC 3464."""

    address: str
    action: str = ""
    status: str = ""
    diagnostic: str = ""

    @property
    def permanent(self) -> bool | None:
        """Whether it failed for good (5.x.x), for now (4.x.x or delayed), or not at all (None)."""
        if self.action in ("delivered", "relayed", "expanded"):
            return None
        if self.action == "delayed":
            return False
        return not self.status.startswith("4") if self.status[:1] in ("4", "5") else True


@dataclass(frozen=True, slots=True)
class Bounce:
    """A delivery report. ``original_id`` is the Message-ID of the mail that it is about, if it says."""

    original_id: str | None = None
    recipients: tuple[FailedRecipient, ...] = ()

    @property
    def permanent(self) -> bool | None:
        """True if any recipient failed for good, False if only for now, None if it reports no failure."""
        verdicts = [each.permanent for each in self.recipients]
        return True if True in verdicts else False if False in verdicts else None


def read_report(statuses: Iterable[bytes], originals: Iterable[bytes], charsets: Charsets) -> Bounce | None:
    """A report from its ``message/delivery-status`` parts and the copies of the original's header. None without."""
    recipients: list[FailedRecipient] = []
    for status in statuses:
        for group in blocks(status):
            found = _recipient(group, charsets)
            if found is not None and len(recipients) < 500:
                recipients.append(found)
    if not recipients:
        return None
    return Bounce(_original_id(originals, charsets), tuple(recipients))


def read_prose(
    text: str, whole: bytes, failed: bytes | None, charsets: Charsets, others: Collection[str] = ()
) -> Bounce:
    """What can be made out of a bounce that is written for people only, as some servers do.

    ``others`` are addresses in small letters that are not meant: who reports it, and to whom.
    """
    named = read_addresses(failed, charsets) if failed else ()
    addresses = [each.address for each in named if each.address] or _named_in(text[:5_000], others)
    status = _code(text[:5_000])
    copied = _COPIED_ID.findall(whole[:1_000_000])
    original = read_ids(copied[-1], charsets) if copied else ()
    action = "delayed" if _ONLY_LATE.search(" ".join(text[:5_000].split())) else "failed"
    recipients = [FailedRecipient(each, action, status) for each in addresses or [""]]
    return Bounce(original[0] if original else None, tuple(recipients))


def _named_in(text: str, others: Collection[str]) -> list[str]:
    """Who is said not to have been reached: every address before the copy of the mail, but for the others'."""
    found: dict[str, None] = {}
    for line in text.splitlines():
        if found and _COPY_BEGINS.match(line):
            break
        if _OF_OTHERS.match(line):
            continue
        for each in _NAMED.findall(line.lower()):
            address = each.removeprefix("smtp=").removeprefix("rfc822=").strip("'.-")
            if address not in others and address.partition("@")[0] not in _OFFICES:
                found.setdefault(address)
    return list(found)[:20]


def _recipient(group: Fields, charsets: Charsets) -> FailedRecipient | None:
    # The original one is whom we wrote to; the final one may be where it was forwarded to (RFC 3464, 2.3.1).
    raws = [raw for name in (b"original-recipient", b"final-recipient") if (raw := group.first(name))]
    action, status = group.first(b"action"), group.first(b"status")
    if not raws or (action is None and status is None):
        return None
    found = [
        each
        for raw in raws
        for each in read_addresses(unfold(raw).rpartition(b";")[2], charsets)
        if each.address
    ]
    diagnostic = field_text(group.first(b"diagnostic-code") or b"", charsets)
    stated = unfold(status or b"")[:200].decode("latin-1")
    code = _STATUS.search(stated) or _STATUS.search(diagnostic)
    return FailedRecipient(
        found[0].address if found else "",
        unfold(action or b"")[:40].decode("latin-1").partition(" ")[0].lower(),
        code[0] if code else _code(diagnostic),
        diagnostic,
    )


def _code(text: str) -> str:
    found = _STATUS.search(text)
    if found is not None and found[1] != "2":
        return found[0]
    reply = _REPLY.search(text)
    return f"{reply[1]}.0.0" if reply is not None else ""


def _original_id(originals: Iterable[bytes], charsets: Charsets) -> str | None:
    for original in originals:
        fields, _ = read_fields(original, 0, len(original))
        ids = read_ids(fields.first(b"message-id"), charsets)
        if ids:
            return ids[0]
    return None
