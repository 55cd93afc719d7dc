"""The phone call as a table: for each edge what is said, what comes next and what is done."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intake.phone import flow
from intake.phone.facts import Effect, Facts, OpenCase, Standing, Step
from intake.phone.flow import step
from intake.phone.rules import MAX_TRIES
from intake.phone.states import Act, Event, State
from routing.coverage import Consent, ContactFacts, Outcome, decide
from routing.policy import Policy

CENTRAL = ZoneInfo("America/Chicago")
NIGHT = datetime(2026, 3, 4, 2, 10, tzinfo=CENTRAL).astimezone(UTC)
DAY = datetime(2026, 3, 4, 10, 0, tzinfo=CENTRAL).astimezone(UTC)
CHRISTMAS = datetime(2026, 12, 25, 3, 12, tzinfo=CENTRAL).astimezone(UTC)
S, E = State, Event
Made = list[tuple[Act, Any]]

ELITE = {"customer": "Lakeside", "tier": "elite", "identified_by": "number"}
CLASSIC = {"customer": "Prairie", "tier": "classic", "identified_by": "number"}
MANAGED = {
    "service": "managed-services", "line": "managed-services", "customer": "Lakeside",
    "tier": "managed-services", "identified_by": "number",
}  # fmt: skip
COVERED = {"contact": ELITE}
UNKNOWN: dict[str, Any] = {"contact": {}}
CONSENT = {"contact": MANAGED}
OPEN_CASE = {"contact": ELITE, "open_case": OpenCase(1001, Standing.RINGING, may_escalate=True)}
QUIET_CASE = {"contact": CLASSIC, "open_case": OpenCase(1001, Standing.WAITS)}
ADDING = {**OPEN_CASE, "adding": True}
PAGED = {"contact": ELITE, "new_case": OpenCase(1002, outcome=Outcome.PAGE, due_at=NIGHT)}
WAITING = {"contact": ELITE, "new_case": OpenCase(1002, outcome=Outcome.WAIT, due_at=NIGHT)}
NOTED = {"contact": {}, "new_case": OpenCase(1002, outcome=Outcome.NOTIFY)}
LAST_TRY = {"tries": MAX_TRIES - 1}


@dataclass(frozen=True)
class Expected:
    """What a step is expected to say (keys of prompts), to wait for and to do, given what is known."""

    known: dict[str, Any]
    said: list[str]
    next: State
    done: Made


def facts(policy: Policy, **known: Any) -> Facts:
    """What is known of a call: at night, by default, from a number that can be called back."""
    known = {"now": NIGHT, "callback_number": "+15125550142", **known}
    about = {"channel": "phone", "service": "support", "line": "support", **known.pop("contact", {})}
    contact = ContactFacts(at=known["now"], **about)
    now = known.pop("now")
    return Facts(policy, about["line"], contact, now, **known)


def said(result: Step) -> list[str]:
    return [say.text.split()[0] for say in result.say]


def done(result: Step) -> Made:
    return [(effect.act, effect.value) for effect in result.effects]


def ends(*, known: dict[str, Any] | None = None, done: Act | None = None) -> Expected:
    return Expected(known or COVERED, [], S.ENDED, [(done, None)] if done else [])


# Of every edge the ordinary way. What else an edge can do stands in OTHERWISE.
EDGES: dict[tuple[State, Event], Expected] = {
    (S.NEW, E.CALLED): Expected(COVERED, ["closed_greeting", "covered", "ask_priority"], S.PRIORITY, []),
    (S.NEW, E.GONE): ends(done=Act.HANG_UP),
    (S.HUNT, E.TAKEN): Expected({"now": DAY, **COVERED}, ["goodbye"], S.ENDED, []),
    (S.HUNT, E.NOT_TAKEN): Expected({"now": DAY, "team_left": 1, **COVERED}, [], S.HUNT, [(Act.HUNT_NEXT, None)]),
    (S.HUNT, E.GONE): ends(done=Act.HANG_UP),
    (S.SUPPORT_ID, E.IDENTIFIED): Expected(COVERED, ["covered", "ask_priority"], S.PRIORITY, []),
    (S.SUPPORT_ID, E.NOT_IDENTIFIED): Expected(
        UNKNOWN, ["support_id_unknown", "ask_support_id"], S.SUPPORT_ID, [(Act.TRY_AGAIN, None)]
    ),
    (S.SUPPORT_ID, E.NO_KEY): Expected(
        UNKNOWN, ["support_id_unknown", "ask_support_id"], S.SUPPORT_ID, [(Act.TRY_AGAIN, None)]
    ),
    (S.SUPPORT_ID, E.SKIPPED): Expected(UNKNOWN, ["unverified_notify", "ask_priority"], S.PRIORITY, []),
    (S.SUPPORT_ID, E.GONE): ends(known=UNKNOWN, done=Act.HANG_UP),
    (S.OPEN_CASE, E.KEY_1): Expected(OPEN_CASE, ["record_more"], S.RECORDING, [(Act.ADD_TO_CASE, None)]),
    (S.OPEN_CASE, E.KEY_2): Expected(
        OPEN_CASE, ["covered", "ask_priority"], S.PRIORITY, [(Act.REPORT_NEW, None)]
    ),
    (S.OPEN_CASE, E.KEY_9): Expected(
        OPEN_CASE, ["escalated", "record_more"], S.RECORDING, [(Act.ESCALATE, None), (Act.ADD_TO_CASE, None)]
    ),
    (S.OPEN_CASE, E.OTHER_KEY): Expected(
        OPEN_CASE, ["not_understood", "open_case_ringing", "ask_open_case_escalate"], S.OPEN_CASE,
        [(Act.TRY_AGAIN, None)],
    ),
    (S.OPEN_CASE, E.NO_KEY): Expected(
        QUIET_CASE, ["not_understood", "open_case_waits", "ask_open_case"], S.OPEN_CASE, [(Act.TRY_AGAIN, None)]
    ),
    (S.OPEN_CASE, E.GONE): ends(known=OPEN_CASE, done=Act.HANG_UP),
    (S.PRIORITY, E.KEY_1): Expected(COVERED, ["record_page"], S.RECORDING, [(Act.CHOOSE, 1)]),
    (S.PRIORITY, E.KEY_2): Expected(COVERED, ["record_page"], S.RECORDING, [(Act.CHOOSE, 2)]),
    (S.PRIORITY, E.KEY_3): Expected(COVERED, ["record_wait"], S.RECORDING, [(Act.CHOOSE, 3)]),
    (S.PRIORITY, E.OTHER_KEY): Expected(
        COVERED, ["not_understood", "ask_priority"], S.PRIORITY, [(Act.TRY_AGAIN, None)]
    ),
    (S.PRIORITY, E.NO_KEY): Expected(
        COVERED, ["not_understood", "ask_priority"], S.PRIORITY, [(Act.TRY_AGAIN, None)]
    ),
    (S.PRIORITY, E.GONE): ends(done=Act.HANG_UP),
    (S.CONSENT, E.KEY_1): Expected(CONSENT, ["record_page"], S.RECORDING, [(Act.CONSENT, Consent.ACCEPTED)]),
    (S.CONSENT, E.KEY_2): Expected(CONSENT, ["record_wait"], S.RECORDING, [(Act.CONSENT, Consent.REFUSED)]),
    (S.CONSENT, E.OTHER_KEY): Expected(
        CONSENT, ["not_understood", "ask_consent"], S.CONSENT, [(Act.TRY_AGAIN, None)]
    ),
    (S.CONSENT, E.NO_KEY): Expected(
        CONSENT, ["not_understood", "ask_consent"], S.CONSENT, [(Act.TRY_AGAIN, None)]
    ),
    (S.CONSENT, E.GONE): ends(known=CONSENT, done=Act.HANG_UP),
    (S.RECORDING, E.RECORDED): Expected(COVERED, ["review"], S.REVIEW, []),
    (S.RECORDING, E.RECORDED_AND_GONE): ends(done=Act.SEND),
    (S.RECORDING, E.SILENT): Expected(
        COVERED, ["nothing_recorded", "record_notify"], S.RECORDING, [(Act.TRY_AGAIN, None)]
    ),
    (S.RECORDING, E.GONE): ends(done=Act.AWAIT_RECORDING),
    (S.REVIEW, E.KEY_1): Expected(COVERED, ["ask_callback"], S.CALLBACK, [(Act.SEND, None)]),
    (S.REVIEW, E.NO_KEY): Expected(COVERED, ["ask_callback"], S.CALLBACK, [(Act.SEND, None)]),
    (S.REVIEW, E.KEY_2): Expected(COVERED, ["record_notify"], S.RECORDING, []),
    (S.REVIEW, E.OTHER_KEY): Expected(
        COVERED, ["not_understood", "review"], S.REVIEW, [(Act.TRY_AGAIN, None)]
    ),
    (S.REVIEW, E.GONE): ends(done=Act.SEND),
    (S.CALLBACK, E.KEY_1): Expected(PAGED, ["case_paged"], S.ENDED, []),
    (S.CALLBACK, E.NO_KEY): Expected(WAITING, ["case_waits"], S.ENDED, []),
    (S.CALLBACK, E.NUMBER): Expected(
        {**PAGED, "entered_number": "+17135550199"}, ["case_paged"], S.ENDED, [(Act.SET_CALLBACK, "+17135550199")]
    ),
    (S.CALLBACK, E.NOT_A_NUMBER): Expected(
        PAGED, ["callback_not_understood", "ask_callback"], S.CALLBACK, [(Act.TRY_AGAIN, None)]
    ),
    (S.CALLBACK, E.GONE): ends(),
    (S.ENDED, E.GONE): ends(),
    (S.ENDED, E.RECORDED): ends(done=Act.SEND),
    (S.ENDED, E.RECORDED_AND_GONE): ends(done=Act.SEND),
}  # fmt: skip

OTHERWISE: dict[str, tuple[State, Event, Expected]] = {
    "closed, a tier without cover": (
        S.NEW, E.CALLED, Expected(
            {"contact": CLASSIC}, ["closed_greeting", "not_covered", "ask_priority"], S.PRIORITY, [],
        ),
    ),
    "closed, unknown": (
        S.NEW, E.CALLED, Expected(UNKNOWN, ["closed_greeting", "ask_support_id"], S.SUPPORT_ID, []),
    ),
    "closed, customer without an agreement": (
        S.NEW, E.CALLED, Expected(
            {"contact": {"customer": "Prairie"}}, ["closed_greeting", "no_agreement", "ask_priority"], S.PRIORITY, [],
        ),
    ),
    "closed, open case with an engineer": (
        S.NEW, E.CALLED, Expected(
            {"contact": ELITE, "open_case": OpenCase(1001, Standing.HAS_ENGINEER, may_escalate=True)},
            ["closed_greeting", "open_case_has_engineer", "ask_open_case_escalate"], S.OPEN_CASE, [],
        ),
    ),
    "closed, open case of an unknown caller": (
        S.NEW, E.CALLED, Expected(
            {"contact": {}, "open_case": OpenCase(1001)},
            ["closed_greeting", "open_case_waits", "ask_open_case"], S.OPEN_CASE, [],
        ),
    ),
    "closed, charges to be asked for": (
        S.NEW, E.CALLED, Expected(CONSENT, ["closed_greeting", "ask_consent"], S.CONSENT, []),
    ),
    "closed, charges accepted beforehand": (
        S.NEW, E.CALLED, Expected(
            {**CONSENT, "consent_terms": "beforehand"},
            ["closed_greeting", "consent_beforehand", "record_page"], S.RECORDING,
            [(Act.CONSENT, Consent.BEFOREHAND)],
        ),
    ),
    "closed, charges never accepted": (
        S.NEW, E.CALLED, Expected(
            {**CONSENT, "consent_terms": "never"}, ["closed_greeting", "consent_never", "record_wait"], S.RECORDING,
            [(Act.CONSENT, Consent.NEVER)],
        ),
    ),
    "closed, no agreement for managed services": (
        S.NEW, E.CALLED, Expected(
            {"contact": {"service": "managed-services", "line": "managed-services", "customer": "Prairie"}},
            ["closed_greeting", "no_agreement", "record_notify"], S.RECORDING, [],
        ),
    ),
    "open, a team to ring": (
        S.NEW, E.CALLED, Expected(
            {"now": DAY, "team_left": 2, **COVERED}, ["open_greeting"], S.HUNT, [(Act.HUNT_NEXT, None)],
        ),
    ),
    "open, a case does not stand in the way": (
        S.NEW, E.CALLED, Expected(
            {"now": DAY, "team_left": 2, **OPEN_CASE}, ["open_greeting"], S.HUNT, [(Act.HUNT_NEXT, None)],
        ),
    ),
    "open, nobody to ring": (
        S.NEW, E.CALLED, Expected({"now": DAY, **COVERED}, ["nobody_free", "record_plain"], S.RECORDING, []),
    ),
    "the last of the team did not take it": (
        S.HUNT, E.NOT_TAKEN, Expected({"now": DAY, **COVERED}, ["nobody_free", "record_plain"], S.RECORDING, []),
    ),
    "third wrong support ID": (
        S.SUPPORT_ID, E.NOT_IDENTIFIED, Expected(
            {**UNKNOWN, **LAST_TRY}, ["unverified_notify", "ask_priority"], S.PRIORITY, [],
        ),
    ),
    "identified on the managed services line": (
        S.SUPPORT_ID, E.IDENTIFIED, Expected(CONSENT, ["ask_consent"], S.CONSENT, []),
    ),
    "unknown on the managed services line": (
        S.SUPPORT_ID, E.SKIPPED, Expected(
            {"contact": {"service": "managed-services", "line": "managed-services"}},
            ["unverified_notify", "record_notify"], S.RECORDING, [],
        ),
    ),
    "something else, unknown caller": (
        S.OPEN_CASE, E.KEY_2, Expected(
            {"contact": {}, "open_case": OpenCase(1001)}, ["ask_support_id"], S.SUPPORT_ID, [(Act.REPORT_NEW, None)],
        ),
    ),
    "escalation where the tier covers none": (
        S.OPEN_CASE, E.KEY_9, Expected(
            QUIET_CASE, ["not_understood", "open_case_waits", "ask_open_case"], S.OPEN_CASE, [(Act.TRY_AGAIN, None)],
        ),
    ),
    "third wrong key about an open case": (
        S.OPEN_CASE, E.OTHER_KEY, Expected(
            {**OPEN_CASE, **LAST_TRY}, ["record_more"], S.RECORDING, [(Act.ADD_TO_CASE, None)],
        ),
    ),
    "a priority that the tier keeps in hours": (
        S.PRIORITY, E.KEY_1, Expected({"contact": CLASSIC}, ["record_wait"], S.RECORDING, [(Act.CHOOSE, 1)]),
    ),
    "a priority of nobody known": (
        S.PRIORITY, E.KEY_1, Expected(UNKNOWN, ["record_notify"], S.RECORDING, [(Act.CHOOSE, 1)]),
    ),
    "third time without a priority": (
        S.PRIORITY, E.NO_KEY, Expected({**COVERED, **LAST_TRY}, ["record_page"], S.RECORDING, [(Act.ASSUME, 1)]),
    ),
    "a key that the priority menu does not have": (
        S.PRIORITY, E.KEY_9, Expected(
            COVERED, ["not_understood", "ask_priority"], S.PRIORITY, [(Act.TRY_AGAIN, None)],
        ),
    ),
    "third time without consent": (
        S.CONSENT, E.NO_KEY, Expected(
            {**CONSENT, **LAST_TRY}, ["record_wait"], S.RECORDING, [(Act.CONSENT, Consent.REFUSED)],
        ),
    ),
    "nothing said for the third time": (
        S.RECORDING, E.SILENT, Expected(
            {**COVERED, **LAST_TRY}, ["nothing_recorded", "goodbye"], S.ENDED, [(Act.HANG_UP, None)],
        ),
    ),
    "nothing added to a case": (
        S.RECORDING, E.SILENT, Expected(
            ADDING, ["nothing_recorded", "record_more"], S.RECORDING, [(Act.TRY_AGAIN, None)],
        ),
    ),
    "sent as an addition": (
        S.REVIEW, E.KEY_1, Expected(ADDING, ["message_added"], S.ENDED, [(Act.SEND, None)]),
    ),
    "an addition said again": (S.REVIEW, E.KEY_2, Expected(ADDING, ["record_more"], S.RECORDING, [])),
    "sent without a number to call back": (
        S.REVIEW, E.KEY_1, Expected(
            {**COVERED, "callback_number": None}, ["ask_callback_withheld"], S.CALLBACK, [(Act.SEND, None)],
        ),
    ),
    "third wrong key in the review sends": (
        S.REVIEW, E.OTHER_KEY, Expected({**COVERED, **LAST_TRY}, ["ask_callback"], S.CALLBACK, [(Act.SEND, None)]),
    ),
    "a number that is not there cannot be right": (
        S.CALLBACK, E.KEY_1, Expected(
            {**PAGED, "callback_number": None}, ["callback_not_understood", "ask_callback_withheld"], S.CALLBACK,
            [(Act.TRY_AGAIN, None)],
        ),
    ),
    "closed for a holiday": (
        S.NEW, E.CALLED, Expected(
            {"now": CHRISTMAS, **COVERED}, ["closed_greeting_holiday", "covered", "ask_priority"], S.PRIORITY, [],
        ),
    ),
    "no number at all after three tries": (
        S.CALLBACK, E.NO_KEY, Expected(
            {**PAGED, **LAST_TRY, "callback_number": None}, ["ask_callback_once_more"], S.CALLBACK,
            [(Act.TRY_AGAIN, None)],
        ),
    ),
    "no number at all, once more": (
        S.CALLBACK, E.NOT_A_NUMBER, Expected(
            {**PAGED, "tries": MAX_TRIES, "callback_number": None}, ["no_callback", "case_paged"], S.ENDED, [],
        ),
    ),
    "no number after three tries": (
        S.CALLBACK, E.NOT_A_NUMBER, Expected({**PAGED, **LAST_TRY}, ["case_paged"], S.ENDED, []),
    ),
    "a case without a promise": (S.CALLBACK, E.KEY_1, Expected(NOTED, ["case_noted"], S.ENDED, [])),
    "no case to speak of": (S.CALLBACK, E.KEY_1, Expected(COVERED, ["goodbye"], S.ENDED, [])),
}  # fmt: skip


def _check(policy: Policy, state: State, event: Event, expected: Expected) -> None:
    result = step(state, event, facts(policy, **expected.known))
    assert (said(result), result.next, done(result)) == (expected.said, expected.next, expected.done)


@pytest.mark.parametrize("edge", flow.TABLE, ids=lambda edge: f"{edge[0]}-{edge[1]}")
def test_it_does_what_each_edge_says(policy: Policy, edge: tuple[State, Event]) -> None:
    assert edge in EDGES, "a new edge needs an expectation here"
    _check(policy, *edge, EDGES[edge])


def test_it_has_no_expectation_for_an_edge_that_is_gone() -> None:
    assert set(EDGES) == set(flow.TABLE)


@pytest.mark.parametrize("name", OTHERWISE)
def test_it_goes_another_way_when_something_else_is_known(policy: Policy, name: str) -> None:
    _check(policy, *OTHERWISE[name])


@pytest.mark.parametrize(
    ("unknown_callers", "told"),
    [("notify", "unverified_notify"), ("page", "unverified_page"), ("hold", "unverified_hold")],
)
def test_it_tells_an_unknown_caller_what_the_line_will_do(
    policy: Policy, unknown_callers: str, told: str
) -> None:
    line = policy.lines["support"].model_copy(update={"unknown_callers": unknown_callers})
    changed = policy.model_copy(update={"lines": {**policy.lines, "support": line}})
    assert said(step(S.SUPPORT_ID, E.SKIPPED, facts(changed)))[0] == told


KNOWN: list[dict[str, Any]] = [
    COVERED, UNKNOWN, CONSENT, OPEN_CASE, QUIET_CASE, ADDING, PAGED, WAITING, NOTED, {"now": DAY, **COVERED},
    {"contact": ELITE, "callback_number": None}, {"contact": CLASSIC, "consent_terms": "never"},
    {**CONSENT, "consent_terms": "beforehand"}, {"contact": {"customer": "Prairie"}},
]  # fmt: skip


@pytest.mark.parametrize("event", Event)
@pytest.mark.parametrize("state", State)
def test_it_leads_every_unlisted_pair_to_a_recording_and_never_raises(
    policy: Policy, state: State, event: Event
) -> None:
    for known in KNOWN:
        for tries in range(MAX_TRIES):
            result = step(state, event, facts(policy, **known, tries=tries))
            if (state, event) in flow.TABLE:
                continue
            if (state, Event.OTHER_KEY) in flow.TABLE and event in flow._KEYS:
                assert result == step(state, Event.OTHER_KEY, facts(policy, **known, tries=tries))
                continue
            assert (said(result), result.next, done(result)) == (["record_plain"], State.RECORDING, [])


@pytest.mark.parametrize("state", State)
def test_it_has_an_exit_from_every_state(policy: Policy, state: State) -> None:
    """Without a key, without a word, and when the caller hangs up."""
    assert step(state, Event.GONE, facts(policy)).next is State.ENDED
    quiet = {
        State.HUNT: Event.NOT_TAKEN, State.RECORDING: Event.SILENT, State.NEW: Event.CALLED,
    }  # fmt: skip
    current, tries = state, 0
    for _ in range(4 * MAX_TRIES):
        if current is State.ENDED:
            return
        result = step(current, quiet.get(current, Event.NO_KEY), facts(policy, tries=tries))
        tries = tries + 1 if Effect(Act.TRY_AGAIN) in result.effects else 0
        current = result.next
    raise AssertionError(f"a silent caller is kept for ever in {current}")


def test_it_can_come_to_every_state(policy: Policy) -> None:
    reached, waiting = {State.NEW}, deque([State.NEW])
    while waiting:
        state = waiting.popleft()
        for event in Event:
            for known in [*KNOWN, {"now": DAY, "team_left": 2, **COVERED}]:
                following = step(state, event, facts(policy, **known)).next
                if following not in reached:
                    reached.add(following)
                    waiting.append(following)
    assert reached == set(State)


@settings(deadline=None, max_examples=150)
@given(
    contact=st.sampled_from([ELITE, CLASSIC, MANAGED, {"customer": "Prairie"}, {}]),
    state_and_key=st.sampled_from([
        (S.PRIORITY, E.KEY_1), (S.PRIORITY, E.KEY_2), (S.PRIORITY, E.KEY_3), (S.CONSENT, E.KEY_1),
        (S.CONSENT, E.KEY_2), (S.PRIORITY, E.NO_KEY), (S.CONSENT, E.NO_KEY),
    ]),
    line_wants=st.sampled_from(["notify", "page", "hold"]),
    day=st.integers(0, 400),
    hour=st.integers(0, 23),
)  # fmt: skip
def test_it_is_honest_what_is_told_before_the_voicemail_is_what_is_decided_with_it(
    policy: Policy,
    contact: dict[str, Any],
    state_and_key: tuple[State, Event],
    line_wants: str,
    day: int,
    hour: int,
) -> None:
    at = NIGHT.replace(hour=hour, year=2026, month=1 + day // 31 % 12, day=1 + day % 28)
    line = policy.lines["support"].model_copy(update={"unknown_callers": line_wants})
    changed = policy.model_copy(update={"lines": {**policy.lines, "support": line}})
    known = facts(changed, now=at, contact=contact, tries=MAX_TRIES - 1)
    result = step(*state_and_key, known)
    told = said(result)[-1]
    contact_after = known.contact
    for act, value in done(result):
        if act is Act.CONSENT:
            contact_after = replace(contact_after, consent=value)
        elif act in (Act.CHOOSE, Act.ASSUME):
            contact_after = replace(contact_after, priority=value)
    outcome = decide(replace(contact_after, voicemail=True), changed).outcome
    if told == "record_page":
        assert outcome is Outcome.PAGE
    if told == "record_wait":
        assert outcome is Outcome.WAIT
    if outcome is Outcome.PAGE and known.contact.tier is not None:
        assert told == "record_page"
