"""Requests in threads of their own, at the same moment: the database decides, and everything happens once."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable

from tests.house import House
from tests.stories.people import DANA, MARIA, PRIYA, SAM


def at_once(*deeds: Callable[[], str]) -> list[str]:
    """Do all of these at the same moment; what they gave back."""
    start, given = threading.Barrier(len(deeds)), [""] * len(deeds)

    def do(number: int) -> None:
        start.wait()
        given[number] = deeds[number]()

    threads = [threading.Thread(target=do, args=(number,)) for number in range(len(deeds))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert not any(thread.is_alive() for thread in threads)
    return given


def test_it_lets_one_of_two_keys_win(house: House) -> None:
    house.voicemail_from(MARIA)
    house.until(lambda: house.phone(PRIYA).ringing)
    calls = {number: house.picks_up(number).call for number in (PRIYA, SAM)}
    places = {
        attempt.provider_sid: f"/twilio/page/{attempt.id}/{attempt.step}" for attempt in house.attempts()
    }

    def presses_1(number: str) -> Callable[[], str]:
        sid = calls[number].sid
        return lambda: house.post(places[sid], CallSid=sid, Digits="1")

    heard = at_once(presses_1(PRIYA), presses_1(SAM))
    assert sum("You have case 1 0 0 1" in text for text in heard) == 1
    assert sum("already has case 1 0 0 1" in text for text in heard) == 1
    assert len(house.events("page.accepted")) == 1


def test_it_opens_one_case_when_a_voicemail_is_told_by_three_requests_at_once(house: House) -> None:
    caller = house.call(MARIA).presses("1")
    sid, recording = caller.call.sid, "RE" + "7" * 32
    url = f"https://api.twilio.com/2010-04-01/Accounts/{house.company.account_sid}/Recordings/{recording}"
    told = {"CallSid": sid, "RecordingSid": recording, "RecordingUrl": url, "RecordingDuration": "8"}
    at_once(
        lambda: house.post("/twilio/voice/2", Digits="hangup", From=MARIA, **told),
        lambda: house.post("/twilio/recording", RecordingStatus="completed", **told),
        lambda: house.post("/twilio/voice/status", CallSid=sid, CallStatus="completed"),
    )
    house.fast_forward(5)
    assert len(house.cases) == 1
    assert house.rung == {DANA: 1}
    assert len(house.events("case.opened")) == 1


def test_it_gives_the_same_answer_to_the_same_key_sent_twice_at_once(house: House) -> None:
    caller = house.call(MARIA)
    form = {"CallSid": caller.call.sid, "From": MARIA, "Digits": "2"}
    first, second = at_once(
        lambda: house.post("/twilio/voice/1", **form), lambda: house.post("/twilio/voice/1", **form)
    )
    assert first == second
    assert "within 2 hours" in first
    assert re.search(r"/twilio/voice/2\b", first)
    (call,) = house.phone_calls
    assert (call.step, call.priority) == (2, 2)
