"""The shortest way in answers as Flask does, and leaves to Flask whatever is out of the ordinary."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl, urlencode
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from tests.webhooks.desk import BELL, CALL, MARIA, SUPPORT, TOKEN, Desk
from webhooks.front_door import PATH, FrontDoor, parse
from webhooks.signature import SignatureCheck

FORM = {"CallSid": CALL, "From": MARIA, "To": SUPPORT, "Odd": "ä & ü = 1%"}
PIECES = st.sampled_from(["a", "b=", "c=d", "=", "&", "+", "%2B", "%", "%C3%A4", "%ff", ";", "\n", "From"])


class Counter:
    """In Flask's place: notes what it is handed."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self.bodies.append(environ["wsgi.input"].read())
        start_response("200 OK", [])
        return [b"flask"]


def ask(desk: Desk, body: bytes, **environ: Any) -> tuple[bytes, list[bytes]]:
    """What is answered to a signed request of a ringing line, and the bodies that Flask was handed."""
    flask = Counter()
    door = FrontDoor(flask, desk.context, SignatureCheck(desk.context.settings), 1000)
    fields = dict(parse_qsl(body.decode("latin-1"), keep_blank_values=True))
    given = {
        "PATH_INFO": PATH, "REQUEST_METHOD": "POST", "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": "application/x-www-form-urlencoded", "wsgi.input": BytesIO(body),
        "HTTP_X_TWILIO_SIGNATURE": RequestValidator(TOKEN).compute_signature(BELL + PATH, fields),
        **environ,
    }  # fmt: skip
    return b"".join(door(given, lambda *_: lambda _: None)), flask.bodies


def test_it_answers_an_ordinary_call_by_itself(desk: Desk) -> None:
    answer, handed_on = ask(desk, urlencode(FORM).encode())
    assert answer.startswith(b"<?xml")
    assert handed_on == []
    assert [call.sid for call in desk.calls] == [CALL]


def test_it_answers_what_flask_answers(desk: Desk) -> None:
    body = urlencode(FORM).encode()
    answer, _ = ask(desk, body)
    # A name that comes twice is left to Flask, which finds the receipt of the same call.
    through_flask = desk.post(PATH, {**FORM, "Twice": ["1", "2"]})
    assert through_flask.get_data() == answer
    assert len(desk.calls) == 1


@pytest.mark.parametrize(
    "odd",
    [
        {"PATH_INFO": "/twilio/voice/1"},
        {"PATH_INFO": "/twilio/voice/"},
        {"REQUEST_METHOD": "GET"},
        {"QUERY_STRING": "a=1"},
        {"SCRIPT_NAME": "/below"},
        {"CONTENT_TYPE": "multipart/form-data; boundary=x"},
        {"CONTENT_TYPE": ""},
        {"CONTENT_LENGTH": ""},
        {"CONTENT_LENGTH": "-1"},
        {"CONTENT_LENGTH": "1001"},
        {"HTTP_X_TWILIO_SIGNATURE": ""},
        {"HTTP_X_TWILIO_SIGNATURE": "Ä\xff"},
        {"HTTP_X_TWILIO_WEBHOOKS_SIGNATURE_SETTINGS": "algorithm=ROT13"},
    ],
)
def test_it_hands_on_what_is_out_of_the_ordinary_as_it_came(desk: Desk, odd: dict[str, str]) -> None:
    body = urlencode(FORM).encode()
    assert ask(desk, body, **odd) == (b"flask", [body])
    assert desk.calls == []


@pytest.mark.parametrize(
    "body", [b"CallSid=CA1&CallSid=CA2", b"CallSid=\xe4", b"CallSid=CA1&NightbellReceivedAt=2026-01-01"]
)
def test_it_hands_on_forms_that_take_a_thorough_reader(desk: Desk, body: bytes) -> None:
    assert ask(desk, body) == (b"flask", [body])


@given(st.lists(PIECES).map("".join))
def test_it_reads_odd_bodies_as_the_library_does_or_not_at_all(body: str) -> None:
    pairs = parse_qsl(body, keep_blank_values=True, errors="werkzeug.url_quote")
    assert parse(body.encode()) == (dict(pairs) if len(dict(pairs)) == len(pairs) else None)


@given(st.dictionaries(st.text(), st.text()))
def test_it_reads_back_what_was_encoded(form: dict[str, str]) -> None:
    assert parse(urlencode(form).encode()) == form
