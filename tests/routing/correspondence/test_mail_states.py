"""The table of an outgoing mail's states: each edge, and a way out of each state."""

from __future__ import annotations

import pytest

from core.state_tables import Unlisted
from routing.correspondence.states import TABLE, MailEvent, MailState, after

S, E = MailState, MailEvent
EDGES = {
    (S.WAITING, E.BEGUN, S.SENDING),
    (S.WAITING, E.REFUSED, S.FAILED),
    (S.WAITING, E.HELD_BACK, S.SUPPRESSED),
    (S.WAITING, E.RETURNED, S.BOUNCED),
    (S.SENDING, E.BEGUN, S.SENDING),
    (S.SENDING, E.TAKEN, S.SENT),
    (S.SENDING, E.PUT_OFF, S.WAITING),
    (S.SENDING, E.REFUSED, S.FAILED),
    (S.SENDING, E.RETURNED, S.BOUNCED),
    (S.SENT, E.RETURNED, S.BOUNCED),
    (S.BOUNCED, E.TAKEN, S.BOUNCED),
    (S.BOUNCED, E.PUT_OFF, S.BOUNCED),
    (S.BOUNCED, E.REFUSED, S.BOUNCED),
    (S.BOUNCED, E.RETURNED, S.BOUNCED),
    (S.FAILED, E.RETURNED, S.FAILED),
}


def test_it_has_the_edges_that_are_tested_and_no_others() -> None:
    assert {(*edge, state) for edge, state in TABLE.items()} == EDGES


@pytest.mark.parametrize("state", MailState)
@pytest.mark.parametrize("event", MailEvent)
def test_it_goes_nowhere_else(state: MailState, event: MailEvent) -> None:
    if (state, event) in TABLE:
        assert after(state, event) is TABLE[state, event]
    else:
        with pytest.raises(Unlisted, match=f"{event} cannot happen to a mail that is {state}"):
            after(state, event)


@pytest.mark.parametrize("state", [state for state in MailState if state.is_under_way])
def test_it_comes_to_an_end_from_wherever_it_is_under_way(state: MailState) -> None:
    ends = {to for (from_, _), to in TABLE.items() if from_ is state and not to.is_under_way}
    assert ends, "whatever is under way can end"
    assert (state, E.BEGUN) in TABLE, "and can be sent"
