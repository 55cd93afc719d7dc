"""The due work of paging, by kind; the worker does it."""

from __future__ import annotations

from collections.abc import Callable

from core.due import Claim
from routing.clocks import reminders
from routing.context import Context
from routing.paging import bundle_work, bundles, delivery, duty, remind, rows, settling, steps

HANDLERS: dict[str, Callable[[Context, Claim], None]] = {
    rows.RING: steps.ring,
    rows.STEP_OVER: steps.step_over,
    rows.SEND: delivery.send,
    rows.CHECK: settling.check,
    rows.HANG_UP: settling.hang_up,
    reminders.REMIND: remind.remind,
    **duty.HANDLERS,
    bundles.MEMBERS: bundle_work.members,
    bundles.CLOSED: bundle_work.closed,
}
