"""Unknown and withheld callers: asked for the support ID three times at most, then taken to voicemail."""

from __future__ import annotations

import pytest

from tests.house import House
from tests.stories.people import DANA, STRANGER, SUPPORT, agreement

WITHHELD = "+266696687"  # what a keypad makes of ANONYMOUS


def test_it_recognises_a_stranger_by_the_support_id(house: House) -> None:
    caller = house.call(STRANGER).hears("enter your support I D")
    caller.presses("4471#").hears("Your Elite agreement", "press 1").presses("1").hears(
        "within 1 hour"
    ).leaves()
    house.fast_forward(10)
    assert house.case.verified
    assert house.case.from_number == STRANGER
    assert "known-by-support-id" in house.reasons
    assert house.shown()["customer"] == "Lakeside Credit Union"
    assert house.rung == {DANA: 1}


def test_it_forgives_a_wrong_support_id(house: House) -> None:
    caller = (
        house.call(STRANGER)
        .presses("9999#")
        .hears("not a support I D that we know", "enter your support I D")
    )
    caller.presses("4472#").hears("Your Classic agreement covers our business hours")
    caller.presses("1").leaves()
    assert house.case.verified
    assert house.decision.outcome == "wait"


def test_it_tells_the_on_call_engineer_quietly_after_three_wrong_support_ids(house: House) -> None:
    caller = house.call(STRANGER).presses("1111#").hears("not a support I D")
    caller.presses("2222#").hears("not a support I D")
    caller.presses("3333#").hears("could not match your call", "quietly", "press 1").does_not_hear(
        "enter your"
    )
    caller.presses("1").does_not_hear("within", "is what calls").leaves()
    house.fast_forward(600)
    assert not house.case.verified
    assert house.case.due_at is None
    assert house.decision.outcome == "notify"
    assert house.reasons == [
        "outside-business-hours", "caller-unknown", "priority-chosen", "voicemail-left", "unknown-caller-notify",
    ]  # fmt: skip
    assert house.rung == {}
    assert house.texted == {DANA: 1}
    assert "nobody is rung: case 1001" in house.texts(DANA)[0]
    assert "(917) 555-0100" in house.texts(DANA)[0]


def test_it_lets_a_caller_skip_the_support_id(house: House) -> None:
    caller = (
        house.call(STRANGER)
        .presses("#")
        .hears("could not match your call")
        .does_not_hear("not a support I D")
    )
    caller.presses("2").leaves()
    assert house.case.priority == 2
    assert not house.case.verified


def test_it_goes_on_when_no_support_id_is_entered(house: House) -> None:
    caller = house.call(STRANGER).waits().hears("enter your support I D").waits().waits()
    caller.hears("could not match your call").presses("3").leaves()
    assert house.decision.outcome == "notify"


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("policy", "told", "outcome", "rung", "texts"),
    [
        ("page", "our on-call engineer will be called", "page", {DANA: 1}, 1),
        ("hold", "we listen to it when we open at 8 AM today", "wait", {}, 0),
    ],
)
def test_it_does_with_unknown_callers_what_the_line_says(
    house: House, policy: str, told: str, outcome: str, rung: dict[str, int], texts: int
) -> None:
    house.apply(agreement(("unknown_callers: notify", f"unknown_callers: {policy}")))
    caller = house.call(STRANGER).presses("#").hears(told).presses("1").leaves()
    house.fast_forward(10)
    assert caller.is_over
    assert house.decision.outcome == outcome
    assert house.reasons[-1] == f"unknown-caller-{policy}"
    assert house.rung == rung
    assert len(house.texts(DANA)) == texts


def test_it_never_takes_a_withheld_number_for_an_identity(house: House) -> None:
    caller = house.call(WITHHELD).hears("enter your support I D").presses("4471#").presses("1")
    caller.says().presses("#").presses("1").hears("Please enter the number where we can call you back")
    caller.presses("5125550199#").hears("case number is 1 0 0 1")
    assert house.case.from_number is None
    assert house.case.callable_number == "+15125550199"
    # The next withheld caller is somebody else.
    house.fast_forward(60)
    house.call(WITHHELD).hears("enter your support I D").does_not_hear("Your case")


def test_it_says_that_the_number_was_withheld(house: House) -> None:
    house.voicemail_from("anonymous", SUPPORT, keys="#1")
    house.fast_forward(10)
    assert house.case.callable_number is None
    assert "number withheld" in house.texts(DANA)[0]


def test_it_does_not_recognise_a_number_that_two_customers_share(house: House) -> None:
    house.apply(agreement(("+13125550177", "+15125550142")))
    house.call("+15125550142").hears("enter your support I D").presses("4472#").hears(
        "Your Classic agreement"
    )
