"""The phone call as a table: (state, event) and what is known lead to what is said, what comes next, what is done.

Pure: no database, no request, no clock. A pair that the table does not list leads to a voicemail, never to an
error. The caller is told what will happen before speaking; whatever is told here is decided by the same
:func:`routing.coverage.decide` that decides once the voicemail is there.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from core import phone_numbers
from core.twiml import Say
from routing.business_hours.errors import CalendarError
from routing.coverage import Consent, ContactFacts, Decision, Outcome, decide
from routing.policy import Policy
from routing.wording import hours_in_words, priorities_in_words, spoken_instant

MAX_TRIES = 3


class State(enum.StrEnum):
    """What the call is waiting for."""

    NEW = "new"
    HUNT = "hunt"
    SUPPORT_ID = "support-id"
    OPEN_CASE = "open-case"
    PRIORITY = "priority"
    CONSENT = "consent"
    RECORDING = "recording"
    REVIEW = "review"
    CALLBACK = "callback"
    ENDED = "ended"


class Event(enum.StrEnum):
    """What happened on the call."""

    CALLED = "called"
    KEY_1 = "key-1"
    KEY_2 = "key-2"
    KEY_3 = "key-3"
    KEY_9 = "key-9"
    OTHER_KEY = "other-key"
    NO_KEY = "no-key"
    IDENTIFIED = "identified"
    NOT_IDENTIFIED = "not-identified"
    SKIPPED = "skipped"
    NUMBER = "number"
    NOT_A_NUMBER = "not-a-number"
    RECORDED = "recorded"
    RECORDED_AND_GONE = "recorded-and-gone"
    SILENT = "silent"
    TAKEN = "taken"
    NOT_TAKEN = "not-taken"
    GONE = "gone"


class Act(enum.StrEnum):
    """What is done, in the transaction that answers the call."""

    TRY_AGAIN = "try-again"
    HUNT_NEXT = "hunt-next"
    CHOOSE = "choose"
    ASSUME = "assume"
    CONSENT = "consent"
    ADD_TO_CASE = "add-to-case"
    REPORT_NEW = "report-new"
    ESCALATE = "escalate"
    SEND = "send"
    SET_CALLBACK = "set-callback"
    HANG_UP = "hang-up"
    AWAIT_RECORDING = "await-recording"


@dataclass(frozen=True)
class Effect:
    """An act and its value: the priority chosen, the consent."""

    act: Act
    value: Any = None


class Standing(enum.StrEnum):
    """How an open case stands, as far as its caller is told."""

    HAS_ENGINEER = "has_engineer"
    RINGING = "ringing"
    WAITS = "waits"


@dataclass(frozen=True)
class OpenCase:
    """The caller's open case, or the one just opened. ``due_at`` and ``outcome`` are those of its decision."""

    number: int
    standing: Standing = Standing.WAITS
    may_escalate: bool = False
    outcome: Outcome = Outcome.WAIT
    due_at: datetime | None = None


@dataclass(frozen=True)
class Facts:
    """Everything that a step may depend on."""

    policy: Policy
    line: str
    contact: ContactFacts
    now: datetime
    tries: int = 0
    team_left: int = 0
    consent_terms: str = "ask"
    open_case: OpenCase | None = None
    new_case: OpenCase | None = None
    adding: bool = False
    callback_number: str | None = None
    entered_number: str | None = None
    has_message: bool = True

    def say(self, key: str, **values: object) -> Say:
        """The sentence ``key`` in the line's voice."""
        return self.policy.say(key, self.line, **values)

    def decision(self, *, priority: int | None = None, consent: Consent | None = None) -> Decision:
        """What will be decided, if a voicemail is left."""
        contact = replace(self.contact, voicemail=True)
        if priority is not None:
            contact = replace(contact, priority=priority)
        if consent is not None:
            contact = replace(contact, consent=consent)
        return decide(contact, self.policy)

    def spoken(self, instant: datetime | None) -> str:
        """An instant in words, in the time zone of the service."""
        if instant is None:
            return "our next business day"
        zone = self.policy.calendar_of(self.contact.service).zone
        return spoken_instant(instant, zone, self.now)

    @property
    def opening(self) -> str:
        """When business hours begin again: ``at 8 AM today``, ``Monday at 8 AM``."""
        try:
            opening = self.spoken(self.policy.calendar_of(self.contact.service).next_opening(self.now))
        except CalendarError:  # a desk that never opens: it has around-the-clock promises only
            return self.spoken(None)
        return f"at {opening}" if opening.endswith(("today", "tomorrow")) else opening


