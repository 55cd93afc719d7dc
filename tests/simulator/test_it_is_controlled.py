"""The control API, the phones' behaviours as JSON, and the scene."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from simulated_app import BASE, DANA, LINE, MARIA, App
from werkzeug.test import Client as Browser
from werkzeug.test import TestResponse

from simulator import behaviours, scene
from simulator.audio import SAMPLE_FILE
from simulator.company import PhoneCompany
from simulator.control import Refused, next_time
from simulator.phones import Answers, Live, Mailbox, NeverAnswers
from simulator.scheduler import VirtualScheduler
from simulator.web import create_app


@pytest.fixture
def browser(company: PhoneCompany) -> Browser:
    world = scene.load(scene.DEFAULT)
    scene.set_up(company, world)
    company.calls_per_second = None
    return Browser(create_app(company, world))


def post(browser: Browser, path: str, **given: Any) -> TestResponse:
    return browser.post("/control" + path, json=given)


def done(browser: Browser, path: str, **given: Any) -> dict[str, Any]:
    answer = post(browser, path, **given)
    assert answer.status_code == 200, answer.text
    return dict(answer.json or {})


def state(browser: Browser) -> dict[str, Any]:
    return dict(browser.get("/control/state").json or {})


def test_it_shows_the_default_scene(browser: Browser) -> None:
    shown = state(browser)
    assert [number["number"] for number in shown["numbers"]] == [LINE, "+18772745771"]
    assert [caller["name"] for caller in shown["callers"]][:3] == ["Maria Alvarez", "Tom Becker", "Grace Kim"]
    phones = {phone["number"]: phone for phone in shown["phones"]}
    assert phones[DANA]["name"] == "Dana Whitfield"
    assert phones[DANA]["behaviour"]["kind"] == "live"
    assert browser.get("/control/health").json == {
        "ok": True,
        "now": "2026-03-04T08:10:00+00:00",
        "account": "AC" + "5" * 32,
    }


def test_it_makes_a_call_with_keys_and_a_voicemail(
    browser: Browser, company: PhoneCompany, app: App, scheduler: VirtualScheduler
) -> None:
    app["/voice"] = "<Gather numDigits='1' action='/menu'><Say>Choose</Say></Gather>"
    app["/menu"] = "<Record action='/sent' maxLength='120'/>"
    sid = done(browser, "/calls", **{"from": MARIA, "to": LINE, "stir": "TN-Validation-Passed-A"})["sid"]
    scheduler.advance(1)
    (call,) = state(browser)["calls"]
    assert call["waiting"] == {
        "kind": "gather",
        "timeout": 5,
        "finishOnKey": "#",
        "numDigits": 1,
        "prompting": False,
    }
    done(browser, f"/calls/{sid}/digits", digits="1")
    scheduler.advance(1)
    (call,) = state(browser)["calls"]
    assert (call["waiting"]["kind"], call["waiting"]["maxLength"]) == ("record", 120)
    assert [(heard["kind"], heard["text"]) for heard in call["heard"]] == [("say", "Choose"), ("beep", "")]
    assert done(browser, f"/calls/{sid}/speech", sample=True)["seconds"] == pytest.approx(8.7, abs=0.2)
    done(browser, f"/calls/{sid}/hangup")
    scheduler.advance(10)
    assert app.forms("/sent")[0]["Digits"] == "hangup"
    assert app.forms("/sent")[0]["RecordingDuration"] == "9"


@pytest.mark.parametrize(
    "body",
    [
        {"json": {"text": "OpCon is down since one forty"}},
        {"json": {"seconds": 4}},
        {"data": {"file": (io.BytesIO(SAMPLE_FILE.read_bytes()), "a.wav")}},
        {"data": SAMPLE_FILE.read_bytes(), "content_type": "audio/wav"},
    ],
)
def test_it_takes_speech_in_every_form(
    browser: Browser, company: PhoneCompany, app: App, scheduler: VirtualScheduler, body: dict[str, Any]
) -> None:
    app["/voice"] = "<Record action='/sent'/>"
    call = company.dial(MARIA, LINE)
    scheduler.advance(1)
    answer = browser.post(f"/control/calls/{call.sid}/speech", **body)
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["speaking_until"]
    scheduler.advance(30)
    assert abs(int(app.forms("/sent")[0]["RecordingDuration"]) - answer.json["seconds"]) <= 0.5


def test_it_holds_the_line_while_a_microphone_is_open(
    browser: Browser, company: PhoneCompany, app: App, scheduler: VirtualScheduler
) -> None:
    app["/voice"] = "<Record action='/sent' timeout='3'/>"
    call = company.dial(MARIA, LINE)
    scheduler.advance(1)
    done(browser, f"/calls/{call.sid}/talking")
    scheduler.advance(12)
    answer = done(browser, f"/calls/{call.sid}/speech", seconds=11)
    assert answer["speaking_until"] is None
    scheduler.advance(3)
    assert app.forms("/sent")[0]["RecordingDuration"] == "11"


def test_it_answers_and_rejects_ringing_phones(
    browser: Browser, company: PhoneCompany, app: App, scheduler: VirtualScheduler
) -> None:
    app["/voice"] = f"<Dial>{DANA}</Dial>"
    for what, status in (("answer", "in-progress"), ("reject", "busy"), ("hangup", "busy")):
        call = company.dial(MARIA, LINE)
        scheduler.advance(3)
        phone = next(phone for phone in state(browser)["phones"] if phone["number"] == DANA)
        leg = phone["ringing"]
        assert done(browser, f"/calls/{leg}/{what}")["status"] == status
        assert post(browser, f"/calls/{leg}/answer").status_code == 409
        call.hang_up()


def test_it_changes_how_a_phone_behaves(
    browser: Browser, company: PhoneCompany, app: App, scheduler: VirtualScheduler
) -> None:
    given = {"queue": [{"kind": "never-answers"}, {"kind": "answers", "after": 4, "presses": [[2, "1"]]}]}
    shown = done(browser, f"/phones/{DANA}", behaviour=given, sms_status="undelivered")
    assert [item["kind"] for item in shown["behaviour"]["queue"]] == ["never-answers", "answers"]
    assert company.phone(DANA).sms_status == "undelivered"
    for wrong in ({"kind": "sings"}, {"kind": "answers", "pitch": 3}, {"kind": "answers", "after": "x"}, {}):
        answer = post(browser, f"/phones/{DANA}", behaviour=wrong)
        assert answer.status_code == 400
        assert answer.json is not None
        assert answer.json["error"]


@pytest.mark.parametrize(
    "behaviour", [Answers(4, "1#"), Answers(4, [(2, "1")], 3), Mailbox(), Live(), NeverAnswers()]
)
def test_it_reads_what_it_shows(company: PhoneCompany, behaviour: Any) -> None:
    phone = company.phone(DANA)
    phone.behave(behaviour)
    shown = json.loads(json.dumps(behaviours.show(phone)))
    phone.behave(*behaviours.read(shown))
    assert behaviours.show(phone) == json.loads(json.dumps(shown)) or behaviours.show(phone) == shown
    assert type(phone.behaviour) is type(behaviour)


def test_it_sends_an_sms_for_a_person(browser: Browser, company: PhoneCompany, app: App) -> None:
    company.own_number(LINE, sms_url=f"{BASE}/sms")
    done(browser, "/messages", **{"from": MARIA, "to": LINE, "body": "hello"})
    assert app.forms("/sms")[0]["Body"] == "hello"


def test_it_tells_what_happened_since(browser: Browser, company: PhoneCompany) -> None:
    first = browser.get("/control/events").json
    assert first is not None
    assert first["events"] == []
    company.dial(MARIA, LINE)
    later = browser.get(f"/control/events?after={first['last']}").json
    assert later is not None
    assert {event["kind"] for event in later["events"]} >= {"call", "webhook"}
    again = browser.get(f"/control/events?after={later['last']}&wait=0.01").json
    assert again == {"events": [], "last": later["last"]}


@pytest.mark.parametrize(
    ("path", "given", "status"),
    [
        ("/calls", {"from": MARIA}, 400),
        ("/calls", {"from": MARIA, "to": "+19998887777"}, 400),
        ("/calls/CA0/hangup", {}, 404),
        ("/messages", {"from": MARIA, "to": LINE}, 400),
        ("/clock", {"time": "02:10"}, 409),
    ],
)
def test_it_says_what_is_wrong(browser: Browser, path: str, given: dict[str, Any], status: int) -> None:
    answer = post(browser, path, **given)
    assert answer.status_code == status
    assert answer.json is not None
    assert answer.json["error"]


def test_it_refuses_wrong_keys_wrong_speech_and_calls_that_are_over(
    browser: Browser, company: PhoneCompany, app: App, scheduler: VirtualScheduler
) -> None:
    app["/voice"] = "<Pause length='9'/>"
    call = company.dial(MARIA, LINE)
    assert post(browser, f"/calls/{call.sid}/digits", digits="12x").status_code == 400
    assert post(browser, f"/calls/{call.sid}/speech").status_code == 400
    assert browser.post(f"/control/calls/{call.sid}/speech", data=b"noise").status_code == 400
    assert browser.post("/control/calls", data=b"[1]").status_code == 400
    scheduler.advance(10)
    assert post(browser, f"/calls/{call.sid}/hangup").status_code == 409


def test_it_answers_this_machine_only(browser: Browser) -> None:
    elsewhere = browser.get("/control/state", environ_overrides={"REMOTE_ADDR": "192.0.2.7"})
    rebound = browser.get("/control/state", base_url="http://evil.example")
    assert (elsewhere.status_code, rebound.status_code) == (403, 403)
    assert browser.get("/control/health", base_url="http://[::1]:8787").status_code == 200


@pytest.mark.parametrize(
    ("clock", "expected"),
    [
        ("02:10", datetime(2026, 3, 4, 8, 10, 30, tzinfo=UTC)),  # the present minute stays
        ("02:11", datetime(2026, 3, 4, 8, 11, tzinfo=UTC)),
        ("02:09", datetime(2026, 3, 5, 8, 9, tzinfo=UTC)),
        ("17:00", datetime(2026, 3, 4, 23, 0, tzinfo=UTC)),
    ],
)
def test_it_finds_the_next_time_of_day(clock: str, expected: datetime) -> None:
    now = datetime(2026, 3, 4, 8, 10, 30, tzinfo=UTC)
    assert next_time(now, clock, "America/Chicago") == expected


def test_it_crosses_a_change_of_clocks() -> None:
    now = datetime(2026, 3, 8, 6, 0, tzinfo=UTC)  # midnight in Chicago, two hours before the change
    assert next_time(now, "05:00", "America/Chicago") == datetime(2026, 3, 8, 10, 0, tzinfo=UTC)
    for wrong in (("25:00", "UTC"), ("02:10", "Mars/Olympus")):
        with pytest.raises(Refused):
            next_time(now, *wrong)


def test_it_serves_the_page_or_a_word_in_its_place(browser: Browser) -> None:
    with browser.get("/") as answer:
        assert answer.status_code == 200
        assert "<" in answer.get_data(as_text=True)
    assert browser.get("/no-such-file.js").status_code == 404


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"numbers": 3}'])
def test_it_says_which_scene_is_wrong(tmp_path: Path, company: PhoneCompany, text: str) -> None:
    file = tmp_path / "scene.json"
    file.write_text(text)
    with pytest.raises((ValueError, TypeError)):
        scene.set_up(company, scene.load(file))
