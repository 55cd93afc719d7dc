"""The due work of routing that is not a page, by kind; the worker does it."""

from __future__ import annotations

from collections.abc import Callable

from core.due import Claim
from routing.context import Context
from routing.notices import notices, sending

HANDLERS: dict[str, Callable[[Context, Claim], None]] = {
    notices.SEND: sending.send,
}
