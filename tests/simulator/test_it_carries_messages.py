"""SMS in both directions."""

from __future__ import annotations

import pytest
from simulated_app import BASE, DANA, LINE, MARIA, App, error

from simulator.company import PhoneCompany
from simulator.messages import Message
from simulator.scheduler import VirtualScheduler


@pytest.fixture(autouse=True)
def _line_takes_sms(company: PhoneCompany) -> None:
    company.own_number(LINE, sms_url=f"{BASE}/sms", sms_fallback_url=f"{BASE}/sms-fallback")


def test_it_delivers_and_reports_every_status_but_the_first(
    company: PhoneCompany, app: App, scheduler: VirtualScheduler
) -> None:
    message = company.desk.send(LINE, DANA, "Case 1042", (f"{BASE}/st", "POST"))
    assert message.status == "queued"
    scheduler.advance(10)
    assert [form["MessageStatus"] for form in app.forms("/st")] == ["sent", "delivered"]
    assert app.forms("/st")[0]["MessageSid"] == app.forms("/st")[0]["SmsSid"] == message.sid
    assert [(text.direction, text.other, text.body) for text in company.phone(DANA).sms] == [
        ("received", LINE, "Case 1042")
    ]


@pytest.mark.parametrize(("status", "code"), [("undelivered", "30003"), ("failed", "30008")])
def test_it_reports_what_does_not_arrive(
    company: PhoneCompany, app: App, scheduler: VirtualScheduler, status: str, code: str
) -> None:
    company.phone(DANA).sms_status = status
    company.desk.send(LINE, DANA, "Case 1042", (f"{BASE}/st", "POST"))
    scheduler.advance(10)
    assert (app.forms("/st")[-1]["MessageStatus"], app.forms("/st")[-1]["ErrorCode"]) == (status, code)
    assert company.phone(DANA).sms == []


def test_it_brings_what_a_phone_sends_and_carries_the_reply_back(
    company: PhoneCompany, app: App, scheduler: VirtualScheduler
) -> None:
    app["/sms"] = "<Message>Got it, case 7</Message><Message><Body>And more</Body></Message>"
    message = company.text(MARIA, LINE, "OpCon is down")
    form = app.forms("/sms")[0]
    assert (form["From"], form["To"], form["Body"]) == (MARIA, LINE, "OpCon is down")
    assert form["MessageSid"] == form["SmsSid"] == message.sid
    assert (form["NumMedia"], form["NumSegments"]) == ("0", "1")
    scheduler.advance(10)
    assert [text.body for text in company.phone(MARIA).sms] == ["OpCon is down", "Got it, case 7", "And more"]
    directions = [item.direction for item in company.desk.messages.values()]
    assert directions == ["inbound", "outbound-reply", "outbound-reply"]


def test_it_asks_the_fallback_and_follows_a_redirect(company: PhoneCompany, app: App) -> None:
    app["/sms"], app["/sms-fallback"] = error(500), "<Redirect>/other</Redirect>"
    company.text(MARIA, LINE, "hello")
    assert app.paths == ["/sms", "/sms-fallback", "/other"]


def test_it_reports_replies_that_cannot_be_read(company: PhoneCompany, app: App) -> None:
    app["/sms"] = "<Say>wrong kind</Say>"
    company.text(MARIA, LINE, "hello")
    assert [alert.code for alert in company.alerts] == [12200]


def test_it_brings_pictures_by_their_addresses(company: PhoneCompany, app: App) -> None:
    message = company.text(MARIA, LINE, "look", ("https://pictures.example/1.jpg",))
    form = app.forms("/sms")[0]
    assert (form["NumMedia"], form["MediaUrl0"]) == ("1", "https://pictures.example/1.jpg")
    assert message.sid.startswith("MM")


@pytest.mark.parametrize(("body", "segments"), [("x" * 160, 1), ("x" * 161, 2), ("ü" * 70, 1), ("ü" * 71, 2)])
def test_it_counts_segments(company: PhoneCompany, body: str, segments: int) -> None:
    message = Message("SM1", LINE, DANA, body, "outbound-api", company.now(), "queued")
    assert message.segments == segments


def test_it_knows_only_its_own_numbers(company: PhoneCompany) -> None:
    with pytest.raises(ValueError, match="not one of our numbers"):
        company.text(MARIA, "+19998887777", "hello")
    with pytest.raises(ValueError, match="not one of our numbers"):
        company.dial(MARIA, "+19998887777")
