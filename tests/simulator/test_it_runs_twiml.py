"""Say, Pause, Play, Gather, Redirect, Hangup and Reject, and how a call begins and ends."""

from __future__ import annotations

import pytest
from simulated_app import BASE, LINE, MARIA, App, error, slow, twiml

from simulator import twiml as documents
from simulator.company import PhoneCompany, Stuck
from simulator.scheduler import VirtualScheduler
from simulator.transport import ConnectFailed, WebhookResponse

SORRY = "application error"


def test_it_tells_the_application_who_calls_and_says_what_it_answers(
    company: PhoneCompany, app: App, scheduler: VirtualScheduler
) -> None:
    app["/voice"] = "<Say>Good   evening, <emphasis>Maria</emphasis>.</Say><Pause length='2'/><Hangup/>"
    call = company.dial(MARIA, LINE, stir="TN-Validation-Passed-A")
    form = app.forms("/voice")[0]
    assert form["From"] == form["Caller"] == MARIA
    assert form["To"] == form["Called"] == LINE
    assert (form["CallStatus"], form["Direction"], form["CallSid"]) == ("ringing", "inbound", call.sid)
    assert form["StirVerstat"] == "TN-Validation-Passed-A"
    assert call.status == "in-progress"
    scheduler.advance(10)
    assert call.heard_text == "Good evening, Maria."
    assert [(item.kind, round(item.seconds, 2)) for item in call.heard] == [("say", 1.15), ("pause", 2.0)]
    assert (call.status, call.duration) == ("completed", 4)


def test_it_reports_the_end_of_an_inbound_call_to_the_number_and_only_the_end(
    company: PhoneCompany, app: App, scheduler: VirtualScheduler
) -> None:
    app["/voice"] = "<Pause length='61'/>"
    company.dial(MARIA, LINE)
    scheduler.advance(70)
    (form,) = app.forms("/over")
    assert (form["CallStatus"], form["SequenceNumber"]) == ("completed", "0")
    assert (form["CallDuration"], form["Duration"]) == ("61", "2")
    assert form["CallbackSource"] == "call-progress-events"
    assert form["Timestamp"] == "Wed, 04 Mar 2026 08:11:01 +0000"


@pytest.mark.parametrize(
    ("attributes", "keys", "digits"),
    [
        ("numDigits='1'", "1", "1"),
        ("numDigits='2'", "123", "12"),
        ("", "42#", "42"),
        ("", "#", ""),
        ("finishOnKey='*'", "4#*", "4#"),
        ("finishOnKey='' numDigits='3'", "1#2", "1#2"),
    ],
)
def test_it_gathers_keys(company: PhoneCompany, app: App, attributes: str, keys: str, digits: str) -> None:
    app["/voice"] = f"<Gather action='/menu' {attributes}><Say>Choose</Say></Gather><Say>Nothing</Say>"
    app["/menu"] = "<Say>Thanks</Say>"
    call = company.dial(MARIA, LINE)
    company.run_until_waiting(call)
    assert call.waiting is not None
    assert call.waiting.kind == "gather"
    call.press(keys)
    assert app.forms("/menu")[0]["Digits"] == digits
    company.run_until_waiting(call)
    assert call.heard_text == "Choose Thanks"


def test_it_takes_keys_one_by_one_until_the_caller_pauses(company: PhoneCompany, app: App) -> None:
    app["/voice"] = "<Gather timeout='4' action='menu'/>"
    call = company.dial(MARIA, LINE)
    company.run_until_waiting(call)
    call.press("1")
    company.let_pass(3)
    call.press("2")
    call.stay_silent()
    assert app.forms("/menu")[0]["Digits"] == "12"


def test_it_lets_a_key_cut_the_prompt_short(company: PhoneCompany, app: App) -> None:
    app["/voice"] = "<Gather numDigits='1' action='/menu'><Say>" + "word " * 100 + "</Say></Gather>"
    call = company.dial(MARIA, LINE)
    company.let_pass(3)
    assert call.waiting is not None
    assert call.waiting.prompting
    call.press("1")
    assert app.forms("/menu")[0]["Digits"] == "1"
    assert call.heard[0].seconds == pytest.approx(3)


def test_it_falls_through_a_gather_without_input_and_loses_keys_nobody_waits_for(
    company: PhoneCompany, app: App
) -> None:
    app["/voice"] = "<Say>Wait a moment please</Say><Gather timeout='3' action='/menu'/><Say>Goodbye</Say>"
    call = company.dial(MARIA, LINE)
    call.press("1")
    company.run_until_waiting(call)
    call.stay_silent()
    company.run_until_waiting(call)
    assert app.to("/menu") == []
    assert call.heard_text == "Wait a moment please Goodbye"


def test_it_asks_the_action_without_input_when_told_to(company: PhoneCompany, app: App) -> None:
    app["/voice"] = "<Gather actionOnEmptyResult='true' action='/menu'/>"
    call = company.dial(MARIA, LINE)
    company.run_until_waiting(call)
    call.stay_silent()
    assert app.forms("/menu")[0]["Digits"] == ""


def test_it_tells_nobody_but_the_number_when_a_caller_hangs_up_inside_a_gather(
    company: PhoneCompany, app: App
) -> None:
    app["/voice"] = "<Gather action='/menu'><Say>Choose</Say></Gather>"
    call = company.dial(MARIA, LINE)
    company.run_until_waiting(call)
    call.hang_up()
    assert app.paths == ["/voice", "/over"]
    assert call.status == "completed"


