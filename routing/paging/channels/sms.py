"""Sending a person a text."""

from __future__ import annotations

from datetime import datetime

from core.telephony import RETRY_RULE
from routing.context import Context
from routing.paging.channels.base import Outgoing


class SmsChannel:
    """A text with the case, the callback number and a signed link; ``ACK`` and ``PASS`` may be answered."""

    def send(self, context: Context, outgoing: Outgoing) -> str:
        """Send the text; its MessageSid."""
        return context.telephony.send_sms(
            to=outgoing.to,
            from_=outgoing.from_,
            body=outgoing.text,
            status_callback=context.address(f"/twilio/sms/status{RETRY_RULE}"),
        )

    def sent_since(self, context: Context, outgoing: Outgoing, since: datetime) -> list[str]:
        """MessageSids of the texts sent to this phone since then, the earliest first."""
        return [sid for sid, _body in reversed(context.telephony.messages_to(outgoing.to, since))]
