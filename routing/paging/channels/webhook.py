"""Telling another system that a person is paged."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from core import signed_post
from routing.paging.channels.base import Outgoing

if TYPE_CHECKING:
    from routing.context import Context


class WebhookChannel:
    """A signed POST of the page as JSON. What another system answers accepts nothing."""

    rings = False
    reports_back = False
    needs_verified = False
    needs_secret = True

    def normal(self, address: str) -> str:
        """As it is: ``http(s)://...``, or ``env:NAME``."""
        return web_address(address)

    def send(self, context: Context, outgoing: Outgoing) -> None:
        """Post it; each try carries the same ``Idempotency-Key``."""
        content = {"attempt": outgoing.id, **outgoing.facts}
        id = f"attempt-{outgoing.id}"
        signed_post.post(outgoing.to, outgoing.secret, id, content, context.clock.now())

    def sent_since(self, context: Context, outgoing: Outgoing, since: datetime) -> list[str]:
        """Nobody can be asked: it is sent again, under the same key."""
        return []


def web_address(address: str) -> str:
    """``address``, if something can be posted there; ValueError otherwise."""
    if not re.fullmatch(r"env:\w+|https?://[^\s/?#]+\S*", address):
        raise ValueError("expected an http(s) address, or env:NAME")
    return address
