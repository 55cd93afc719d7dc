"""What changes, in words: by the names that people know, and nothing that differs is left out."""

from __future__ import annotations

import pytest

from routing.policies import parse_policy
from routing.policy_changes import changes

SAID: dict[str, tuple[str, str, str]] = {
    "a tier": (
        "1: {respond: 4 business hours, cover: business hours}", "1: {respond: 2 hours, cover: 24x7}",
        "Select priority 1: 4 business hours -> 2 hours around the clock",
    ),
    "another target": (
        "1: {respond: 1 business day, cover: business hours}", "1: {respond: 2 business days, cover: business hours}",
        "Classic priority 1: 1 business day -> 2 business days",
    ),
    "a customer's tier": (
        "{tier: classic}", "{tier: elite}", "Customer Prairie Mutual, Customer Support: Classic -> Elite",
    ),
    "a customer's hours": (
        "monthly_hours: 20", "monthly_hours: 25",
        "Customer Lakeside Credit Union, Managed Services, monthly_hours: 20 -> 25",
    ),
    "a customer who comes": (
        "customers:\n", "customers:\n  acme: {name: Acme, support_id: '999', contracts: {support: {tier: elite}}}\n",
        "Customer Acme: added (support: elite)",
    ),
    "a contact": (
        '"+13125550177"', '"+13125550178"',
        "Customer Prairie Mutual, contact Tom Becker, phone: +13125550177 -> +13125550178",
    ),
    "a line": ("ring_s: 20", "ring_s: 25", "Line support, ring_s: 20 -> 25"),
    "a person": (
        'phone: "+17135550102"', 'phone: "+17135550109"', "Luis Ortega, phone: +17135550102 -> +17135550109",
    ),
    "a person's proof": (
        'phone: "+17135550102", verified: true', 'phone: "+17135550102"', "Luis Ortega, verified: yes -> no",
    ),
    "a step": (
        "{ring: next, wait_s: 90}", "{ring: sam, wait_s: 60}",
        ("Escalation support, steps: on-call for 90 s, then next for 90 s, then everyone for 90 s"
        " -> on-call for 90 s, then sam for 60 s, then everyone for 90 s"),
    ),
    "a step of another schedule at a share": (
        "{ring: next, wait_s: 90}", "{ring: on-call, of: consultants, at: 0.25, everyone_must: true}",
        ("Escalation support, steps: on-call for 90 s, then next for 90 s, then everyone for 90 s"
         " -> on-call for 90 s, then on-call of consultants at 0.25 of the time left for 90 s, everyone_must yes,"
         " then everyone for 90 s"),
    ),
    "reminders": (
        "    repeat_s: 120", "    repeat_s: 120\n    remind_at: [0.8]",
        "Escalation support, remind_at: 0.5, 0.75, 0.9 -> 0.8",
    ),
    "an escalation of its own for a priority": (
        "    escalation: support\n  managed-services:",
        "    escalation: support\n    escalation_by_priority: {1: managed-services}\n  managed-services:",
        "Service Customer Support, escalation_by_priority, 1: none -> managed-services",
    ),
    "a drill": (
        "\nprompts:\n", "\ndrills:\n  support: {before_min: 45}\n\nprompts:\n",
        "Drill before shifts of support: added (45 min before, within 08:00-21:00, 15 min to answer)",
    ),
    "a repeat": ("repeat_s: 120", "repeat_s: 60", "Escalation support, repeat_s: 120 -> 60"),
    "a rotation": (
        "members: [priya, sam]", "members: [sam, priya]",
        "Schedule consultants, layer consultants, members: priya, sam -> sam, priya",
    ),
    "hours": (
        'fri: ["08:00-17:00"]', 'fri: ["08:00-12:00"]',
        "Calendar business: Monday to Friday, 8 AM to 5 PM -> Monday to Thursday, 8 AM to 5 PM; Friday, 8 AM to noon",
    ),
    "holidays": ("      country: US", "      country: CA", "Calendar business, holidays, country: US -> CA"),
    "a prompt": ("  goodbye: Goodbye.", "  goodbye: See you.", 'Prompt goodbye: Goodbye. -> "See you."'),
    "a word in a long prompt": (
        "Your case number is {case_digits}. I repeat, {case_digits}. Goodbye.",
        "Your case number is {case_digits}. I repeat, {case_digits}. Cheerio.",
        "Prompt case_noted: \"... I repeat, {case_digits}. Goodbye.\" -> \"... I repeat, {case_digits}. Cheerio.\"",
    ),
    "the prompt of a line": (
        "    unchosen_priority: 1\n", "    unchosen_priority: 1\n    prompts: {goodbye: Bye.}\n",
        "Line support, prompt goodbye: none -> Bye.",
    ),
    "the end of a long text": (
        "and run the import by hand when it is there.", "and run the import by hand at noon.",
        ("Customer Great Basin Power, Managed Operations, checks, meter-import, direction:"
         ' "... import by hand when it is there." -> "... import by hand at noon."'),
    ),
    "limits": ("\nprompts:\n", "\nlimits: {texts_per_15_min: 5}\n\nprompts:\n", "Limits, texts_per_15_min: 10 -> 5"),
    "a webhook": (
        "\nprompts:\n",
        ("\nwebhooks:\n  crm: {url: 'https://crm.example/key-1', secret: s3cret, events: [case.*, page.accepted]}\n"
         "\nprompts:\n"),
        "Webhook crm: added (posts case.*, page.accepted to crm.example)",
    ),
    "an override": (
        "        members: [priya, sam]\n",
        ("        members: [priya, sam]\n    overrides:\n"
         "      - {from: 2026-12-25 08:00, to: 2026-12-26 08:00, person: luis, instead_of: sam}\n"),
        ("Schedule consultants, override added:"
         " luis instead of sam, Fri 25 Dec 2026 08:00 CST - Sat 26 Dec 2026 08:00 CST"),
    ),
    "the company": ("company: SMA Technologies", "company: Acme", 'Company: "SMA Technologies" -> Acme'),
    "consent": (
        "refused_priority: 4", "refused_priority: 3", "Service Managed Services, consent, refused_priority: 4 -> 3",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SAID)
def test_it_says_each_change_in_one_sentence_of_names(sample: str, name: str) -> None:
    old, new, sentence = SAID[name]
    assert old in sample
    said = changes(parse_policy(sample), parse_policy(sample.replace(old, new, 1)))
    assert said == [sentence]


def test_it_tells_that_an_address_or_a_secret_has_changed_and_not_what_it_is(sample: str) -> None:
    """The output is read over shoulders, and kept in terminals and tickets."""
    hooks = (
        "\nwebhooks: {{crm: {{url: 'https://crm.example/{0}', secret: {0}, events: [case.*]}}}}\n\nprompts:\n"
    )
    chat, hook = (
        "chat: {{apprise: 'ntfys://{0}@ntfy.example/x'}}",
        "hook: {{webhook: 'env:{0}', secret: {0}}}",
    )
    methods = "{{name: Luis Ortega, methods: {{" + chat + ", " + hook + "}},"

    def with_secret(word: str) -> str:
        text = sample.replace("\nprompts:\n", hooks.format(word), 1)
        return text.replace("{name: Luis Ortega,", methods.format(word), 1)

    said = changes(parse_policy(with_secret("hush1")), parse_policy(with_secret("hush2")))
    assert said == [
        "Luis Ortega, method chat, address: another one (ntfys://...)",
        "Luis Ortega, method hook, address: env:hush1 -> env:hush2",
        "Luis Ortega, method hook, secret: another one (not shown)",
        "Webhook crm, url: another one (crm.example)",
        "Webhook crm, secret: another one (not shown)",
    ]


def test_it_says_that_another_service_comes_first(sample: str) -> None:
    """Reports are in the zone of the first one's calendar."""
    before = parse_policy(sample)
    after = before.model_copy(update={"services": dict(reversed(before.services.items()))})
    assert changes(before, after) == ["The first service: support -> managed-operations"]


def test_it_says_what_has_come_and_gone_of_a_long_list(sample: str) -> None:
    team = [f"+1713555010{number}" for number in range(8)]
    before = parse_policy(sample.replace('["+17135550103", "+17135550104"]', str(team), 1))
    after = parse_policy(
        sample.replace('["+17135550103", "+17135550104"]', str([*team[:7], "sip:desk@x.example"]), 1)
    )
    assert changes(before, after) == ["Line support, team: without +17135550107; with sip:desk@x.example"]
    other = parse_policy(sample.replace('["+17135550103", "+17135550104"]', str(team[::-1]), 1))
    assert changes(before, other) == ["Line support, team: the same in another order"]


def test_it_says_nothing_of_another_way_to_write_the_same(sample: str) -> None:
    same = sample.replace("wait_s: 90", "wait_s:   90").replace("# Sample:", "# Note:")
    assert changes(parse_policy(sample), parse_policy(same)) == []


def test_it_says_what_goes(sample: str) -> None:
    before = parse_policy(sample)
    after = before.model_copy(update={"customers": {}, "lines": {}, "people": {}})
    said = changes(before, after)
    assert "Customer Harbor Freight Lines: removed" in said
    assert "Line support: removed" in said
    assert "Dana Whitfield: removed" in said
    assert len(said) == 5 + 2 + 4
    assert "Line support: added ((877) 363-2305)" in changes(after, before)
