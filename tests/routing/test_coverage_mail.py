"""What a mail leads to: each line of the rules, by hour, sender, entitlement, proof and contract."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from routing.coverage import Consent, ContactFacts, Decision, Outcome, decide
from routing.policies import parse_policy
from tests.stories.people import CENTRAL, DAY, NIGHT, agreement

LAKESIDE: dict[str, Any] = {
    "customer": "Lakeside Credit Union", "customer_key": "lakeside", "identified_by": "mail-address",
    "tier": "managed-services", "sender": "proven",
}  # fmt: skip
URGENT = LAKESIDE | {"asked_with": "P1", "entitled": True}


def _decided(at: datetime, *changes: tuple[str, str], **facts: Any) -> Decision:
    given = {"channel": "mail", "service": "managed-services", "mailbox": "managed-services", **facts}
    return decide(ContactFacts(at=at, **given), parse_policy(agreement(*changes)))


def _codes(decision: Decision) -> list[str]:
    return [reason.code for reason in decision.reasons]


def test_ordinary_mail_has_two_business_days_and_wakes_nobody() -> None:
    decision = _decided(NIGHT, **LAKESIDE)
    assert (decision.outcome, decision.priority, decision.target) == (Outcome.WAIT, 4, "2 business days")
    assert decision.due_at is not None
    assert decision.due_at.astimezone(CENTRAL).strftime("%a %H:%M") == "Thu 17:00"
    sentences = [reason.sentence for reason in decision.reasons]
    assert "Lakeside Credit Union was recognised by mail address." in sentences
    assert "mail-waits" in _codes(decision)


def test_in_business_hours_the_engineer_gets_a_message() -> None:
    decision = _decided(DAY, **LAKESIDE)
    assert (decision.outcome, decision.priority) == (Outcome.NOTIFY, 4)


def test_an_entitled_contact_has_priority_1_in_business_hours() -> None:
    decision = _decided(DAY, **URGENT)
    assert (decision.outcome, decision.priority, decision.target) == (Outcome.PAGE, 1, "1 hour")


def test_out_of_hours_the_charges_are_asked_for_first() -> None:
    decision = _decided(NIGHT, **URGENT)
    assert (decision.outcome, decision.priority) == (Outcome.ASK_CONSENT, 4)
    assert _codes(decision)[-2:] == ["consent-asked", "target"]


def test_at_the_consent_the_hour_runs_and_the_consultant_is_called() -> None:
    decision = _decided(NIGHT, **URGENT, consent=Consent.ACCEPTED)
    assert (decision.outcome, decision.priority) == (Outcome.PAGE, 1)
    assert decision.due_at is not None
    assert (decision.due_at - NIGHT).total_seconds() == 3600


def test_contracts_that_consent_beforehand_or_never_are_honoured() -> None:
    before = _decided(NIGHT, **URGENT, consent=Consent.BEFOREHAND)
    assert (before.outcome, before.priority) == (Outcome.PAGE, 1)
    never = _decided(NIGHT, **URGENT, consent=Consent.NEVER)
    assert (never.outcome, never.priority) == (Outcome.WAIT, 4)
    assert "consent-not-given" in _codes(never)
    # In business hours there are no additional charges to consent to.
    assert _decided(DAY, **URGENT, consent=Consent.NEVER).outcome is Outcome.PAGE


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"entitled": False}, "priority-not-entitled"),
        ({"sender": "forged", "customer": None, "tier": None}, "priority-not-for-strangers"),
        ({"customer": None, "tier": None, "entitled": None}, "priority-not-for-strangers"),
        ({"tier": None}, "priority-not-for-strangers"),
    ],
)
@pytest.mark.parametrize("at", [DAY, NIGHT], ids=["day", "night"])
def test_nobody_else_gets_priority_1(at: datetime, facts: dict[str, Any], code: str) -> None:
    decision = _decided(at, **(URGENT | facts))
    assert decision.priority == 4
    assert decision.outcome in (Outcome.NOTIFY, Outcome.WAIT)
    assert code in _codes(decision)


UNPROVEN = URGENT | {"sender": "unproven"}


@pytest.mark.parametrize(
    ("at", "consent"),
    [(DAY, None), (DAY, Consent.BEFOREHAND), (DAY, Consent.NEVER), (NIGHT, Consent.BEFOREHAND)],
)
def test_a_contact_of_whom_no_server_knows_is_asked_whether_it_was_they(
    at: datetime, consent: Consent | None
) -> None:
    decision = _decided(at, **UNPROVEN, consent=consent)
    assert (decision.outcome, decision.priority) == (Outcome.ASK_CONSENT, 4)
    assert "sender-asked" in _codes(decision)


def test_at_night_the_question_about_charges_is_enough() -> None:
    decision = _decided(NIGHT, **UNPROVEN)
    assert decision.outcome is Outcome.ASK_CONSENT
    assert "consent-asked" in _codes(decision)
    assert "sender-asked" not in _codes(decision)
    assert _decided(NIGHT, **UNPROVEN, consent=Consent.NEVER).outcome is Outcome.WAIT


@pytest.mark.parametrize("at", [DAY, NIGHT], ids=["day", "night"])
def test_a_mailbox_may_refuse_senders_of_whom_no_server_knows(at: datetime) -> None:
    refuse = ('subject: ["P1", "URGENT"]', 'unproven: refuse, subject: ["P1", "URGENT"]')
    decision = _decided(at, refuse, **UNPROVEN)
    assert decision.priority == 4
    assert decision.outcome in (Outcome.NOTIFY, Outcome.WAIT)
    assert "priority-not-proven" in _codes(decision)


def test_a_mailbox_may_believe_senders_of_whom_no_server_knows() -> None:
    accept = ('subject: ["P1", "URGENT"]', 'unproven: accept, subject: ["P1", "URGENT"]')
    assert _decided(DAY, accept, **(URGENT | {"sender": "unproven"})).outcome is Outcome.PAGE
    assert _decided(DAY, accept, **(URGENT | {"sender": "forged", "customer": None})).priority == 4


def test_strangers_are_noted_or_held() -> None:
    assert _decided(DAY).outcome is Outcome.NOTIFY
    assert _decided(DAY, ("unknown_senders: notify", "unknown_senders: hold")).outcome is Outcome.WAIT
    assert _decided(NIGHT).outcome is Outcome.WAIT


def test_a_forged_sender_is_called_one() -> None:
    decision = _decided(DAY, sender="forged")
    assert "sender-forged" in _codes(decision)


def test_an_automatic_reply_is_promised_nothing() -> None:
    decision = _decided(DAY, customer="Lakeside Credit Union", customer_key="lakeside", automatic=True)
    assert (decision.outcome, decision.due_at) == (Outcome.WAIT, None)


def test_a_service_without_consent_attends_to_urgent_matters_by_telephone() -> None:
    facts = URGENT | {"service": "support", "tier": "elite"}
    night, day = _decided(NIGHT, **facts), _decided(DAY, **facts)
    assert (night.outcome, night.priority) == (Outcome.WAIT, 3)
    assert "urgent-by-telephone" in _codes(night)
    assert (day.outcome, day.priority) == (Outcome.PAGE, 1)


def test_facts_come_back_from_what_is_stored() -> None:
    facts = ContactFacts(
        at=NIGHT, channel="mail", service="managed-services", consent=Consent.NEVER, entitled=True
    )
    assert ContactFacts.of_json(facts.as_json()) == facts
