"""The table of a page's states: each edge, each way out, and what comes too late."""

from __future__ import annotations

from itertools import product

import pytest

from routing.paging.states import TABLE, PageEvent, PageState, after

RINGING, JOINED, ACKNOWLEDGED, HANDED_ON, CANCELLED = (
    PageState.RINGING, PageState.JOINED, PageState.ACKNOWLEDGED, PageState.HANDED_ON, PageState.CANCELLED,
)  # fmt: skip
EDGES = [
    (RINGING, PageEvent.STEP_TAKEN, RINGING),
    (RINGING, PageEvent.ACKNOWLEDGED_BY_ONE, RINGING),
    (RINGING, PageEvent.ACCEPTED, ACKNOWLEDGED),
    (RINGING, PageEvent.CALLED_OFF, CANCELLED),
    (JOINED, PageEvent.ACCEPTED, ACKNOWLEDGED),
    (JOINED, PageEvent.CALLED_OFF, CANCELLED),
    (JOINED, PageEvent.LEFT_ALONE, RINGING),
    (ACKNOWLEDGED, PageEvent.TAKEN_OVER, ACKNOWLEDGED),
    (ACKNOWLEDGED, PageEvent.LET_GO, HANDED_ON),
]


@pytest.mark.parametrize(("state", "event", "follows"), EDGES)
def test_it_follows_each_edge(state: PageState, event: PageEvent, follows: PageState) -> None:
    assert after(state, event) is follows


def test_it_has_no_edge_but_these() -> None:
    assert set(TABLE) == {(state, event) for state, event, _ in EDGES}
    for state, event in set(product(PageState, PageEvent)) - set(TABLE):
        assert after(state, event) is None, "it came too late, and changes nothing"


def test_every_state_has_an_exit_and_leads_to_an_end() -> None:
    ends = {state for state in PageState if state.is_final}
    assert not {state for state, _ in TABLE} & ends
    for state in set(PageState) - ends:
        reached, before = {state}, set[PageState]()
        while reached != before:
            before = set(reached)
            reached |= {to for (come_from, _), to in TABLE.items() if come_from in before}
        assert reached & ends, f"a page that is {state} would never end"


def test_every_state_is_reached() -> None:
    assert {RINGING, JOINED} | set(TABLE.values()) == set(PageState), "a page begins as one of the first two"
