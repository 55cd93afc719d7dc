"""Delivery reports: whose mail did not arrive, why, and which of ours it was (RFC 3464, RFC 3463)."""

from __future__ import annotations

import re
from collections.abc import Iterable
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
_COPIED_TO = re.compile(r"<([^<>\s@]{1,64}@[^<>\s@]{1,253})>:?")


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


def read_prose(text: str, whole: bytes, failed: bytes | None, charsets: Charsets) -> Bounce:
    """What can be made out of a bounce that is written for people only, as some servers do."""
    named = read_addresses(failed, charsets) if failed else ()
    addresses = [each.address for each in named if each.address]
    addresses = (
        addresses or list(dict.fromkeys(each.lower() for each in _COPIED_TO.findall(text[:5_000])))[:1]
    )
    status = _code(text[:5_000])
    copied = _COPIED_ID.findall(whole[:1_000_000])
    original = read_ids(copied[-1], charsets) if copied else ()
    action = "delayed" if _ONLY_LATE.search(" ".join(text[:5_000].split())) else "failed"
    recipients = [FailedRecipient(each, action, status) for each in addresses or [""]]
    return Bounce(original[0] if original else None, tuple(recipients))


def _recipient(group: Fields, charsets: Charsets) -> FailedRecipient | None:
    raw = group.first(b"final-recipient") or group.first(b"original-recipient")
    action, status = group.first(b"action"), group.first(b"status")
    if raw is None or (action is None and status is None):
        return None
    address = unfold(raw).decode("utf-8", "replace").rpartition(";")[2]
    found = read_addresses(address.encode("utf-8", "replace"), charsets)
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
