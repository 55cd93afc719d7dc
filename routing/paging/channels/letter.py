"""Writing a person a mail."""

from __future__ import annotations

from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import TYPE_CHECKING

from routing.paging.channels.base import Outgoing

if TYPE_CHECKING:
    from routing.context import Context

_LONGEST = 254  # characters of an address (RFC 5321, 4.5.3.1.3: a path of 256 with its brackets)


class MailChannel:
    """A mail with the case, the callback number and a signed link. It accepts nothing."""

    rings = False
    reports_back = False
    needs_verified = False
    needs_secret = False

    def normal(self, address: str) -> str:
        """The bare address."""
        bare = parseaddr(address)[1]
        if bare != address.strip() or not all(bare.partition("@")[::2]) or len(bare) > _LONGEST:
            raise ValueError(f"{address!r} is not a mail address; expected such as dana@vendor.example")
        return bare

    def send(self, context: Context, outgoing: Outgoing) -> str:
        """Hand it to the mail server; its Message-ID, which is the same for each try."""
        message = EmailMessage()
        message["To"] = outgoing.to
        message["Subject"] = " ".join(outgoing.title.split())
        message["Date"] = format_datetime(outgoing.since)
        message["Message-ID"] = id = _message_id(context.mailer.sender, outgoing)
        # RFC 3834, 5: nobody's vacation notice or help desk should answer this; nor should a bounce (4).
        message["Auto-Submitted"] = "auto-generated"
        message["X-Auto-Response-Suppress"] = "All"
        message.set_content(outgoing.note)
        context.mailer.send(message, outgoing.to, envelope_from="")
        return id

    def sent_since(self, context: Context, outgoing: Outgoing, since: datetime) -> list[str]:
        """Nobody can be asked: it is sent again, under the same Message-ID."""
        return []


def _message_id(sender: str, outgoing: Outgoing) -> str:
    # The instant is in it because a database that was begun anew counts its attempts from 1 again.
    domain = parseaddr(sender)[1].rpartition("@")[2]
    return f"<attempt-{outgoing.id}-{outgoing.since:%Y%m%d%H%M%S}@{domain}>"
