"""Setting the desk's clock: not in the middle of a call, and without holding up what comes after."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from simulated_app import DANA, LINE, App
from werkzeug.test import Client as Browser
from werkzeug.test import TestResponse

from simulator import audio
from simulator.company import PhoneCompany
from simulator.interpreter import Source
from simulator.legs import Placing
from simulator.scheduler import LiveScheduler, VirtualScheduler
from simulator.server import Options, build
from simulator.web import create_app

TALK = Placing(Source(text="<Response><Pause length='30'/></Response>"))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[tuple[PhoneCompany, LiveScheduler]]:
    company, scheduler = build(Options(clock_file=tmp_path / "clock"))
    company.own_number(LINE)
    company.ring_after = 0.0
    scheduler.start()
    yield company, scheduler
    scheduler.stop()


def set_clock(company: PhoneCompany, **wish: Any) -> TestResponse:
    return Browser(create_app(company)).post("/control/clock", json=wish)


def test_it_calls_at_once_after_the_clock_was_set_back(desk: tuple[PhoneCompany, LiveScheduler]) -> None:
    company, scheduler = desk
    assert set_clock(company, offset=86_400).status_code == 200
    scheduler.ask(lambda: company.place_call(LINE, DANA, TALK))
    assert set_clock(company, reset=True).status_code == 200
    call = scheduler.ask(lambda: company.place_call(LINE, DANA, TALK))
    assert call.queue_ms <= 1000


def test_it_does_not_set_the_clock_in_the_middle_of_a_call(desk: tuple[PhoneCompany, LiveScheduler]) -> None:
    company, scheduler = desk
    call = scheduler.ask(lambda: company.place_call(LINE, DANA, TALK))
    deadline = scheduler.elapsed() + 5
    while call.status != "ringing" and scheduler.elapsed() < deadline:
        company.events.after(company.events.last, 0.2)
    assert set_clock(company, offset=60).status_code == 200, "ringing is no harm"
    scheduler.ask(call.answer)
    answer = set_clock(company, offset=120)
    assert answer.status_code == 409
    assert "a call is going on" in answer.text
    scheduler.ask(call.drop)
    assert set_clock(company, reset=True).status_code == 200


def test_it_takes_no_orders_from_another_sites_page(desk: tuple[PhoneCompany, LiveScheduler]) -> None:
    company, _ = desk
    browser = Browser(create_app(company))
    strange = browser.post(
        "/control/clock", json={"reset": True}, headers={"Origin": "https://elsewhere.example"}
    )
    own = browser.post("/control/clock", json={"reset": True}, headers={"Origin": "http://localhost"})
    assert (strange.status_code, own.status_code) == (403, 200)


def test_it_ends_a_recording_when_the_microphone_heard_nothing(
    company: PhoneCompany, app: App, scheduler: VirtualScheduler
) -> None:
    app["/voice"] = "<Record action='/left' timeout='3' playBeep='false'/><Say>Nothing was said.</Say>"
    call = company.dial("+15125550142", LINE)
    company.run_until_waiting(call)
    call.start_talking()
    scheduler.advance(8)
    assert call.waiting is not None, "it waits for who is speaking"
    call.say_clip(audio.Clip(audio.silence(8)), already=True)
    scheduler.advance(1)
    assert call.heard_text == "Nothing was said."
    assert app.to("/left") == []
