"""Files that are no policy: one clear line with its place, never a traceback, never a machine that hangs."""

from __future__ import annotations

import re
import time

import pytest

from routing.policies import PolicyError, parse_policy
from routing.policy_document import LARGEST, decoded, read_document

BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join(['*' + before] * 10)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
MERGE_BOMB = "a: &a {x: 1}\n" + "".join(
    f"{name}: &{name} {{<<: [{','.join(['*' + before] * 10)}]}}\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "line 1: the document is empty"),
        (b"# nothing but a comment\n", "line 1: the document is empty"),
        (b"\xef\xbb\xbf", "line 1: the document is empty"),
        (b"company: a\nx: \xff\xfe", "line 2: byte 15 is not UTF-8"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "line 1: byte 1 is not UTF-8"),
        (b"\x00\x01\x02\x03", "line 1: the file is binary"),
        (b"company: a\n\x00", "line 2: the file is binary"),
        (b"\x1f\x8b\x08\x00", "line 1: byte 2 is not UTF-8"),
        ("company: ä".encode("utf-16"), "line 1: byte 1 is not UTF-8"),
        (b"x" * (LARGEST + 1), "a policy has at most"),
        (BOMB.encode(), "aliases (*name) repeat too much"),
        (MERGE_BOMB.encode(), "aliases (*name) repeat too much"),
        (b"a: &a [*a]", "an alias (*name) stands inside of what it names"),
        (b"a: &a {b: *a}", "an alias (*name) stands inside of what it names"),
        (b"a: " + b"[" * 50_000, "nested far too deeply"),
        (b"a: " + b"[" * 500 + b"]" * 500, "nested far too deeply"),
        (b"- " * 5_000 + b"x", "nested far too deeply"),
        (b"a: " + b"{a: " * 5_000, "nested far too deeply"),
        (b"a: b: c", "line 1, column 5: not readable as YAML"),
        (b"company: 'open", "not readable as YAML"),
        (b"? [a, b]\n: c", "line 1"),
        (b"company: \"\\0\"", "line 1: the text has a character that cannot be stored"),
        (b"x: y\ncompany: \"\\ud800\"", "line 2: the text has a character that cannot be stored"),
        (b"--- a\n--- b\n", "expected a single document"),
        (b"{}", "company: is missing"),
    ],
    ids=lambda value: repr(value[:20]) if isinstance(value, bytes) else None,
)  # fmt: skip
def test_it_says_in_one_clear_line_what_a_file_is_instead(raw: bytes, words: str) -> None:
    begun = time.perf_counter()
    with pytest.raises(PolicyError) as refused:
        parse_policy(decoded(raw))
    first = refused.value.mistakes[0]
    assert words in first
    assert re.match(r"line \d+", first)
    assert "\n" not in first
    assert len(first) < 300
    assert time.perf_counter() - begun < 5


def test_it_takes_what_editors_of_other_systems_write(sample: str) -> None:
    plain = parse_policy(sample)
    windows = parse_policy(decoded(b"\xef\xbb\xbf" + sample.replace("\n", "\r\n").encode()))
    assert windows == plain


def test_it_lets_anchors_be_used_as_people_use_them(sample: str) -> None:
    text = sample.replace('mon: ["08:00-17:00"]', 'mon: &day ["08:00-17:00"]')
    text = text.replace('tue: ["08:00-17:00"]', "tue: *day").replace('wed: ["08:00-17:00"]', "wed: *day")
    assert parse_policy(text) == parse_policy(sample)


def test_it_names_the_line_of_a_key_wherever_it_is(sample: str) -> None:
    document = read_document(sample)
    lines = sample.splitlines()
    for place in (
        ("company",),
        ("tiers", "select", "targets", 1),
        ("escalations", "support", "steps", 2),
        ("customers", "harbor", "contacts", 0, "phone"),
    ):
        line = lines[document.line_of(place) - 1]
        assert str(place[-1]) in line or (place[-1] == 2 and "everyone" in line)
    assert document.line_of(("nothing", "here")) == 1
    assert document.line_of(("lines", "support", "nothing")) == document.line_of(("lines", "support"))


