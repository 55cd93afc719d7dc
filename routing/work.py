"""The due work of routing that is not a page, by kind; the worker does it."""

from __future__ import annotations

from collections.abc import Callable

from core.due import Claim
from routing import hooks
from routing.clocks.breach import breach
from routing.clocks.cycles import BREACH
from routing.context import Context
from routing.correspondence import delivery, outbox
from routing.drills import planning as drills
from routing.notices import notices, sending
from routing.rosters import imports, look_ahead

HANDLERS: dict[str, Callable[[Context, Claim], None]] = {
    BREACH: breach,
    notices.SEND: sending.send,
    imports.IMPORT: imports.look,
    look_ahead.LOOK_AHEAD: look_ahead.look_ahead,
    outbox.DELIVER: delivery.deliver,
    drills.LOOK: drills.look,
    drills.OVER: drills.over,
    hooks.SCAN: hooks.scan,
    hooks.SEND: hooks.send,
}
