"""Twilio's REST API, through Twilio's own unmodified client."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
import soundfile
from simulated_app import ACCOUNT, BASE, DANA, LINE, LUIS, MARIA, TOKEN, App
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client
from werkzeug.test import Client as Browser
from werkzeug.test import TestResponse

from simulator.calls import Call
from simulator.company import PhoneCompany
from simulator.loopback import LoopbackHttpClient
from simulator.scheduler import VirtualScheduler

ROOT = f"/2010-04-01/Accounts/{ACCOUNT}"


@pytest.fixture
def client(company: PhoneCompany) -> Any:
    company.calls_per_second = None
    return Client(ACCOUNT, TOKEN, http_client=LoopbackHttpClient(company))


@pytest.fixture
def browser(company: PhoneCompany) -> Browser:
    return Browser(company.wsgi)


def get(browser: Browser, path: str, token: str = TOKEN) -> TestResponse:
    return browser.get(ROOT + path, auth=(ACCOUNT, token))


def record(company: PhoneCompany, app: App, seconds: float = 5) -> Call:
    app["/voice"] = "<Record action='/sent'/>"
    call = company.dial(MARIA, LINE)
    company.run_until_waiting(call)
    call.speak(seconds=seconds)
    call.hang_up()
    return call


@pytest.mark.parametrize("path", [".json", "/Calls.json", "/Recordings/RE1.wav", "/Messages/SM1.json"])
def test_it_lets_nobody_in_without_the_token(browser: Browser, path: str) -> None:
    for answer in (get(browser, path, "wrong"), browser.get(ROOT + path)):
        assert answer.status_code == 401
        assert answer.json is not None
        assert (answer.json["code"], answer.json["status"]) == (20003, 401)
        assert "Basic" in answer.headers["WWW-Authenticate"]


def test_it_knows_its_account_only(client: Any, browser: Browser) -> None:
    assert client.api.accounts(ACCOUNT).fetch().status == "active"
    other = browser.get(f"/2010-04-01/Accounts/AC{'6' * 32}/Calls.json", auth=(ACCOUNT, TOKEN))
    assert other.status_code == 404


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"to": "nobody", "url": f"{BASE}/page"}, 21211),
        ({"to": DANA, "from_": "x", "url": f"{BASE}/page"}, 21212),
        ({"to": DANA, "from_": "+19998887777", "url": f"{BASE}/page"}, 21210),
        ({"to": DANA, "url": "ftp://x"}, 21205),
        ({"to": DANA}, 21205),
    ],
)
def test_it_refuses_a_wrong_call_in_twilios_words(client: Any, given: dict[str, Any], code: int) -> None:
    with pytest.raises(TwilioRestException) as refused:
        client.calls.create(**{"from_": LINE, **given})
    assert (refused.value.status, refused.value.code) == (400, code)
    assert str(code) in str(refused.value.uri) or refused.value.msg


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"to": "5551234", "body": "x"}, 21211),
        ({"to": DANA, "from_": "+19998887777", "body": "x"}, 21659),
        ({"to": DANA, "body": ""}, 21602),
        ({"to": DANA, "body": "x" * 1601}, 21617),
    ],
)
def test_it_refuses_a_wrong_message(client: Any, given: dict[str, Any], code: int) -> None:
    with pytest.raises(TwilioRestException) as refused:
        client.messages.create(**{"from_": LINE, **given})
    assert refused.value.code == code


def test_it_does_not_find_what_is_not_there(client: Any) -> None:
    for fetch in (
        client.calls("CA" + "0" * 32).fetch,
        client.messages("SM" + "0" * 32).fetch,
        client.recordings("RE" + "0" * 32).fetch,
        client.incoming_phone_numbers("PN" + "0" * 32).fetch,
        client.recordings("RE" + "0" * 32).delete,
    ):
        with pytest.raises(TwilioRestException) as missing:
            fetch()
        assert (missing.value.status, missing.value.code) == (404, 20404)


def test_it_tells_a_calls_whole_story(
    client: Any, company: PhoneCompany, app: App, scheduler: VirtualScheduler
) -> None:
    app["/voice"] = f"<Dial timeout='5'>{DANA}</Dial>"
    call = company.dial(MARIA, LINE, forwarded_from=LUIS)
    live = client.calls(call.sid).fetch()
    assert (live.status, live.end_time, live.duration) == ("in-progress", None, None)
    scheduler.advance(30)
    over = client.calls(call.sid).fetch()
    assert (over.direction, over.from_formatted, over.forwarded_from) == ("inbound", "(512) 555-0142", LUIS)
    assert over.end_time - over.start_time == timedelta(seconds=6)
    assert (over.duration, over.phone_number_sid) == ("6", company.numbers[LINE].sid)
    (child,) = client.calls.list(parent_call_sid=call.sid)
    assert (child.direction, child.status, child.duration) == ("outbound-dial", "no-answer", "0")


def test_it_lists_calls_by_number_state_and_time(
    client: Any, company: PhoneCompany, app: App, scheduler: VirtualScheduler
) -> None:
    began = company.now()
    company.dial(MARIA, LINE)
    scheduler.advance(3600)
    client.calls.create(to=DANA, from_=LINE, twiml="<Response/>", timeout=10)
    scheduler.advance(1)
    later = began + timedelta(minutes=30)

    def found(**query: Any) -> list[str]:
        return [str(call.to) for call in client.calls.list(**query)]

    assert found() == [DANA, LINE]
    assert found(to=DANA) == [DANA]
    assert found(from_=MARIA) == [LINE]
    assert found(status="completed") == [LINE]
    assert found(start_time_after=later) == [DANA]
    assert found(start_time_before=later) == [LINE]
    assert found(start_time_after=began) == [DANA, LINE]
    assert found(start_time=began.date()) == [DANA, LINE]
    assert found(start_time=began.date() - timedelta(days=1)) == []
    assert found(end_time_after=began.date()) == [LINE]


def test_it_pages(client: Any, browser: Browser, company: PhoneCompany) -> None:
    for _ in range(5):
        company.dial(MARIA, LINE)
    assert len(client.calls.list(page_size=2)) == 5
    assert len(client.calls.list(limit=3, page_size=2)) == 3
    page = client.calls.page(from_=MARIA, page_size=2)
    assert [call.sid for call in page] == list(company.calls)[:-3:-1]
    answer = get(browser, "/Calls.json?PageSize=2&Page=2&From=%2B15125550142").json
    assert answer is not None
    assert (answer["start"], answer["end"], answer["next_page_uri"]) == (4, 4, None)
    assert answer["previous_page_uri"] == f"{ROOT}/Calls.json?From=%2B15125550142&PageSize=2&Page=1"


def test_it_refuses_what_it_cannot_read(browser: Browser, company: PhoneCompany) -> None:
    company.dial(MARIA, LINE)
    answer = get(browser, "/Calls.json?StartTime%3E=yesterday")
    assert answer.json is not None
    assert (answer.status_code, answer.json["code"]) == (400, 20001)
    given = {"To": DANA, "From": LINE, "Url": f"{BASE}/page", "Timeout": "soon"}
    assert browser.post(f"{ROOT}/Calls.json", data=given, auth=(ACCOUNT, TOKEN)).status_code == 400


def test_it_moves_only_calls_that_are_on(client: Any, company: PhoneCompany) -> None:
    over = company.dial(MARIA, LINE)
    placed = client.calls.create(to=DANA, from_=LINE, url=f"{BASE}/page")
    for sid, change in ((over.sid, {"status": "completed"}), (placed.sid, {"url": f"{BASE}/other"})):
        with pytest.raises(TwilioRestException) as refused:
            client.calls(sid).update(**change)
        assert refused.value.code == 21220


def test_it_serves_a_recording_once_its_file_is_there(
    client: Any, browser: Browser, company: PhoneCompany, app: App, scheduler: VirtualScheduler
) -> None:
    company.media_after = 3
    call = record(company, app, 5)
    sid = app.forms("/sent")[0]["RecordingSid"]
    assert get(browser, f"/Recordings/{sid}.wav").status_code == 404
    assert client.recordings(sid).fetch().status == "processing"
    scheduler.advance(4)
    for ending, form in (("", "WAV"), (".wav", "WAV"), (".mp3", "MP3")):
        answer = get(browser, f"/Recordings/{sid}{ending}")
        info = soundfile.info(io.BytesIO(answer.data))
        assert (answer.status_code, info.format, info.samplerate) == (200, form, 8000)
    assert browser.get(f"{ROOT}/Recordings/{sid}.wav").status_code == 401
    found = client.recordings(sid).fetch()
    assert (found.status, found.duration, found.call_sid, found.error_code) == (
        "completed",
        "5",
        call.sid,
        None,
    )


def test_it_lists_and_deletes_recordings(
    client: Any, browser: Browser, company: PhoneCompany, app: App, scheduler: VirtualScheduler
) -> None:
    began = company.now()
    first = record(company, app)
    scheduler.advance(3600)
    second = record(company, app)
    scheduler.advance(10)
    later = began + timedelta(minutes=30)
    assert [item.call_sid for item in client.recordings.list()] == [second.sid, first.sid]
    assert [item.call_sid for item in client.recordings.list(date_created_after=later)] == [second.sid]
    assert [item.call_sid for item in client.recordings.list(date_created_before=later)] == [first.sid]
    assert [item.call_sid for item in client.recordings.list(call_sid=first.sid)] == [first.sid]
    (of_call,) = client.calls(first.sid).recordings.list()
    assert client.recordings(of_call.sid).delete()
    assert get(browser, f"/Recordings/{of_call.sid}.wav").status_code == 404
    assert [item.call_sid for item in client.recordings.list()] == [second.sid]
    assert len(client.recordings.list(include_soft_deleted=True)) == 2
    with pytest.raises(TwilioRestException):
        client.recordings(of_call.sid).fetch()


def test_it_lists_an_absent_recording_with_its_reason(
    client: Any, browser: Browser, company: PhoneCompany, app: App, scheduler: VirtualScheduler
) -> None:
    record(company, app, 0)
    scheduler.advance(10)
    (absent,) = client.recordings.list()
    assert (absent.status, absent.error_code, absent.duration) == ("absent", 16101, "0")
    assert get(browser, f"/Recordings/{absent.sid}").status_code == 404


def test_it_sends_and_lists_messages(client: Any, company: PhoneCompany, scheduler: VirtualScheduler) -> None:
    sent = client.messages.create(to=DANA, from_=LINE, body="Case 1042")
    assert (sent.status, sent.direction, sent.date_sent) == ("queued", "outbound-api", None)
    scheduler.advance(5)
    company.text(MARIA, LINE, "hello")
    assert client.messages(sent.sid).fetch().status == "delivered"
    assert [message.body for message in client.messages.list()] == ["hello", "Case 1042"]
    assert [message.body for message in client.messages.list(to=DANA)] == ["Case 1042"]
    assert client.messages.list(date_sent_after=company.now() + timedelta(hours=1)) == []


def test_it_points_our_numbers_elsewhere(client: Any, company: PhoneCompany, app: App) -> None:
    (number,) = client.incoming_phone_numbers.list(phone_number=LINE)
    assert number.voice_url == f"{BASE}/voice"
    changed = number.update(voice_url=f"{BASE}/new#rc=2&rp=5xx", sms_url=f"{BASE}/sms", voice_method="POST")
    assert changed.voice_url == f"{BASE}/new#rc=2&rp=5xx"
    company.dial(MARIA, LINE)
    assert app.paths[0] == "/new"
    assert client.incoming_phone_numbers(number.sid).fetch().sms_url == f"{BASE}/sms"
    with pytest.raises(TwilioRestException):
        number.update(voice_url="not an address")


def test_it_may_be_called_while_it_waits_for_the_caller_of_it(
    client: Any, company: PhoneCompany, app: App, scheduler: VirtualScheduler
) -> None:
    """The application ends a call through the API from inside that call's own webhook."""

    def ends_it(request: Any) -> str:
        client.calls(request.form["CallSid"]).update(status="completed")
        return "<Say>never heard</Say>"

    app["/voice"] = ends_it
    call = company.dial(MARIA, LINE)
    scheduler.advance(1)
    assert call.ended
    assert app.paths == ["/voice", "/over"]
