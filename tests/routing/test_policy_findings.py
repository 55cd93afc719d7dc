"""What is legal but foolish: each is found, with its place, and the shipped policy has nothing of it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from routing.policies import parse_policy
from routing.policy_document import read_document
from routing.policy_findings import findings

NOW = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
_LUIS = 'luis: {name: Luis Ortega, phone: "+17135550102", verified: true, email: luis@nightbell.example}'
_LUIS_WITH = 'luis: {{name: Luis Ortega, phone: "+17135550102", verified: true, {}}}'
_MEMBERS = "        members: [dana, luis, priya, sam]\n"


def found_in(text: str, at: datetime = NOW) -> dict[str, str]:
    return {".".join(map(str, f.place)): f.message for f in findings(parse_policy(text), at)}


def changed(text: str, *changes: tuple[str, str]) -> str:
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def test_it_finds_nothing_foolish_in_the_shipped_policy(sample: str) -> None:
    assert found_in(sample) == {}


def test_it_finds_nothing_foolish_in_a_phone_that_is_verified_as_a_method(sample: str) -> None:
    methods = (
        'luis: {name: Luis Ortega, methods: {mobile: {voice: "+17135550102", verified: true}, '
        'texts: {sms: "+17135550102"}}, rules: [{use: mobile}, {use: texts}]}'
    )
    assert found_in(changed(sample, (_LUIS, methods))) == {}


def test_it_names_the_25th_of_december_when_nobody_is_on_call(sample: str) -> None:
    gap = "    overrides:\n      - {person: null, from: 2026-12-25, to: 2026-12-25}\n"
    (words,) = found_in(changed(sample, (_MEMBERS, _MEMBERS + gap))).values()
    assert "Fri 25 Dec 2026, 00:00 CST to Sat 26 Dec 2026, 00:00 CST" in words


FOOLISH: dict[str, tuple[str, str, str, str]] = {
    "a desk that never closes": (
        "services:\n  support:\n    name: Customer Support\n    calendar: business\n",
        ("  always: {zone: UTC, hours: 24x7}\nservices:\n  support:\n    name: Customer Support\n"
         "    calendar: always\n"),
        "services.support.calendar", "'always' never closes: nobody of its escalation is ever rung",
    ),
    "an event that does not exist": (
        "\nprompts:\n",
        "\nwebhooks: {crm: {url: 'https://crm.example', secret: s, events: [page.*, case.opend]}}\n\nprompts:\n",
        "webhooks.crm.events.1", "no event is called 'case.opend'; did you mean 'case.opened'?: nothing is told",
    ),
    "a group of events that does not exist": (
        "\nprompts:\n",
        "\nwebhooks: {crm: {url: 'https://crm.example', secret: s, events: [cases.*]}}\n\nprompts:\n",
        "webhooks.crm.events.0", "no event is called 'cases.*'",
    ),
    "everybody absent": (
        _MEMBERS,
        _MEMBERS + "    absences:\n"
        + "".join(
            f"      - {{person: {who}, from: 2026-12-24 17:00, to: 2026-12-26 08:00}}\n"
            for who in ("dana", "luis", "priya", "sam")
        ),
        "schedules.support", "Thu 24 Dec 2026, 17:00 CST to Sat 26 Dec 2026, 08:00 CST",
    ),
    "a rotation of nights alone": (
        "        start: 2026-01-05\n" + _MEMBERS,
        "        start: 2026-01-05\n        hours: {mon-fri: '17:00-08:00'}\n" + _MEMBERS,
        "schedules.support", "Sat 07 Nov 2026, 08:00 CST to Mon 09 Nov 2026, 08:00 CST",
    ),
    "an unverified phone": (
        'phone: "+17135550102", verified: true', 'phone: "+17135550102"',
        "people.luis.verified", "Luis Ortega's phone is not verified, but is rung by the schedule 'support'",
    ),
    "a share too close to the step before": (
        "{ring: next, wait_s: 90}\n      - {ring: everyone, wait_s: 90}",
        "{ring: next, at: 0.5}\n      - {ring: everyone, at: 0.501}",
        "escalations.support.steps.2", "it begins 3.6 s after the step before it, less than a ring of 30 s",
    ),
    "a step later than the promise after a share": (
        "{ring: next, wait_s: 90}\n", "{ring: next, at: 0.9, wait_s: 600}\n",
        "escalations.support.steps.2", "it would be pulled forward to 59 min",
    ),
    "everyone who is one": (
        "{ring: next, wait_s: 90}", "{ring: next, everyone_must: true}",
        "escalations.support.steps.1.everyone_must", "but 'next' is one person",
    ),
    "a step later than the promise": (
        "{ring: next, wait_s: 90}", "{ring: next, wait_s: 3600}",
        "escalations.support.steps.2", "it begins 1 h 01 min after the voicemail, but",
    ),
    "a tier without a contract": (
        "{tier: classic}", "{tier: select}", "tiers.classic", "no customer has a contract with this tier",
    ),
    "a person who is never rung": (
        _MEMBERS, "        members: [dana, priya, sam]\n", "people.luis", "in no rotation and in no step",
    ),
    "one person around the clock": (
        "members: [priya, sam]", "members: [sam]", "schedules.consultants.layers.0.members", "sam alone is on call",
    ),
    "a contract that ends soon": (
        "{tier: elite}", "{tier: elite, ends: 2026-11-30}",
        "customers.lakeside.contracts.support.ends", "ends on Mon 30 Nov 2026",
    ),
    "a contract that has ended": (
        "{tier: elite}", "{tier: elite, ends: 2026-11-01}",
        "customers.lakeside.contracts.support.ends", "ended on Sun 1 Nov 2026",
    ),
    "a calendar without the holidays": (
        "services:\n", "  other: {zone: America/Chicago, hours: 24x7}\nservices:\n",
        "calendars.other", "nothing uses this calendar",
    ),
    "an escalation that nothing uses": (
        "    escalation: managed-services\n", "    escalation: support\n",
        "escalations.managed-services", "no service uses this escalation",
    ),
    "priorities the wrong way round": (
        "1: {respond: 4 business hours,", "1: {respond: 9 business hours,",
        "tiers.select.targets.2.respond", "priority 2 is answered sooner than priority 1",
    ),
    "a number of two customers": (
        '"+13125550177"', '"+15125550142"', "customers.prairie.contacts.0.phone", "identifies neither of them",
    ),
    "a team that rings its own line": (
        'team: ["+17135550103", "+17135550104"]', 'team: ["+18773632305"]', "lines.support.team.0", "in circles",
    ),
    "two people with one phone": (
        'phone: "+17135550102"', 'phone: "+17135550101"', "people.dana.phone", "two people have the number",
    ),
    "no verified phone among the methods": (
        _LUIS,
        'luis: {name: Luis Ortega, methods: {mobile: {voice: "+17135550102"}, home: {voice: "+17135550112"}}}',
        "people.luis.methods", "Luis Ortega's phone is not verified, but is rung by the schedule 'support'",
    ),
    "rules that use no verified phone": (
        _LUIS,
        _LUIS_WITH.format('methods: {home: {voice: "+17135550112"}}, rules: [{use: home}]'),
        "people.luis.rules", "they call no verified phone, but Luis Ortega is rung by the schedule 'support'",
    ),
    "a rule for a phone that is not verified": (
        _LUIS,
        _LUIS_WITH.format('methods: {home: {voice: "+17135550112"}}, rules: [{use: phone}, {use: home}]'),
        "people.luis.rules.1.use", "'home' is not verified: this rule reaches nobody",
    ),
    "two people with one phone among their methods": (
        _LUIS,
        _LUIS_WITH.format('methods: {desk: {sms: "+17135550101", verified: true}}'),
        "people.luis.methods", "two people have the number +17135550101",
    ),
    "a method that is one of the lines": (
        _LUIS,
        _LUIS_WITH.format('methods: {desk: {voice: "+18773632305", verified: true}}'),
        "people.luis.methods", "Luis Ortega's phone is the line 'support': it would ring itself",
    ),
    "a customer without a contract": (
        "    contracts:\n      support: {tier: classic}\n", "", "customers.prairie", "has no contract",
    ),
    "an absence that is over": (
        _MEMBERS, _MEMBERS + "    absences:\n      - {person: sam, from: 2026-10-01, to: 2026-10-02}\n",
        "schedules.support.absences.0", "it is over",
    ),
    "nobody but the one on call": (
        "      - {ring: on-call, wait_s: 90}\n      - {ring: everyone, wait_s: 90}",
        "      - {ring: on-call, wait_s: 90}",
        "escalations.managed-services.steps", "only the person on call is ever rung",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FOOLISH)
def test_it_finds_each_kind_of_folly_with_its_place(sample: str, name: str) -> None:
    old, new, place, words = FOOLISH[name]
    text = changed(sample, (old, new))
    found = found_in(text)
    assert words in found[place], found
    document = read_document(text)
    for finding in findings(parse_policy(text), NOW):
        assert document.said(finding.place, finding.message).startswith("line ")
        assert document.line_of(finding.place) > 1


def test_it_finds_contracts_that_nobody_could_be_told_about(sample: str) -> None:
    text = changed(
        sample,
        ("    name: Managed Operations\n    calendar: business\n    ordinary_priority: 4\n    escalation: support",
         "    name: Managed Operations\n    calendar: business\n    ordinary_priority: 4"),
        (("    service: managed-operations\n    targets:\n      1: {respond: 1 hour, cover: 24x7}\n"
         "      2: {respond: 1 hour, cover: 24x7}\n"), "    service: managed-operations\n    targets:\n"),
    )  # fmt: skip
    assert "no line to call and no escalation" in found_in(text)["services.managed-operations"]


def test_it_says_on_which_days_calendars_differ(sample: str) -> None:
    text = changed(
        sample,
        (
            "services:\n",
            '  other: {zone: America/Chicago, hours: {mon: ["08:00-17:00"], fri: ["08:00-17:00"]}}\nservices:\n',
        ),
        (
            "    name: Managed Operations\n    calendar: business",
            "    name: Managed Operations\n    calendar: other",
        ),
    )
    words = found_in(text)["calendars.other.holidays"]
    assert "Thu 26 Nov 2026 (Thanksgiving Day) is one there only" in words


def test_it_says_when_a_customer_s_clock_runs_while_nobody_is_at_the_desk(sample: str) -> None:
    text = changed(
        sample,
        (
            "services:\n",
            '  berlin: {zone: Europe/Berlin, hours: {mon: ["09:00-17:00"]}, holidays: {country: US}}\nservices:\n',
        ),
        ("{tier: classic}", "{tier: classic, calendar: berlin}"),
    )
    words = found_in(text)["customers.prairie.contracts.support"]
    assert "open for 6 h 00 min while the desk is closed" in words


def test_it_finds_a_step_later_than_the_promise_of_one_priority(sample: str) -> None:
    text = changed(
        sample,
        ("    escalation: support\n",
         "    escalation: support\n    escalation_by_priority: {1: managed-services}\n"),
        ("      - {ring: on-call, wait_s: 90}\n      - {ring: everyone, wait_s: 90}\n",
         "      - {ring: on-call}\n      - {ring: everyone, of: support, at: 70 min}\n"),
    )  # fmt: skip
    words = found_in(text)["escalations.managed-services.steps.1"]
    assert "it begins 1 h 10 min after the voicemail, but Elite priority 1 (1 hour) is due by then" in words
    assert "pulled forward to 59 min" in words


def test_it_is_quiet_before_the_time_comes(sample: str) -> None:
    text = changed(sample, ("{tier: elite}", "{tier: elite, ends: 2026-11-30}"))
    assert found_in(text, datetime(2026, 10, 30, 12, 0, tzinfo=UTC)) == {}
    assert len(found_in(text, datetime(2026, 11, 1, 12, 0, tzinfo=UTC))) == 1
