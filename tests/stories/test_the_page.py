"""The page: only a key press accepts; whatever else happens, somebody else is rung, and it never stops."""

from __future__ import annotations

import pytest

from core.telephony import TelephonyError
from simulator.phones import Answers, Behaviour, Busy, Fails, Mailbox, NeverAnswers, Screening
from tests.house import House
from tests.stories.people import DANA, ENGINEERS, LUIS, MARIA, PRIYA, SAM, agreement


@pytest.fixture
def night(house: House) -> House:
    """Maria's voicemail rings Dana."""
    house.voicemail_from(MARIA)
    return house


def awake(*keys: str, after: float = 4) -> Answers:
    """An engineer who answers and presses these keys when asked."""
    return Answers(after, presses="".join(keys))


def test_it_tells_who_what_and_how_long_and_is_accepted_with_1(night: House) -> None:
    dana = night.picks_up(DANA)
    dana.hears("Lakeside Credit Union", "Elite", "priority 1", "case 1 0 0 1", "59 minutes left to respond")
    dana.hears("press 1", "press 2", "press 3", "press 5")
    dana.presses("1").hears("You have case 1 0 0 1", "minutes left").waits().hears("Goodbye")
    assert dana.is_over
    night.fast_forward(1200)
    assert night.case.engineer == "dana"
    assert night.case.responded_at is None
    assert night.rung == {DANA: 1}
    assert night.texted == {DANA: 1}
    assert [page.state for page in night.pages] == ["acknowledged"]


def test_it_plays_the_voicemail_with_2(night: House) -> None:
    dana = night.picks_up(DANA).presses("2")
    (played,) = (heard for heard in dana.call.heard if heard.kind == "play")
    assert played.text.endswith(".wav")
    assert played.seconds == pytest.approx(8, abs=2)
    dana.hears("To accept the case, press 1").presses("1").hears("You have case").presses("2").presses("#")
    assert sum(heard.kind == "play" for heard in dana.call.heard) == 2
    assert night.company.alerts == type(night.company.alerts)(maxlen=1000)
    assert night.case.engineer == "dana"


def test_it_goes_to_the_next_engineer_with_3(night: House) -> None:
    night.phone(LUIS).behave(awake("1"))
    night.picks_up(DANA).presses("3").hears("Passed on")
    night.fast_forward(30)
    assert night.case.engineer == "luis"
    assert night.rung == {DANA: 1, LUIS: 1}
    assert len(night.events("page.passed")) == 1
    night.fast_forward(600)
    assert night.rung == {DANA: 1, LUIS: 1}


@pytest.mark.parametrize(
    ("dana", "state"),
    [
        (Mailbox(after=5, greeting=3, records=20), "no-key"),
        (Screening(), "no-key"),
        (Answers(3, hangs_up_after=5), "no-key"),
        (Answers(3, presses="777"), "no-key"),
        (Busy(), "busy"),
        (Fails(), "failed"),
        (NeverAnswers(), "no-answer"),
    ],
    ids=["mailbox", "screening", "hangs up", "wrong keys", "busy", "failed", "no answer"],
)
def test_it_goes_on_when_no_key_accepts(house: House, dana: Behaviour, state: str) -> None:
    house.phone(DANA).behave(dana)
    house.phone(LUIS).behave(awake("1"))
    house.voicemail_from(MARIA)
    house.fast_forward(600)
    assert house.attempts()[0].state == state
    assert house.case.engineer == "luis"
    assert house.rung == {DANA: 1, LUIS: 1}
    assert len(house.events("page.unanswered")) == 1


def test_it_rings_everybody_when_two_are_asleep_and_never_stops(night: House) -> None:
    night.fast_forward(170)
    assert night.rung == {DANA: 2, LUIS: 2, PRIYA: 1, SAM: 1}
    assert not any("NOBODY HAS ACCEPTED" in text for number in ENGINEERS for text in night.texts(number))
    night.fast_forward(240)
    rings = night.rings(SAM)
    assert rings == 3, "once, and every two minutes after that"
    assert night.rung == {DANA: 4, LUIS: 4, PRIYA: 3, SAM: 3}
    assert sum("NOBODY HAS ACCEPTED case 1001" in text for text in night.texts(SAM)) == rings - 1
    assert night.pages[0].state == "ringing"

    night.phone(SAM).behave(awake("1"))
    night.fast_forward(180)
    assert night.case.engineer == "sam"
    rung = night.rung
    night.fast_forward(600)
    assert night.rung == rung, "an accept ends it"


def test_it_does_not_escalate_twice_for_a_late_key(night: House) -> None:
    """Dana listens for so long that Luis is rung; then she passes on what has already gone on."""
    dana = night.picks_up(DANA)
    while not night.rings(LUIS):
        dana.presses("2")
    dana.presses("3").hears("Passed on")
    night.fast_forward(2)
    assert night.pages[0].position == 1
    assert night.rung == {DANA: 1, LUIS: 1}


