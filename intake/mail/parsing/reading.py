"""From bytes to message: the door of this package. Pure; reads nothing but the bytes it is given."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from intake.mail.parsing import bounds
from intake.mail.parsing.addresses import Address, read_addresses
from intake.mail.parsing.authentication import read_authentication
from intake.mail.parsing.bodies import MESSAGES, walk
from intake.mail.parsing.bounces import Bounce, read_prose, read_report
from intake.mail.parsing.charsets import Charsets, codec_for
from intake.mail.parsing.contents import Contents, outside_text, read_contents
from intake.mail.parsing.decoding import transfer_decode
from intake.mail.parsing.described import described
from intake.mail.parsing.fields import Fields
from intake.mail.parsing.ids import read_date, read_ids
from intake.mail.parsing.model import ParsedMail
from intake.mail.parsing.quoting import Folded, Piece, fold
from intake.mail.parsing.tree import Part, read_tree
from intake.mail.parsing.verdicts import Kind, Ours, Seen, Verdict, judge
from intake.mail.parsing.words import field_text, one_line

_LONE_CR = re.compile(rb"\r(?!\n)")
_PGP = re.compile(r"^-----BEGIN PGP (SIGNED )?MESSAGE-----", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the servers said to each other. ``sender`` is "" for the null path, None where it is not known."""

    sender: str | None = None
    recipients: Sequence[str] = ()


def read_mail_safely(
    raw: bytes, envelope: Envelope | None = None, ours: Ours | None = None, authserv_id: str | None = None
) -> ParsedMail:
    """As ``read_mail``; what raises all the same becomes a mail of envelope and raw bytes, marked ``damaged``."""
    try:
        return read_mail(raw, envelope, ours, authserv_id)
    except Exception as error:  # noqa: BLE001  # whatever it is, the mail is not lost
        return salvage(raw, envelope, f"{type(error).__name__} while reading")


def read_mail(
    raw: bytes, envelope: Envelope | None = None, ours: Ours | None = None, authserv_id: str | None = None
) -> ParsedMail:
    """The mail in ``raw``, with or without CRLF line ends, with or without an mbox line before it.

    ``authserv_id`` is the name under which our receiver writes Authentication-Results.
    """
    envelope, ours = envelope or Envelope(), ours or Ours()
    data, start = _start(raw)
    charsets = Charsets()
    root, problems = read_tree(data, charsets, start)
    charsets.default = _default_charset(root)
    contents = read_contents(root, charsets)
    fields = root.fields
    heads = _Heads(fields, charsets)
    subject = heads.text(b"subject")
    ids = heads.ids(b"message-id")
    sender = _sender(heads, envelope)
    text = _bounded(contents)
    message_id = ids[0] if ids else None
    verdict = _verdict(root, contents, heads, subject, sender, message_id, envelope, ours)
    protection = _protection(root, text)
    beside = described(
        list(walk(root)), charsets, has_text=bool(text.strip()), bounce=verdict.bounce, protection=protection
    )
    found = problems | contents.problems | ({"bytes replaced"} if charsets.replaced else set())
    return ParsedMail(
        subject=subject,
        sender=sender,
        from_addresses=heads.addresses(b"from"),
        reply_to=heads.addresses(b"reply-to"),
        to=heads.addresses(b"to"),
        cc=heads.addresses(b"cc"),
        delivered_to=_delivered_to(heads, envelope),
        date=read_date(fields.first(b"date")),
        message_id=message_id,
        in_reply_to=heads.ids(b"in-reply-to"),
        references=heads.ids(b"references"),
        text=text,
        html=contents.html,
        safe_html=contents.safe.html if contents.safe is not None else None,
        remote_images=contents.safe.remote_images if contents.safe is not None else 0,
        folded=fold(text),
        described=beside,
        outside=outside_text(root, charsets),
        attachments=tuple(contents.attachments),
        verdict=verdict,
        authentication=read_authentication(fields, authserv_id),
        protection=protection,
        problems=tuple(sorted(found)),
        fields=fields,
    )


def salvage(raw: bytes, envelope: Envelope | None, reason: str) -> ParsedMail:
    """A mail of which only the envelope and the bytes are believed. Never raises."""
    envelope = envelope or Envelope()
    text = (
        raw[: bounds.TEXT]
        .decode("utf-8", "replace")
        .replace("\0", "")
        .replace("\r\n", "\n")
        .replace("\r", "\n")
    )
    found = re.search(r"^subject:[ \t]*([^\n]{0,500})", text[:100_000], re.IGNORECASE | re.MULTILINE)
    sender = one_line(envelope.sender or "")
    to = tuple(Address("", one_line(each)) for each in envelope.recipients[: bounds.ADDRESSES])
    return ParsedMail(
        subject=one_line(found[1]) if found else "",
        sender=Address("", sender) if sender else None,
        to=to,
        delivered_to=to,
        text=text,
        folded=Folded((Piece("written", text),) if text else ()),
        damaged=one_line(reason) or "unreadable",
    )


class _Heads:
    """The fields of the mail's own header, read."""

    def __init__(self, fields: Fields, charsets: Charsets) -> None:
        self.fields, self.charsets = fields, charsets
        self._read: dict[bytes, tuple[Address, ...]] = {}

    def text(self, name: bytes) -> str:
        raw = self.fields.first(name)
        return "" if raw is None else field_text(raw, self.charsets)

    def addresses(self, name: bytes) -> tuple[Address, ...]:
        if name not in self._read:
            raws = [raw for raw in self.fields.every(name) if raw.strip()][:20]
            self._read[name] = tuple(each for raw in raws for each in read_addresses(raw, self.charsets))
        return self._read[name]

    def ids(self, name: bytes) -> tuple[str, ...]:
        return read_ids(self.fields.first(name), self.charsets)


