"""The door of mail: whatever way a mail came in, it is safe once ``store`` returns.

One commit writes the raw bytes, a row for each of our mailboxes that it was sent to, and the work of taking it in.
Nothing but the header is read here, so that no mail can keep itself from being stored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import due
from core.mail_addresses import address_key, without_tag
from core.models import record
from core.straight import straight
from intake.mail.models import InboundMail, MailState
from intake.mail.parsing import Envelope
from intake.mail.parsing.authentication import Method
from intake.mail.parsing.heads import Heads, peek
from intake.mail.raw_bytes import LARGE, insert_once, keep_bytes
from intake.mail.said import storable
from routing.context import Context
from routing.policies import NoPolicy
from routing.policy import Policy

TAKE_IN = "mail.take-in"
_LONGEST_ID = 500
_ADDRESSED = 50


@dataclass(frozen=True)
class Stored:
    """A mail to one of our mailboxes, now safe. ``duplicate``: it was here before, and ``id`` is that one's.

    ``kept_apart``: its bytes are others, and are kept as a mail of their own, which is not taken in.
    """

    id: int
    mailbox: str | None
    recipient: str
    duplicate: bool = False
    kept_apart: bool = False


def known_recipient(policy: Policy, address: str) -> str | None:
    """The key of the mailbox that takes mail to ``address``, tagged or not; None for a stranger's.

    ``postmaster`` has no domain where it is ours that is meant (RFC 5321, 4.5.1).
    """
    if address.lower() == "postmaster":
        boxes = policy.mailbox_by_address.items()
        return next((key for ours, key in boxes if ours.startswith("postmaster@")), None)
    whole, bare = address_key(address), without_tag(address)
    found = policy.mailbox_by_address.get(whole) or policy.mailbox_by_address.get(bare)
    if found is not None:
        return found
    domain = whole.rpartition("@")[2]
    return next(
        (
            key
            for key, box in policy.mailboxes.items()
            if box.catch_all and box.address.rpartition("@")[2] == domain
        ),
        None,
    )


@dataclass(frozen=True)
class Incoming:
    """A mail as a way in hands it over: its bytes, what the servers said, and our own verdicts on its sender.

    ``via`` is ``smtp``, ``lmtp``, ``imap``, ``http`` or ``import``; ``received_at`` is when it reached us (UTC).
    """

    raw: bytes
    envelope: Envelope
    via: str
    authentication: Sequence[Method] | None = None
    received_at: datetime | None = None


def store(
    context: Context,
    raw: bytes,
    envelope: Envelope,
    via: str,
    *,
    authentication: Sequence[Method] | None = None,
    received_at: datetime | None = None,
) -> list[Stored]:
    """Keep a mail, and have it taken in; a row for each of our mailboxes. Raises the database's errors alone.

    Small ones that come at the same time are kept by one commit. It is over when this returns.

    Recipients that are not ours are left out; if none is, it is the mail's own header that says where it was sent,
    and else it is the first mailbox's: a way in that must refuse strangers asks ``known_recipient`` before.
    """
    mail = Incoming(raw, envelope, via, authentication, received_at)
    if len(raw) > LARGE:
        return store_all(context, [mail])[0]
    rows = _rows(_policy(context), mail, context.clock.now())
    return context.database.writing_together(lambda session: _store(session, raw, rows))


def store_all(context: Context, mails: Sequence[Incoming]) -> list[list[Stored]]:
    """The same for several mails in one commit: all of them are safe, or none."""
    policy, now = _policy(context), context.clock.now()
    rows = [_rows(policy, mail, now) for mail in mails]
    with context.database.writing() as session:
        return [_store(session, mail.raw, of_mail) for mail, of_mail in zip(mails, rows, strict=True)]


def _rows(policy: Policy | None, mail: Incoming, now: datetime) -> list[dict[str, Any]]:
    """The columns of a mail's rows, all that can be found out before the database is asked."""
    head, at = peek(mail.raw), mail.received_at or now
    sha256, own = hashlib.sha256(mail.raw).hexdigest(), mail.authentication
    sender = mail.envelope.sender
    values = {
        "envelope_from": storable(sender)[:1000] if sender is not None else None,
        "via": mail.via, "received_at": at, "size": len(mail.raw), "sha256": sha256,
        "dedupe_key": dedupe_key(mail.raw, head, sha256, at),
        "message_id": head.message_id[:_LONGEST_ID] if head.message_id else None,
        "authentication": None if own is None else [asdict(method) for method in own],
    }  # fmt: skip
    return [
        values | {"mailbox": key, "recipient": recipient, "addressed": addressed}
        for key, recipient, addressed in _mailboxes(policy, mail.envelope, head)
    ]


