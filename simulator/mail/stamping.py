"""What our own mail server writes on top of a mail before it hands it to the product.

In this world a domain's mail comes from where its SPF record says, and is signed (DKIM), unless the envelope
names another domain than From does: then somebody else has sent it, and DMARC fails.
"""

from __future__ import annotations

import re
from datetime import datetime
from email.utils import format_datetime

from simulator.mail import reading
from simulator.mail.letters import Envelope


def stamped(envelope: Envelope, name: str, now: datetime) -> Envelope:
    """The envelope with Received and Authentication-Results (RFC 8601) of the server ``name`` on its mail."""
    head, blank, body = envelope.raw.partition(b"\r\n\r\n")
    kept = _without_claims(head + b"\r\n", name)
    stamp = (
        f"Received: from outside by {name} with ESMTP; {format_datetime(now)}\r\n"
        f"Authentication-Results: {name}; {_verdicts(envelope.sender, _author(head))}\r\n"
    )
    raw = stamp.encode("utf-8", "replace") + (kept + blank[2:] + body if blank else kept[:-2])
    return Envelope(envelope.sender, envelope.recipients, raw)


def _without_claims(fields: bytes, name: str) -> bytes:
    """Whatever claims to be a verdict of ours is taken out: the sender cannot have one (RFC 8601, 5)."""
    ours = rb"^Authentication-Results[ \t]*:\s*" + re.escape(name.encode()) + rb"(?=[\s;])"
    return re.sub(ours + rb"[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*", b"", fields, flags=re.I | re.M)


def _author(head: bytes) -> str:
    """The domain of the first address in From; empty if there is none."""
    found = reading.read(head + b"\r\n\r\n").addresses("from")
    return re.sub(r"[^\w.-]", "", found[0][1].rpartition("@")[2].lower()) if found else ""


def _verdicts(sender: str, author: str) -> str:
    if not author:
        return "none"
    said = re.sub(r"[^\w.@+=-]", "", sender)
    spf = f"spf=pass smtp.mailfrom={said}" if said else "spf=none"
    if said and said.rpartition("@")[2].lower() != author:
        return f"{spf}; dkim=none; dmarc=fail header.from={author}"
    return f"{spf}; dkim=pass header.d={author}; dmarc=pass header.from={author}"
