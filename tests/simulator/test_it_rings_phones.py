"""Outbound calls, <Dial>, and how the outside world's phones behave."""

from __future__ import annotations

from typing import Any

import pytest
from simulated_app import ACCOUNT, BASE, DANA, LINE, LUIS, MARIA, TOKEN, App
from twilio.rest import Client

from simulator.calls import Call
from simulator.company import PhoneCompany
from simulator.loopback import LoopbackHttpClient
from simulator.phones import (
    Answers,
    Behaviour,
    Busy,
    Fails,
    Live,
    Mailbox,
    NeverAnswers,
    Screening,
)
from simulator.scheduler import VirtualScheduler

EVENTS = ["initiated", "ringing", "answered", "completed"]
PAGE = "<Gather numDigits='1' action='/accept'><Say>Case 1042. Press one.</Say></Gather>"


@pytest.fixture
def client(company: PhoneCompany) -> Any:
    return Client(ACCOUNT, TOKEN, http_client=LoopbackHttpClient(company))


def page(client: Any, **more: Any) -> str:
    """Place a call to Dana, and give its SID."""
    placed = client.calls.create(to=DANA, from_=LINE, url=f"{BASE}/page", **more)
    assert placed.status == "queued"
    return str(placed.sid)


def test_it_reports_the_progress_of_a_call_that_is_answered(
    company: PhoneCompany, app: App, client: Any, scheduler: VirtualScheduler
) -> None:
    app["/page"], app["/accept"] = PAGE, "<Say>Yours</Say>"
    company.phone(DANA).behave(Answers(5, presses="1"))
    sid = page(client, status_callback=f"{BASE}/cs", status_callback_event=EVENTS)
    scheduler.advance(60)
    forms = app.forms("/cs")
    assert [form["CallStatus"] for form in forms] == ["initiated", "ringing", "in-progress", "completed"]
    assert [form["SequenceNumber"] for form in forms] == ["0", "1", "2", "3"]
    assert forms[0]["Direction"] == "outbound-api"
    assert "CallDuration" not in forms[2]
    assert forms[3]["Duration"] == "1"
    assert app.forms("/accept")[0]["Digits"] == "1"
    assert company.phone(DANA).heard_text == "Case 1042. Press one. Yours"
    assert client.calls(sid).fetch().status == "completed"


@pytest.mark.parametrize(
    ("behaviour", "status", "sip"),
    [(NeverAnswers(), "no-answer", "487"), (Busy(), "busy", "486"), (Fails(), "failed", "404")],
)
def test_it_reports_only_the_end_of_a_call_that_is_not(
    company: PhoneCompany,
    app: App,
    client: Any,
    scheduler: VirtualScheduler,
    behaviour: Behaviour,
    status: str,
    sip: str,
) -> None:
    company.phone(DANA).behave(behaviour)
    page(client, status_callback=f"{BASE}/cs", timeout=20)
    scheduler.advance(30)
    (form,) = app.forms("/cs")
    assert (form["CallStatus"], form["SipResponseCode"]) == (status, sip)
    assert app.to("/page") == []


@pytest.mark.parametrize(
    ("behaviour", "answered_by"),
    [
        (Answers(2), "human"),
        (Mailbox(2), "machine_end_beep"),
        (Screening(), "unknown"),
    ],
)
def test_it_detects_who_answered_and_only_then_asks_what_to_say(
    company: PhoneCompany,
    app: App,
    client: Any,
    scheduler: VirtualScheduler,
    behaviour: Behaviour,
    answered_by: str,
) -> None:
    app["/page"] = PAGE
    company.phone(DANA).behave(behaviour)
    sid = page(client, machine_detection="DetectMessageEnd")
    scheduler.advance(60)
    assert app.forms("/page")[0]["AnsweredBy"] == answered_by
    assert client.calls(sid).fetch().answered_by == answered_by
    assert app.to("/accept") == []


