"""Changes of the day on top of the policy's schedules: pure composition, and rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.oncall import (
    Absence,
    Override,
    Schedule,
    Swap,
    Turn,
    compose,
    gaps,
    kind_of,
    on_call,
    order,
    read_change,
    shifts,
    span_of,
    write_change,
)
from routing.rosters import changes
from routing.rosters.changes import UnknownName
from routing.rosters.models import ScheduleChange
from tests.routing.rosters.rota import CENTRAL, NOW, SAMPLE, Rota

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PEOPLE = ["dana", "luis", "priya", "sam"]
# Around the nights on which clocks change.
ZONES = [
    ("America/Chicago", datetime(2026, 3, 7, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 24, tzinfo=UTC)),
]


def document(zone: str, **lists: list[Any]) -> dict[str, Any]:
    layer = {"rotation": "daily", "handover": "02:30", "start": "2026-01-05", "members": PEOPLE[:3]}
    nights = layer | {"name": "nights", "members": PEOPLE[1:], "hours": {"sat-sun": "22:00-04:00"}}
    return {"zone": zone, "layers": [layer, nights], **lists}


@st.composite
def periods(draw: st.DrawFn) -> tuple[int, int]:
    start = draw(st.integers(0, 90))
    return start, start + draw(st.integers(1, 40))


people = st.sampled_from(PEOPLE)
kinds = st.one_of(
    st.tuples(st.just("absences"), people, people, periods(), periods()),
    st.tuples(
        st.just("overrides"), st.one_of(people, st.none()), st.one_of(people, st.none()), periods(), periods()
    ),
    st.tuples(st.just("swaps"), people, people, periods(), periods()).filter(lambda each: each[1] != each[2]),
)


def entry(found: Any, origin: datetime) -> dict[str, Any]:
    """A change as a document has it."""
    kind, one, other, first, second = found
    at = [{"from": origin + start * HOUR, "to": origin + end * HOUR} for start, end in (first, second)]
    if kind == "absences":
        return {"person": one, **at[0]}
    if kind == "overrides":
        return {"person": one, "instead_of": other, **at[0]}
    return {one: at[0], other: at[1]}


@given(st.sampled_from(ZONES), st.lists(kinds, max_size=6))
def test_it_composes_what_the_document_with_the_same_changes_says(
    where: tuple[str, datetime], found: list[Any]
) -> None:
    zone, origin = where
    lists: dict[str, list[Any]] = {"absences": [], "overrides": [], "swaps": []}
    for each in found:
        lists[each[0]].append(entry(each, origin))
    whole = Schedule.from_dict(document(zone, **lists))
    added = [read_change(each[0][:-1], entry(each, origin), ZoneInfo(zone)) for each in found]
    stored = [
        read_change(kind_of(each), write_change(each, ZoneInfo(zone)), ZoneInfo("UTC")) for each in added
    ]
    composed = compose(Schedule.from_dict(document(zone)), stored)
    end = origin + 6 * DAY
    assert stored == added
    assert shifts(composed, origin, end) == shifts(whole, origin, end)
    assert gaps(composed, origin, end) == gaps(whole, origin, end)
    for hour in range(0, 130, 7):
        assert order(composed, origin + hour * HOUR) == order(whole, origin + hour * HOUR)


def test_it_leaves_a_schedule_without_changes_as_it_is() -> None:
    plain = Schedule.from_dict(document("America/Chicago"))
    assert compose(plain, []) is plain
    assert compose(plain, [Absence("somebody else", NOW, NOW + DAY)]) is plain


def test_it_knows_what_a_swap_touches() -> None:
    swap = Swap(Turn("dana", NOW + DAY, NOW + 2 * DAY), Turn("sam", NOW, NOW + HOUR))
    assert span_of(swap) == (NOW, NOW + 2 * DAY)


# Rows


def add(rota: Rota, change: Any, schedule: str | None = None) -> ScheduleChange:
    with rota.writing() as session:
        return changes.add_change(
            session, rota.policy, change, schedule, source="cli", by="an admin", now=rota.clock.now()
        )


def test_it_puts_an_absence_into_all_schedules_and_an_override_into_one(rota: Rota) -> None:
    add(rota, Absence("sam", NOW, NOW + DAY))
    add(rota, Override(NOW + DAY, NOW + 2 * DAY, None, "luis"), "consultants")
    assert on_call(rota.schedule(), NOW) == ("dana",)
    assert on_call(rota.schedule("consultants"), NOW) == ("priya",)
    assert on_call(rota.schedule("consultants"), NOW + DAY) == ("luis",)
    assert on_call(rota.schedule(), NOW + DAY) != ("luis",)


def test_it_records_who_changed_what(rota: Rota) -> None:
    row = add(rota, Override(NOW, NOW + DAY, "sam", "dana"), "support")
    (event,) = rota.events("oncall.changed")
    assert (event.person, event.data["change"], event.data["by"]) == ("dana", row.id, "an admin")
    assert (row.kind, row.schedule, row.created_by, row.data["instead_of"]) == (
        "override",
        "support",
        "an admin",
        "sam",
    )


def test_it_does_not_load_what_has_ended_or_was_withdrawn(rota: Rota) -> None:
    row = add(rota, Absence("sam", NOW, NOW + DAY))
    rota.clock.instant = NOW + DAY
    assert rota.schedule().absences == ()
    rota.clock.instant = NOW
    assert len(rota.schedule().absences) == 1
    with rota.writing() as session:
        assert changes.withdraw(session, row.id, NOW, "an admin") is not None
        assert changes.withdraw(session, row.id, NOW, "an admin") is None
    assert rota.schedule().absences == ()
    assert len(rota.events("oncall.withdrawn")) == 1


@pytest.mark.parametrize(
    ("change", "schedule", "said"),
    [
        (Absence("bob", NOW, NOW + DAY), None, "no person is called 'bob'; known: dana, luis, priya, sam"),
        (Override(NOW, NOW + DAY, "bob", "sam"), "support", "no person is called 'bob'"),
        (
            Override(NOW, NOW + DAY, None, "sam"),
            "night",
            "no schedule is called 'night'; known: consultants, support",
        ),
        (
            Swap(Turn("sam", NOW, NOW + DAY), Turn("bob", NOW, NOW + DAY)),
            "support",
            "no person is called 'bob'",
        ),
    ],
)
def test_it_refuses_names_that_the_policy_does_not_have(
    rota: Rota, change: Any, schedule: str | None, said: str
) -> None:
    with pytest.raises(UnknownName, match=said):
        add(rota, change, schedule)
    assert rota.rows() == []


def test_it_leaves_out_changes_of_people_who_have_left_since(rota: Rota) -> None:
    add(rota, Override(NOW, NOW + DAY, None, "luis"), "support")
    assert on_call(rota.schedule(), NOW) == ("luis",)
    without = SAMPLE.read_text().replace("[dana, luis, priya, sam]", "[dana, priya, sam]")
    rota.apply("\n".join(line for line in without.splitlines() if not line.startswith("  luis:")))
    assert on_call(rota.schedule(), NOW) != ("luis",)


def test_it_still_knows_who_is_on_call_when_a_row_cannot_be_read(rota: Rota) -> None:
    add(rota, Absence("sam", NOW, NOW + DAY))
    with rota.writing() as session:
        session.add(
            ScheduleChange(
                schedule="support", kind="future", data={"a": 1}, from_at=NOW, to_at=NOW + DAY, person=None,
                source="cli", created_at=NOW, created_by="a later release",
            )
        )  # fmt: skip
    assert on_call(rota.schedule(), NOW) == ("dana",)


def test_it_replaces_what_a_source_said_before_and_keeps_what_is_the_same(rota: Rota) -> None:
    one, two, three = (Absence("sam", NOW + day * DAY, NOW + (day + 1) * DAY) for day in (2, 4, 6))

    def replace(*absences: Absence) -> tuple[int, int]:
        with rota.writing() as session:
            return changes.replace_absences(
                session, rota.policy, "sam", absences, source="ics:1", by="x", now=rota.clock.now()
            )

    by_hand = add(rota, two)
    assert replace(one, two) == (2, 0)
    assert replace(two, three) == (1, 1)
    assert replace(two, three) == (0, 0)
    assert len(rota.events("oncall.imported")) == 2
    in_force = [row for row in rota.rows() if row.withdrawn_at is None]
    assert [row.from_at for row in in_force] == [two.start, two.start, three.start]
    assert by_hand.id in {row.id for row in in_force}


def test_it_takes_times_in_the_zone_of_whoever_is_away(rota: Rota) -> None:
    assert changes.zone_of(rota.policy, "support") == CENTRAL
    berlin = (
        SAMPLE.read_text()
        .replace("      - name: consultants\n", "      - name: consultants\n        zone: Europe/Berlin\n")
        .replace("members: [dana, luis, priya, sam]", "members: [dana, luis]")
    )
    rota.apply(berlin)
    assert changes.zone_of(rota.policy, None, "sam").key == "Europe/Berlin"
    assert changes.zone_of(rota.policy, None, "dana").key == "America/Chicago"
    assert changes.zone_of(rota.policy, None, "nobody").key == "America/Chicago"
