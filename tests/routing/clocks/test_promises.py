"""What is promised from a contact on, whatever happens to the case, and that it can be proved again."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.clocks.promise import promise_for
from routing.clocks.proof import CycleRecord, prove, verdict_state
from routing.clocks.states import CycleState
from routing.coverage import ContactFacts, decide
from routing.policies import parse_policy
from routing.policy import Policy
from tests.stories.people import SAMPLE

CENTRAL = ZoneInfo("America/Chicago")
POLICY = parse_policy(SAMPLE.read_text())
HERE = "2026.1"
INSTANTS = st.timedeltas(timedelta(), timedelta(days=730)).map(
    lambda after: datetime(2026, 1, 1, tzinfo=UTC) + after
)
PROMISES = st.sampled_from(
    [(tier.service, key, p) for key, tier in POLICY.tiers.items() for p in (1, 2, 3, 4)]
)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CENTRAL)


VECTORS = [
    # tier, priority, contact, due: each on the clocks of Chicago
    ("elite", 1, "2026-03-04T02:10", "2026-03-04T03:10", "one hour around the clock"),
    ("elite", 1, "2026-03-08T01:30", "2026-03-08T03:30", "over the hour that clocks skip"),
    ("elite", 2, "2026-11-01T00:30", "2026-11-01T01:30", "over the hour that clocks show twice"),
    (
        "elite",
        3,
        "2026-03-06T16:00",
        "2026-03-09T10:00",
        "three business hours, over a weekend of clock change",
    ),
    ("elite", 3, "2026-07-02T16:00", "2026-07-06T10:00", "over Independence Day, observed on a Friday"),
    (
        "elite",
        4,
        "2026-12-24T08:00",
        "2026-12-24T17:00",
        "a business day ends at closing time and stays there",
    ),
    ("elite", 4, "2026-12-24T09:00", "2026-12-28T09:00", "over Christmas and a weekend"),
    ("classic", 1, "2026-03-03T18:00", "2026-03-04T17:00", "a business day from the evening before"),
    ("managed-operations", 3, "2026-03-04T14:00", "2026-03-05T09:00", "four business hours"),
    (
        "managed-operations",
        4,
        "2026-03-03T18:00",
        "2026-03-05T17:00",
        "two business days from Tuesday evening",
    ),
    ("managed-services", 2, "2026-03-03T18:00", "2026-03-05T17:00", "the next priority that has a promise"),
]


@pytest.mark.parametrize(
    ("tier", "priority", "contact", "due"), [vector[:4] for vector in VECTORS], ids=[v[4] for v in VECTORS]
)
def test_it_promises(policy: Policy, tier: str, priority: int, contact: str, due: str) -> None:
    expected = local(due)
    if contact == "2026-11-01T00:30":
        expected = expected.replace(fold=1)  # two hours later, clocks show 01:30 for the second time
    promise = promise_for(policy, policy.tiers[tier].service, tier, priority, local(contact))
    assert promise.due_at == expected.astimezone(UTC)
    assert promise.target == policy.tiers[tier].target(priority).respond


@pytest.mark.parametrize("tier", [None, "gone"])
def test_it_promises_nothing_without_a_tier(policy: Policy, tier: str | None) -> None:
    promise = promise_for(policy, "support", tier, 1, local("2026-03-04T02:10"))
    assert (promise.target, promise.cover, promise.due_at) == ("", None, None)


@given(PROMISES, INSTANTS)
def test_it_promises_what_was_decided(promised: tuple[str, str, int], at: datetime) -> None:
    """The decision record and the record of promises cannot contradict each other."""
    service, tier, priority = promised
    facts = ContactFacts(at=at, channel="mail", service=service, tier=tier, priority=priority, voicemail=True)
    decision = decide(facts, POLICY)
    promise = promise_for(POLICY, service, tier, decision.priority, at)
    assert (promise.target, promise.due_at) == (decision.target, decision.due_at)
    assert promise.calendar_fingerprint == decision.calendar_fingerprint


def stored(
    service: str, tier: str | None, priority: int, at: datetime, answered: datetime | None
) -> CycleRecord:
    """A cycle as it is stored at the end of its story."""
    promise = promise_for(POLICY, service, tier, priority, at)
    late = answered is not None and promise.due_at is not None and answered > promise.due_at
    cycle = CycleRecord(
        CycleState.RUNNING, service, tier, None, priority, at, promise.target, promise.cover,
        promise.due_at, answered,
        promise.due_at if late or answered is None else None, promise.calendar_fingerprint, HERE,
    )  # fmt: skip
    return dataclasses.replace(cycle, state=verdict_state(cycle, at + timedelta(days=40)))


@given(PROMISES, INSTANTS, st.none() | st.timedeltas(timedelta(), timedelta(days=20)))
def test_it_proves_what_it_stored(
    promised: tuple[str, str, int], at: datetime, later: timedelta | None
) -> None:
    cycle = stored(*promised, at, at + later if later is not None else None)
    assert prove(cycle, POLICY, HERE, at + timedelta(days=40)) == []
    assert cycle.state in (CycleState.KEPT, CycleState.LATE, CycleState.OVERDUE)


@given(
    PROMISES, INSTANTS, st.timedeltas(timedelta(), timedelta(days=20)), st.timedeltas(timedelta(seconds=1))
)
def test_it_notices_an_answer_that_was_moved_over_the_line(
    promised: tuple[str, str, int], at: datetime, later: timedelta, moved: timedelta
) -> None:
    cycle = stored(*promised, at, at + later)
    assert cycle.due_at is not None
    other = cycle.due_at if cycle.state is CycleState.LATE else cycle.due_at + min(moved, timedelta(days=9))
    forged = dataclasses.replace(cycle, responded_at=other)
    (why, *_) = prove(forged, POLICY, HERE, at + timedelta(days=40))
    assert why.startswith(f"the state is stored as {cycle.state}, its instants give")


CYCLE = stored("support", "elite", 1, local("2026-03-04T02:10").astimezone(UTC), local("2026-03-04T03:00"))
NOW = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"target": "4 hours"}, "the target is stored as 4 hours, the policy has 1 hour"),
        ({"cover": "business hours"}, "the cover is stored as business hours, the policy has 24x7"),
        ({"calendar_fingerprint": "0" * 16}, "the calendar is stored as 0000000000000000, the policy has"),
        ({"priority": 3}, "the target is stored as 1 hour, the policy has 3 business hours"),
        ({"tier": None}, "the target is stored as 1 hour, the policy has none"),
        ({"started_at": CYCLE.started_at - timedelta(hours=3)}, "due is stored as 2026-03-04 09:10:00 UTC, computed"),
        ({"due_at": None}, "due is stored as none, computed as 2026-03-04 09:10:00 UTC: policy and"),
        ({"state": CycleState.LATE}, "the state is stored as late, its instants give kept"),
        ({"responded_at": None}, "the state is stored as kept, its instants give overdue"),
    ],
)  # fmt: skip
def test_it_names_what_differs(change: dict[str, object], why: str) -> None:
    assert prove(CYCLE, POLICY, HERE, NOW) == []
    changed = dataclasses.replace(CYCLE, **change)  # type: ignore[arg-type]
    assert any(found.startswith(why) for found in prove(changed, POLICY, HERE, NOW))


def test_it_tells_a_promise_that_moved_with_the_time_zones() -> None:
    older = dataclasses.replace(CYCLE, due_at=CYCLE.due_at - timedelta(hours=1), tz_version="2019.3")  # type: ignore[operator]
    found = prove(older, POLICY, HERE, NOW)
    assert any("the time zone database has changed since, from 2019.3 to 2026.1" in why for why in found)
    assert prove(dataclasses.replace(CYCLE, tz_version="2019.3"), POLICY, HERE, NOW) == [], (
        "it gives the same"
    )


def test_it_does_not_compute_an_excuse() -> None:
    excused = dataclasses.replace(CYCLE, state=CycleState.EXCUSED, responded_at=None)
    assert prove(excused, POLICY, HERE, NOW) == []


def test_it_proves_a_cycle_of_an_earlier_release_whose_cover_was_not_kept() -> None:
    assert prove(dataclasses.replace(CYCLE, cover=None), POLICY, HERE, NOW) == []
