"""Coverage: for every contact whether somebody is rung, what was promised, and why (design, rules 7 to 9)."""

from __future__ import annotations

import ast
import inspect
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing import coverage
from routing.coverage import Consent, ContactFacts, Outcome, decide
from routing.policy import Policy

CENTRAL = ZoneInfo("America/Chicago")
NIGHT = datetime(2026, 3, 4, 2, 10, tzinfo=CENTRAL)  # a Wednesday
DAY = datetime(2026, 3, 4, 10, 0, tzinfo=CENTRAL)
CHRISTMAS = datetime(2026, 12, 25, 10, 0, tzinfo=CENTRAL)  # a Friday
SATURDAY = datetime(2026, 3, 7, 10, 0, tzinfo=CENTRAL)

ELITE: dict[str, Any] = {"customer": "Lakeside", "tier": "elite", "identified_by": "number"}
CLASSIC: dict[str, Any] = {"customer": "Prairie", "tier": "classic", "identified_by": "support-id"}
MANAGED: dict[str, Any] = {
    "service": "managed-services", "line": "managed-services", "customer": "Lakeside",
    "tier": "managed-services", "identified_by": "number",
}  # fmt: skip
CLOSED = "outside-business-hours"


def facts(at: datetime = NIGHT, **known: Any) -> ContactFacts:
    """A contact with a voicemail on the support line, as far as ``known`` does not say otherwise."""
    usual: dict[str, Any] = {"channel": "phone", "service": "support", "line": "support", "voicemail": True}
    return ContactFacts(at=at.astimezone(UTC), **{**usual, **known})


