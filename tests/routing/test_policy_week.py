"""Who would be rung before and after: against an oracle that asks the product's own decision minute by minute."""

from __future__ import annotations

import itertools
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing.coverage import ContactFacts, Outcome, decide
from routing.escalation import people_at
from routing.policies import parse_policy
from routing.policy import Policy
from routing.policy_contacts import Contact, Terms, contacts
from routing.policy_week import Side, Stretch, differences, week

CENTRAL = ZoneInfo("America/Chicago")
MINUTE = timedelta(minutes=1)


def changed(text: str, *changes: tuple[str, str]) -> str:
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CENTRAL).astimezone(UTC)


def asked(policy: Policy, contact: Contact, terms: Terms, at: datetime) -> tuple[str, tuple[str, ...]]:
    """The answer at one instant, by the rules as the telephone follows them; nothing is remembered."""
    line = policy.lines.get(contact.line) if contact.line else None
    if contact.service not in policy.services or (contact.line and line is None):
        return "no line", ()
    calendar = policy.calendar_of(contact.service)
    if line is not None and line.team and calendar.is_open(at):
        return "team", tuple(line.team)
    today = at.astimezone(calendar.zone).date()
    ended = (terms.starts and today < terms.starts) or (terms.ends and today > terms.ends)
    facts: ContactFacts = Side(policy, at, at + MINUTE).facts(contact, Terms() if ended else terms, at)
    outcome = decide(facts, policy).outcome
    if outcome is Outcome.WAIT:
        return "nobody", ()
    key = policy.escalation_of(contact.service)
    assert key is not None
    names = tuple(policy.people[k].name for k in people_at(policy, policy.escalations[key], 0, at))
    return ("rung" if outcome is Outcome.PAGE else "texted"), names


def by_the_minute(
    before: Policy, after: Policy, contact: Contact, start: datetime, end: datetime
) -> set[datetime]:
    """The minutes at which two policies answer differently."""
    found, at = set(), start
    while at < end:
        if asked(before, contact, contact.before, at) != asked(after, contact, contact.after, at):
            found.add(at)
        at += MINUTE
    return found


def minutes_of(stretches: list[Stretch]) -> set[datetime]:
    found = set()
    for stretch in stretches:
        at = stretch.start
        while at < stretch.end:
            found.add(at)
            at += MINUTE
    return found


CHANGES: dict[str, tuple[str, str]] = {
    "another order": ("members: [dana, luis, priya, sam]", "members: [luis, sam, dana, priya]"),
    "another handover": ("handover: mon 08:00", "handover: sun 01:30"),
    "daily": ("rotation: weekly\n        handover: mon 08:00", "rotation: daily\n        handover: '02:30'"),
    "hours of the desk": ('wed: ["08:00-17:00"]', 'wed: ["00:30-03:15", "10:00-24:00"]'),
    "no holidays": ("    holidays:\n      country: US\n", ""),
    "a zone": ("    zone: America/Chicago\n    hours", "    zone: Europe/Berlin\n    hours"),
    "24x7": ("1: {respond: 4 business hours, cover: business hours}", "1: {respond: 2 hours, cover: 24x7}"),
    "no longer 24x7": ("2: {respond: 2 hours, cover: 24x7}", "2: {respond: 2 hours, cover: business hours}"),
    "everyone first": ("{ring: on-call, wait_s: 90}", "{ring: everyone, wait_s: 90}"),
    "next first": ("{ring: on-call, wait_s: 90}", "{ring: next, wait_s: 90}"),
    "a person first": ("{ring: on-call, wait_s: 90}", "{ring: sam, wait_s: 90}"),
    "pages strangers": ("unknown_callers: notify", "unknown_callers: page"),
    "no team": ('team: ["+17135550103", "+17135550104"]', "team: []"),
    "a better tier": ("{tier: classic}", "{tier: elite}"),
    "a contract that ends": ("{tier: elite}", "{tier: elite, ends: DAY}"),
    "a contract that starts": ("{tier: elite}", "{tier: elite, starts: DAY}"),
    "charges settled": ("managed-services, monthly_hours: 20", "managed-services, consent: never"),
    "absences": (
        "        members: [dana, luis, priya, sam]\n",
        ("        members: [dana, luis, priya, sam]\n    absences:\n"
        "      - {person: dana, from: DAY 03:17, to: DAY 21:41}\n"
        "      - {person: luis, from: DAY, to: DAY}\n"
        "      - {person: priya, from: DAY 12:00, to: DAY 12:01}\n"),
    ),
    "overrides": (
        "        members: [dana, luis, priya, sam]\n",
        ("        members: [dana, luis, priya, sam]\n    overrides:\n"
        "      - {person: sam, from: DAY 05:13, to: DAY 22:07}\n"
        "      - {person: null, from: DAY 23:00, to: DAY 23:59}\n"
        "      - {person: luis, instead_of: priya, from: DAY 00:01, to: DAY 23:00}\n"),
    ),
    "hours of a rotation": (
        "        start: 2026-01-05\n        members: [dana",
        ("        start: 2026-01-05\n        hours: {mon-fri: '17:00-08:00', sat: '00:00-24:00'}\n"
        "        members: [dana"),
    ),
    "a customer leaves": ("  prairie:\n    name: Prairie Mutual", "  plains:\n    name: Prairie Mutual"),
    "a line goes": ('  managed-services:\n    name: Managed Services\n    number: "+18772745771"',
                    '  consultants:\n    name: Managed Services\n    number: "+18772745771"'),
}  # fmt: skip
PERIODS = {
    "spring": ("2026-03-07T22:00", "2026-03-08"),
    "autumn": ("2026-10-31T23:00", "2026-11-01"),
    "thanksgiving": ("2026-11-25T15:00", "2026-11-26"),
    "christmas": ("2026-12-24T12:00", "2026-12-25"),
}


