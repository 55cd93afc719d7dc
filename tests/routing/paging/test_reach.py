"""Whom a plan reaches: by verified numbers, within the step, each address once at an instant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from routing.paging import reach
from routing.paging.channels import CHANNELS
from routing.paging.reach import LIMIT_WINDOW, Planned, can_be_rung, free_at, is_loud, plan, verified_numbers
from routing.policy_parts import PersonEntry

DANA, HOME = "+17135550101", "+17135550199"
NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
STEP = timedelta(seconds=90)

METHODS = st.one_of(
    st.builds(
        lambda channel, number, verified: {channel: f"+1713555{number:04}", "verified": verified},
        st.sampled_from(["voice", "sms"]), st.integers(100, 103), st.booleans(),
    ),
    st.just({"mail": "dana@nightbell.example"}),
    st.just({"apprise": "ntfy://ntfy.example/dana"}),
    st.just({"webhook": "https://hooks.example/dana", "secret": "s"}),
)  # fmt: skip
RULE = st.builds(
    lambda after, again, times: {"after_s": after, "again_after_s": again, "times": times},
    st.integers(0, 400), st.integers(1, 300), st.integers(1, 5),
)  # fmt: skip


@st.composite
def people(draw: st.DrawFn) -> PersonEntry:
    """Anybody who can be written down."""
    methods = draw(st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), METHODS, max_size=4))
    entry: dict[str, Any] = {
        "name": "Dana",
        "phone": DANA,
        "verified": draw(st.booleans()),
        "methods": methods,
    }
    if draw(st.booleans()):
        entry["email"] = "dana@nightbell.example"
    known = sorted(reach.methods_of(PersonEntry.model_validate(entry)))
    uses = draw(st.lists(st.sampled_from(known), max_size=5))
    entry["rules"] = [{"use": use, **draw(RULE)} for use in uses]
    entry["quiet"] = draw(st.lists(st.sampled_from(known), max_size=2))
    return PersonEntry.model_validate(entry)


WAITS = st.integers(1, 900).map(lambda seconds: timedelta(seconds=seconds))
PURPOSES = st.sampled_from(["page", "loud", "notify", "added"])


@given(people(), PURPOSES, WAITS)
def test_it_calls_and_texts_verified_numbers_only(person: PersonEntry, purpose: str, wait: timedelta) -> None:
    for contact in plan(person, purpose, wait):
        if CHANNELS[contact.channel].needs_verified:
            assert contact.address in verified_numbers(person)


@given(people(), PURPOSES, WAITS, st.booleans())
def test_it_plans_within_the_step_in_order_and_nothing_twice(
    person: PersonEntry, purpose: str, wait: timedelta, even_unverified: bool
) -> None:
    planned = plan(person, purpose, wait, even_unverified=even_unverified)
    assert all(timedelta() <= contact.after < wait for contact in planned)
    assert list(planned) == sorted(planned, key=lambda contact: contact.after)
    assert len({(c.after, c.channel, c.address) for c in planned}) == len(planned)
    assert planned == plan(person, purpose, wait, even_unverified=even_unverified)


@given(people(), st.sampled_from(["notify", "added"]), WAITS)
def test_it_rings_no_phone_for_a_quiet_purpose(person: PersonEntry, purpose: str, wait: timedelta) -> None:
    planned = plan(person, purpose, wait)
    assert not any(CHANNELS[contact.channel].rings for contact in planned)
    assert all(contact.after == timedelta() for contact in planned)


@given(people(), WAITS)
def test_it_rings_whoever_can_be_rung_however_short_the_step_is(person: PersonEntry, wait: timedelta) -> None:
    assume(can_be_rung(person))
    assert is_loud(plan(person, "page", wait))


@given(people(), WAITS)
def test_it_rings_anybody_where_nobody_is_verified(person: PersonEntry, wait: timedelta) -> None:
    assert is_loud(plan(person, "page", wait, even_unverified=True))


@given(people(), WAITS)
def test_it_tells_whoever_cannot_be_rung_by_what_there_is(person: PersonEntry, wait: timedelta) -> None:
    assume(not can_be_rung(person))
    others = [m for m in reach.methods_of(person).values() if not CHANNELS[m.channel].needs_verified]
    assert bool(plan(person, "page", wait)) == bool(others)


@given(people(), WAITS)
def test_a_longer_step_takes_nothing_away(person: PersonEntry, wait: timedelta) -> None:
    shorter, longer = plan(person, "page", wait), plan(person, "page", wait + timedelta(minutes=5))
    starts = [c.after for c in longer if CHANNELS[c.channel].needs_verified]
    assume(not starts or starts[0] < wait)  # else the shorter one is moved to the step's beginning
    assert [c for c in longer if c.after < wait] == list(shorter)


@given(
    st.lists(st.integers(0, 3600).map(lambda s: NOON - timedelta(seconds=s)), max_size=30), st.integers(1, 10)
)
def test_it_never_gives_a_number_more_than_it_may_have(sent: list[datetime], allowed: int) -> None:
    at = free_at(sent, allowed, NOON)
    later = at or NOON
    assert later >= NOON
    assert sum(later - LIMIT_WINDOW < instant for instant in sent) < allowed
    if at is not None:  # and a second earlier it would have been too much
        earlier = at - timedelta(seconds=1)
        assert sum(earlier - LIMIT_WINDOW < instant for instant in sent) >= allowed


def person(**entry: Any) -> PersonEntry:
    return PersonEntry.model_validate({"name": "Dana", **entry})


def told(planned: tuple[Planned, ...]) -> list[tuple[int, str, str, int]]:
    return [(int(c.after.total_seconds()), c.channel, c.method, c.number_of_try) for c in planned]


def test_it_calls_and_texts_the_phone_of_the_short_form() -> None:
    dana = person(phone=DANA, verified=True, email="dana@nightbell.example")
    assert told(plan(dana, "page", STEP)) == [(0, "voice", "phone", 1), (0, "sms", "text", 1)]
    assert told(plan(dana, "page", timedelta(minutes=5))) == [
        (0, "voice", "phone", 1), (0, "sms", "text", 1), (120, "voice", "phone", 2), (240, "voice", "phone", 3),
    ]  # fmt: skip
    assert told(plan(dana, "notify", STEP)) == [(0, "sms", "text", 1)]


def test_it_does_not_ring_again_at_the_very_end_of_the_step() -> None:
    dana = person(phone=DANA, verified=True)
    assert told(plan(dana, "page", timedelta(seconds=120))) == [
        (0, "voice", "phone", 1),
        (0, "sms", "text", 1),
    ]


def test_it_follows_the_persons_rules() -> None:
    dana = person(
        methods={
            "mobile": {"voice": DANA, "verified": True},
            "pager": {"sms": HOME, "verified": True},
            "chat": {"apprise": "ntfy://ntfy.example/dana"},
        },
        rules=[
            {"use": "pager"},
            {"use": "mobile", "after_s": 30, "again_after_s": 60, "times": 3},
            {"use": "chat", "after_s": 10},
        ],
    )
    assert told(plan(dana, "page", timedelta(seconds=150))) == [
        (0, "sms", "pager", 1), (10, "apprise", "chat", 1), (30, "voice", "mobile", 1), (90, "voice", "mobile", 2),
    ]  # fmt: skip
    assert dana.phone == DANA, "so that a text from there is hers"
    assert dana.verified


def test_it_begins_at_once_where_the_step_is_shorter_than_the_first_pause() -> None:
    dana = person(
        phone=DANA, verified=True, rules=[{"use": "phone", "after_s": 120}, {"use": "text", "after_s": 150}]
    )
    assert told(plan(dana, "page", STEP)) == [(0, "voice", "phone", 1), (30, "sms", "text", 1)]


def test_it_takes_a_number_that_is_verified_for_calls_as_verified_for_texts() -> None:
    dana = person(methods={"mobile": {"voice": DANA, "verified": True}, "text": {"sms": DANA}})
    assert told(plan(dana, "page", STEP)) == [(0, "voice", "mobile", 1), (0, "sms", "text", 1)]


def test_it_tells_whoever_has_no_verified_phone_by_mail() -> None:
    dana = person(phone=DANA, email="dana@nightbell.example")
    assert told(plan(dana, "page", STEP)) == [(0, "mail", "email", 1)]
    assert told(plan(dana, "notify", STEP)) == [(0, "mail", "email", 1)]
    assert plan(person(phone=DANA), "page", STEP) == ()


def test_it_sends_quiet_messages_where_the_person_wants_them() -> None:
    dana = person(phone=DANA, verified=True, email="dana@nightbell.example", quiet=["email"])
    assert told(plan(dana, "added", STEP)) == [(0, "mail", "email", 1)]


@pytest.mark.parametrize("number", ["+17135550101", "+17135550199"])
def test_it_knows_whose_verified_number_it_is(number: str, policy: Any) -> None:
    dana = person(phone=DANA, verified=True, methods={"pager": {"sms": HOME, "verified": True}})
    changed = policy.model_copy(update={"people": {"dana": dana}})
    assert reach.owner_of(changed, number) == "dana"
    assert reach.owner_of(changed, "+17135550102") is None
