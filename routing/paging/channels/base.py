"""What every channel can do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from routing.context import Context


@dataclass(frozen=True)
class Outgoing:
    """An attempt as a channel needs it. Numbers are E.164; ``since`` is when its first try began."""

    id: int
    channel: str
    to: str
    from_: str
    text: str
    ring_s: int
    since: datetime


class Channel(Protocol):
    """A way to reach a person; raises :class:`core.telephony.TelephonyError`."""

    def send(self, context: Context, outgoing: Outgoing) -> str:
        """Send it; the provider's identifier."""
        ...

    def sent_since(self, context: Context, outgoing: Outgoing, since: datetime) -> list[str]:
        """Identifiers of what the provider sent to this address since then and may be this attempt."""
        ...
