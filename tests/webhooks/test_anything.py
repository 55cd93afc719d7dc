"""Whatever is signed and sent, nobody hears an error: the answer is TwiML that Twilio can run, or empty."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.twiml_lint import problems_in
from tests.webhooks.desk import ACCOUNT, CALL, MARIA, RECORDING, SUPPORT, Desk

API = f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Recordings/"
SENSIBLE: dict[str, list[str]] = {
    "CallSid": [CALL, "CA" + "2" * 32],
    "From": [MARIA, "+17135550101", "anonymous", "+266696687", "client:x"],
    "To": [SUPPORT, "+18772745771", "+19995550100"],
    "CallStatus": ["ringing", "in-progress", "completed", "busy", "failed", "no-answer", "canceled"],
    "Digits": ["1", "2", "3", "5", "9", "#", "*", "4471", "hangup", "7135550199", "0"],
    "FinishedOnKey": ["#"],
    "RecordingSid": [RECORDING, "RE" + "2" * 32],
    "RecordingUrl": [API + RECORDING, "https://evil.example/RE1", "http://[", "//"],
    "RecordingDuration": ["0", "1", "8", "99999999999999999999", "²", "-1"],
    "RecordingStatus": ["completed", "absent", "in-progress"],
    "ErrorCode": ["0", "16101", "16102", "x" * 50],
    "SequenceNumber": ["0", "3", "99999999999999999999", "²"],
    "DialCallStatus": ["completed", "answered", "busy", "no-answer"],
    "DialBridged": ["true", "false"],
    "MessageSid": ["SM" + "1" * 32],
    "MessageStatus": ["delivered", "failed", "undelivered"],
    "Body": ["ACK 1001", "PASS 1001", "ack", "hello", "ACK 999999999999", "PASS"],
    "TranscriptionStatus": ["completed", "failed"],
    "TranscriptionText": ["Production is down.", "\x00\x1b", "x" * 5000],
    "StirVerstat": ["TN-Validation-Passed-A", "x" * 200],
    "NightbellReceivedAt": ["2026-03-04T08:10:00+00:00", "2026-03-04T08:10:00", "never"],
}
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
NUMBERS = st.sampled_from([0, 1, 2, 3, 7, 2**31, 2**63, 10**30])


@st.composite
def forms(draw: st.DrawFn) -> dict[str, str]:
    """Some of the parameters that there are, most with a sensible value, and some that there are not."""
    names = draw(st.lists(st.sampled_from(sorted(SENSIBLE)), unique=True, max_size=9))
    form = {name: draw(st.sampled_from(SENSIBLE[name]) | ANY_TEXT) for name in names}
    if draw(st.booleans()):
        form["CallSid"] = CALL
    return form | draw(st.dictionaries(ANY_TEXT.filter(bool), ANY_TEXT, max_size=2))


@pytest.fixture
def busy(desk: Desk) -> Desk:
    """A desk at which a case is being rung for, so that every route has something to find."""
    desk.leaves_voicemail()
    return desk


def routes(desk: Desk) -> list[Any]:
    return sorted(
        (r for r in desk.app.url_map.iter_rules() if r.rule.startswith("/twilio")), key=lambda r: r.rule
    )


def check(desk: Desk, path: str, form: dict[str, str]) -> None:
    answer = desk.post(path, form)
    assert answer.status_code in (200, 403, 404, 405), f"{path} {form}: {answer.status}"
    text = answer.get_data(as_text=True)
    if answer.status_code == 200 and text:
        kind = "messaging" if "/sms" in path else "voice"
        assert problems_in(text, kind) == [], f"{path} {form}"


@settings(
    deadline=None,
    max_examples=160,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data(), form=forms())
def test_it_answers_anything_with_something_that_can_be_run(
    busy: Desk, data: st.DataObject, form: dict[str, str]
) -> None:
    rule = data.draw(st.sampled_from(routes(busy)))
    values: dict[str, Any] = {
        name: data.draw(st.sampled_from([CALL, "CA0", "x"]) if name == "sid" else NUMBERS)
        for name in rule.arguments
    }
    check(busy, busy.app.url_map.bind("bell.example").build(rule.endpoint, values), form)


@pytest.mark.parametrize(
    "form", [{}, {"CallSid": CALL}, {"CallSid": ""}, {"CallSid": "x" * 200}, {"CallSid": "\x00"}]
)
def test_it_answers_every_route_however_little_comes(busy: Desk, form: dict[str, str]) -> None:
    for rule in routes(busy):
        values: dict[str, Any] = {name: CALL if name == "sid" else 1 for name in rule.arguments}
        check(busy, busy.app.url_map.bind("bell.example").build(rule.endpoint, values), form)


def test_it_refuses_more_than_a_form_can_be(desk: Desk) -> None:
    assert desk.post("/twilio/voice", {"Body": "x" * 2_000_000}).status_code in (403, 413)


def test_it_tells_a_caller_politely_of_a_number_that_no_line_has(desk: Desk) -> None:
    answer = desk.post("/twilio/voice", {"CallSid": CALL, "From": MARIA, "To": "+19995550100"})
    assert b"not in service" in answer.data
    assert b"<Hangup" in answer.data
    assert desk.calls == []


def test_it_keeps_a_verdict_on_the_caller_s_number(desk: Desk) -> None:
    desk.rings(StirVerstat="TN-Validation-Passed-A")
    assert desk.calls[0].stir == "TN-Validation-Passed-A"


def test_it_takes_a_call_whose_verdict_is_longer_than_any_known(desk: Desk) -> None:
    """A value that is new tomorrow must not cost a caller the way to the night's engineer."""
    answer = desk.rings(StirVerstat="TN-Validation-" + "Passed-" * 20)
    assert "X-Nightbell-Spooled" not in answer.headers
    assert len(desk.calls) == 1
