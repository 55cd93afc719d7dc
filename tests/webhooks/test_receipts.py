"""Receipts: whatever comes twice, at once or long after, has one effect and gets one answer."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from core.models import Case, Event
from tests.webhooks.desk import CALL, MARIA, RECORDING, SUPPORT, Desk, is_well_formed
from webhooks import receipts
from webhooks.receipts import Counter, Receipt

pytestmark = pytest.mark.every_variant


def _receipts(desk: Desk) -> dict[str, Receipt]:
    with desk.context.database.reading() as session:
        return {row.key: row for row in session.scalars(sa.select(Receipt))}


def test_it_keeps_the_raw_request_and_the_answer_with_the_effect(desk: Desk) -> None:
    answer = desk.rings(BrandNew="ä")
    receipt = _receipts(desk)[f"{CALL}:0"]
    assert receipt.form == {"CallSid": CALL, "From": MARIA, "To": SUPPORT, "BrandNew": "ä"}
    assert receipt.answer == answer.get_data(as_text=True)
    assert receipt.at == desk.clock.now()


def test_it_answers_a_repeated_request_as_before_and_does_nothing(desk: Desk) -> None:
    first = [desk.rings(), desk.post("/twilio/voice/1", {"CallSid": CALL, "Digits": "1"})]
    rows = desk.rows()
    desk.clock.advance(60)
    again = [desk.rings(), desk.post("/twilio/voice/1", {"CallSid": CALL, "Digits": "1"})]
    assert [answer.data for answer in again] == [answer.data for answer in first]
    assert desk.rows() == rows


def test_it_answers_by_the_key_even_if_the_repeated_request_differs(desk: Desk) -> None:
    """A key that was pressed once is pressed: a second request for the same step changes no mind."""
    desk.rings()
    first = desk.post("/twilio/voice/1", {"CallSid": CALL, "Digits": "3"})
    again = desk.post("/twilio/voice/1", {"CallSid": CALL, "Digits": "1"})
    assert again.data == first.data
    assert desk.calls[0].priority == 3


def test_it_opens_one_case_however_often_the_recording_is_told_of(desk: Desk) -> None:
    desk.leaves_voicemail()
    done = {
        "CallSid": CALL, "RecordingSid": RECORDING, "RecordingStatus": "completed", "RecordingDuration": "8",
        "RecordingUrl": f"https://api.twilio.com/2010-04-01/Accounts/x/Recordings/{RECORDING}",
    }  # fmt: skip
    for _ in range(3):
        assert is_well_formed(desk.post("/twilio/recording", done))
    with desk.context.database.reading() as session:
        assert len(session.scalars(sa.select(Case)).all()) == 1
        assert len(session.scalars(sa.select(Event).where(Event.kind == "page.started")).all()) == 1


@pytest.mark.parametrize("at_once", [2, 5])
def test_it_takes_one_call_for_requests_that_race(desk: Desk, at_once: int) -> None:
    gate = threading.Barrier(at_once)

    def ring(_: int) -> bytes:
        gate.wait(5)
        answer = desk.rings()
        assert "X-Nightbell-Spooled" not in answer.headers
        return answer.get_data()

    with ThreadPoolExecutor(at_once) as pool:
        answers = list(pool.map(ring, range(at_once)))
    assert len(set(answers)) == 1
    assert len(desk.calls) == 1
    assert desk.rows()["due"] == 1


def test_it_takes_one_step_for_keys_that_race(desk: Desk) -> None:
    desk.rings()
    gate = threading.Barrier(4)

    def press(key: int) -> bytes:
        gate.wait(5)
        return desk.post("/twilio/voice/1", {"CallSid": CALL, "Digits": str(key)}).get_data()

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(press, (1, 2, 3, 1)))
    assert len(set(answers)) == 1
    assert desk.calls[0].step == 2
    assert list((desk.settings.data_dir / "spool").glob("*")) == []


def test_it_counts(desk: Desk) -> None:
    for by in (1, 4):
        receipts.count(desk.context.database, "test", by)
    with desk.context.database.reading() as session:
        assert session.get_one(Counter, "test").value == 5