@dataclass(frozen=True)
class Step:
    """What is said, what the call then waits for, and what is done."""

    say: tuple[Say, ...]
    next: State
    effects: tuple[Effect, ...] = ()

    def after(self, *said: Say) -> Step:
        """The same step with something said first."""
        return replace(self, say=(*said, *self.say))

    def doing(self, *effects: Effect) -> Step:
        """The same step with something done first."""
        return replace(self, effects=(*effects, *self.effects))


Rule = Callable[[Facts], Step]
_AGAIN = Effect(Act.TRY_AGAIN)


def _called(f: Facts) -> Step:
    calendar = f.policy.calendar_of(f.contact.service)
    if calendar.is_open(f.now):
        if f.team_left:
            return Step((f.say("open_greeting"),), State.HUNT, (Effect(Act.HUNT_NEXT),))
        return _nobody_free(f)
    greeting = _closed_greeting(f)
    if f.open_case is not None:
        return _open_case(f).after(greeting)
    if f.contact.customer is not None:
        return _promise(f).after(greeting)
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


def _hunt_on(f: Facts) -> Step:
    if f.team_left:
        return Step((), State.HUNT, (Effect(Act.HUNT_NEXT),))
    return _nobody_free(f)


def _taken(f: Facts) -> Step:
    return Step((f.say("goodbye"),), State.ENDED)


# The caller's open case


def _open_case(f: Facts) -> Step:
    if f.open_case is None:
        return _to_voicemail(f)
    stands = f.say(f"open_case_{f.open_case.standing}", case_digits=_digits(f.open_case))
    menu = f.say("ask_open_case_escalate" if f.open_case.may_escalate else "ask_open_case")
    return Step((stands, menu), State.OPEN_CASE)


def _add(f: Facts) -> Step:
    if f.open_case is None:
        return _to_voicemail(f)
    say = f.say("record_more", case_digits=_digits(f.open_case))
    return Step((say,), State.RECORDING, (Effect(Act.ADD_TO_CASE),))


def _report_new(f: Facts) -> Step:
    step = _promise(f) if f.contact.customer else Step((f.say("ask_support_id"),), State.SUPPORT_ID)
    return step.doing(Effect(Act.REPORT_NEW))


def _escalate(f: Facts) -> Step:
    if f.open_case is None or not f.open_case.may_escalate:
        return _again(_open_case, _add)(f)
    said = f.say("escalated", case_digits=_digits(f.open_case))
    return _add(f).after(said).doing(Effect(Act.ESCALATE))


# Who is it, and what were they promised


def _ask_id_again(f: Facts) -> Step:
    if f.tries + 1 >= MAX_TRIES:
        return _promise(f)
    return Step((f.say("support_id_unknown"), f.say("ask_support_id")), State.SUPPORT_ID, (_AGAIN,))


def _promise(f: Facts) -> Step:
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


def _choose(priority: int) -> Rule:
    return lambda f: _record(f, f.decision(priority=priority)).doing(Effect(Act.CHOOSE, priority))


def _assume(f: Facts) -> Step:
    priority = f.policy.lines[f.line].unchosen_priority
    return _record(f, f.decision(priority=priority)).doing(Effect(Act.ASSUME, priority))


