"""A call's first step is cached for a minute: it must not depend on the second."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.callers import Caller
from intake.phone import known, script
from intake.phone.calls import _first_answer
from intake.phone.flow import step
from intake.phone.states import Event, State
from routing.policies import CurrentPolicy, parse_policy
from tests.intake.conftest import SAMPLE

POLICY = parse_policy(SAMPLE.read_text())
CURRENT = CurrentPolicy(1, POLICY)
# A week around the end of summer time, with an opening, a closing and a midnight in it.
MINUTES = st.integers(0, 7 * 24 * 60).map(
    lambda minutes: datetime(2026, 10, 29, tzinfo=UTC) + timedelta(minutes=minutes)
)
CALLERS = st.sampled_from(
    [
        Caller(),
        Caller(1, "Lakeside Credit Union", 1, "number", "elite"),
        Caller(2, "Prairie Mutual", 2, "number", "classic"),
        Caller(3, "Bluebonnet Health", 3, "number", "managed-services", "beforehand"),
        Caller(4, "Great Basin Power", 4, "number", "managed-services", "never"),
        Caller(5, "Nobody's", 5, "number", None),
    ]
)


@given(MINUTES, st.integers(1, 59_999), CALLERS, st.sampled_from(sorted(POLICY.lines)))
def test_it_is_the_same_for_every_instant_of_a_minute(
    minute: datetime, milliseconds: int, caller: Caller, line: str
) -> None:
    later = minute + timedelta(milliseconds=milliseconds)
    facts = known.first_facts(lambda *_: [], POLICY, line, caller, "+17135550101", later)
    answer = _first_answer(CURRENT, line, caller, minute)
    assert answer.step == step(State.NEW, Event.CALLED, facts)
    if answer.document is None:
        assert answer.step.next is State.HUNT  # its document names the call
    else:
        assert answer.document == script.document(answer.step, POLICY.lines[line], "CA1", 1, answer.hunted)


@pytest.mark.parametrize("windows", ["08:00:30-17:00", "08:00-17:00:01"])
def test_it_relies_on_hours_that_begin_and_end_at_whole_minutes(windows: str) -> None:
    document = SAMPLE.read_text().replace('mon: ["08:00-17:00"]', f'mon: ["{windows}"]')
    with pytest.raises(Exception, match="calendars"):
        parse_policy(document)
