"""Every request and every answer of the REST API, checked by Twilio's own OpenAPI document.

``openapi/install.sh`` installs a validating proxy (Prism) and the document that Twilio publishes; the
unmodified Twilio client then talks to the simulator through it, and the proxy reports whatever breaks the
document.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from simulated_app import ACCOUNT, BASE, DANA, LINE, MARIA, TOKEN, App
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client
from werkzeug.serving import WSGIRequestHandler, make_server

from simulator import resources
from simulator.company import PhoneCompany
from simulator.phones import Answers, Fails, Mailbox
from simulator.scheduler import VirtualScheduler

ROOT = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("NIGHTBELL_PRISM_DIR") or ROOT / "build" / "prism").resolve()
PRISM = FOLDER / "node_modules" / "@stoplight" / "prism-cli" / "dist" / "index.js"
DOCUMENT = FOLDER / "twilio.json"
NODE = shutil.which("node")

if NODE is None or not PRISM.exists() or not DOCUMENT.exists():
    needs = "Twilio's OpenAPI check needs Node and tests/simulator/openapi/install.sh"
    pytest.skip(needs, allow_module_level=True)
EVENTS = ["initiated", "ringing", "answered", "completed"]


class ThroughTheProxy(TwilioHttpClient):
    """The real client, sent to the proxy instead of api.twilio.com; keeps what the proxy complains of."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self.base = base
        self.violations: list[str] = []
        self.requests: list[str] = []

    def request(self, method: str, url: str, **given: Any) -> Response:  # type: ignore[override]  # all is passed on
        parts = urlsplit(url)
        assert parts.hostname == "api.twilio.com"
        query = f"?{parts.query}" if parts.query else ""
        answer = super().request(method, self.base + parts.path + query, **given)
        self.requests.append(f"{method} {parts.path}")
        headers = answer.headers or {}
        if "problem+json" in headers.get("Content-Type", "") or "sl-violations" in headers:
            self.violations.append(f"{method} {url}: {answer.text}")
        return answer


class _Quiet(WSGIRequestHandler):
    def log_request(self, *_given: object) -> None:
        """The proxy's complaints are what is looked at."""


@pytest.fixture
def simulator_url(company: PhoneCompany) -> Iterator[str]:
    company.calls_per_second = None
    server = make_server("127.0.0.1", 0, company.wsgi, threaded=True, request_handler=_Quiet)
    company.base_url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield company.base_url
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def proxy_url(simulator_url: str) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(NODE), str(PRISM), "proxy", "--errors", "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(
        [*command, str(DOCUMENT), simulator_url], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, "the proxy ended at once"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("the proxy did not start within a minute")


def test_it_speaks_as_twilios_own_document_says(
    proxy_url: str, company: PhoneCompany, app: App, scheduler: VirtualScheduler
) -> None:
    http = ThroughTheProxy(proxy_url)
    client = Client(ACCOUNT, TOKEN, http_client=http)
    _numbers(client)
    _calls(client, company, app, scheduler)
    _messages(client, company, scheduler)
    _recordings(client, company, app, scheduler)
    _errors(client)
    assert http.violations == []
    assert len(http.requests) > 40
    _the_check_is_awake(proxy_url, company)


def test_it_gives_every_field_that_the_document_names(
    company: PhoneCompany, app: App, scheduler: VirtualScheduler
) -> None:
    schemas = json.loads(DOCUMENT.read_text())["components"]["schemas"]
    app["/voice"] = "<Record/>"
    call = company.dial(MARIA, LINE)
    for name, given in (
        ("account", resources.account(company)),
        ("account.call", resources.call(call)),
        ("account.message", resources.message(company.text(MARIA, LINE, "hello"), company)),
        ("account.recording", resources.recording(company.new_recording(call, "RecordVerb"))),
        ("account.incoming_phone_number", resources.number(company.numbers[LINE], company)),
    ):
        assert sorted(given) == sorted(schemas[f"api.v2010.{name}"]["properties"])


def _numbers(client: Any) -> None:
    assert client.api.accounts(ACCOUNT).fetch().status == "active"
    (number,) = client.incoming_phone_numbers.list(phone_number=LINE)
    number.update(
        voice_url=f"{BASE}/voice#rc=2&rp=ct,rt,5xx",
        voice_method="POST",
        voice_fallback_url=f"{BASE}/fallback",
        status_callback=f"{BASE}/over",
        sms_url=f"{BASE}/sms",
        friendly_name="Support",
    )
    assert client.incoming_phone_numbers(number.sid).fetch().friendly_name == "Support"