def test_it_lets_a_late_key_accept(night: House) -> None:
    dana = night.picks_up(DANA)
    while not night.phone(LUIS).ringing:
        dana.presses("2")
    dana.presses("1").hears("You have case 1 0 0 1")
    night.fast_forward(5)
    assert night.phone(LUIS).ringing is None, "his phone stops"
    assert night.case.engineer == "dana"
    assert night.rung == {DANA: 1, LUIS: 1}


def test_it_gives_the_case_to_one_of_two_who_press_1_at_the_same_moment(night: House) -> None:
    night.until(lambda: night.phone(PRIYA).ringing)
    priya, sam = night.picks_up(PRIYA), night.picks_up(SAM)
    priya.call.press("1")
    sam.call.press("1")
    night.fast_forward(30)
    assert night.case.engineer == "priya"
    assert "You have case 1 0 0 1" in priya.call.heard_text
    assert "Priya Natarajan already has case 1 0 0 1" in sam.call.heard_text
    assert len(night.events("page.accepted")) == 1


@pytest.mark.both_databases
def test_it_tells_an_engineer_who_answers_too_late_who_has_the_case(night: House) -> None:
    night.until(lambda: night.phone(PRIYA).ringing)
    sam = night.picks_up(SAM)
    night.text(PRIYA, "ACK 1001")
    sam.presses("2").hears("Priya Natarajan already has case 1 0 0 1")
    assert sam.is_over


def test_it_cancels_all_that_is_due_when_somebody_accepts(night: House) -> None:
    night.until(lambda: night.phone(PRIYA).ringing)
    night.picks_up(PRIYA).presses("1").hangs_up()
    night.fast_forward(10)
    assert all(night.phone(number).ringing is None for number in ENGINEERS)
    assert [kind for kind in night.due() if kind.startswith("page.") and kind != "page.check"] == []
    rung = night.rung
    night.fast_forward(1200)
    assert night.rung == rung
    assert night.due("dead") == []


def test_it_finds_at_the_company_a_call_whose_request_seemed_to_fail(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The request times out, but the phone rings: it is not rung twice."""
    telephony = house.context.telephony
    for name in ("place_call", "send_sms"):
        _fails_once_after_sending(monkeypatch, telephony, name)
    house.phone(DANA).behave(awake("1", after=10))
    house.voicemail_from(MARIA)
    house.fast_forward(60)
    assert house.rung == {DANA: 1}
    assert house.texted == {DANA: 1}
    assert house.case.engineer == "dana"


def _fails_once_after_sending(monkeypatch: pytest.MonkeyPatch, telephony: object, name: str) -> None:
    send = getattr(telephony, name)

    def failing(**options: object) -> str:
        monkeypatch.setattr(telephony, name, send)
        send(**options)
        raise TelephonyError("no answer in time", permanent=False)

    monkeypatch.setattr(telephony, name, failing)


@pytest.mark.both_databases
def test_it_hangs_up_a_call_that_was_being_placed_while_somebody_accepted(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    telephony, place_call = house.context.telephony, house.context.telephony.place_call

    def accepted_meanwhile(**options: str) -> str:
        monkeypatch.setattr(telephony, "place_call", place_call)
        house.text(LUIS, "ACK 1001")
        return place_call(**options)  # type: ignore[arg-type]

    monkeypatch.setattr(telephony, "place_call", accepted_meanwhile)
    house.voicemail_from(MARIA)
    house.fast_forward(5)
    assert house.case.engineer == "luis"
    assert house.phone(DANA).ringing is None
    assert house.due("dead") == []


def test_it_goes_on_at_once_from_a_number_that_cannot_be_called(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    telephony, place_call = house.context.telephony, house.context.telephony.place_call

    def refusing(*, to: str, **options: object) -> str:
        if to == DANA:
            raise TelephonyError("HTTP 400, error 21211", permanent=True)
        return place_call(to=to, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(telephony, "place_call", refusing)
    house.phone(LUIS).behave(awake("1"))
    house.voicemail_from(MARIA)
    house.fast_forward(5)
    assert house.rung == {LUIS: 1}
    house.fast_forward(60)
    assert house.case.engineer == "luis"
    assert [attempt.state for attempt in house.attempts()] == ["failed", "accepted"]
    assert len(house.events("page.not-sent")) == 1


def test_it_keeps_the_rule_that_a_ringing_page_began_with(night: House) -> None:
    night.fast_forward(5)
    two_steps = "{ring: next, wait_s: 90}\n      - {ring: everyone, wait_s: 90}\n    repeat_s: 120"
    night.apply(agreement((f"      - {two_steps}", "    repeat_s: 3600")))
    night.fast_forward(40)
    assert night.rung == {DANA: 1, LUIS: 1}, "the old rule's second step"
    night.fast_forward(40)
    assert night.rung == {DANA: 2, LUIS: 2, PRIYA: 1, SAM: 1}


def test_it_rings_for_a_second_case_while_the_first_one_rings(night: House) -> None:
    night.fast_forward(3)
    night.voicemail_from("+12145550163")
    night.text(DANA, "ACK 1001")
    night.text(DANA, "ACK 1002")
    assert [case.engineer for case in night.cases] == ["dana", "dana"]
