"""A caller hangs up, wherever the call stands: a message that was left becomes a case, silence a near miss."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from intake.phone.states import State
from simulator.calls import Call
from tests.house import House
from tests.stories.disorder import disorder, late
from tests.stories.people import DANA, DAY, MANAGED, MARIA, PRIYA, STRANGER, SUPPORT


def _new(house: House) -> Call:
    """The line's answer is still on its way."""
    house.company.disturb = disorder(late("voice", 5))
    call = house.company.dial(MARIA, SUPPORT)
    house.fast_forward(2)
    return call


def _hunt(house: House) -> Call:
    house.it_becomes(DAY)
    call = house.company.dial(MARIA, SUPPORT)
    house.until(lambda: house.phone(PRIYA).ringing)
    return call


def _open_case(house: House) -> Call:
    house.voicemail_from(MARIA)
    house.picks_up(DANA).presses("1").hangs_up()
    return house.call(MARIA).hears("Your case 1 0 0 1").call


def _to(number: str, line: str = SUPPORT, keys: str = "") -> Callable[[House], Call]:
    def go(house: House) -> Call:
        caller = house.call(number, line)
        for key in keys:
            caller.presses(key)
        return caller.call

    return go


def _after_a_message(*keys: str) -> Callable[[House], Call]:
    def go(house: House) -> Call:
        caller = house.call(MARIA).presses("1").says()
        for key in keys:
            caller.presses(key)
        return caller.call

    return go


def _ended(house: House) -> Call:
    """The case number is being read out."""
    call = _after_a_message("#", "1")(house)
    call.press("#")
    house.fast_forward(3)
    assert not call.ended
    return call


# State -> how a call gets there, and how many cases, near misses and rings a hang-up there comes to.
HANG_UPS: dict[State, tuple[Callable[[House], Call], int, int, int]] = {
    State.NEW: (_new, 0, 1, 0),
    State.HUNT: (_hunt, 0, 1, 0),
    State.SUPPORT_ID: (_to(STRANGER), 0, 1, 0),
    State.OPEN_CASE: (_open_case, 1, 1, 1),
    State.PRIORITY: (_to(MARIA), 0, 1, 0),
    State.CONSENT: (_to(MARIA, MANAGED), 0, 1, 0),
    State.RECORDING: (_after_a_message(), 1, 0, 1),
    State.REVIEW: (_after_a_message("#"), 1, 0, 1),
    State.CALLBACK: (_after_a_message("#", "1"), 1, 0, 1),
    State.ENDED: (_ended, 1, 0, 1),
}


def test_it_is_told_for_every_state() -> None:
    assert set(HANG_UPS) == set(State)


@pytest.mark.parametrize("state", State)
def test_it_knows_what_a_hang_up_means(house: House, state: State) -> None:
    arrive, cases, near_misses, rings = HANG_UPS[state]
    call = arrive(house)
    if state is not State.NEW:
        assert house.phone_calls[-1].state == state
    call.hang_up()
    house.fast_forward(1300 if state is State.NEW else 25)
    assert call.ended
    assert len(house.cases) == cases
    assert len(house.near_misses) == near_misses
    assert house.rings(DANA) == rings
    assert house.phone_calls[-1].ended_at is not None
    assert house.phone_calls[-1].state == State.ENDED


def test_it_hears_the_keys_of_a_caller_who_hung_up_right_after(house: House) -> None:
    """The key and the hang-up cross: the voicemail is sent once."""
    caller = house.call(MARIA).presses("1").says().presses("#")
    caller.call.press("1")
    caller.hangs_up()
    house.fast_forward(10)
    assert len(house.cases) == 1
    assert house.rung == {DANA: 1}