# what was known -> outcome, priority, target, due at (local), all reasons
CASES: dict[str, tuple[ContactFacts, Outcome, int, str, str | None, list[str]]] = {
    # 7. Support out of hours: rung only if the tier covers the priority 24x7 and a voicemail was left.
    "covered priority, voicemail": (
        facts(**ELITE, priority=1), Outcome.PAGE, 1, "1 hour", "2026-03-04 03:10",
        [CLOSED, "known-by-number", "priority-chosen", "voicemail-left", "tier-covers", "target"],
    ),
    "covered second priority": (
        facts(**ELITE, priority=2), Outcome.PAGE, 2, "2 hours", "2026-03-04 04:10",
        [CLOSED, "known-by-number", "priority-chosen", "voicemail-left", "tier-covers", "target"],
    ),
    "covered priority, no voicemail": (
        facts(**ELITE, priority=1, voicemail=False), Outcome.NEAR_MISS, 1, "1 hour", "2026-03-04 03:10",
        [CLOSED, "known-by-number", "priority-chosen", "no-voicemail"],
    ),
    "priority that the tier keeps in hours": (
        facts(**ELITE, priority=3), Outcome.WAIT, 3, "3 business hours", "2026-03-04 11:00",
        [CLOSED, "known-by-number", "priority-chosen", "voicemail-left", "tier-does-not-cover", "target"],
    ),
    "tier without any cover at night": (
        facts(**CLASSIC, priority=1), Outcome.WAIT, 1, "1 business day", "2026-03-04 17:00",
        [CLOSED, "known-by-support-id", "priority-chosen", "voicemail-left", "tier-does-not-cover", "target"],
    ),
    "nothing chosen, the line assumes the worst": (
        facts(**ELITE, priority=1, priority_assumed=True), Outcome.PAGE, 1, "1 hour", "2026-03-04 03:10",
        [CLOSED, "known-by-number", "priority-assumed", "voicemail-left", "tier-covers", "target"],
    ),
    "no priority at all": (
        facts(**ELITE), Outcome.WAIT, 3, "3 business hours", "2026-03-04 11:00",
        [CLOSED, "known-by-number", "voicemail-left", "tier-does-not-cover", "target"],
    ),
    "a holiday is closed": (
        facts(CHRISTMAS, **ELITE, priority=1), Outcome.PAGE, 1, "1 hour", "2026-12-25 11:00",
        ["holiday", "known-by-number", "priority-chosen", "voicemail-left", "tier-covers", "target"],
    ),
    "a weekend is closed": (
        facts(SATURDAY, **CLASSIC, priority=2), Outcome.WAIT, 2, "2 business days", "2026-03-10 17:00",
        [CLOSED, "known-by-support-id", "priority-chosen", "voicemail-left", "tier-does-not-cover", "target"],
    ),
    "in hours a colleague took it": (
        facts(DAY, **ELITE, voicemail=False, taken_by="Priya"), Outcome.ANSWERED, 3, "3 business hours",
        "2026-03-04 13:00", ["in-business-hours", "known-by-number", "taken", "target"],
    ),
    "in hours nobody took it": (
        facts(DAY, **ELITE), Outcome.NOTIFY, 3, "3 business hours", "2026-03-04 13:00",
        ["in-business-hours", "known-by-number", "voicemail-left", "team-busy", "target"],
    ),
    "in hours nothing was said": (
        facts(DAY, **ELITE, voicemail=False), Outcome.NEAR_MISS, 3, "3 business hours", "2026-03-04 13:00",
        ["in-business-hours", "known-by-number", "no-voicemail"],
    ),
    "a customer without an agreement for the service": (
        facts(customer="Prairie", identified_by="number", priority=1), Outcome.NOTIFY, 1, "", None,
        [CLOSED, "known-by-number", "priority-chosen", "voicemail-left", "no-agreement"],
    ),
    "a tier that the policy has no more": (
        facts(**{**ELITE, "tier": "platinum"}, priority=1), Outcome.NOTIFY, 1, "", None,
        [CLOSED, "known-by-number", "priority-chosen", "voicemail-left", "no-agreement"],
    ),
    "a text at night wakes nobody, whatever is covered": (
        facts(**ELITE, channel="sms", voicemail=False, priority=1), Outcome.WAIT, 1, "1 hour", "2026-03-04 03:10",
        [CLOSED, "known-by-number", "priority-chosen", "text-waits", "target"],
    ),
    "a text in hours": (
        facts(DAY, **ELITE, channel="sms", voicemail=False), Outcome.NOTIFY, 3, "3 business hours",
        "2026-03-04 13:00", ["in-business-hours", "known-by-number", "text-in-hours", "target"],
    ),
    "a stranger's text": (
        facts(channel="sms", voicemail=False), Outcome.WAIT, 3, "", None,
        [CLOSED, "caller-unknown", "text-waits"],
    ),
    # 8. Unknown caller: the line's policy decides.
    "unknown caller, notify": (
        facts(priority=1), Outcome.NOTIFY, 1, "", None,
        [CLOSED, "caller-unknown", "priority-chosen", "voicemail-left", "unknown-caller-notify"],
    ),
    "unknown caller, page": (
        facts(priority=1, line="paging"), Outcome.PAGE, 1, "", None,
        [CLOSED, "caller-unknown", "priority-chosen", "voicemail-left", "unknown-caller-page"],
    ),
    "unknown caller, hold": (
        facts(priority=1, line="holding"), Outcome.WAIT, 1, "", None,
        [CLOSED, "caller-unknown", "priority-chosen", "voicemail-left", "unknown-caller-hold"],
    ),
    "unknown caller without a line": (
        facts(line=None), Outcome.NOTIFY, 3, "", None,
        [CLOSED, "caller-unknown", "voicemail-left", "unknown-caller-notify"],
    ),
    "unknown caller, no voicemail": (
        facts(line="paging", voicemail=False), Outcome.NEAR_MISS, 3, "", None,
        [CLOSED, "caller-unknown", "no-voicemail"],
    ),
    # 9. Managed Services out of hours: consent to the charges.
    "charges accepted": (
        facts(**MANAGED, consent=Consent.ACCEPTED), Outcome.PAGE, 1, "1 hour", "2026-03-04 03:10",
        [CLOSED, "known-by-number", "consent-given", "voicemail-left", "consultant-called", "target"],
    ),
    "charges accepted beforehand": (
        facts(**MANAGED, consent=Consent.BEFOREHAND), Outcome.PAGE, 1, "1 hour", "2026-03-04 03:10",
        [CLOSED, "known-by-number", "consent-given", "voicemail-left", "consultant-called", "target"],
    ),
    "charges refused": (
        facts(**MANAGED, consent=Consent.REFUSED), Outcome.WAIT, 4, "2 business days", "2026-03-05 17:00",
        [CLOSED, "known-by-number", "consent-not-given", "voicemail-left", "waits-without-consent", "target"],
    ),
    "charges never accepted": (
        facts(**MANAGED, consent=Consent.NEVER), Outcome.WAIT, 4, "2 business days", "2026-03-05 17:00",
        [CLOSED, "known-by-number", "consent-not-given", "voicemail-left", "waits-without-consent", "target"],
    ),
    "charges not asked for": (
        facts(**MANAGED), Outcome.WAIT, 4, "2 business days", "2026-03-05 17:00",
        [CLOSED, "known-by-number", "voicemail-left", "waits-without-consent", "target"],
    ),
    "charges accepted, no voicemail": (
        facts(**MANAGED, consent=Consent.ACCEPTED, voicemail=False), Outcome.NEAR_MISS, 1, "1 hour",
        "2026-03-04 03:10", [CLOSED, "known-by-number", "consent-given", "no-voicemail"],
    ),
    "charges matter only out of hours": (
        facts(DAY, **MANAGED, consent=Consent.ACCEPTED), Outcome.NOTIFY, 4, "2 business days",
        "2026-03-06 10:00", ["in-business-hours", "known-by-number", "voicemail-left", "team-busy", "target"],
    ),
    "unknown caller on the managed services line": (
        facts(service="managed-services", line="managed-services"), Outcome.NOTIFY, 4, "", None,
        [CLOSED, "caller-unknown", "voicemail-left", "unknown-caller-notify"],
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def rules(policy: Policy) -> Policy:
    """The sample, with two more lines that treat unknown callers otherwise."""
    support = policy.lines["support"]
    more = {
        "paging": support.model_copy(update={"unknown_callers": "page", "number": "+17135550888"}),
        "holding": support.model_copy(update={"unknown_callers": "hold", "number": "+17135550999"}),
    }
    return policy.model_copy(update={"lines": {**policy.lines, **more}})


def local(due_at: datetime | None) -> str | None:
    return f"{due_at.astimezone(CENTRAL):%Y-%m-%d %H:%M}" if due_at else None


@pytest.mark.parametrize("name", CASES)
def test_it_decides_as_the_agreement_says(rules: Policy, name: str) -> None:
    known, outcome, priority, target, due_at, reasons = CASES[name]
    decision = decide(known, rules)
    assert decision.outcome is outcome
    assert (decision.priority, decision.target, local(decision.due_at)) == (priority, target, due_at)
    assert [reason.code for reason in decision.reasons] == reasons
    assert decision.calendar_fingerprint == rules.calendar_of(known.service).fingerprint


def test_it_shows_every_outcome_and_every_reason_at_least_once() -> None:
    of_mail_alone = {Outcome.ASK_CONSENT}
    assert {case[1] for case in CASES.values()} == set(Outcome) - of_mail_alone
    literal, formatted = _codes_in_the_source()
    shown = {code for case in CASES.values() for code in case[5]}
    assert literal <= shown
    assert all(any(code.startswith(start) for code in shown) for start in formatted)
    assert all(code in literal or code.startswith(tuple(formatted)) for code in shown)


def _codes_in_the_source() -> tuple[set[str], set[str]]:
    """Codes of reasons as they stand in the source, and the beginnings of those that are put together."""
    literal: set[str] = set()
    formatted: set[str] = set()
    for node in ast.walk(ast.parse(inspect.getsource(coverage))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Reason":
            code = node.args[0]
            if isinstance(code, ast.Constant):
                literal.add(str(code.value))
            else:
                assert isinstance(code, ast.JoinedStr)
                start = code.values[0]
                assert isinstance(start, ast.Constant)
                formatted.add(str(start.value))
    return literal, formatted


@pytest.mark.parametrize("name", CASES)
def test_it_gives_every_reason_a_sentence_that_a_customer_could_read(rules: Policy, name: str) -> None:
    for reason in decide(CASES[name][0], rules).reasons:
        assert reason.sentence[0].isupper()
        assert reason.sentence.endswith(".")
        assert not {"_", "{", "}"} & set(reason.sentence)
        assert "None" not in reason.sentence


def test_it_says_what_was_promised_in_words(rules: Policy) -> None:
    sentences = {
        reason.code: reason.sentence
        for reason in decide(CASES["covered priority, voicemail"][0], rules).reasons
    }
    assert sentences["tier-covers"] == "The Elite tier covers priority 1 around the clock."
    assert sentences["target"] == "The promise is a response within 1 hour: by Wed 04 Mar 2026, 03:10 CST."
    assert sentences["known-by-number"] == "Lakeside was recognised by telephone number."
    not_covered = decide(CASES["priority that the tier keeps in hours"][0], rules).reasons[-2].sentence
    assert not_covered == (
        "The Elite tier covers priority 1 and priority 2 around the clock, "
        "not priority 3 outside of business hours."
    )


def test_it_keeps_facts_that_json_can_carry() -> None:
    stored = facts(**MANAGED, consent=Consent.ACCEPTED, priority=1).as_json()
    assert stored["at"] == "2026-03-04T08:10:00+00:00"
    assert stored["consent"] == "accepted"
    assert "taken_by" not in stored


ANY_FACTS = st.builds(
    ContactFacts,
    at=st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001  # hypothesis adds the zone
    channel=st.just("phone"),
    service=st.sampled_from(["support", "managed-services", "managed-operations"]),
    line=st.sampled_from([None, "support", "managed-services", "paging", "holding"]),
    customer=st.sampled_from([None, "Lakeside"]),
    identified_by=st.just("number"),
    tier=st.sampled_from([None, "classic", "select", "advantage", "elite", "managed-services", "gone"]),
    priority=st.sampled_from([None, 1, 2, 3, 4]),
    priority_assumed=st.booleans(),
    voicemail=st.booleans(),
    consent=st.sampled_from([None, *Consent]),
    taken_by=st.sampled_from([None, None, None, "Priya"]),
)


@settings(deadline=None, max_examples=400)
@given(ANY_FACTS)
def test_it_rings_nobody_without_a_promise_a_voicemail_and_closed_doors(
    rules: Policy, known: ContactFacts
) -> None:
    decision = decide(known, rules)
    tier = rules.tiers.get(known.tier or "")
    service = rules.services[known.service]
    covered = tier is not None and tier.target(decision.priority).cover == "24x7"
    consented = known.consent is not None and known.consent.given and service.consent is not None
    line_wants_it = known.customer is None and known.line == "paging"
    is_open = rules.calendar_of(known.service).is_open(known.at)
    if decision.outcome is Outcome.PAGE:
        assert known.voicemail
        assert not is_open
        assert known.taken_by is None
        assert covered or consented or line_wants_it
        if service.consent is not None and tier is not None:
            assert consented
    if decision.outcome is not Outcome.NEAR_MISS:
        assert known.voicemail or known.taken_by
    assert (decision.due_at is None) == (decision.target == "")
    assert decision.due_at is None or decision.due_at > known.at
    assert decision == decide(replace(known), rules), "the same facts decide the same"
    codes = [reason.code for reason in decision.reasons]
    assert len(codes) == len(set(codes))