# What the sample says -> what it says instead, the key that is named, and words of the explanation.
WRONG: dict[str, tuple[str, str, str, str]] = {
    "a date that does not exist": (
        "{tier: elite}", "{tier: elite, starts: 2026-02-30}",
        "customers.lakeside.contracts.support.starts", "'2026-02-30'; expected a date that exists",
    ),
    "a holiday that does not exist": (
        "      country: US", "      country: US\n      add: [2026-02-30]",
        "calendars.business.holidays.add.0", "'2026-02-30' is not a date that exists",
    ),
    "a country that does not exist": (
        "country: US", "country: Atlantis", "calendars.business.holidays.country", "Atlantis",
    ),
    "a start of a rotation that does not exist": (
        "start: 2026-01-05", "start: 2026-01-32", "schedules.support.layers.0.start", "2026-01-32",
    ),
    "a rotation with nobody": (
        "members: [dana, luis, priya, sam]", "members: []", "schedules.support.layers.0.members", "is empty",
    ),
    "a schedule without a rotation": (
        "    zone: America/Chicago\n    layers:\n      - name: primary",
        "    zone: America/Chicago\n    layers: []\n    x:\n      - name: primary",
        "schedules.support.x", "is not known here",
    ),
    "a zone of a schedule": (
        "  support:\n    zone: America/Chicago", "  support:\n    zone: America/Chicagoo",
        "schedules.support.zone", "IANA",
    ),
    "an absence that ends before it starts": (
        "        members: [dana, luis, priya, sam]\n",
        ("        members: [dana, luis, priya, sam]\n    absences:\n"
        "      - {person: dana, from: 2026-03-05, to: 2026-03-01}\n"),
        "schedules.support.absences.0.to", "not after",
    ),
    "an absence of nobody we know": (
        "        members: [dana, luis, priya, sam]\n",
        ("        members: [dana, luis, priya, sam]\n    absences:\n"
        "      - {person: dan, from: 2026-03-01, to: 2026-03-05}\n"),
        "schedules.support.absences.0.person", "did you mean 'dana'?",
    ),
    "overlapping windows": (
        'tue: ["08:00-17:00"]', 'tue: ["08:00-17:00", "16:00-18:00"]',
        "calendars.business.hours.tue", "overlap",
    ),
    "a window past midnight that overlaps": (
        'tue: ["08:00-17:00"]', 'tue: ["22:00-09:00"]', "calendars.business.hours.wed", "overlap",
    ),
    "a number to YAML": (
        '"+17135550101"', "+17135550101", "people.dana.phone", "put it in quotes",
    ),
    "a number without its area code": (
        '"+17135550101"', '"555-0101"', "people.dana.phone", "is not a telephone number",
    ),
    "a number with too many digits": (
        '"+17135550101"', '"+171355501011234567"', "people.dana.phone", "is not a telephone number",
    ),
    "a moment that is none": (
        "{ring: next, wait_s: 90}", "{ring: next, at: soon}",
        "escalations.support.steps.1.at", "is 'soon'; expected a share of the time that is left, such as 0.25",
    ),
    "a schedule in the place of a person": (
        "{ring: next, wait_s: 90}", "{ring: consultants}",
        "escalations.support.steps.1.ring", "'consultants' is a schedule; write: ring: on-call, of: consultants",
    ),
    "a schedule that there is not": (
        "{ring: next, wait_s: 90}", "{ring: next, of: consultant}",
        "escalations.support.steps.1.of", "no schedule is called 'consultant'; did you mean 'consultants'?",
    ),
    "an escalation of a priority that there is not": (
        "    escalation: support\n", "    escalation: support\n    escalation_by_priority: {1: urgnt}\n",
        "services.support.escalation_by_priority.1", "no escalation is called 'urgnt'",
    ),
    "a key with a typing mistake": (
        "ring: next, wait_s: 90", "ring: next, wiat_s: 90",
        "escalations.support.steps.1.wiat_s", "did you mean 'wait_s'?; known: ring, of, at, wait_s, everyone_must",
    ),
    "a part with a typing mistake": (
        "escalations:\n", "escalation:\n", "escalation", "did you mean 'escalations'?",
    ),
    "a choice with a typing mistake": (
        "unknown_callers: notify", "unknown_callers: notfy",
        "lines.support.unknown_callers", "did you mean 'notify'?",
    ),
    "a person with a typing mistake": (
        "{ring: next,", "{ring: dna,", "escalations.support.steps.1.ring", "did you mean 'dana'?",
    ),
    "not a number": ("ring_s: 20", "ring_s: soon", "lines.support.ring_s", "expected a whole number"),
    "a number of thousands of digits": (
        "ring_s: 20", "ring_s: " + "9" * 5000, "lines.support.ring_s", "expected a whole number",
    ),
    "too long to ring": ("ring_s: 20", "ring_s: 100000", "lines.support.ring_s", "expected at most 86400"),
    "not yes or no": ("verified: true", "verified: perhaps", "people.dana.verified", "expected true or false"),
    "a mapping where text belongs": (
        "company: SMA Technologies", "company: {a: b}", "company", "is a mapping; expected text",
    ),
    "text where a mapping belongs": (
        "      1: {respond: 1 business day, cover: business hours}", "      1: fast",
        "tiers.classic.targets.1", "expected a mapping with respond, cover",
    ),
    "a list where a mapping belongs": (
        "{ring: on-call, wait_s: 90}", "[on-call]", "escalations.support.steps.0", "is a list; expected a mapping",
    ),
    "nothing where steps belong": (
        "members: [priya, sam]", "members:", "schedules.consultants.layers.0.members", "is empty",
    ),
    "no steps": (
        "      - {ring: on-call, wait_s: 90}\n      - {ring: everyone, wait_s: 90}\n", "      []\n",
        "escalations.managed-services.steps", "at least one entry",
    ),
    "a key that no column can hold": (
        "  prairie:\n", f"  {'p' * 41}:\n", f"customers.{'p' * 41}", "has a key of 41 characters",
    ),
    "a name that no column can hold": (
        "name: Prairie Mutual", f"name: {'P' * 201}", "customers.prairie.name", "has 201 characters",
    ),
    "a name of spaces": ("name: Prairie Mutual", "name: '   '", "customers.prairie.name", "not spaces alone"),
    "two contacts with one name": (
        '      - {name: Tom Becker,', '      - {name: Tom Becker}\n      - {name: Tom Becker,',
        "customers.prairie.contacts.1.name", "two contacts",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_it_names_the_line_and_the_key_in_words_that_people_understand(sample: str, name: str) -> None:
    right, wrong, key, words = WRONG[name]
    assert right in sample
    text = sample.replace(right, wrong, 1)
    with pytest.raises(PolicyError) as refused:
        parse_policy(text)
    found = [re.fullmatch(r"line (\d+), ([^:]+): (.+)", line) for line in refused.value.mistakes]
    assert all(found), refused.value.mistakes
    named = [match for match in found if match and match[2].startswith(key) and words in match[3]]
    assert named, refused.value.mistakes
    assert not any("Input should" in line or "permitted" in line for line in refused.value.mistakes)
    # The line is that of the wrong text, or of the part that it is in.
    at = sample[: sample.index(right)].count("\n") + 1
    assert at - 1 <= int(named[0][1]) <= at + wrong.count("\n") + 1
