"""The due work of intake, by kind; the worker does it."""

from __future__ import annotations

from collections.abc import Callable

from core.due import Claim
from intake import reconcile, voicemail
from intake.mail import openings, receiving, taking_in
from intake.phone import calls
from routing.context import Context

HANDLERS: dict[str, Callable[[Context, Claim], None]] = {
    voicemail.FETCH: voicemail.fetch_audio,
    voicemail.SETTLE: voicemail.settle_unreviewed,
    calls.WATCH: calls.watch,
    reconcile.RECONCILE: reconcile.reconcile,
    reconcile.ADOPT: reconcile.adopt,
    receiving.TAKE_IN: taking_in.take_in,
    openings.LOOK: openings.look,
}
