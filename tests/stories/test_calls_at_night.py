"""The support line is closed: callers are told what their agreement does for them before they speak."""

from __future__ import annotations

from datetime import datetime

import pytest

from simulator.phones import Answers
from tests.house import House
from tests.stories.people import BELL, CENTRAL, DANA, GRACE, MARIA, NIGHT, OMAR, TOM


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """An hour in the week of the stories."""
    return datetime(2026, 3, day, hour, minute, tzinfo=CENTRAL)


def test_it_takes_an_elite_customer_from_the_greeting_to_the_case_number(house: House) -> None:
    house.phone(DANA).behave(Answers(4, presses="1"))
    caller = house.call(MARIA)
    caller.hears(
        "SMA Technologies support", "Monday to Friday, 8 AM to 5 PM", "open again at 8 AM today",
        "Your Elite agreement covers priority 1 and priority 2 issues around the clock", "press 1", "press 2",
    )  # fmt: skip
    caller.presses("1").hears(
        "Your voicemail is what calls our on-call engineer", "within 1 hour of this call"
    )
    caller.says().presses("#").hears("To send your message, press 1", "again, press 2")
    assert house.cases == []
    caller.presses("1").hears("call you back at 5 1 2 5 5 5 0 1 4 2")
    caller.presses("1").hears("case number is 1 0 0 1", "is being called now", "respond by 3:10 AM today")
    house.until(lambda: caller.is_over)

    assert house.case.priority == 1
    assert house.case.verified
    assert house.case.contact_at == NIGHT
    assert house.case.due_at == at(4, 3, 10)
    assert house.case.callable_number == MARIA
    assert house.decision.outcome == "page"
    assert house.reasons == [
        "outside-business-hours", "known-by-number", "priority-chosen", "voicemail-left", "tier-covers", "target",
    ]  # fmt: skip
    assert house.rung == {DANA: 1}
    assert house.near_misses == []


@pytest.mark.parametrize(
    ("who", "key", "priority", "due_at", "told"),
    [
        (MARIA, "2", 2, at(4, 4, 10), "within 2 hours of this call"),
        (OMAR, "1", 1, at(4, 4, 10), "within 2 hours of this call"),
    ],
    ids=["Elite, 2", "Advantage, 1"],
)
def test_it_rings_for_what_the_tier_covers(
    house: House, who: str, key: str, priority: int, due_at: datetime, told: str
) -> None:
    house.call(who).hears("around the clock").presses(key).hears(told).leaves()
    assert (house.case.priority, house.case.due_at) == (priority, due_at)
    assert house.reasons[-2:] == ["tier-covers", "target"]
    house.fast_forward(10)
    assert house.rung == {DANA: 1}


@pytest.mark.parametrize(
    ("who", "tier", "key", "priority", "due_at", "told"),
    [
        (TOM, "Classic", "1", 1, at(4, 17), "We respond by 5 PM today"),
        (TOM, "Classic", "2", 2, at(5, 17), "We respond by 5 PM tomorrow"),
        (GRACE, "Select", "1", 1, at(4, 12), "We respond by noon today"),
    ],
    ids=["Classic, 1", "Classic, 2", "Select, 1"],
)
def test_it_rings_nobody_for_what_the_tier_does_not_cover_and_says_so_first(
    house: House, who: str, tier: str, key: str, priority: int, due_at: datetime, told: str
) -> None:
    caller = house.call(who)
    caller.hears(f"Your {tier} agreement covers our business hours", "Nobody is called before we open")
    caller.presses(key).hears("Nobody is called before we open", told).does_not_hear("engineer")
    caller.leaves()
    house.fast_forward(3600)
    assert (house.case.priority, house.case.due_at) == (priority, due_at)
    assert house.decision.outcome == "wait"
    assert house.reasons[-2:] == ["tier-does-not-cover", "target"]
    assert house.rung == {}
    assert house.texted == {}
    assert house.pages == []


def test_it_lets_an_elite_customers_small_thing_wait(house: House) -> None:
    house.call(MARIA).presses("3").hears(
        "Nobody is called before we open", "We respond by 11 AM today"
    ).leaves()
    house.fast_forward(600)
    assert house.decision.outcome == "wait"
    assert house.reasons[-2:] == ["tier-does-not-cover", "target"]
    assert house.case.due_at == at(4, 11)
    assert house.rung == {}


def test_it_says_the_choices_three_times_and_then_goes_to_voicemail(house: House) -> None:
    caller = house.call(MARIA)
    caller.presses("7").hears("one of the choices", "press 1")
    caller.presses("0").hears("one of the choices", "press 1")
    caller.presses("*").hears("Your voicemail is what calls our on-call engineer").does_not_hear("press 1")
    caller.leaves()
    house.fast_forward(10)
    assert house.case.priority == 1
    assert "priority-assumed" in house.reasons
    assert house.rung == {DANA: 1}


def test_it_goes_to_voicemail_when_no_key_is_pressed(house: House) -> None:
    caller = house.call(TOM)
    caller.waits().hears("one of the choices").waits().hears("one of the choices")
    caller.waits().hears("Nobody is called before we open").leaves()
    assert house.case.priority == 1
    assert house.decision.outcome == "wait"
    assert "priority-assumed" in house.reasons


def test_it_counts_wrong_keys_and_silence_together_and_forgets_them_at_the_next_question(
    house: House,
) -> None:
    caller = house.call(MARIA).presses("8").waits().presses("2").hears("within 2 hours")
    caller.says().presses("#").presses("9").hears("one of the choices", "To send your message")
    caller.presses("1").hears("call you back")
    assert house.case.priority == 2


def test_it_keeps_the_carriers_verdict_on_the_number(house: House) -> None:
    house.call(MARIA, stir="TN-Validation-Failed-C").presses("1").leaves()
    (call,) = house.phone_calls
    assert call.stir == "TN-Validation-Failed-C"
    assert house.decision.facts["stir"] == "TN-Validation-Failed-C"
    shown = "the signature is wrong: the number may be forged (TN-Validation-Failed-C)"
    assert house.shown()["caller_id"] == shown
    assert house.case.verified, "the verdict is evidence, it decides nothing"


def test_it_says_politely_that_a_number_is_no_line(house: House) -> None:
    house.company.own_number("+18005550100", voice_url=f"{BELL}/twilio/voice")
    caller = house.call(MARIA, "+18005550100")
    house.until(lambda: caller.is_over)
    assert "not in service for support calls" in caller.call.heard_text
    assert house.phone_calls == []
    assert house.cases == []
