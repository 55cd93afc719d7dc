"""The test call of a drill: it says that nothing has happened, and 1 proves that a person has heard it."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.orm import Session

from core import twiml
from core.telephony import RETRY_RULE
from core.twiml import Say
from routing.context import Context
from routing.drills.content import values_of
from routing.drills.models import Drill
from routing.drills.planning import prove
from routing.paging.models import Attempt, AttemptState

_MAX_TRIES = 3


def take_step(session: Session, context: Context, attempt: Attempt, form: Mapping[str, str]) -> str:
    """What the telephone hears next; ``attempt`` is locked, and the request is for its current step."""
    drill = session.get_one(Drill, attempt.drill_id, with_for_update=True)
    policy = context.policies.current().policy
    values = values_of(session, policy, drill)
    pressed, first = form.get("Digits", ""), attempt.step == 0
    attempt.step += 1
    if pressed == "1" and not first:
        attempt.state = AttemptState.ACCEPTED
        prove(session, drill, attempt.channel, context.clock.now())
        return _goodbye(policy.say("drill_proved", None, **values))
    if attempt.tries >= _MAX_TRIES:
        return _goodbye(policy.say("page_goodbye"))
    attempt.tries += 1
    action = f"/twilio/page/{attempt.id}/{attempt.step}{RETRY_RULE}"
    said = policy.say("drill_intro", None, **values)
    return twiml.render((twiml.Gather((said,), action), twiml.Redirect(action)))


def _goodbye(said: Say) -> str:
    return twiml.render((said, twiml.Hangup()))
