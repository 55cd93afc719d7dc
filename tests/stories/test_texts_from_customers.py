"""What customers write: words for their open case or a new one, that wake nobody; keywords are the carrier's."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from core.models import Message
from routing.notices.models import NumberFact
from tests.house import House
from tests.stories.people import DANA, DAY, MANAGED, MARIA, NIGHT, STRANGER, SUPPORT, TOM


def words(house: House) -> list[tuple[int, str]]:
    """What came by text, and for which case."""
    rows = house.sql(sa.select(Message).where(Message.channel == "sms").order_by(Message.id))
    return [(row.case_id, row.body) for row in rows]


@pytest.fixture
def night(house: House) -> House:
    """Maria's case is open, Dana has it, and Maria has been told."""
    house.voicemail_from(MARIA)
    house.text(DANA, "ACK 1001")
    house.fast_forward(10)
    return house


def test_it_adds_a_reply_to_the_case_and_tells_who_has_it(night: House) -> None:
    before = len(night.texts(DANA))
    answer = night.text(MARIA, "It is the payroll job.")
    assert answer == (
        "Added to case 1001. A text wakes nobody: if it is urgent, call (877) 363-2305 and leave a voicemail."
    )
    assert words(night) == [(1001, "It is the payroll job.")]
    assert len(night.texts(DANA)) == before + 1
    assert "called again about case 1001" in night.texts(DANA)[-1]
    assert night.case.responded_at is None, "the customer's own words stop no clock"


def test_it_answers_and_tells_once_however_much_is_written(night: House) -> None:
    """A telephone that answers by itself must not begin a conversation with us."""
    before = len(night.texts(DANA))
    assert night.text(MARIA, "I am driving.") != ""
    for _ in range(5):
        assert night.text(MARIA, "I am driving.") == ""
    assert len(words(night)) == 6
    assert len(night.texts(DANA)) == before + 1


def test_it_knows_the_case_by_the_number_that_was_told_of_it(house: House) -> None:
    caller = house.call(MARIA).presses("1").says().presses("#").presses("1")
    caller.presses("5125550199#").hears("case number")
    house.fast_forward(30)
    assert "Added to case 1001" in house.text("+15125550199", "This is my mobile.")


def test_it_takes_the_case_that_is_named(house: House) -> None:
    house.voicemail_from(MARIA)
    house.fast_forward(10)
    house.call(MARIA).presses("2").presses("1").leaves()
    house.fast_forward(10)
    assert len(house.cases) == 2
    assert "case 1001" in house.text(MARIA, "About 1001: still down")
    assert "case 1002" in house.text(MARIA, "and the other one, too")
    assert [number for number, _ in words(house)] == [1001, 1002]


def test_it_opens_a_quiet_case_for_a_customer_who_writes_at_night(house: House) -> None:
    answer = house.text(MARIA, "Production is down!!")
    assert answer == (
        "Case 1001 is open. We respond by 11 AM CST. A text wakes nobody: if it is urgent, call (877) 363-2305 "
        "and leave a voicemail."
    )
    house.fast_forward(600)
    assert house.rung == {}
    assert house.texted == {}
    assert house.decision.outcome == "wait"
    assert house.reasons == ["outside-business-hours", "known-by-number", "text-waits", "target"]
    assert (house.case.channel, house.case.priority, house.case.contact_at) == ("sms", 3, NIGHT)
    assert house.case.title == "Text from Lakeside Credit Union"
    assert len(house.texts(MARIA)) == 1, "the answer is the receipt"


def test_it_tells_the_on_call_engineer_of_a_text_in_business_hours(house: House) -> None:
    house.it_becomes(DAY)
    house.text(TOM, "How do I ...")
    house.fast_forward(10)
    assert house.decision.outcome == "notify"
    assert house.texted == {DANA: 1}
    assert house.rung == {}


def test_it_takes_a_strangers_text_as_unverified(house: House) -> None:
    answer = house.text(STRANGER, "Hello?", MANAGED)
    assert "Its case number is 1001" in answer
    assert "respond" not in answer
    assert not house.case.verified
    assert house.case.service == "managed-services"


def test_it_tells_who_has_a_case_that_came_by_text_once_it_is_called_in(house: House) -> None:
    house.text(MARIA, "Something is odd.")
    house.call(MARIA).hears("Your case 1 0 0 1 is open").presses("1").leaves()
    house.fast_forward(10)
    assert len(house.cases) == 1


@pytest.mark.parametrize("word", ["STOP", " stop ", "Unsubscribe", "QUIT"])
def test_it_leaves_keywords_to_the_carrier_and_remembers_a_stop(house: House, word: str) -> None:
    assert house.text(MARIA, word) == ""
    assert house.cases == []
    (fact,) = house.sql(sa.select(NumberFact))
    assert (fact.number, fact.no_text_reason) == (MARIA, "asked us to stop")
    house.voicemail_from(MARIA)
    house.fast_forward(30)
    assert house.texts(MARIA) == []


def test_it_texts_again_after_a_start(house: House) -> None:
    house.text(MARIA, "STOP")
    assert house.text(MARIA, "yes") == ""
    assert house.sql(sa.select(NumberFact)) == []
    house.voicemail_from(MARIA)
    house.fast_forward(10)
    assert len(house.texts(MARIA)) == 1


@pytest.mark.both_databases
def test_it_knows_a_yes_that_is_an_answer(night: House) -> None:
    assert "Added to case 1001" in night.text(MARIA, "yes")


def test_it_answers_no_help_of_the_carriers(house: House) -> None:
    assert house.text(MARIA, "HELP") == ""
    assert house.text(DANA, "help") == ""
    assert house.cases == []
    assert len(house.events("sms.keyword")) == 2


@pytest.mark.both_databases
def test_it_goes_by_the_carriers_own_word_for_a_keyword(house: House) -> None:
    house.post(
        "/twilio/sms", MessageSid="SM" + "1" * 32, From=MARIA, To=SUPPORT, Body="arret", OptOutType="STOP"
    )
    assert len(house.sql(sa.select(NumberFact))) == 1


def test_it_loses_no_text_while_the_database_is_down(house: House) -> None:
    house.context.policies.current()
    with house.database_down():
        assert house.text(MARIA, "Something is odd.") == ""
    house.fast_forward(60)
    assert words(house) == [(1001, "Something is odd.")]
    assert house.case.contact_at == NIGHT
    (told,) = house.texts(MARIA)
    assert "case 1001 is open. We respond by 11 AM CST." in told


def test_it_keeps_where_the_pictures_are(house: House) -> None:
    media = ("https://api.twilio.com/media/1",)
    house.company.desk.receive(MARIA, SUPPORT, "", media)
    house.fast_forward(5)
    assert words(house) == [(1001, media[0])]


@pytest.mark.both_databases
def test_it_ignores_what_comes_from_no_number_or_to_no_line(house: House) -> None:
    for number, to in (("12345", SUPPORT), (MARIA, "+15125550000")):
        house.post("/twilio/sms", MessageSid="SM" + to[-1] * 32, From=number, To=to, Body="hi")
    assert house.cases == []
    assert len(house.events("sms.ignored")) == 2