def _store(session: Session, raw: bytes, rows: Sequence[Mapping[str, Any]]) -> list[Stored]:
    keep_bytes(session, rows[0]["sha256"], raw)
    return [_keep(session, row) for row in rows]


def dedupe_key(raw: bytes, head: Heads, sha256: str, at: datetime) -> str:
    """What two copies of one mail have in common, however they came.

    Message-ID and sender together, so that nobody's mail is kept out by another's with its Message-ID; else what is
    said and when it was written; and of a mail without a date of any kind, what came within an hour of the clock.
    """
    if head.message_id:
        return (
            "id:" + hashlib.sha256(f"{head.message_id}\0{head.sender}".encode("utf-8", "replace")).hexdigest()
        )
    if head.date:
        said = hashlib.sha256(f"{head.sender}\0{head.subject}\0{head.date}\0".encode("utf-8", "replace"))
        said.update(memoryview(raw)[head.body :])
        return "said:" + said.hexdigest()
    return "raw:" + sha256 if head.received else f"raw:{at:%y%m%d%H}:{sha256}"


def _policy(context: Context) -> Policy | None:
    try:
        return context.policies.current().policy
    except NoPolicy:
        return None  # it is kept all the same, and taken in once there is one


def _mailboxes(
    policy: Policy | None, envelope: Envelope, head: Heads
) -> list[tuple[str | None, str, list[str]]]:
    """Mailbox, its own address, and how it was written to, of each that is meant."""
    if policy is None or not policy.mailboxes:
        recipients = [storable(address_key(each))[:400] for each in envelope.recipients][:_ADDRESSED]
        return [(None, recipients[0] if recipients else "", recipients)]
    found = _of(policy, envelope.recipients) or _of(policy, head.recipients)
    found = found or {next(iter(policy.mailboxes)): []}
    return [(key, policy.mailboxes[key].address, list(written)) for key, written in found.items()]


def _of(policy: Policy, recipients: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for address in recipients:
        key = known_recipient(policy, address)
        if key is not None:
            written = found.setdefault(key, [])
            if address_key(address) not in written and len(written) < _ADDRESSED:
                written.append(storable(address_key(address))[:400])
    return found


def _keep_row(session: Session, values: Mapping[str, Any]) -> int | None:
    """The id of a new row; None if there is one of its key."""
    row = straight(session, insert_once(session, InboundMail, "id"), **values).fetchone()
    return row[0] if row is not None else None


def _keep(session: Session, values: Mapping[str, Any]) -> Stored:
    id = _keep_row(session, {"state": MailState.STORED, **values})
    mailbox, recipient, at = values["mailbox"], values["recipient"], values["received_at"]
    if id is None:
        return _duplicate(session, values, at)
    due.enqueue(session, TAKE_IN, f"mail:{id}", at, mail=id)
    return Stored(id, mailbox, recipient)


def _duplicate(session: Session, values: Mapping[str, Any], at: datetime) -> Stored:
    """A copy: if its bytes differ they are kept as well, for nobody can say that they do not matter."""
    key, recipient = values["dedupe_key"], values["recipient"]
    first = session.execute(
        sa.select(InboundMail.id, InboundMail.sha256, InboundMail.case_id).where(
            InboundMail.dedupe_key == key, InboundMail.recipient == recipient
        )
    ).one()
    kept = None
    if first.sha256 != values["sha256"]:
        again = {**values, "dedupe_key": f"copy:{values['sha256']}", "state": MailState.DUPLICATE,
                 "case_id": first.case_id}  # fmt: skip
        kept = _keep_row(session, again)
    record(session, "mail.duplicate", at, case_id=first.case_id, mail=first.id, sha256=values["sha256"])
    return Stored(first.id, values["mailbox"], recipient, duplicate=True, kept_apart=kept is not None)
