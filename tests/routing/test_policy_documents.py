"""The policy document: the shipped one loads, and each kind of mistake is named with its line and its key."""

from __future__ import annotations

import re

import pytest

from core.twiml import Say
from routing.policies import PolicyError, parse_policy
from routing.policy import Policy
from routing.prompts import CATALOGUE, mistakes_in, placeholders

PLACE = re.compile(r"line (\d+), ([^:]+): (.+)", re.DOTALL)


def mistakes(text: str) -> list[str]:
    with pytest.raises(PolicyError) as refused:
        parse_policy(text)
    assert str(refused.value).splitlines() == refused.value.mistakes
    return refused.value.mistakes


def test_it_loads_the_shipped_policy(policy: Policy) -> None:
    assert list(policy.lines) == ["support", "managed-services"]
    assert policy.line_by_number == {"+18773632305": "support", "+18772745771": "managed-services"}
    assert policy.tiers["elite"].covered_priorities == (1, 2)
    assert policy.tiers["classic"].covered_priorities == ()
    assert str(policy.calendar_of("support").zone) == "America/Chicago"


def test_it_promises_the_next_lower_priority_where_a_tier_names_none(policy: Policy) -> None:
    tier = policy.tiers["managed-services"]
    assert [tier.target(p).respond for p in (1, 2, 3, 4)] == ["1 hour", *["2 business days"] * 3]


# What the sample says -> what it says instead, the key that is named, and words of the explanation.
# The line named must be one on which a part of the key stands.
WRONG: dict[str, tuple[str, str, str, str]] = {
    "unknown calendar": (
        "calendar: business",
        "calendar: nope",
        "services.support.calendar",
        "calendar is called 'nope'; known: business",
    ),
    "unknown zone": ("zone: America/Chicago", "zone: America/Nowhere", "calendars.business.zone", "IANA"),
    "bad hours": ('mon: ["08:00-17:00"]', 'mon: ["8-17"]', "calendars.business.hours.mon.0", "08:00-17:00"),
    "unknown tier": (
        "{tier: elite}",
        "{tier: nope}",
        "customers.lakeside.contracts.support.tier",
        "tier is called 'nope'",
    ),
    "unknown service of a contract": (
        "      support: {tier: classic}",
        "      nope: {tier: classic}",
        "customers.prairie.contracts.nope",
        "service is called 'nope'",
    ),
    "unknown service of a tier": (
        "    service: managed-operations",
        "    service: nope",
        "tiers.managed-operations.service",
        "service is called 'nope'",
    ),
    "unknown service of a line": (
        "    service: support\n    team",
        "    service: nope\n    team",
        "lines.support.service",
        "service is called 'nope'",
    ),
    "unknown escalation": (
        "    escalation: support",
        "    escalation: nope",
        "services.support.escalation",
        "escalation is called 'nope'",
    ),
    "unknown schedule": (
        "    schedule: support",
        "    schedule: nope",
        "escalations.support.schedule",
        "schedule is called 'nope'",
    ),
    "unknown person in a step": (
        "{ring: next,",
        "{ring: nope,",
        "escalations.support.steps.1.ring",
        "person is called 'nope'",
    ),
    "unknown person in a schedule": (
        "members: [dana,",
        "members: [nope,",
        "schedules.support.layers.0.members.0",
        "person is called 'nope'; known: dana, luis",
    ),
    "unknown placeholder": (
        "goodbye: Goodbye.",
        "goodbye: Goodbye {nope}.",
        "prompts.goodbye",
        "{nope} means nothing here; known: company, line",
    ),
    "braces that do not match": (
        "goodbye: Goodbye.",
        "goodbye: Goodbye {.",
        "prompts.goodbye",
        "braces do not match",
    ),
    "a placeholder with a format": (
        "goodbye: Goodbye.",
        "goodbye: 'Goodbye {company:>20}.'",
        "prompts.goodbye",
        "nothing more",
    ),
    "a placeholder that reaches into things": (
        "goodbye: Goodbye.",
        "goodbye: Goodbye {company.__class__}.",
        "prompts.goodbye",
        "means nothing",
    ),
    "missing prompt": ("  goodbye: Goodbye.\n", "", "prompts.goodbye", "is missing"),
    "prompt that nobody says": (
        "  goodbye: Goodbye.",
        "  goodby: Bye.\n  goodbye: Goodbye.",
        "prompts.goodby",
        "no prompt has the name 'goodby'",
    ),
    "prompt without words": ("goodbye: Goodbye.", "goodbye: ''", "prompts.goodbye", "says nothing"),
    "prompt of a line": (
        "    unchosen_priority: 1\n",
        "    unchosen_priority: 1\n    prompts: {goodbye: '{x}'}\n",
        "lines.support.prompts.goodbye",
        "{x} means nothing",
    ),
    "bad number of a person": (
        '"+17135550101"',
        '"12"',
        "people.dana.phone",
        "'12' is not a telephone number",
    ),
    "bad number of a line": (
        'number: "+18773632305"',
        'number: "none"',
        "lines.support.number",
        "'none' is not a telephone number",
    ),
    "bad number in a team": (
        'team: ["+17135550103", ',
        'team: ["sip", ',
        "lines.support.team.0",
        "'sip' is not a telephone number",
    ),
    "bad number of a contact": (
        '"+15125550142"',
        '"5550142"',
        "customers.lakeside.contacts.0.phone",
        "E.164",
    ),
    "two lines with one number": (
        "+18772745771",
        "+18773632305",
        "lines.managed-services.number",
        "two lines have the number +18773632305",
    ),
    "two customers with one support ID": (
        'support_id: "4472"',
        'support_id: "4471"',
        "customers.prairie.support_id",
        "two customers have the support ID 4471",
    ),
    "a support ID that no keypad has": (
        'support_id: "4472"',
        'support_id: "44AB"',
        "customers.prairie.support_id",
        "expected 3 to 12 digits",
    ),
    "bad target": (
        "respond: 1 business day,",
        "respond: soon,",
        "tiers.classic.targets.1",
        "'soon' is not a response target",
    ),
    "bad cover": (
        "respond: 1 business day, cover: business hours",
        "respond: 1 business day, cover: nights",
        "tiers.classic.targets.1.cover",
        "'24x7' or 'business hours'",
    ),
    "bad priority": (
        "      4: {respond: 5 business days",
        "      5: {respond: 5 business days",
        "tiers.classic.targets.5",
        "expected at most 4",
    ),
    "bad choice": (
        "unknown_callers: notify",
        "unknown_callers: perhaps",
        "lines.support.unknown_callers",
        "'notify', 'page' or 'hold'",
    ),
    "bad date": (
        "{tier: elite}",
        "{tier: elite, starts: soon}",
        "customers.lakeside.contracts.support.starts",
        "date",
    ),
    "bad handover": (
        "handover: mon 08:00",
        "handover: someday",
        "schedules.support.layers.0.handover",
        "someday",
    ),
    "nobody to ring": (
        "    escalation: managed-services\n",
        "",
        "services.managed-services.escalation",
        "needs somebody to ring",
    ),
    "a key that nobody knows": (
        "    ring_s: 20\n    unknown",
        "    ring_ms: 20\n    unknown",
        "lines.support.ring_ms",
        "no key is called 'ring_ms' here; did you mean 'ring_s'?",
    ),
    "a part that is missing": ("company: SMA Technologies\n", "", "company", "is missing"),
    "a list where a mapping belongs": (
        "    hours:\n",
        "    hours: []\n    hors:\n",
        "calendars.business.hours",
        "expected weekdays and their windows",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_it_names_line_and_key_of_each_kind_of_mistake(sample: str, name: str) -> None:
    right, wrong, key, words = WRONG[name]
    assert right in sample
    text = sample.replace(right, wrong, 1)
    found = [PLACE.fullmatch(line) for line in mistakes(text)]
    (place,) = [match for match in found if match and match[2].startswith(key)]
    assert words in place[3]
    line = text.splitlines()[int(place[1]) - 1]
    parts = place[2].split(".")
    assert any(part in line for part in parts) or (parts[-1].isdigit() or key == "company"), line


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1: the document is empty; expected a mapping"),
        ("[]", "line 1: expected a mapping"),
        ("just words", "line 1: expected a mapping"),
        ("company: [", "line 1, column"),
        ("company: a\n  b: c", "line 2"),
        ("company: *nobody", "line 1, column 10"),
        ("company: a\ncompany: b", "duplicate key"),
        ("company: \x07", "special characters are not allowed"),
        ("company: !!python/object:os.system {}", "line 1"),
    ],
)
def test_it_says_where_a_document_is_no_yaml(text: str, words: str) -> None:
    assert words in mistakes(text)[0]


