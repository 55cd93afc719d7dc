"""The due work of paging, by kind; the worker does it."""

from __future__ import annotations

from collections.abc import Callable

from core.due import Claim
from routing.context import Context
from routing.paging import delivery, pages

HANDLERS: dict[str, Callable[[Context, Claim], None]] = {
    pages.RING: pages.ring,
    pages.STEP_OVER: pages.step_over,
    pages.SEND: delivery.send,
    pages.CHECK: delivery.check,
    pages.HANG_UP: delivery.hang_up,
}