def _ask_priority(f: Facts) -> Step:
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
    return _ask_consent(f)


def _ask_consent(f: Facts) -> Step:
    accepted, refused = f.decision(consent=Consent.ACCEPTED), f.decision(consent=Consent.REFUSED)
    asked = f.say("ask_consent", accepted_target=accepted.target, refused_due=f.spoken(refused.due_at))
    return Step((asked,), State.CONSENT)


def _consented(consent: Consent) -> Rule:
    return lambda f: _record(f, f.decision(consent=consent)).doing(Effect(Act.CONSENT, consent))


# The voicemail


def _record(f: Facts, decision: Decision) -> Step:
    told = {Outcome.PAGE: "record_page", Outcome.WAIT: "record_wait"}.get(decision.outcome, "record_notify")
    if not decision.target:
        return Step((f.say("record_notify"),), State.RECORDING)
    values = {"target": decision.target, "due": f.spoken(decision.due_at)} if told != "record_notify" else {}
    return Step((f.say(told, **values),), State.RECORDING)


def _record_again(f: Facts) -> Step:
    if f.adding and f.open_case is not None:
        return Step((f.say("record_more", case_digits=_digits(f.open_case)),), State.RECORDING)
    return Step((f.say("record_notify"),), State.RECORDING)


def _to_voicemail(f: Facts) -> Step:
    return Step((f.say("record_plain"),), State.RECORDING)


def _heard_nothing(f: Facts) -> Step:
    if f.tries + 1 >= MAX_TRIES:
        return Step((f.say("nothing_recorded"), f.say("goodbye")), State.ENDED, (Effect(Act.HANG_UP),))
    return _record_again(f).after(f.say("nothing_recorded")).doing(_AGAIN)


def _review(f: Facts) -> Step:
    return Step((f.say("review"),), State.REVIEW)


def _send(f: Facts) -> Step:
    if not f.has_message:  # the recording callback has said meanwhile that it is silent
        return _heard_nothing(f)
    effects = (Effect(Act.SEND),)
    if f.adding and f.open_case is not None:
        said = f.say("message_added", case_digits=_digits(f.open_case))
        return Step((said,), State.ENDED, effects)
    return _ask_callback(f).doing(*effects)


def _send_and_end(f: Facts) -> Step:
    return Step((), State.ENDED, (Effect(Act.SEND),))


# Where to call back, and the case number


def _ask_callback(f: Facts) -> Step:
    if f.callback_number is None:
        return Step((f.say("ask_callback_withheld"),), State.CALLBACK)
    number = phone_numbers.spoken(f.callback_number)
    return Step((f.say("ask_callback", number=number),), State.CALLBACK)


def _callback_again(f: Facts) -> Step:
    if f.callback_number is None and f.tries + 1 == MAX_TRIES:
        return Step((f.say("ask_callback_once_more"),), State.CALLBACK, (_AGAIN,))
    if f.callback_number is None and f.tries + 1 > MAX_TRIES:
        return _read_case(f).after(f.say("no_callback"))
    if f.tries + 1 >= MAX_TRIES:
        return _read_case(f)
    return _ask_callback(f).after(f.say("callback_not_understood")).doing(_AGAIN)


def _callback_confirmed(f: Facts) -> Step:
    return _read_case(f) if f.callback_number is not None else _callback_again(f)


def _callback_changed(f: Facts) -> Step:
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


def _hung_up(f: Facts) -> Step:
    return Step((), State.ENDED, (Effect(Act.HANG_UP),))


def _gone_while_recording(f: Facts) -> Step:
    return Step((), State.ENDED, (Effect(Act.AWAIT_RECORDING),))


def _nothing_more(f: Facts) -> Step:
    return Step((), State.ENDED)


