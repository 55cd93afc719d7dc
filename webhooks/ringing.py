"""A line rings: the request that a caller waits for."""

from __future__ import annotations

import logging
from datetime import datetime

import sqlalchemy as sa

from core import twiml
from core.quick import QuickTransaction
from core.twiml import Say
from intake.phone import calls, script
from routing.context import Context
from routing.policies import NoPolicy, PolicyError
from webhooks.answering import Answer, Incoming, answered_quickly

log = logging.getLogger(__name__)

# The one sentence that is not taken from the policy: it is said when no policy can be read.
_LAST_RESORT = "Please leave your name, your company, your number and your message after the tone."


def rings(incoming: Incoming) -> Answer:
    """Answer the first request of a call."""
    form, house = incoming.form, incoming.house

    def work(transaction: QuickTransaction, at: datetime) -> str:
        current = house.policies.current()
        line = current.policy.line_by_number.get(form.get("To", ""))
        if line is None:
            log.warning("call %s came to a number that no line has", form.get("CallSid"))
            return twiml.render((current.policy.say("no_such_line"), twiml.Hangup()))
        return calls.begin(transaction, current, line, form, at)

    return answered_quickly(incoming, f"{form.get('CallSid')}:0", work, lambda: trouble(house))


def trouble(house: Context) -> str:
    """The TwiML of the way out of everything, in the policy's words if it can be read."""
    try:
        say = house.policies.current().policy.say("trouble")
    except (NoPolicy, PolicyError, sa.exc.SQLAlchemyError):
        say = Say(_LAST_RESORT)
    return script.trouble(say)
