"""Contracts: what the agreement lets each have, tiers that fit, targets that can be kept, and their rows."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import sqlalchemy as sa

from core.database import Database
from core.models import Contract, Customer
from routing.coverage import ContactFacts, Outcome, decide
from routing.policies import PolicyError, apply_policy, parse_policy

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
BERLIN = (
    "services:\n",
    (
        '  berlin: {zone: Europe/Berlin, hours: {mon: ["09:00-17:00"], tue: ["09:00-17:00"], wed: ["09:00-17:00"]}}\n'
        "services:\n"
    ),
)


def changed(text: str, *changes: tuple[str, str]) -> str:
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def mistakes(text: str) -> list[str]:
    with pytest.raises(PolicyError) as refused:
        parse_policy(text)
    return refused.value.mistakes


def test_it_writes_hours_checks_and_cloud_systems_exactly(database: Database, sample: str) -> None:
    with database.writing() as session:
        apply_policy(session, sample, NOON)
    with database.reading() as session:
        rows = {
            (key, contract.service): contract
            for contract, key in session.execute(sa.select(Contract, Customer.key).join(Customer))
        }
    assert rows["greatbasin", "managed-services"].monthly_hours == Decimal("7.5")
    assert rows["lakeside", "managed-services"].monthly_hours == Decimal(20)
    assert rows["lakeside", "support"].monthly_hours is None
    check = rows["greatbasin", "managed-operations"].checks["nightly-billing"]
    assert (check["name"], check["priority"]) == ("Nightly billing run", 1)
    assert check["direction"].startswith("Restart the job once.")
    system = rows["bluebonnet", "support"].cloud_systems["production"]
    assert system == {"name": "OpCon Cloud production", "annual_fee": "48000.00", "currency": "USD"}
    assert rows["prairie", "support"].checks == rows["prairie", "support"].cloud_systems == {}


@pytest.mark.parametrize(
    ("fee", "kept"), [("12000.10", "12000.10"), ('"0.07"', "0.07"), ("99999999999.99", "99999999999.99")]
)
def test_it_keeps_fees_to_the_cent(sample: str, fee: str, kept: str) -> None:
    policy = parse_policy(sample.replace('"48000.00"', fee))
    fee_read = policy.customers["bluebonnet"].contracts["support"].cloud_systems["production"].annual_fee
    assert Decimal(kept) == fee_read


@pytest.mark.parametrize(
    ("right", "wrong", "key", "words"),
    [
        ('"48000.00"', '"48000.001"', "annual_fee", "decimals of at most 2"),
        ('"48000.00"', '"-1"', "annual_fee", "expected at least 0"),
        ('"48000.00"', '"much"', "annual_fee", "exact amount"),
        ('"48000.00"', ".nan", "annual_fee", "number"),
        ("currency: USD", "currency: dollars", "currency", "text of the form"),
        ("monthly_hours: 20", "monthly_hours: 0", "monthly_hours", "expected more than 0"),
        ("monthly_hours: 20", "monthly_hours: 1000", "monthly_hours", "expected at most 744"),
        ("monthly_hours: 20", "monthly_hours: some", "monthly_hours", "exact amount"),
        ("            priority: 3", "            priority: 5", "priority", "expected at most 4"),
        (
            "{tier: elite}", "{tier: elite, monthly_hours: 5}", "monthly_hours",
            "belong to a contract for managed-services",
        ),
        (
            "{tier: elite}", "{tier: elite, checks: {a: {name: A, direction: Call., priority: 1}}}", "checks",
            "belong to a contract for managed-operations",
        ),
        (
            "monthly_hours: 20", "cloud_systems: {a: {name: A, annual_fee: 1}}", "cloud_systems",
            "belong to a contract for support",
        ),
        ("{tier: elite}", "{tier: elite, consent: never}", "consent", "asks for no consent"),
        (
            "{tier: elite}", "{tier: managed-services}", "tier",
            "is one of the service 'managed-services', not of 'support'",
        ),
        ("{tier: elite}", "{tier: elite, calendar: berlin}", "calendar", "no calendar is called 'berlin'"),
        ("{tier: elite}", "{tier: elite, starts: 2026-05-01, ends: 2026-04-01}", "ends", "before it starts"),
    ],
)  # fmt: skip
def test_it_refuses_what_the_agreement_does_not_give(
    sample: str, right: str, wrong: str, key: str, words: str
) -> None:
    assert right in sample
    found = mistakes(sample.replace(right, wrong, 1))
    assert any(f".{key}: " in line and words in line for line in found), found


def test_it_lets_a_service_with_another_key_say_what_it_is(sample: str) -> None:
    text = sample.replace("managed-services", "consulting")
    assert any("belong to a contract for managed-services" in line for line in mistakes(text))
    told = text.replace(
        "    name: Managed Services\n    calendar", "    kind: managed-services\n    name: M\n    calendar"
    )
    assert parse_policy(told).kind_of("consulting") == "managed-services"


@pytest.mark.parametrize(
    ("hours", "problem"),
    [
        ("{}", "no open hours at all"),
        (
            "{}\n    holidays: {add: [{date: 2027-01-05, hours: ['08:00-17:00']}]}\n    #",
            "no opening|no weekly hours",
        ),
    ],
    ids=["no hours", "one day alone"],
)
def test_it_refuses_a_target_on_a_calendar_that_never_opens(sample: str, hours: str, problem: str) -> None:
    never = f"calendars:\n  never:\n    zone: America/Chicago\n    hours: {hours}\n"
    text = changed(
        sample,
        ("calendars:\n", never),
        (
            "    name: Managed Operations\n    calendar: business",
            "    name: Managed Operations\n    calendar: never",
        ),
    )
    found = mistakes(text)
    # Priorities 1 and 2 run around the clock, and are kept.
    assert [line.split(": ")[0].split(", ")[1] for line in found] == [
        "tiers.managed-operations.targets.3.respond", "tiers.managed-operations.targets.4.respond",
    ]  # fmt: skip
    assert all("is never due on the calendar 'never'" in line for line in found)


def test_it_refuses_one_on_the_calendar_of_a_customer_too(sample: str) -> None:
    text = changed(
        sample,
        ("calendars:\n", "calendars:\n  never: {zone: America/Chicago, hours: {}}\n"),
        ("{tier: classic}", "{tier: classic, calendar: never}"),
    )
    found = mistakes(text)
    assert len(found) == 4
    assert all("tiers.classic.targets." in line for line in found)


def test_it_keeps_around_the_clock_targets_without_any_hours(sample: str) -> None:
    text = changed(
        sample,
        ("calendars:\n", "calendars:\n  never: {zone: America/Chicago, hours: {}}\n"),
        ("    name: Managed Operations\n    calendar: business", "    name: Managed Operations\n    calendar: never"),
        (("      3: {respond: 4 business hours, cover: business hours}\n      4: {respond: 2 business days, cover:"
         " business hours}\n\nlines"), "\nlines"),
    )  # fmt: skip
    assert parse_policy(text).calendar_of("managed-operations").week == ((),) * 7


# A customer's own calendar


@pytest.mark.parametrize(
    "change",
    [
        ("{tier: classic}", "{tier: classic, calendar: berlin}"),
        ("    name: Prairie Mutual\n", "    name: Prairie Mutual\n    calendar: berlin\n"),
    ],
    ids=["of the contract", "of the customer"],
)
def test_it_keeps_the_promise_by_the_customer_s_calendar(
    database: Database, sample: str, change: tuple[str, str]
) -> None:
    text = changed(sample, BERLIN, change)
    policy = parse_policy(text)
    at = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)  # Monday 04:00 in Berlin, Sunday evening in Chicago
    known = ContactFacts(
        at=at, channel="phone", service="support", line="support", customer="Prairie Mutual",
        identified_by="number", tier="classic", priority=1, voicemail=True,
    )  # fmt: skip
    theirs = ContactFacts(**{**known.__dict__, "customer_key": "prairie"})
    usual, own = decide(known, policy), decide(theirs, policy)
    assert usual.due_at == datetime(2026, 3, 2, 23, 0, tzinfo=UTC)
    assert own.due_at == datetime(2026, 3, 2, 16, 0, tzinfo=UTC)
    assert own.outcome is usual.outcome is Outcome.WAIT  # the desk is the vendor's
    assert "CET" in own.reasons[-1].sentence
    assert own.calendar_fingerprint == policy.calendars["berlin"].fingerprint != usual.calendar_fingerprint
    with database.writing() as session:
        apply_policy(session, text, NOON)
    with database.reading() as session:
        prairie = session.scalars(sa.select(Contract).join(Customer).where(Customer.key == "prairie")).one()
    assert prairie.calendar == "berlin"


def test_it_rings_the_on_call_while_the_customer_is_at_work_and_the_desk_is_not(sample: str) -> None:
    """Open hours of the customer must not take away the night ringing: nobody sits at the vendor's desk."""
    policy = parse_policy(changed(sample, BERLIN, ("{tier: elite}", "{tier: elite, calendar: berlin}")))
    facts = ContactFacts(
        at=datetime(2026, 3, 3, 9, 0, tzinfo=UTC), channel="phone", service="support", line="support",
        customer="Lakeside Credit Union", customer_key="lakeside", identified_by="number", tier="elite", priority=1,
        voicemail=True,
    )  # fmt: skip
    assert policy.calendar_of("support", "lakeside").is_open(facts.at)
    assert decide(facts, policy).outcome is Outcome.PAGE


def test_it_knows_a_contract_by_its_dates(sample: str) -> None:
    policy = parse_policy(sample.replace("{tier: elite}", "{tier: elite, ends: 2026-12-31}"))
    assert policy.customers["lakeside"].contracts["support"].ends == date(2026, 12, 31)