def test_it_lets_a_mailbox_record_only_what_comes_after_its_greeting(
    company: PhoneCompany, app: App, client: Any, scheduler: VirtualScheduler
) -> None:
    app["/page"] = "<Say>too early</Say><Pause length='10'/><Say>on the tape</Say>"
    mailbox = Mailbox(3, greeting=6, records=20)
    company.phone(DANA).behave(mailbox)
    sid = page(client)
    scheduler.advance(60)
    assert [item.text for item in mailbox.recorded(company.calls[sid])] == ["on the tape"]


def test_it_uses_up_a_queue_of_behaviours_and_stays_with_the_last(
    company: PhoneCompany, app: App, client: Any, scheduler: VirtualScheduler
) -> None:
    app["/page"], app["/accept"] = PAGE, ""
    company.phone(DANA).behave(NeverAnswers(), Answers(2, presses=[(4, "1")]))
    statuses = []
    for _ in range(3):
        sid = page(client, timeout=10)
        scheduler.advance(60)
        statuses.append(company.calls[sid].status)
    assert statuses == ["no-answer", "completed", "completed"]


def test_it_takes_any_callable_for_a_behaviour(
    company: PhoneCompany, app: App, client: Any, scheduler: VirtualScheduler
) -> None:
    app["/page"] = PAGE

    def picks_up_and_leaves(call: Call) -> None:
        call.after(2, call.answer)
        call.after(5, call.hang_up)

    company.phone(DANA).behave(picks_up_and_leaves)
    sid = page(client)
    scheduler.advance(10)
    assert company.calls[sid].duration == 3


def test_it_presses_as_many_keys_as_each_question_takes(
    company: PhoneCompany, app: App, client: Any, scheduler: VirtualScheduler
) -> None:
    app["/page"] = "<Gather action='/code' timeout='9'/>"
    app["/code"] = "<Gather numDigits='1' action='/accept'/>"
    app["/accept"] = "<Pause length='30'/>"
    company.phone(DANA).behave(Answers(2, presses="4711#2", hangs_up_after=3))
    sid = page(client)
    scheduler.advance(60)
    assert app.forms("/code")[0]["Digits"] == "4711"
    assert app.forms("/accept")[0]["Digits"] == "2"
    assert company.calls[sid].duration == 5


def test_it_is_busy_while_it_talks(
    company: PhoneCompany, app: App, client: Any, scheduler: VirtualScheduler
) -> None:
    app["/page"] = "<Pause length='60'/>"
    company.phone(DANA).behave(Answers(1))
    first = page(client)
    scheduler.advance(10)
    second = page(client)
    scheduler.advance(10)
    assert [company.calls[sid].status for sid in (first, second)] == ["in-progress", "busy"]


def test_it_dials_one_call_a_second_and_says_how_long_the_others_wait(
    company: PhoneCompany, client: Any, scheduler: VirtualScheduler
) -> None:
    calls = [client.calls.create(to=DANA, from_=LINE, twiml="<Response/>") for _ in range(3)]
    assert [call.queue_time for call in calls] == ["0", "1000", "2000"]
    scheduler.advance(1.5)
    assert [company.calls[call.sid].status for call in calls] == ["ringing", "queued", "queued"]
    scheduler.advance(2)
    assert all(company.calls[call.sid].status == "ringing" for call in calls)


def test_it_plays_keys_into_the_phone_after_it_is_answered(
    company: PhoneCompany, app: App, client: Any, scheduler: VirtualScheduler
) -> None:
    company.phone(DANA).behave(Answers(1))
    sid = page(client, send_digits="ww12#")
    scheduler.advance(10)
    heard = [item.text for item in company.calls[sid].heard if item.kind == "digits"]
    assert heard == ["1", "2", "#"]


def test_it_records_a_whole_call(
    company: PhoneCompany, app: App, client: Any, scheduler: VirtualScheduler
) -> None:
    app["/page"] = "<Pause length='12'/>"
    company.phone(DANA).behave(Answers(1))
    page(client, record=True, recording_status_callback=f"{BASE}/rec", status_callback=f"{BASE}/cs")
    scheduler.advance(30)
    form = app.forms("/rec")[0]
    assert app.forms("/cs")[0]["RecordingSid"] == form["RecordingSid"]
    assert (form["RecordingSource"], form["RecordingDuration"]) == ("OutboundAPI", "12")


