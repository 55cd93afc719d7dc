"""What every channel can do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # the policy knows the channels, and the context knows the policy
    from routing.context import Context


@dataclass(frozen=True)
class Answerable:
    """How a mail can be answered: where to, under which identifiers, and what is said of it below the note."""

    reply_to: str = field(repr=False)
    message_id: str = ""
    references: tuple[str, ...] = ()
    said_above: str = ""
    said_below: str = ""
    loop_value: str = ""


@dataclass(frozen=True)
class Outgoing:
    """An attempt as a channel needs it. Addresses are in the form that the channel's ``normal`` gives.

    ``text`` is the text message, ``title`` and ``note`` are for channels that take longer words, ``facts`` for
    machines (JSON values by name). ``since`` is when the first try began: each later try has the same.
    """

    id: int
    channel: str
    to: str = field(repr=False)
    from_: str
    text: str
    ring_s: int
    since: datetime
    title: str = ""
    note: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)
    secret: str = field(default="", repr=False)
    answerable: Answerable | None = None


class Channel(Protocol):
    """A way to reach a person. What fails raises :class:`core.errors.ChannelError`."""

    rings: bool  # it makes a phone ring: only a verified number is called, and the step waits for its end
    reports_back: (
        bool  # the provider says later what became of it; else it counts as delivered once it is taken
    )
    needs_verified: bool  # a number that might be anybody's; reached only once it is known to be the person's
    needs_secret: bool  # what is sent is signed

    def normal(self, address: str) -> str:
        """The address as it is stored; ValueError says what is wrong with it. Must be quick and load nothing."""
        ...

    def send(self, context: Context, outgoing: Outgoing) -> str | None:
        """Send it; the provider's identifier, if it gives one."""
        ...

    def sent_since(self, context: Context, outgoing: Outgoing, since: datetime) -> list[str]:
        """Identifiers of what the provider sent to this address since then and may be this attempt."""
        ...
