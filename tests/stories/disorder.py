"""Disorder on the way from the telephone company: requests that come late, twice, or never.

``house.company.disturb = disorder(late("recording-status", 60), lost("call-status"))``. A rule names a kind of
request (``voice``, ``action``, ``call-status``, ``recording-status``, ``transcription``, ``sms``,
``sms-status``) and, if need be, form fields that it must have.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from simulator.transport import WebhookRequest

Rule = Callable[[WebhookRequest, str], list[float] | None]

# Requests whose answer somebody on the telephone waits for.
AWAITED = frozenset({"voice", "action", "sms", "play", "fallback"})


def disorder(*rules: Rule) -> Callable[[WebhookRequest, str], list[float]]:
    """The first rule that is concerned decides when a request arrives, and how often."""

    def disturb(request: WebhookRequest, kind: str) -> list[float]:
        found = (rule(request, kind) for rule in rules)
        return next((delays for delays in found if delays is not None), [0.0])

    return disturb


def _arrives(delays: list[float], what: str, fields: dict[str, str]) -> Rule:
    def rule(request: WebhookRequest, kind: str) -> list[float] | None:
        concerned = kind == what and all(request.form.get(name) == value for name, value in fields.items())
        return delays if concerned else None

    return rule


def late(what: str, seconds: float, **fields: str) -> Rule:
    """It arrives so much later."""
    return _arrives([seconds], what, fields)


def lost(what: str, **fields: str) -> Rule:
    """It never arrives."""
    return _arrives([], what, fields)


def repeated(*delays: float) -> Rule:
    """Everything arrives more than once."""
    return lambda _request, _kind: list(delays)


def shuffled(seed: int, longest: float) -> Rule:
    """What nobody waits for arrives at any time up to ``longest`` seconds later, sometimes twice."""
    dice = random.Random(seed)

    def rule(_request: WebhookRequest, kind: str) -> list[float]:
        arrivals = [dice.uniform(0, longest) for _ in range(dice.choice((1, 1, 2)))]
        return [0.0, *arrivals[1:]] if kind in AWAITED else arrivals

    return rule