def _again(menu: Rule, given_up: Rule) -> Rule:
    """The menu once more, three times at most; then what is done without an answer."""

    def again(f: Facts) -> Step:
        if f.tries + 1 >= MAX_TRIES:
            return given_up(f)
        return menu(f).after(f.say("not_understood")).doing(_AGAIN)

    return again


def _digits(case: OpenCase) -> str:
    return phone_numbers.spoken(str(case.number))


S, E = State, Event
TABLE: dict[tuple[State, Event], Rule] = {
    (S.NEW, E.CALLED): _called,
    (S.HUNT, E.TAKEN): _taken,
    (S.HUNT, E.NOT_TAKEN): _hunt_on,
    (S.SUPPORT_ID, E.IDENTIFIED): _promise,
    (S.SUPPORT_ID, E.NOT_IDENTIFIED): _ask_id_again,
    (S.SUPPORT_ID, E.NO_KEY): _ask_id_again,
    (S.SUPPORT_ID, E.SKIPPED): _promise,
    (S.OPEN_CASE, E.KEY_1): _add,
    (S.OPEN_CASE, E.KEY_2): _report_new,
    (S.OPEN_CASE, E.KEY_9): _escalate,
    (S.OPEN_CASE, E.OTHER_KEY): _again(_open_case, _add),
    (S.OPEN_CASE, E.NO_KEY): _again(_open_case, _add),
    (S.PRIORITY, E.KEY_1): _choose(1),
    (S.PRIORITY, E.KEY_2): _choose(2),
    (S.PRIORITY, E.KEY_3): _choose(3),
    (S.PRIORITY, E.OTHER_KEY): _again(_ask_priority, _assume),
    (S.PRIORITY, E.NO_KEY): _again(_ask_priority, _assume),
    (S.CONSENT, E.KEY_1): _consented(Consent.ACCEPTED),
    (S.CONSENT, E.KEY_2): _consented(Consent.REFUSED),
    (S.CONSENT, E.OTHER_KEY): _again(_ask_consent, _consented(Consent.REFUSED)),
    (S.CONSENT, E.NO_KEY): _again(_ask_consent, _consented(Consent.REFUSED)),
    (S.RECORDING, E.RECORDED): _review,
    (S.RECORDING, E.RECORDED_AND_GONE): _send_and_end,
    (S.RECORDING, E.SILENT): _heard_nothing,
    (S.RECORDING, E.GONE): _gone_while_recording,
    (S.REVIEW, E.KEY_1): _send,
    (S.REVIEW, E.NO_KEY): _send,
    (S.REVIEW, E.KEY_2): _record_again,
    (S.REVIEW, E.OTHER_KEY): _again(_review, _send),
    (S.REVIEW, E.GONE): _send_and_end,
    (S.CALLBACK, E.KEY_1): _callback_confirmed,
    (S.CALLBACK, E.NO_KEY): _callback_confirmed,
    (S.CALLBACK, E.NUMBER): _callback_changed,
    (S.CALLBACK, E.NOT_A_NUMBER): _callback_again,
    (S.CALLBACK, E.GONE): _nothing_more,
    (S.ENDED, E.GONE): _nothing_more,
    # The hang-up's own callback may overtake the request that brings the recording.
    (S.ENDED, E.RECORDED): _send_and_end,
    (S.ENDED, E.RECORDED_AND_GONE): _send_and_end,
    **{
        (state, E.GONE): _hung_up
        for state in (S.NEW, S.HUNT, S.SUPPORT_ID, S.OPEN_CASE, S.PRIORITY, S.CONSENT)
    },
}


_KEYS = frozenset({E.KEY_1, E.KEY_2, E.KEY_3, E.KEY_9})


def step(state: State, event: Event, facts: Facts) -> Step:
    """What follows when ``event`` comes in ``state``. A key that its menu does not have is a wrong key."""
    if event in _KEYS and (state, event) not in TABLE:
        event = E.OTHER_KEY
    return TABLE.get((state, event), _to_voicemail)(facts)