def test_it_ends_and_redirects_live_calls(
    company: PhoneCompany, app: App, client: Any, scheduler: VirtualScheduler
) -> None:
    app["/page"], app["/other"] = "<Pause length='600'/>", "<Say>elsewhere</Say><Pause length='60'/>"
    company.phone(DANA).behave(Answers(1))
    sid = page(client)
    scheduler.advance(5)
    client.calls(sid).update(url=f"{BASE}/other")
    scheduler.advance(2)
    client.calls(sid).update(twiml="<Response><Say>and here</Say><Pause length='60'/></Response>")
    scheduler.advance(2)
    assert company.calls[sid].heard_text == "elsewhere and here"
    assert client.calls(sid).update(status="completed").status == "completed"
    queued = page(client)
    assert client.calls(queued).update(status="canceled").status == "canceled"


# -- <Dial> -----------------------------------------------------------------------------------------------


@pytest.fixture
def over(app: App) -> App:
    app["/done"] = "<Say>Please leave a message</Say>"
    return app


def dialing(inside: str, **attributes: str) -> str:
    given = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f'<Dial action="/done"{given}>{inside}</Dial><Say>after</Say>'


def test_it_connects_two_people_until_one_hangs_up(
    company: PhoneCompany, over: App, scheduler: VirtualScheduler
) -> None:
    over["/voice"] = dialing(DANA, callerId=LINE)
    company.phone(DANA).behave(Live())
    call = company.dial(MARIA, LINE)
    scheduler.advance(6)
    leg = company.phone(DANA).ringing
    assert leg is not None
    assert (leg.from_, leg.direction, leg.parent) == (LINE, "outbound-dial", call)
    leg.answer()
    assert call.peer is leg
    call.speak(text="hello there")
    assert leg.heard[-1].text == "hello there"
    scheduler.advance(60)
    leg.hang_up()
    form = over.forms("/done")[0]
    assert (form["DialCallStatus"], form["DialBridged"], form["DialCallSid"]) == (
        "completed",
        "true",
        leg.sid,
    )
    assert int(form["DialCallDuration"]) == 61
    company.run_until_waiting(call)
    assert call.heard_text == "Please leave a message"


@pytest.mark.parametrize(
    ("behaviour", "status"), [(NeverAnswers(), "no-answer"), (Busy(), "busy"), (Fails(), "failed")]
)
def test_it_says_why_nobody_was_connected(
    company: PhoneCompany, over: App, behaviour: Behaviour, status: str
) -> None:
    over["/voice"] = dialing(DANA, timeout="15")
    company.phone(DANA).behave(behaviour)
    company.run_until_waiting(company.dial(MARIA, LINE))
    form = over.forms("/done")[0]
    assert (form["DialCallStatus"], form["DialBridged"]) == (status, "false")


def test_it_goes_on_behind_a_dial_without_action(company: PhoneCompany, app: App) -> None:
    app["/voice"] = f"<Dial timeout='5'>{DANA}</Dial><Say>after</Say>"
    call = company.dial(MARIA, LINE)
    company.run_until_waiting(call)
    assert call.heard_text == "after"


def test_it_connects_the_first_who_accepts_not_the_first_who_answers(
    company: PhoneCompany, over: App, scheduler: VirtualScheduler
) -> None:
    """A mailbox answers first; Luis presses 1 later, and gets the call."""
    over["/voice"] = dialing(f"<Number url='/whisper'>{DANA}</Number><Number url='/whisper'>{LUIS}</Number>")
    over["/whisper"] = "<Gather numDigits='1' action='/take'><Say>Press one</Say></Gather><Hangup/>"
    over["/take"] = ""
    company.phone(DANA).behave(Mailbox(2))
    company.phone(LUIS).behave(Answers(6, presses=[(2, "1")]))
    call = company.dial(MARIA, LINE)
    company.run_until_waiting(call)
    assert call.peer is company.phone(LUIS).calls[0]
    assert company.phone(DANA).calls[0].ended
    assert over.forms("/whisper")[0]["ParentCallSid"] == call.sid
    call.hang_up()
    assert [form["DialCallStatus"] for form in over.forms("/done")] == ["completed"]
    assert company.phone(LUIS).calls[0].ended