def _start(raw: bytes) -> tuple[bytes, int]:
    """The bytes with line ends that can be found, and where the header begins."""
    head = raw[:4_000]
    if b"\r" in head and (b"\n" not in head or head.count(b"\r\n") * 10 < head.count(b"\r")):
        raw = _LONE_CR.sub(b"\n", raw)
    start = 0
    while start < len(raw) and raw[start] in b"\r\n":
        start += 1
    if raw.startswith((b"From ", b">From "), start):
        line_end = raw.find(b"\n", start)
        if line_end > 0 and b": " not in raw[start : start + 6]:
            start = line_end + 1
    return raw, start


def _default_charset(root: Part) -> str:
    """What eight-bit bytes without a declaration are read as: what the mail's text says of itself."""
    for part in walk(root):
        codec = codec_for(part.kind.parameters.get("charset", ""))
        if codec not in (None, "ascii", "utf-8") and not str(codec).startswith("utf"):
            return str(codec)
    return "cp1252"


def _bounded(contents: Contents) -> str:
    text = contents.text
    if len(text) <= bounds.TEXT:
        return text
    contents.problems.add("text cut")
    return text[: bounds.TEXT]


def _sender(heads: _Heads, envelope: Envelope) -> Address | None:
    """From, else Reply-To, Return-Path, Sender, else the envelope: the first with an address. The name is From's."""
    name = ""
    for field in (b"from", b"reply-to", b"return-path", b"sender"):
        for each in heads.addresses(field):
            if each.address and field == b"from" and name and each.name:
                return Address(
                    one_line(f"{name}, {each.name}"), each.address
                )  # Archer, Ann <...> without quotes
            if each.address:
                return Address(each.name or name, each.address)
            name = name or each.name
    given = read_addresses((envelope.sender or "").encode("utf-8", "replace"), heads.charsets)
    if given and given[0].address:
        return Address(name, given[0].address)
    return Address(name) if name else None


def _delivered_to(heads: _Heads, envelope: Envelope) -> tuple[Address, ...]:
    given = [
        each
        for recipient in list(envelope.recipients)[: bounds.ADDRESSES]
        for each in read_addresses(recipient.encode("utf-8", "replace"), heads.charsets)
    ]
    fields = (b"delivered-to", b"x-original-to", b"envelope-to", b"x-envelope-to")
    written = [each for name in fields for each in heads.addresses(name)]
    return tuple({each.key: each for each in (*given, *written) if each.address}.values())


def _verdict(
    root: Part, contents: Contents, heads: _Heads, subject: str, sender: Address | None, message_id: str | None,
    envelope: Envelope, ours: Ours,
) -> Verdict:  # fmt: skip
    parts = list(walk(root))
    report = root.kind.parameters.get("report-type", "").lower() if root.type == "multipart/report" else ""
    calendars = [
        part.kind.parameters.get("method", "").lower() for part in parts if part.type == "text/calendar"
    ]
    seen = Seen(
        fields=heads.fields, subject=subject, sender=sender, message_id=message_id, content_type=root.type,
        report_type=report, part_types={part.type for part in parts} if report else (),
        calendar_method=next(filter(None, calendars), ""), bounce=None, envelope_from=envelope.sender,
    )  # fmt: skip
    bounce = _report(parts, heads.charsets) if report or judge(seen, ours).kind is Kind.BOUNCE else None
    if bounce is not None:
        return judge(_with(seen, bounce), ours)
    verdict = judge(seen, ours)
    if verdict.kind is not Kind.BOUNCE:
        return verdict
    whole = root.source[root.body : root.body + 1_000_000]
    failed = heads.fields.first(b"x-failed-recipients")
    others = {each.address.lower() for each in (*((sender,) if sender else ()), *heads.addresses(b"to"))}
    prose = read_prose(contents.text, whole, failed, heads.charsets, others)
    return Verdict(verdict.signs, prose)


def _with(seen: Seen, bounce: Bounce) -> Seen:
    values = {name: getattr(seen, name) for name in Seen.__slots__}
    return Seen(**(values | {"bounce": bounce}))


def _report(parts: list[Part], charsets: Charsets) -> Bounce | None:
    kinds = ("message/delivery-status", "message/global-delivery-status")
    statuses = [transfer_decode(part.view, part.encoding) for part in parts if part.type in kinds]
    copies = (*MESSAGES, "text/rfc822-headers", "message/global-headers")
    originals = [transfer_decode(part.view[:300_000], part.encoding) for part in parts if part.type in copies]
    return read_report(statuses, originals, charsets)


def _protection(root: Part, text: str) -> str | None:
    """How the mail is signed or encrypted, by its looks: nothing is verified."""
    for part in walk(root):
        if part.type in ("multipart/signed", "multipart/encrypted"):
            pgp = "pgp" in part.kind.parameters.get("protocol", "").lower()
            done = part.type.partition("/")[2]
            return f"{'OpenPGP' if pgp else 'S/MIME'} {done}"
        if part.type in ("application/pkcs7-mime", "application/x-pkcs7-mime"):
            signed = "signed" in part.kind.parameters.get("smime-type", "").lower()
            return "S/MIME signed" if signed else "S/MIME encrypted"
    inline = _PGP.search(text)
    if inline is None:
        return None
    return "OpenPGP signed" if inline[1] else "OpenPGP encrypted"
