"""Contact methods, rules, limits and webhooks in a policy document: read as written, and each mistake named."""

from __future__ import annotations

import pytest

from routing.paging.channels import CHANNELS
from routing.policies import PolicyError, parse_policy

DANA = '{name: Dana Whitfield, phone: "+17135550101", verified: true, email: dana@nightbell.example}'


def with_dana(sample: str, text: str) -> str:
    assert DANA in sample
    return sample.replace(DANA, f"{{name: Dana Whitfield, {text}}}")


def mistakes(text: str) -> str:
    with pytest.raises(PolicyError) as refused:
        parse_policy(text)
    return "\n".join(refused.value.mistakes)


def test_it_reads_methods_and_rules(sample: str) -> None:
    policy = parse_policy(
        with_dana(
            sample,
            'methods: {mobile: {voice: "(713) 555-0101", verified: true}, hook: {webhook: env:URL, secret: env:S}}, '
            "rules: [{use: mobile, times: 3}, {use: hook, after_s: 30}], quiet: [hook]",
        )
    )
    dana = policy.people["dana"]
    assert (dana.phone, dana.verified) == ("+17135550101", True)
    assert dana.methods["mobile"].address == "+17135550101"
    assert [(rule.use, rule.after_s, rule.again_after_s, rule.times) for rule in dana.rules] == [
        ("mobile", 0, 120, 3), ("hook", 30, 120, 1),
    ]  # fmt: skip
    assert "env:S" not in repr(dana), "nobody logs a secret by accident"


def test_it_has_limits_without_being_told(sample: str) -> None:
    limits = parse_policy(sample).limits
    assert (limits.calls_per_15_min, limits.texts_per_15_min) == (6, 10)
    limits = parse_policy(sample + "limits: {calls_per_15_min: 3}\n").limits
    assert (limits.calls_per_15_min, limits.texts_per_15_min) == (3, 10)


def test_it_knows_which_events_a_webhook_wants(sample: str) -> None:
    text = "webhooks:\n  crm: {url: env:CRM, secret: env:S, events: [case.opened, page.*]}\n"
    crm = parse_policy(sample + text).webhooks["crm"]
    assert [crm.wants(kind) for kind in ("case.opened", "case.responded", "page.accepted", "pages.x")] == [
        True, False, True, False,
    ]  # fmt: skip


# What is written -> words of the explanation
WRONG_PEOPLE: dict[str, tuple[str, str]] = {
    "no phone at all": ("email: d@n.example", "people.dana.phone: is missing; it is required"),
    "unknown channel": (
        'phone: "+17135550101", methods: {fax: {fax: "+17135550101"}}',
        "the channels are voice, sms, mail, apprise, webhook",
    ),
    "two channels": (
        'phone: "+17135550101", methods: {m: {voice: "+17135550101", sms: "+17135550101"}}',
        "expected one channel",
    ),
    "bad number": ('phone: "+17135550101", methods: {m: {voice: "12"}}', "'12' is not a telephone number"),
    "bad mail": ('phone: "+17135550101", methods: {m: {mail: dana}}', "'dana' is not a mail address"),
    "two mails": ('phone: "+17135550101", methods: {m: {mail: "a@b.example, c@d.example"}}', "mail address"),
    "bad chat": ('phone: "+17135550101", methods: {m: {apprise: slack}}', "such as ntfy://"),
    "bad webhook": (
        'phone: "+17135550101", methods: {m: {webhook: "ftp://x", secret: s}}',
        "http(s) address",
    ),
    "webhook without secret": (
        'phone: "+17135550101", methods: {m: {webhook: "https://hooks.example/tok"}}',
        "secret is missing",
    ),
    "unknown method": (
        'phone: "+17135550101", rules: [{use: pager}]',
        "no method is called 'pager'; known: phone",
    ),
    "method that a number hides": (
        'methods: {mobile: {voice: "+17135550101"}}, rules: [{use: phone}]',
        "no method is called 'phone'; known: mobile",
    ),
    "unknown quiet method": ('phone: "+17135550101", quiet: [email]', "no method is called 'email'"),
    "name of another": ('phone: "+17135550101", methods: {phone: {mail: a@b.example}}', "always by voice"),
    "bad name": ('phone: "+17135550101", methods: {My Phone: {mail: a@b.example}}', "no name for a method"),
    "no time": ('phone: "+17135550101", rules: [{use: phone, times: 0}]', "expected at least 1"),
}


@pytest.mark.parametrize("case", WRONG_PEOPLE)
def test_it_names_a_mistake_in_how_a_person_is_reached(sample: str, case: str) -> None:
    written, words = WRONG_PEOPLE[case]
    said = mistakes(with_dana(sample, written))
    assert "people.dana" in said
    assert words in said
    assert "/tok" not in said, "an address may hold a secret"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("limits: {calls_per_15_min: 0}", "limits.calls_per_15_min"),
        ("webhooks: {crm: {url: 'ftp://x', secret: s, events: [case.opened]}}", "webhooks.crm.url"),
        ("webhooks: {crm: {url: 'https://x', events: [case.opened]}}", "webhooks.crm.secret"),
        ("webhooks: {crm: {url: 'https://x', secret: s, events: []}}", "webhooks.crm.events"),
        ("webhooks: {crm: {url: 'https://x', secret: s, events: ['*']}}", "webhooks.crm.events.0"),
    ],
)
def test_it_names_a_mistake_in_limits_and_webhooks(sample: str, text: str, words: str) -> None:
    assert words in mistakes(sample + text + "\n")


def test_it_still_reads_what_an_earlier_release_applied(sample: str) -> None:
    """A mail address that this release would not take must not stop a page of then."""
    old = with_dana(sample, 'phone: "+17135550101", email: dana')
    assert parse_policy(old, stored=True).people["dana"].email == "dana"


def test_every_channel_gives_its_address_a_form() -> None:
    for name, channel in CHANNELS.items():
        with pytest.raises(ValueError, match=r"expected|not a"):
            channel.normal(f"{name} nowhere")
