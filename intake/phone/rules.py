"""The rules of the phone call's table: what is said, what the call then waits for, what is done. Pure.

The caller is told what will happen before speaking; whatever is told here is decided by the same
:func:`routing.coverage.decide` that decides once the voicemail is there.
"""

from __future__ import annotations

from collections.abc import Callable

from core import phone_numbers
from core.twiml import Say
from intake.phone.facts import Effect, Facts, OpenCase, Step
from intake.phone.states import Act, State
from routing.coverage import Consent, Decision, Outcome
from routing.wording import hours_in_words, priorities_in_words

MAX_TRIES = 3

Rule = Callable[[Facts], Step]
_AGAIN = Effect(Act.TRY_AGAIN)


def called(f: Facts) -> Step:
    calendar = f.policy.calendar_of(f.contact.service)
    if calendar.is_open(f.now):
        if f.team_left:
            return Step((f.say("open_greeting"),), State.HUNT, (Effect(Act.HUNT_NEXT),))
        return _nobody_free(f)
    greeting = _closed_greeting(f)
    if f.open_case is not None:
        return open_case(f).after(greeting)
    if f.contact.customer is not None:
        return promise(f).after(greeting)
    return Step((greeting, f.say("ask_support_id")), State.SUPPORT_ID)


def _closed_greeting(f: Facts) -> Say:
    calendar = f.policy.calendar_of(f.contact.service)
    values = {"hours": hours_in_words(calendar), "opening": f.opening}
    holiday = calendar.is_holiday(f.now.astimezone(calendar.zone).date())
    if holiday:
        return f.say("closed_greeting_holiday", holiday=holiday, **values)
    return f.say("closed_greeting", **values)


def _nobody_free(f: Facts) -> Step:
    return Step((f.say("nobody_free"), f.say("record_plain")), State.RECORDING)


def hunt_on(f: Facts) -> Step:
    if f.team_left:
        return Step((), State.HUNT, (Effect(Act.HUNT_NEXT),))
    return _nobody_free(f)


def taken(f: Facts) -> Step:
    return Step((f.say("goodbye"),), State.ENDED)


# The caller's open case


def open_case(f: Facts) -> Step:
    if f.open_case is None:
        return to_voicemail(f)
    stands = f.say(f"open_case_{f.open_case.standing}", case_digits=_digits(f.open_case))
    menu = f.say("ask_open_case_escalate" if f.open_case.may_escalate else "ask_open_case")
    return Step((stands, menu), State.OPEN_CASE)


def add(f: Facts) -> Step:
    if f.open_case is None:
        return to_voicemail(f)
    say = f.say("record_more", case_digits=_digits(f.open_case))
    return Step((say,), State.RECORDING, (Effect(Act.ADD_TO_CASE),))


def report_new(f: Facts) -> Step:
    step = promise(f) if f.contact.customer else Step((f.say("ask_support_id"),), State.SUPPORT_ID)
    return step.doing(Effect(Act.REPORT_NEW))


def escalate(f: Facts) -> Step:
    if f.open_case is None or not f.open_case.may_escalate:
        return again(open_case, add)(f)
    said = f.say("escalated", case_digits=_digits(f.open_case))
    return add(f).after(said).doing(Effect(Act.ESCALATE))


# Who is it, and what were they promised


def ask_id_again(f: Facts) -> Step:
    if f.tries + 1 >= MAX_TRIES:
        return promise(f)
    return Step((f.say("support_id_unknown"), f.say("ask_support_id")), State.SUPPORT_ID, (_AGAIN,))


def promise(f: Facts) -> Step:
    service = f.policy.services[f.contact.service]
    if f.contact.tier is None:
        told = f.say("no_agreement", opening=f.opening) if f.contact.customer else _unverified(f)
        if service.consent is not None:
            return Step((told, f.say("record_notify")), State.RECORDING)
        return Step((told, f.say("ask_priority")), State.PRIORITY)
    if service.consent is not None:
        return _consent(f)
    tier = f.policy.tiers[f.contact.tier]
    if tier.covered_priorities:
        told = f.say("covered", tier=tier.name, priorities=priorities_in_words(tier.covered_priorities))
    else:
        told = f.say("not_covered", tier=tier.name, opening=f.opening)
    return Step((told, f.say("ask_priority")), State.PRIORITY)


def _unverified(f: Facts) -> Say:
    wanted = f.policy.lines[f.line].unknown_callers
    values = {"opening": f.opening} if wanted == "hold" else {}
    return f.say(f"unverified_{wanted}", **values)


def choose(priority: int) -> Rule:
    return lambda f: _record(f, f.decision(priority=priority)).doing(Effect(Act.CHOOSE, priority))


def assume(f: Facts) -> Step:
    priority = f.policy.lines[f.line].unchosen_priority
    return _record(f, f.decision(priority=priority)).doing(Effect(Act.ASSUME, priority))


def ask_priority(f: Facts) -> Step:
    return Step((f.say("ask_priority"),), State.PRIORITY)


# Consent to additional charges


