"""Ringing a person's phone."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from core import phone_numbers
from core.telephony import RETRY_RULE
from routing.paging.channels.base import Outgoing

if TYPE_CHECKING:
    from routing.context import Context


class VoiceChannel:
    """A call that speaks a menu; only a key press in it accepts."""

    rings = True
    reports_back = True
    needs_verified = True
    needs_secret = False

    def normal(self, address: str) -> str:
        """E.164."""
        return phone_numbers.required_e164(address)

    def send(self, context: Context, outgoing: Outgoing) -> str:
        """Place the call; its CallSid."""
        return context.telephony.place_call(
            to=outgoing.to,
            from_=outgoing.from_,
            url=context.address(f"/twilio/page/{outgoing.id}/0{RETRY_RULE}"),
            status_callback=context.address(f"/twilio/page/{outgoing.id}/status{RETRY_RULE}"),
            ring_s=outgoing.ring_s,
        )

    def sent_since(self, context: Context, outgoing: Outgoing, since: datetime) -> list[str]:
        """CallSids of the calls placed to this phone since then, the earliest first."""
        calls = context.telephony.calls_to(outgoing.to, since)
        return [call.sid for call in reversed(calls) if call.direction == "outbound-api"]