def test_it_names_all_mistakes_at_once(sample: str) -> None:
    text = sample.replace("goodbye: Goodbye.", "goodbye: Goodbye {x} {y}.", 1).replace(
        "{tier: classic}", "{tier: z}"
    )
    found = mistakes(text)
    assert len(found) == 3
    assert all(PLACE.fullmatch(line) for line in found)


def test_it_takes_dates_as_yaml_writes_them(sample: str) -> None:
    text = sample.replace("{tier: elite}", "{tier: elite, starts: 2026-01-01, ends: '2026-12-31'}")
    contract = parse_policy(text).customers["lakeside"].contracts["support"]
    assert (str(contract.starts), str(contract.ends)) == ("2026-01-01", "2026-12-31")


def test_it_says_a_prompt_in_the_line_s_own_words_and_voice(sample: str) -> None:
    text = sample.replace(
        "    unchosen_priority: 1\n",
        "    unchosen_priority: 1\n    language: en-GB\n    voice: Polly.Amy\n"
        "    prompts: {goodbye: Cheerio from {line}., nobody_free: {audio: 'https://a.example/b.wav'}}\n".replace(
            "Cheerio from {line}.", "'Cheerio from {line} of {company}.'"
        ),
        1,
    )
    policy = parse_policy(text)
    own = policy.say("goodbye", "support")
    assert own.text == "Cheerio from support of SMA Technologies."
    assert (own.voice.language, own.voice.name) == ("en-GB", "Polly.Amy")
    assert policy.say("goodbye", "managed-services").text == "Goodbye."
    assert policy.say("nobody_free", "support") == Say(audio_url="https://a.example/b.wav")
    assert policy.say("goodbye").text == "Goodbye."


def test_it_has_a_sentence_for_everything_in_the_catalogue(policy: Policy) -> None:
    assert set(policy.prompts) == set(CATALOGUE)


def test_it_finds_placeholders_and_what_is_wrong_with_them() -> None:
    assert placeholders("{a} and {b}, {{not}}") == {"a", "b"}
    assert mistakes_in("goodbye", "Bye, {{dear}} {company}") == []
    assert mistakes_in("goodbye", "{}")
    assert mistakes_in("goodbye", "{0}")
    assert mistakes_in("goodbye", "{company!r}")
    assert mistakes_in("nothing", "Hi") == ["no prompt has the name 'nothing'"]
