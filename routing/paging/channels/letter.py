"""Writing a person a mail."""

from __future__ import annotations

from datetime import datetime
from email.utils import parseaddr
from typing import TYPE_CHECKING

from core.mail_addresses import address_key
from routing.correspondence.letters import Letter, Manner, Party, composed
from routing.paging.channels.base import Answerable, Outgoing

if TYPE_CHECKING:
    from routing.context import Context

_LONGEST = 254  # characters of an address (RFC 5321, 4.5.3.1.3: a path of 256 with its brackets)


class MailChannel:
    """A mail with the case and a signed link. It accepts nothing; a reply answers the customer."""

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
        letter = _letter(outgoing, context.mailer.sender)
        to = address_key(outgoing.to)
        refused = context.mailer.hand_over(composed(letter), [to], envelope_from="")
        if to in refused:
            raise refused[to]
        return letter.message_id

    def sent_since(self, context: Context, outgoing: Outgoing, since: datetime) -> list[str]:
        """Nobody can be asked: it is sent again, under the same Message-ID."""
        return []


def _letter(outgoing: Outgoing, sender: str) -> Letter:
    """The page as a letter that no machine should answer: a vacation notice or a help desk (RFC 3834, 5)."""
    name, address = parseaddr(sender)
    answerable = outgoing.answerable or Answerable("", _message_id(address, outgoing))
    parts = (answerable.said_above, outgoing.note, answerable.said_below)
    return Letter(
        sender=Party(name, address), to=Party("", outgoing.to), subject=outgoing.title,
        text="\n\n".join(part for part in parts if part), at=outgoing.since, message_id=answerable.message_id,
        reply_to=answerable.reply_to, references=answerable.references, manner=Manner.GENERATED,
        loop_value=answerable.loop_value,
    )  # fmt: skip


def _message_id(sender: str, outgoing: Outgoing) -> str:
    # The instant is in it because a database that was begun anew counts its attempts from 1 again.
    domain = sender.rpartition("@")[2]
    return f"<attempt-{outgoing.id}-{outgoing.since:%Y%m%d%H%M%S}@{domain}>"