def _consent(f: Facts) -> Step:
    if f.consent_terms == "beforehand":
        accepted = f.decision(consent=Consent.BEFOREHAND)
        told = f.say("consent_beforehand", accepted_target=accepted.target)
        return _record(f, accepted).after(told).doing(Effect(Act.CONSENT, Consent.BEFOREHAND))
    if f.consent_terms == "never":
        waits = _record(f, f.decision(consent=Consent.NEVER)).after(f.say("consent_never"))
        return waits.doing(Effect(Act.CONSENT, Consent.NEVER))
    return ask_consent(f)


def ask_consent(f: Facts) -> Step:
    accepted, refused = f.decision(consent=Consent.ACCEPTED), f.decision(consent=Consent.REFUSED)
    asked = f.say("ask_consent", accepted_target=accepted.target, refused_due=f.spoken(refused.due_at))
    return Step((asked,), State.CONSENT)


def consented(consent: Consent) -> Rule:
    return lambda f: _record(f, f.decision(consent=consent)).doing(Effect(Act.CONSENT, consent))


# The voicemail


def _record(f: Facts, decision: Decision) -> Step:
    told = {Outcome.PAGE: "record_page", Outcome.WAIT: "record_wait"}.get(decision.outcome, "record_notify")
    if not decision.target:
        return Step((f.say("record_notify"),), State.RECORDING)
    values = {"target": decision.target, "due": f.spoken(decision.due_at)} if told != "record_notify" else {}
    return Step((f.say(told, **values),), State.RECORDING)


def record_again(f: Facts) -> Step:
    if f.adding and f.open_case is not None:
        return Step((f.say("record_more", case_digits=_digits(f.open_case)),), State.RECORDING)
    return Step((f.say("record_notify"),), State.RECORDING)


def to_voicemail(f: Facts) -> Step:
    return Step((f.say("record_plain"),), State.RECORDING)


def heard_nothing(f: Facts) -> Step:
    if f.tries + 1 >= MAX_TRIES:
        return Step((f.say("nothing_recorded"), f.say("goodbye")), State.ENDED, (Effect(Act.HANG_UP),))
    return record_again(f).after(f.say("nothing_recorded")).doing(_AGAIN)


def review(f: Facts) -> Step:
    return Step((f.say("review"),), State.REVIEW)


def send(f: Facts) -> Step:
    if not f.has_message:  # the recording callback has said meanwhile that it is silent
        return heard_nothing(f)
    effects = (Effect(Act.SEND),)
    if f.adding and f.open_case is not None:
        said = f.say("message_added", case_digits=_digits(f.open_case))
        return Step((said,), State.ENDED, effects)
    return _ask_callback(f).doing(*effects)


def send_and_end(f: Facts) -> Step:
    return Step((), State.ENDED, (Effect(Act.SEND),))


# Where to call back, and the case number


def _ask_callback(f: Facts) -> Step:
    if f.callback_number is None:
        return Step((f.say("ask_callback_withheld"),), State.CALLBACK)
    number = phone_numbers.spoken(f.callback_number)
    return Step((f.say("ask_callback", number=number),), State.CALLBACK)


def callback_again(f: Facts) -> Step:
    if f.callback_number is None and f.tries + 1 == MAX_TRIES:
        return Step((f.say("ask_callback_once_more"),), State.CALLBACK, (_AGAIN,))
    if f.callback_number is None and f.tries + 1 > MAX_TRIES:
        return _read_case(f).after(f.say("no_callback"))
    if f.tries + 1 >= MAX_TRIES:
        return _read_case(f)
    return _ask_callback(f).after(f.say("callback_not_understood")).doing(_AGAIN)


def callback_confirmed(f: Facts) -> Step:
    return _read_case(f) if f.callback_number is not None else callback_again(f)


def callback_changed(f: Facts) -> Step:
    return _read_case(f).doing(Effect(Act.SET_CALLBACK, f.entered_number))


def _read_case(f: Facts) -> Step:
    case = f.new_case
    if case is None:
        return Step((f.say("goodbye"),), State.ENDED)
    digits = _digits(case)
    if case.due_at is None:
        return Step((f.say("case_noted", case_digits=digits),), State.ENDED)
    key = "case_paged" if case.outcome is Outcome.PAGE else "case_waits"
    return Step((f.say(key, case_digits=digits, due=f.spoken(case.due_at)),), State.ENDED)


def hung_up(f: Facts) -> Step:
    return Step((), State.ENDED, (Effect(Act.HANG_UP),))


def gone_while_recording(f: Facts) -> Step:
    return Step((), State.ENDED, (Effect(Act.AWAIT_RECORDING),))


def nothing_more(f: Facts) -> Step:
    return Step((), State.ENDED)


def again(menu: Rule, given_up: Rule) -> Rule:
    """The menu once more, three times at most; then what is done without an answer."""

    def again(f: Facts) -> Step:
        if f.tries + 1 >= MAX_TRIES:
            return given_up(f)
        return menu(f).after(f.say("not_understood")).doing(_AGAIN)

    return again


def _digits(case: OpenCase) -> str:
    return phone_numbers.spoken(str(case.number))