def edited(sample: str, names: list[str], day: str) -> str | None:
    text = sample
    for name in names:
        old, new = CHANGES[name]
        if old not in text:
            return None
        text = text.replace(old, new.replace("DAY", day), 1)
    return text


@pytest.mark.parametrize("period", PERIODS)
@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(data=st.data())
def test_it_agrees_with_asking_at_every_minute(sample: str, period: str, data: st.DataObject) -> None:
    begins, day = PERIODS[period]
    names = st.lists(st.sampled_from(sorted(CHANGES)), max_size=3, unique=True)
    texts = [edited(sample, data.draw(names), day) for _ in range(2)]
    if None in texts:
        return
    before, after = (parse_policy(text) for text in texts if text)
    start = local(begins) + data.draw(st.integers(0, 90)) * MINUTE
    end = start + timedelta(hours=14)
    sides = Side(before, start, end), Side(after, start, end)
    for contact in data.draw(st.permutations(contacts(before, after)))[:3]:
        stretches = list(differences(contact, *sides))
        assert minutes_of(stretches) == by_the_minute(before, after, contact, start, end)
        for stretch in stretches:
            assert start <= stretch.start < stretch.end <= end
            old, _ = asked(before, contact, contact.before, stretch.start)
            new, _ = asked(after, contact, contact.after, stretch.start)
            assert (stretch.before.how, stretch.after.how) == (old, new)
        for one, other in itertools.pairwise(stretches):
            assert one.end < other.start or (one.before, one.after) != (other.before, other.after)


@pytest.mark.parametrize("name", CHANGES)
def test_it_finds_each_kind_of_change_to_the_minute(sample: str, name: str) -> None:
    """Each change alone, over nights in which the clocks change or a holiday comes."""
    begins, day = list(PERIODS.values())[len(name) % len(PERIODS)]
    text = edited(sample, [name], day)
    assert text is not None
    before, after = parse_policy(sample), parse_policy(text)
    start, end = local(begins), local(begins) + timedelta(hours=14)
    found = dict(week(before, after, start, end))
    for contact in contacts(before, after)[::6]:
        assert minutes_of(found.get(contact, [])) == by_the_minute(before, after, contact, start, end)


def test_it_says_nothing_where_nothing_changes(sample: str) -> None:
    before, after = parse_policy(sample), parse_policy(sample.replace("goodbye: Goodbye.", "goodbye: Bye."))
    assert week(before, after, local("2026-10-28T00:00"), local("2026-11-04T00:00")) == []


def test_it_ends_a_stretch_at_the_minute_of_the_handover_in_the_night_of_the_clock_change(
    sample: str,
) -> None:
    after = parse_policy(changed(sample, ("handover: mon 08:00", "handover: sun 01:30")))
    found = week(parse_policy(sample), after, local("2026-10-31T12:00"), local("2026-11-02T12:00"))
    (elite,) = (s for c, s in found if c.who == "Elite customers" and c.priority == 1)
    # 01:30 comes twice that night: the handover is at the first. On Monday at 08:00 the desk opens.
    assert [(s.start, s.end) for s in elite] == [(local("2026-11-01T01:30"), local("2026-11-02T08:00"))]
    assert [str(s.before) for s in elite] != [str(s.after) for s in elite]


def test_it_names_customers_whose_terms_change_and_the_day_they_end(sample: str) -> None:
    after = parse_policy(changed(sample, ("{tier: elite}", "{tier: elite, ends: 2026-11-27}")))
    found = week(parse_policy(sample), after, local("2026-11-26T00:00"), local("2026-11-30T00:00"))
    assert {contact.who for contact, _ in found} == {"Lakeside Credit Union"}
    urgent = next(s for c, s in found if c.priority == 1)
    assert [(s.start, s.end) for s in urgent] == [(local("2026-11-28T00:00"), local("2026-11-30T00:00"))]
    assert str(urgent[0].before) in ("Priya Natarajan", "Luis Ortega", "Dana Whitfield", "Sam Keller")
    assert str(urgent[0].after).startswith("nobody rung, ")


def test_it_takes_a_week_in_a_fraction_of_its_limit(sample: str) -> None:
    before = parse_policy(sample)
    after = parse_policy(changed(sample, CHANGES["another order"], CHANGES["24x7"]))
    begun = time.perf_counter()
    assert week(before, after, local("2026-10-28T00:00"), local("2026-11-04T00:00"))
    assert time.perf_counter() - begun < 1
