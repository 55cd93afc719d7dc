"""Sending a person a text."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from core import phone_numbers
from core.telephony import RETRY_RULE
from routing.paging.channels.base import Outgoing
from routing.paging.segments import cut

if TYPE_CHECKING:
    from routing.context import Context


class SmsChannel:
    """A text with the case, the callback number and a signed link; ``ACK`` and ``PASS`` may be answered."""

    rings = False
    reports_back = True
    needs_verified = True
    needs_secret = False

    def normal(self, address: str) -> str:
        """E.164."""
        return phone_numbers.required_e164(address)

    def send(self, context: Context, outgoing: Outgoing) -> str:
        """Send the text; its MessageSid."""
        return context.telephony.send_sms(
            to=outgoing.to,
            from_=outgoing.from_,
            body=cut(outgoing.text),
            status_callback=context.address(f"/twilio/sms/status{RETRY_RULE}"),
        )

    def sent_since(self, context: Context, outgoing: Outgoing, since: datetime) -> list[str]:
        """MessageSids of the texts with these words sent to this phone since then, the earliest first.

        A trial account puts words of its own before ours, and white space may come back otherwise than it went.
        """
        ours = _bare(cut(outgoing.text))
        texts = context.telephony.messages_to(outgoing.to, since)
        return [sid for sid, body in reversed(texts) if _bare(body).endswith(ours)]


def _bare(text: str) -> str:
    return " ".join(text.split())
