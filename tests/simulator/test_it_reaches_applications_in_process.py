"""Webhooks straight into a WSGI application, and many calls in little time."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from flask import Flask, Response, request
from simulated_app import ACCOUNT, BASE, LINE, MARIA, TOKEN

from simulator.company import PhoneCompany
from simulator.scheduler import VirtualScheduler
from simulator.transport import ConnectFailed, WebhookRequest, WsgiTransport

START = datetime(2026, 3, 4, 8, 10, tzinfo=UTC)


@pytest.fixture
def flask_app() -> Flask:
    app = Flask(__name__)

    @app.route("/voice", methods=["GET", "POST"])
    def voice() -> Response:
        caller = request.values["From"]
        return Response(f"<Response><Say>Hello {caller} {request.host}</Say></Response>", mimetype="text/xml")

    @app.get("/sound.wav")
    def sound() -> Response:
        return Response(b"RIFF\xff\xfe", mimetype="audio/wav")

    return app


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_it_calls_a_flask_application(flask_app: Flask, method: str) -> None:
    company = PhoneCompany(ACCOUNT, TOKEN, VirtualScheduler(START), WsgiTransport({BASE: flask_app}))
    company.own_number(LINE, voice_url=f"{BASE}/voice?x=1", voice_method=method)
    call = company.dial(MARIA, LINE)
    company.run_until_waiting(call)
    assert call.heard_text == f"Hello {MARIA} bell.example"
    assert company.webhook_log[0].status == 200


def test_it_knows_no_other_host_and_takes_no_text_from_a_sound(flask_app: Flask) -> None:
    transport = WsgiTransport({BASE: flask_app})
    with pytest.raises(ConnectFailed):
        transport(WebhookRequest("POST", "https://elsewhere.example/voice", {}, {}))
    sound = transport(WebhookRequest("GET", f"{BASE}/sound.wav", {}, {}))
    assert (sound.body, sound.header("content-length")) == ("", "6")


def test_it_gives_the_same_night_again_for_the_same_seed(flask_app: Flask) -> None:
    def night(seed: str) -> list[str]:
        company = PhoneCompany(
            ACCOUNT, TOKEN, VirtualScheduler(START), WsgiTransport({BASE: flask_app}), seed=seed
        )
        company.own_number(LINE, voice_url=f"{BASE}/voice")
        return [company.dial(MARIA, LINE).sid for _ in range(3)]

    assert night("a") == night("a")
    assert set(night("a")).isdisjoint(night("b"))


def test_it_carries_thousands_of_calls_a_minute(company: PhoneCompany, app: dict[str, str]) -> None:
    app["/voice"] = "<Gather numDigits='1' action='/menu'><Say>Choose</Say></Gather>"
    app["/menu"] = "<Record action='/sent' recordingStatusCallback='/rec'/>"
    app["/sent"] = "<Say>Thank you</Say>"
    began, calls = time.perf_counter(), 200
    for _ in range(calls):
        call = company.dial(MARIA, LINE)
        company.run_until_waiting(call)
        call.press("1")
        company.run_until_waiting(call)
        call.speak(seconds=8)
        call.hang_up()
    company.let_pass(60)
    assert len(company.recordings) == calls
    assert all(recording.status == "completed" for recording in company.recordings.values())
    assert calls / (time.perf_counter() - began) * 60 > 2000
