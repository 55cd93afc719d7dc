"""What the mailbox page shows, as JSON. Every function here runs on the engine's thread."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

from simulator.mail import manners
from simulator.mail.letters import Delivery, Letter
from simulator.mail.mailboxes import Mailbox
from simulator.mail.office import PostOffice

Json = dict[str, Any]
SHOWN_LETTERS, SHOWN_PASSAGES = 200, 100


def of(office: PostOffice, zone: str) -> Json:
    """Everything but the mails' contents: now, the product's lines, mailboxes, the newest letters first."""
    return {
        "now": office.now().isoformat(),
        "zone": zone,
        "last_event": office.events.last,
        "lines": [dataclasses.asdict(line) for line in office.directory.lines.values()],
        "mailboxes": [mailbox(item) for item in office.directory.mailboxes.values()],
        "passages": [
            {
                "time": passage.at.isoformat(),
                "way": passage.way,
                "sender": passage.sender,
                "recipient": passage.recipient,
                "code": passage.reply.code,
                "text": passage.reply.text,
            }
            for passage in itertools.islice(reversed(office.passages), SHOWN_PASSAGES)
        ],
    }


def mailbox(item: Mailbox) -> Json:
    return {
        "address": item.address,
        "name": item.name,
        "role": item.role,
        "note": item.note,
        "manner": manners.show(item.manner),
        "unread": sum(not letter.is_read for letter in item.letters),
        "letters": [letter(each) for each in itertools.islice(reversed(item.letters), SHOWN_LETTERS)],
    }


def letter(item: Letter) -> Json:
    """One line of a mailbox."""
    mail = item.mail
    shown = mail.text or ("(HTML only)" if mail.html else "")
    return {
        "id": item.id,
        "mailbox": item.mailbox,
        "direction": item.direction,
        "time": item.at.isoformat(),
        "from": _pairs(item, "from"),
        "to": _pairs(item, "to"),
        "subject": mail.header("Subject"),
        "begins": " ".join(shown.split())[:140],
        "read": item.is_read,
        "attachments": len(mail.parts),
        "automatic": mail.header("Auto-Submitted").lower() not in {"", "no"},
        "deliveries": [_delivery(each) for each in item.deliveries],
    }


def opened(item: Letter) -> Json:
    """The whole letter, without the contents of its parts."""
    mail = item.mail
    return letter(item) | {
        "envelope_from": item.envelope.sender,
        "recipients": list(item.envelope.recipients),
        "size": len(item.envelope.raw),
        "cc": _pairs(item, "cc"),
        "reply_to": _pairs(item, "reply-to"),
        "message_id": mail.header("Message-ID"),
        "headers": [list(pair) for pair in mail.headers],
        "text": mail.text,
        "html": bool(mail.html),
        "parts": [
            {"index": index, "name": part.name, "type": part.type, "size": len(part.content)}
            for index, part in enumerate(mail.parts)
        ],
    }


def _pairs(item: Letter, name: str) -> list[Json]:
    return [{"name": known, "address": address} for known, address in item.mail.addresses(name)]


def _delivery(item: Delivery) -> Json:
    return {
        "recipient": item.recipient,
        "state": item.state,
        "next_at": item.next_at.isoformat() if item.next_at else None,
        "attempts": [
            {"time": at.isoformat(), "code": reply.code, "text": reply.text} for at, reply in item.attempts
        ],
    }
