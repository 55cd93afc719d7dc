"""The two nights when the clocks change, and the hours around an opening: promises are kept in real hours."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.house import House
from tests.stories.people import CENTRAL, LUIS, MARIA, TOM


def test_it_promises_a_real_hour_when_the_clocks_go_forward(house: House) -> None:
    house.it_becomes(datetime(2026, 3, 8, 1, 30, tzinfo=CENTRAL))
    house.call(MARIA).presses("1").says().presses("#").presses("1").presses("1").hears(
        "respond by 3:30 AM today"
    )
    assert house.case.due_at == datetime(2026, 3, 8, 8, 30, tzinfo=UTC)
    assert house.shown()["due_at"] == "Sun 08 Mar 2026, 03:30 CDT"


def test_it_promises_a_real_hour_when_the_clocks_go_back(house: House) -> None:
    house.it_becomes(datetime(2026, 11, 1, 6, 30, tzinfo=UTC))  # 01:30, for the first time
    house.call(MARIA).presses("1").leaves()
    assert house.case.due_at == datetime(2026, 11, 1, 7, 30, tzinfo=UTC)
    assert house.shown()["contact_at"] == "Sun 01 Nov 2026, 01:30 CDT"
    assert house.shown()["due_at"] == "Sun 01 Nov 2026, 01:30 CST"


def test_it_counts_a_business_day_across_the_clock_change(house: House) -> None:
    house.it_becomes(datetime(2026, 3, 6, 18, 0, tzinfo=CENTRAL))
    house.call(TOM).hears("open again Monday at 8 AM").presses("1").hears(
        "respond by Monday at 5 PM"
    ).leaves()
    assert house.case.due_at == datetime(2026, 3, 9, 22, 0, tzinfo=UTC)


def test_it_rings_who_is_on_call_when_the_ringing_begins(house: House) -> None:
    house.it_becomes(datetime(2026, 3, 9, 7, 59, 40, tzinfo=CENTRAL))  # Dana's week ends at eight
    house.call(MARIA).presses("1").leaves()
    house.fast_forward(5)
    assert house.local_time > "08:00:00"
    assert house.reasons[0] == "outside-business-hours", "the call began before the line opened"
    assert house.rung == {LUIS: 1}


def test_it_decides_by_the_calls_start_when_the_line_opens_meanwhile(house: House) -> None:
    house.it_becomes(datetime(2026, 3, 4, 7, 59, 30, tzinfo=CENTRAL))
    caller = (
        house.call(TOM)
        .hears("open again at 8 AM today")
        .presses("1")
        .hears("Nobody is called before we open")
    )
    assert house.local_time > "08:00:00"
    caller.leaves()
    assert house.decision.outcome == "wait"
    assert house.reasons[0] == "outside-business-hours"
