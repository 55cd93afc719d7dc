"""Telling a person by a chat or push service: whatever Apprise can reach by an address (URL)."""

from __future__ import annotations

import logging
import re
from datetime import datetime
from typing import TYPE_CHECKING

from core.errors import ChannelError
from core.signed_post import revealed
from routing.paging.channels.base import Outgoing

if TYPE_CHECKING:
    from routing.context import Context

# Its addresses carry passwords, and its log repeats some of them.
logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)


class AppriseChannel:
    """A title and a few lines, to Slack, Teams, ntfy, Pushover and a hundred more. It accepts nothing.

    The library is loaded at the first message: it takes 15 MB, which most workers never need.
    """

    rings = False
    reports_back = False
    needs_verified = False
    needs_secret = False

    def normal(self, address: str) -> str:
        """As it is: ``scheme://...``, or ``env:NAME``."""
        if not re.fullmatch(r"env:\w+|[A-Za-z][A-Za-z0-9+.-]*://\S+", address):
            raise ValueError(
                "expected an address for Apprise, such as ntfy://ntfy.example/topic, or env:NAME"
            )
        return address

    def send(self, context: Context, outgoing: Outgoing) -> None:
        """Hand it to the service."""
        import apprise

        asset = apprise.AppriseAsset(app_id="Nightbell", async_mode=False)
        service = apprise.Apprise(asset=asset)
        if not service.add(revealed(outgoing.to)):
            raise ChannelError("the address is none that Apprise knows", permanent=True)
        try:
            sent = service.notify(title=outgoing.title, body=outgoing.note)
        except Exception as error:  # noqa: BLE001  # a hundred services raise a hundred things, with addresses in them
            raise ChannelError(f"the service failed: {type(error).__name__}", permanent=False) from None
        if not sent:
            # Apprise does not say why: it may be worth another try.
            raise ChannelError("the service did not take it", permanent=False)

    def sent_since(self, context: Context, outgoing: Outgoing, since: datetime) -> list[str]:
        """Nobody can be asked: it is sent again."""
        return []