def test_it_does_not_connect_a_leg_that_hangs_up_in_its_whisper(company: PhoneCompany, over: App) -> None:
    over["/voice"] = dialing(f"<Number url='/whisper'>{DANA}</Number>")
    over["/whisper"] = "<Gather numDigits='1'><Say>Press one</Say></Gather><Hangup/>"
    company.phone(DANA).behave(Screening())
    company.run_until_waiting(company.dial(MARIA, LINE))
    form = over.forms("/done")[0]
    assert (form["DialBridged"], "DialCallDuration" in form) == ("false", False)


def test_it_stops_ringing_when_the_caller_gives_up(
    company: PhoneCompany, over: App, scheduler: VirtualScheduler
) -> None:
    over["/voice"] = dialing(f"<Number statusCallback='/leg'>{DANA}</Number><Sip>hunt@pbx.example</Sip>")
    call = company.dial(MARIA, LINE)
    scheduler.advance(5)
    call.hang_up()
    assert over.forms("/done")[0]["DialCallStatus"] == "canceled"
    assert over.forms("/leg")[0]["CallStatus"] == "canceled"
    assert company.phone("sip:hunt@pbx.example").calls[0].status == "canceled"


def test_it_reports_each_legs_progress(company: PhoneCompany, over: App) -> None:
    number = f"<Number statusCallback='/leg' statusCallbackEvent='{' '.join(EVENTS)}'>{DANA}</Number>"
    over["/voice"] = dialing(number)
    company.phone(DANA).behave(Answers(3, hangs_up_after=10))
    company.dial(MARIA, LINE)
    company.run_until(lambda: bool(over.to("/done")))
    statuses = [form["CallStatus"] for form in over.forms("/leg")]
    assert statuses == ["initiated", "ringing", "in-progress", "completed"]


def test_it_ends_a_connection_by_star_or_by_its_time_limit(
    company: PhoneCompany, over: App, scheduler: VirtualScheduler
) -> None:
    over["/voice"] = dialing(DANA, hangupOnStar="true", timeLimit="30", record="record-from-answer")
    company.phone(DANA).behave(Answers(1))
    first = company.dial(MARIA, LINE)
    company.run_until_waiting(first)
    scheduler.advance(10)
    first.press("*")
    company.run_until(lambda: first.ended)
    second = company.dial(MARIA, LINE)
    company.run_until(lambda: second.ended)
    forms = over.forms("/done")
    assert [form["DialCallDuration"] for form in forms] == ["10", "30"]
    assert forms[0]["RecordingSid"] in company.recordings


def test_it_takes_a_leg_out_of_a_connection(
    company: PhoneCompany, over: App, scheduler: VirtualScheduler, client: Any
) -> None:
    over["/voice"], over["/apart"] = dialing(DANA), "<Say>alone</Say><Pause length='30'/>"
    company.phone(DANA).behave(Answers(1))
    call = company.dial(MARIA, LINE)
    company.run_until_waiting(call)
    leg = company.phone(DANA).calls[0]
    client.calls(leg.sid).update(url=f"{BASE}/apart")
    scheduler.advance(1)
    assert leg.heard_text == "alone"
    assert call.heard_text == "Please leave a message"
    assert not leg.ended


def test_it_cannot_dial_what_is_not_a_number(company: PhoneCompany, over: App) -> None:
    over["/voice"] = dialing("911x")
    company.run_until_waiting(company.dial(MARIA, LINE))
    assert over.forms("/done")[0]["DialCallStatus"] == "failed"
    assert company.alerts[-1].code == 13224
