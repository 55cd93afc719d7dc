"""The night call: a covered customer leaves a voicemail, and the engineer is rung until a key is pressed."""

from __future__ import annotations

from simulator.phones import Answers
from tests.house import House
from tests.stories.people import DANA, LUIS, MARIA, SUPPORT


def test_it_rings_the_engineer_when_a_covered_customer_leaves_a_voicemail(house: House) -> None:
    house.phone(DANA).behave(Answers(4, presses="1"))
    caller = house.call(MARIA, SUPPORT)
    caller.hears("We are closed now", "Elite", "priority 1 and priority 2", "press 1")
    caller.presses("1").hears("Your voicemail is what calls our on-call engineer", "within 1 hour")
    assert house.cases == []
    caller.leaves()
    house.fast_forward(40)

    case = house.case
    assert case.id == 1001
    assert case.priority == 1
    assert case.engineer == "dana"
    assert case.responded_at is None, "an accepted page is no response"
    assert house.rings(DANA) == 1
    assert house.rings(LUIS) == 0
    assert "Lakeside Credit Union" in house.phone(DANA).heard_text
    (text,) = house.texts(DANA)
    assert "ACK 1001" in text
    assert "(512) 555-0142" in text
    shown = house.shown()
    assert shown["decision"]["outcome"] == "page"
    assert shown["voicemails"][0]["stored"]
