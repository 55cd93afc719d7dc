"""Signatures, retries, redirects, disorder and the log, as Twilio's documents describe them."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from simulated_app import BASE, LINE, MARIA, TOKEN, App, error, slow, twiml
from twilio.request_validator import RequestValidator, get_signature_algorithm

from simulator.company import PhoneCompany
from simulator.scheduler import VirtualScheduler
from simulator.transport import ConnectFailed, WebhookRequest, WebhookResponse
from simulator.webhooks import RetryRule, sign

HANG_UP = "<Hangup/>"


def tokens(app: App) -> list[str]:
    return [seen.headers["I-Twilio-Idempotency-Token"] for seen in app.to("/voice")]


@pytest.mark.parametrize(
    "form", [{}, {"Body": "on our way"}, {"b": "2", "a": "1", "B": ""}, {"Bödy": "Grüße ☎"}]
)
@pytest.mark.parametrize("url", [f"{BASE}/a", f"{BASE}/a?x=1&a=%20b", "http://127.0.0.1:8080/a"])
def test_it_signs_as_twilios_own_validator_expects(url: str, form: dict[str, str]) -> None:
    validator = RequestValidator(TOKEN)
    assert validator.validate(url, form, sign(TOKEN, url, form))
    assert validator.compute_signature(url, form, "HMAC_SHA256") == sign(TOKEN, url, form, "sha256")


def test_it_can_sign_with_a_shared_key(company: PhoneCompany) -> None:
    seen: list[WebhookRequest] = []

    def transport(request: WebhookRequest) -> WebhookResponse:
        seen.append(request)
        return twiml(HANG_UP)

    company.webhooks.sender.transport = transport  # type: ignore[attr-defined]
    company.webhooks.shared_key = ("webhooks_sharedkey_1", "shared secret")
    company.dial(MARIA, LINE)
    headers = seen[0].headers
    algorithm = get_signature_algorithm(headers["X-Twilio-Webhooks-Signature-Settings"])
    validator = RequestValidator("shared secret")
    assert validator.validate(seen[0].url, seen[0].form, headers["X-Twilio-Signature"], algorithm)


def test_it_sends_everything_in_the_query_of_a_get(company: PhoneCompany, app: App) -> None:
    seen: list[WebhookRequest] = []
    company.disturb = lambda request, _kind: seen.append(request) or [0.0]  # type: ignore[func-returns-value]
    company.own_number(LINE, voice_url=f"{BASE}/voice?step=1#rc=2", voice_method="GET")
    app["/voice"] = HANG_UP
    call = company.dial(MARIA, LINE)
    query = parse_qs(urlsplit(seen[0].url).query)
    assert (query["step"], query["CallSid"], seen[0].form) == (["1"], [call.sid], {})


@pytest.mark.parametrize(
    ("fragment", "answers", "tries"),
    [
        ("", [ConnectFailed("x"), HANG_UP], 2),
        ("", [ConnectFailed("x"), ConnectFailed("x"), HANG_UP], 2),
        ("", [error(500), HANG_UP], 1),
        ("", [slow(), HANG_UP], 1),
        ("#rc=0", [ConnectFailed("x"), HANG_UP], 1),
        ("#rc=2&rp=ct,rt,5xx", [error(503), error(500), HANG_UP], 3),
        ("#rc=2&rp=5xx", [error(404), HANG_UP], 1),
        ("#rc=5&rp=all&rt=1000", [error(404), slow(), ConnectFailed("x"), error(500), HANG_UP], 5),
        ("#rc=5&rp=rt&rt=6000", [slow()], 3),  # 15 seconds are all that a webhook gets
        ("#rc=9&rp=5xx", [error(500)], 6),
    ],
)
def test_it_tries_again_by_the_rule_in_the_fragment(
    company: PhoneCompany,
    app: App,
    scheduler: VirtualScheduler,
    fragment: str,
    answers: list[str | WebhookResponse | Exception],
    tries: int,
) -> None:
    company.own_number(LINE, voice_url=f"{BASE}/voice{fragment}")
    app["/voice"] = list(answers)
    company.dial(MARIA, LINE)
    scheduler.advance(60)
    assert len(app.to("/voice")) == tries
    assert len(set(tokens(app))) == 1


def test_it_gives_every_request_a_token_of_its_own(company: PhoneCompany, app: App) -> None:
    app["/voice"] = HANG_UP
    company.dial(MARIA, LINE)
    company.dial(MARIA, LINE)
    assert len(set(tokens(app))) == 2


def test_it_waits_as_long_as_the_rule_says_for_a_slow_answer(
    company: PhoneCompany, app: App, scheduler: VirtualScheduler
) -> None:
    company.own_number(LINE, voice_url=f"{BASE}/voice#rt=4000", voice_fallback_url=f"{BASE}/fallback")
    app["/voice"], app["/fallback"] = slow(), HANG_UP
    began = company.now()
    company.dial(MARIA, LINE)
    scheduler.advance(30)
    assert (app.to("/fallback")[0].at - began).total_seconds() == 4


def test_it_loses_the_form_when_it_follows_a_redirect(company: PhoneCompany, app: App) -> None:
    app["/voice"] = WebhookResponse(302, {"Location": "/moved?x=1"}, "")
    app["/moved"] = HANG_UP
    call = company.dial(MARIA, LINE)
    assert [(seen.path, seen.method, seen.form) for seen in app.seen[1:2]] == [("/moved", "GET", {})]
    assert call.status == "completed"


def test_it_gives_up_on_redirects_in_a_circle(company: PhoneCompany, app: App) -> None:
    app["/voice"] = WebhookResponse(301, {"Location": "/voice"}, "")
    company.dial(MARIA, LINE)
    assert len(app.to("/voice")) == 6
    assert "redirects" in company.alerts[-1].message


@pytest.mark.parametrize(("delays", "arrivals"), [([], []), ([0.0, 3.0], [0, 3]), ([5.0], [5])])
def test_it_loses_repeats_and_delays_what_it_is_told_to(
    company: PhoneCompany, app: App, scheduler: VirtualScheduler, delays: list[float], arrivals: list[int]
) -> None:
    app["/voice"] = HANG_UP
    company.disturb = lambda _request, kind: delays if kind == "call-status" else [0.0]
    began = company.now()
    company.dial(MARIA, LINE)
    scheduler.advance(30)
    assert [(seen.at - began).total_seconds() for seen in app.to("/over")] == arrivals
    assert len({seen.form["CallSid"] for seen in app.to("/over")}) <= 1


def test_it_goes_by_the_first_answer_of_a_repeated_question(
    company: PhoneCompany, app: App, scheduler: VirtualScheduler
) -> None:
    app["/voice"] = ["<Say>first</Say><Pause length='9'/>", "<Say>second</Say>"]
    company.disturb = lambda _request, kind: [0.0, 2.0] if kind == "voice" else [0.0]
    call = company.dial(MARIA, LINE)
    scheduler.advance(30)
    assert (len(app.to("/voice")), call.heard_text) == (2, "first")


def test_it_takes_a_lost_question_for_a_failure(company: PhoneCompany, app: App) -> None:
    company.own_number(LINE, voice_fallback_url=f"{BASE}/fallback")
    app["/fallback"] = "<Say>fallback</Say>"
    company.disturb = lambda _request, kind: [] if kind == "voice" else [0.0]
    call = company.dial(MARIA, LINE)
    assert (call.heard_text, company.alerts[0].code) == ("fallback", 11200)


def test_it_keeps_a_log_of_every_request(company: PhoneCompany, app: App) -> None:
    app["/voice"] = [ConnectFailed("refused"), HANG_UP]
    company.dial(MARIA, LINE)
    logged = [(entry.kind, entry.status, entry.error) for entry in company.webhook_log]
    assert logged == [("voice", 0, "ConnectFailed: refused"), ("voice", 200, ""), ("call-status", 200, "")]


def test_it_reports_a_callback_that_nobody_took(company: PhoneCompany, app: App) -> None:
    app["/voice"], app["/over"] = HANG_UP, error(500)
    call = company.dial(MARIA, LINE)
    assert [(alert.code, alert.call_sid) for alert in company.alerts] == [(11200, call.sid)]


def test_it_reads_the_rule_and_ignores_what_is_wrong_in_it() -> None:
    assert RetryRule.of("") == RetryRule(1, frozenset({"ct"}), 5.0, 15.0, 15.0)
    rule = RetryRule.of("rc=7&ct=50&rt=x&tt=99999&rp=5xx,rt&e=dublin")
    assert rule == RetryRule(5, frozenset({"5xx", "rt"}), 0.1, 15.0, 15.0)
