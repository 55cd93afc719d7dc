"""ACK and PASS by text, with and without a case number; texts of strangers change nothing."""

from __future__ import annotations

import pytest

from tests.house import House
from tests.stories.people import DANA, LUIS, MANAGED, MARIA, OMAR, PRIYA, STRANGER, TOM


@pytest.fixture
def night(house: House) -> House:
    """Maria's voicemail rings Dana, who sees the text first."""
    house.voicemail_from(MARIA)
    house.fast_forward(5)
    return house


def test_it_tells_all_that_is_needed(night: House) -> None:
    (text,) = night.texts(DANA)
    for part in ("Priority 1", "case 1001", "Lakeside Credit Union", "Elite", "59 minutes left", "(512) 555-0142",
                 "ACK 1001", "PASS 1001", "https://bell.example/case/"):  # fmt: skip
        assert part in text


@pytest.mark.parametrize("words", ["ack", " Ack #1001. "])
def test_it_accepts_by_text(night: House, words: str) -> None:
    answer = night.text(DANA, words)
    assert answer.startswith("You have case 1001.")
    assert "(512) 555-0142" in answer
    assert night.case.engineer == "dana"
    assert night.phone(DANA).ringing is None, "her phone need not ring on"
    night.fast_forward(600)
    assert night.rung == {DANA: 1}


def test_it_passes_on_by_text(night: House) -> None:
    assert night.text(DANA, "PASS 1001") == "Case 1001 goes to the next engineer."
    night.fast_forward(3)
    assert night.rung == {DANA: 1, LUIS: 1}
    assert night.pages[0].position == 1


def test_it_passes_on_once(night: House) -> None:
    night.text(DANA, "PASS")
    night.text(DANA, "PASS")
    night.fast_forward(3)
    assert night.pages[0].position == 1
    assert night.rings(PRIYA) == 0


def test_it_says_who_has_the_case(night: House) -> None:
    night.text(DANA, "ACK 1001")
    assert night.text(LUIS, "ACK 1001") == "Dana Whitfield already has case 1001."
    assert night.text(DANA, "ACK 1001").startswith("You have case 1001.")
    assert night.case.engineer == "dana"
    assert len(night.events("page.accepted")) == 1


def test_it_lets_an_engineer_accept_who_was_not_rung(night: House) -> None:
    assert night.text(PRIYA, "ack 1001").startswith("You have case 1001.")
    assert night.case.engineer == "priya"


def test_it_knows_no_such_case(night: House) -> None:
    for number in ("4711", "999999999999"):
        assert night.text(DANA, f"ACK {number}") == f"Case {number} is not ringing anybody."
    assert night.case.engineer is None


def test_it_explains_what_can_be_said(night: House) -> None:
    for words in ("what?", ".", "1001", "ACK 1001 and call me"):
        assert night.text(DANA, words).startswith("Reply ACK and the case number")
    assert night.case.engineer is None


def test_it_asks_for_the_number_when_two_cases_ring(house: House) -> None:
    """The second one is more urgent than the first, and so rings by itself."""
    house.voicemail_from(MARIA, keys="2")
    house.voicemail_from(OMAR)
    house.fast_forward(3)
    assert house.text(DANA, "ACK").startswith("Reply ACK and the case number")
    assert house.text(DANA, "ACK 1002").startswith("You have case 1002.")
    assert [case.engineer for case in house.cases] == [None, "dana"]


def test_it_lets_nobody_but_engineers_accept(night: House) -> None:
    """What others write are the words of customers; see test_texts_from_customers."""
    assert "Its case number is 1002" in night.text(STRANGER, "ACK 1001")
    assert "Its case number is 1003" in night.text(TOM, "ACK 1001", MANAGED)
    assert [case.engineer for case in night.cases] == [None, None, None]
    assert night.pages[0].state == "ringing"


def test_it_rings_even_if_the_text_cannot_be_delivered(house: House) -> None:
    house.phone(DANA).sms_status = "undelivered"
    house.voicemail_from(MARIA)
    house.fast_forward(5)
    assert house.rung == {DANA: 1}
    (text,) = house.attempts("sms")
    assert (text.state, text.error) == ("failed", "error 30003")


def test_it_knows_on_the_telephone_what_was_accepted_by_text(night: House) -> None:
    dana = night.picks_up(DANA)
    night.text(DANA, "ACK 1001")
    dana.presses("3").hears("You have case 1 0 0 1", "press 5").does_not_hear("Passed on")
    assert night.events("page.passed") == []
    assert night.case.engineer == "dana"
