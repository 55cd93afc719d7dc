"""An engineer's page call: from what the phone sent to what it hears next, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.orm import Session

from core import twiml
from core.models import Case, Person
from core.telephony import RETRY_RULE
from core.twiml import Say
from routing.context import Context
from routing.drills import calls as drill_calls
from routing.paging import acceptance, everyone, pages, remind
from routing.paging.content import latest_audio, page_values
from routing.paging.menu import Act, Heard, Menu, MenuFacts, MenuStep, Standing, step
from routing.paging.models import Attempt, AttemptState, Page, Purpose
from routing.paging.states import PageState
from routing.responses import stamp_response, withdraw_response
from routing.wording import still_waiting

_KEYS = {"1": Heard.KEY_1, "2": Heard.KEY_2, "3": Heard.KEY_3, "5": Heard.KEY_5}


class StaleStep(Exception):
    """The request is for a step that the call has left."""


def take_step(
    session: Session, context: Context, attempt_id: int, number: int, form: Mapping[str, str]
) -> str:
    """Do what the request for step ``number`` of an attempt's call asks for; the TwiML that answers it."""
    attempt, page = _locked(session, attempt_id)
    if number != attempt.step:
        raise StaleStep
    # The first request may overtake the answer to the request that placed the call.
    attempt.provider_sid = attempt.provider_sid or form.get("CallSid")
    if AttemptState(attempt.state) in (AttemptState.SENDING, AttemptState.SENT, AttemptState.CANCELLED):
        attempt.state = AttemptState.ANSWERED
    if page is None:
        return drill_calls.take_step(session, context, attempt, form)
    facts = _facts(session, context, attempt, page)
    result = step(Menu(attempt.menu), _heard(attempt, form), facts)
    for act in result.acts:
        _ACTS[act](session, context, attempt, page)
    attempt.menu = result.next
    attempt.step += 1
    if Act.TRY_AGAIN not in result.acts:
        attempt.tries = 0
    return _document(attempt, result, facts)


def customer_connected(session: Session, context: Context, attempt_id: int) -> None:
    """The customer's phone was answered: that instant is the response, whatever is lost afterwards."""
    attempt, page = _locked(session, attempt_id)
    if page is None or attempt.menu != Menu.BRIDGE:
        return  # a late word of a call that is over: its end has been judged, by the engineer perhaps
    _respond(session, context, attempt, page)


def _locked(session: Session, attempt_id: int) -> tuple[Attempt, Page | None]:
    """The attempt and its page, locked; the call of a drill has no page."""
    attempt = session.get_one(Attempt, attempt_id)
    page = pages.locked_page(session, attempt.page_id) if attempt.page_id is not None else None
    session.refresh(attempt, with_for_update=True)
    return attempt, page


def _heard(attempt: Attempt, form: Mapping[str, str]) -> Heard:
    if attempt.menu == Menu.BRIDGE:
        reached = (
            form.get("DialCallStatus") in ("completed", "answered") and form.get("DialBridged") != "false"
        )
        return Heard.REACHED if reached else Heard.NOT_REACHED
    if attempt.step == 0:
        return Heard.ANSWERED
    digits = form.get("Digits", "")
    return _KEYS.get(digits, Heard.OTHER_KEY) if digits else Heard.NO_KEY


def _facts(session: Session, context: Context, attempt: Attempt, page: Page) -> MenuFacts:
    case: Case = attempt.case
    policy = context.policies.version(page.policy_version)
    values = page_values(session, case, policy, context.links, context.clock.now(), page)
    if page.state == PageState.ACKNOWLEDGED and page.acknowledged_by != attempt.person_key:
        values["engineer"] = session.get_one(Person, page.acknowledged_by or "").name

    def say(key: str) -> Say:
        return policy.say(key, case.line, **values)

    audio = latest_audio(session, case.id)
    must = everyone.rows_of(session, page)
    if must:
        values["waiting"] = still_waiting(everyone.missing_names(session, page, but=attempt.person_key))
    acknowledged = any(r.person_key == attempt.person_key and r.acknowledged_at is not None for r in must)
    return MenuFacts(
        standing=_standing(page, attempt, acknowledged=acknowledged),
        many=bool(must),
        say=say,
        voicemail_url=context.links.voicemail_url(case.id, audio.sid) if audio else None,
        transcript=bool(values["transcript"]),
        written=bool(values["written"]),
        later=bool(values["later"]),
        cut=values["cut"],
        customer_number=case.callable_number,
        tries=attempt.tries,
    )


def _standing(page: Page, attempt: Attempt, *, acknowledged: bool) -> Standing:
    if attempt.purpose == Purpose.REMIND and attempt.case.responded_at is not None:
        return Standing.OVER
    if acknowledged or (page.is_had and page.acknowledged_by == attempt.person_key):
        return Standing.YOURS
    if page.state == PageState.RINGING:
        return Standing.RINGING
    if page.state == PageState.ACKNOWLEDGED:
        return Standing.TAKEN
    if page.state == PageState.HANDED_ON and attempt.case.engineer is not None:
        return Standing.TAKEN
    return Standing.OVER


def _accept(session: Session, context: Context, attempt: Attempt, page: Page) -> None:
    acceptance.accept(session, context, page, attempt.person)
    attempt.state = AttemptState.ACCEPTED


def _pass(session: Session, context: Context, attempt: Attempt, page: Page) -> None:
    attempt.state = AttemptState.PASSED
    acceptance.pass_on(session, context, page, attempt.person, attempt.position)


def _respond(session: Session, context: Context, attempt: Attempt, page: Page) -> None:
    now = context.clock.now()
    if stamp_response(session, attempt.case, now, "call", attempt.person_key):
        pages.answered(session, attempt.case, now)


def _heard_reminder(session: Session, context: Context, attempt: Attempt, page: Page) -> None:
    attempt.state = AttemptState.ACCEPTED
    remind.heard(session, attempt, context.clock.now())


def _withdraw(session: Session, context: Context, attempt: Attempt, page: Page) -> None:
    withdraw_response(session, attempt.case, context.clock.now(), attempt.person_key)


def _try_again(session: Session, context: Context, attempt: Attempt, page: Page) -> None:
    attempt.tries += 1


_ACTS = {
    Act.ACCEPT: _accept,
    Act.PASS: _pass,
    Act.RESPOND: _respond,
    Act.WITHDRAW_RESPONSE: _withdraw,
    Act.TRY_AGAIN: _try_again,
    Act.HEARD: _heard_reminder,
}


def _document(attempt: Attempt, result: MenuStep, facts: MenuFacts) -> str:
    action = f"/twilio/page/{attempt.id}/{attempt.step}{RETRY_RULE}"
    if result.next is Menu.OVER:
        return twiml.render((*result.say, twiml.Hangup()))
    if result.next is Menu.BRIDGE:
        assert facts.customer_number is not None
        connected = f"/twilio/page/{attempt.id}/connected{RETRY_RULE}"
        target = twiml.Target(facts.customer_number, status_callback=connected)
        dial = twiml.Dial((target,), action, caller_id=attempt.from_number, timeout_s=40)
        return twiml.render((*result.say, dial))
    return twiml.render((twiml.Gather(result.say, action), twiml.Redirect(action)))