def _calls(client: Any, company: PhoneCompany, app: App, scheduler: VirtualScheduler) -> None:
    app["/page"] = "<Gather numDigits='1' action='/accept'><Say>Press one</Say></Gather>"
    app["/voice"] = f"<Dial timeout='5'>{DANA}</Dial>"
    withheld = company.dial("anonymous", LINE)
    scheduler.advance(30)
    phone = company.phone(DANA)
    phone.behave(Answers(2, "1"), Mailbox(3), Fails(), Answers(1))
    placed = client.calls.create(
        to=DANA,
        from_=LINE,
        url=f"{BASE}/page",
        timeout=25,
        status_callback=f"{BASE}/cs",
        status_callback_event=EVENTS,
        status_callback_method="POST",
        machine_detection="DetectMessageEnd",
        fallback_url=f"{BASE}/fallback",
    )
    for _ in range(2):
        client.calls.create(to=DANA, from_=LINE, twiml="<Response/>", machine_detection="Enable")
        scheduler.advance(60)
    live = client.calls.create(to=DANA, from_=LINE, twiml="<Response><Pause length='600'/></Response>")
    for sid in (placed.sid, withheld.sid, live.sid):
        client.calls(sid).fetch()
    scheduler.advance(10)
    client.calls(live.sid).update(twiml="<Response><Pause length='600'/></Response>")
    client.calls(live.sid).update(url=f"{BASE}/page", method="POST")
    client.calls(live.sid).update(status="completed")
    since = company.now() - timedelta(hours=1)
    assert len(client.calls.list(page_size=2)) == 6
    assert client.calls.list(to=DANA, from_=LINE, status="completed", start_time_after=since)
    assert client.calls.list(start_time_before=since) == []
    assert client.calls.list(start_time=since.date(), end_time_after=since.date())
    assert client.calls.list(parent_call_sid=withheld.sid)


def _messages(client: Any, company: PhoneCompany, scheduler: VirtualScheduler) -> None:
    sent = client.messages.create(to=DANA, from_=LINE, body="Case 1042", status_callback=f"{BASE}/st")
    company.phone(MARIA).sms_status = "undelivered"
    client.messages.create(to=MARIA, from_=LINE, body="Case 1042")
    company.text(MARIA, LINE, "hello")
    scheduler.advance(5)
    assert client.messages(sent.sid).fetch().status == "delivered"
    assert len(client.messages.list(page_size=1)) == 3
    assert client.messages.list(to=DANA, from_=LINE, date_sent_after=company.now() - timedelta(hours=1))


def _recordings(client: Any, company: PhoneCompany, app: App, scheduler: VirtualScheduler) -> None:
    app["/voice"] = "<Record action='/sent'/>"
    for seconds in (5.0, 0.0):
        call = company.dial(MARIA, LINE)
        company.run_until_waiting(call)
        client.recordings.list(call_sid=call.sid)  # one in progress
        call.speak(seconds=seconds)
        call.hang_up()
        client.recordings.list(call_sid=call.sid)  # one being processed
        scheduler.advance(10)
    absent, kept = client.recordings.list(date_created_after=company.now() - timedelta(hours=1))
    assert (absent.status, kept.status) == ("absent", "completed")
    assert client.recordings(kept.sid).fetch().duration == "5"
    assert client.calls(kept.call_sid).recordings.list()
    assert client.recordings(kept.sid).delete()
    assert len(client.recordings.list(include_soft_deleted=True, page_size=1)) == 2


def _errors(client: Any) -> None:
    for wrong in (
        lambda: client.calls.create(to="nobody", from_=LINE, url=f"{BASE}/page"),
        lambda: client.calls.create(to=DANA, from_=LINE),
        lambda: client.messages.create(to="5551234", from_=LINE, body="x"),
        client.calls("CA" + "0" * 32).fetch,
        client.messages("SM" + "0" * 32).fetch,
        client.recordings("RE" + "0" * 32).fetch,
    ):
        with pytest.raises(TwilioRestException) as refused:
            wrong()
        assert refused.value.code
    stranger = Client(ACCOUNT, "wrong", http_client=client.http_client)
    with pytest.raises(TwilioRestException) as refused:
        stranger.api.accounts(ACCOUNT).fetch()
    assert refused.value.code == 20003


def _the_check_is_awake(proxy_url: str, company: PhoneCompany) -> None:
    """What breaks the document is reported: the silence above means something."""
    account = f"{proxy_url}/2010-04-01/Accounts/{ACCOUNT}"
    wrong_request = requests.post(f"{account}/Calls.json", {"From": LINE}, auth=(ACCOUNT, TOKEN), timeout=10)
    company.numbers[LINE].sms_method = "PUT"
    wrong_answer = requests.get(f"{account}/IncomingPhoneNumbers.json", auth=(ACCOUNT, TOKEN), timeout=10)
    for answer in (wrong_request, wrong_answer):
        assert "problem+json" in answer.headers["Content-Type"]