def test_it_gathers_speech(company: PhoneCompany, app: App) -> None:
    app["/voice"] = "<Gather input='speech dtmf' action='/menu'/>"
    call = company.dial(MARIA, LINE)
    company.run_until_waiting(call)
    call.speak(text="production is down")
    assert app.forms("/menu")[0]["SpeechResult"] == "production is down"


def test_it_follows_a_redirect_against_the_documents_own_address(company: PhoneCompany, app: App) -> None:
    company.own_number(LINE, voice_url=f"{BASE}/twilio/voice?x=1")
    app["/twilio/voice"] = "<Redirect>step2</Redirect><Say>never</Say>"
    app["/twilio/step2"] = "<Redirect method='GET'>/other?a=b</Redirect>"
    app["/other"] = "<Say>here</Say>"
    call = company.dial(MARIA, LINE)
    company.run_until_waiting(call)
    assert call.heard_text == "here"
    assert [(seen.path, seen.method) for seen in app.seen] == [
        ("/twilio/voice", "POST"),
        ("/twilio/step2", "POST"),
        ("/other", "GET"),
        ("/over", "POST"),
    ]
    assert call.sid in app.seen[2].form.get("CallSid", "") or app.seen[2].form == {}


@pytest.mark.parametrize(("reason", "status"), [("busy", "busy"), ("rejected", "no-answer")])
def test_it_rejects_without_answering(company: PhoneCompany, app: App, reason: str, status: str) -> None:
    app["/voice"] = f"<Reject reason='{reason}'/>"
    call = company.dial(MARIA, LINE)
    assert (call.status, call.answered, call.duration) == (status, False, None)
    assert app.forms("/over")[0]["CallStatus"] == status


def test_it_plays_what_it_can_get_and_reports_what_it_cannot(company: PhoneCompany, app: App) -> None:
    wav = WebhookResponse(200, {"content-type": "audio/wav", "Content-Length": str(44 + 48000)}, "")
    app["/a.wav"], app["/b.wav"] = wav, error(404)
    app["/voice"] = "<Play>/a.wav</Play><Play>/b.wav</Play><Play digits='12'/><Say>end</Say>"
    call = company.dial(MARIA, LINE)
    company.run_until_waiting(call)
    heard = [(item.kind, item.text, item.seconds) for item in call.heard[:-1]]
    assert heard == [("play", "/a.wav", 3.0), ("digits", "12", 1.0)]
    assert [alert.code for alert in company.alerts] == [11200]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (error(500), 11200),
        (ConnectFailed("refused"), 11200),
        (slow(), 11200),
        (WebhookResponse(200, {"Content-Type": "text/xml"}, "\n<Response/>"), 12100),
        (WebhookResponse(200, {"Content-Type": "text/xml"}, "<Response><Say></Response>"), 12100),
        (WebhookResponse(200, {"Content-Type": "text/xml"}, "<Twiml/>"), 12100),
        (WebhookResponse(200, {"Content-Type": "application/json"}, "{}"), 12300),
        (twiml("<Sing>la</Sing>"), 12200),
        (twiml("<Gather><Record/></Gather>"), 12200),
        (twiml("<Say>" + "x" * 70000 + "</Say>"), 11750),
    ],
)
def test_it_ends_the_call_with_an_error_message_or_asks_the_fallback(
    company: PhoneCompany, app: App, answer: WebhookResponse | Exception, code: int
) -> None:
    app["/voice"] = answer
    call = company.dial(MARIA, LINE)
    company.run_until_waiting(call)
    assert SORRY in call.heard_text
    assert company.alerts[-1].code == code
    assert call.status == "completed"

    company.own_number(LINE, voice_fallback_url=f"{BASE}/fallback")
    app["/fallback"] = "<Say>Please leave a message</Say>"
    call = company.dial(MARIA, LINE)
    company.run_until_waiting(call)
    assert call.heard_text == "Please leave a message"
    form = app.forms("/fallback")[0]
    assert (form["ErrorCode"], form["ErrorUrl"]) == (str(code), f"{BASE}/voice")


def test_it_only_warns_of_an_unknown_attribute(company: PhoneCompany, app: App) -> None:
    app["/voice"] = "<Say pitch='low'>Hello</Say>"
    call = company.dial(MARIA, LINE)
    company.run_until_waiting(call)
    assert call.heard_text == "Hello"
    assert company.alerts[-1].code == 12200


def test_it_stops_documents_that_redirect_for_ever(company: PhoneCompany, app: App) -> None:
    app["/voice"] = "<Redirect/>"
    call = company.dial(MARIA, LINE)
    company.run_until_waiting(call)
    assert call.ended
    assert "too many" in company.alerts[-1].message


def test_it_says_when_nothing_more_can_happen(company: PhoneCompany) -> None:
    with pytest.raises(Stuck):
        company.run_until(lambda: False)


def test_it_resolves_references_and_keeps_their_fragments() -> None:
    document = documents.parse("<Response/>", f"{BASE}/twilio/voice?x=1#rc=2")
    assert document.resolve("") == f"{BASE}/twilio/voice?x=1"
    assert document.resolve("next#rc=1") == f"{BASE}/twilio/next#rc=1"
    assert document.resolve("/next?a=1") == f"{BASE}/next?a=1"
