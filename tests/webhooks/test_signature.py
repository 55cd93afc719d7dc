"""The signature: checked once for the whole prefix, and nothing is kept of a forged request but a count."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from twilio.request_validator import RequestValidator

from tests.webhooks.desk import BELL, CALL, MARIA, SUPPORT, TOKEN, Desk, is_well_formed
from webhooks import receipts

MakeDesk = Callable[..., Desk]


@pytest.fixture
def sample_url(sample_template: Path, tmp_path: Path) -> str:
    """SQLite is enough here: nothing of a signature is a matter of the database."""
    shutil.copy(sample_template, tmp_path / "nightbell.db")
    return f"sqlite:///{tmp_path / 'nightbell.db'}"


FORM = {"CallSid": CALL, "From": MARIA, "To": SUPPORT}
SHA256 = {"X-Twilio-Webhooks-Signature-Settings": "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"}


def accepts(desk: Desk, form: dict[str, Any] | None = None, path: str = "/twilio/voice", **how: Any) -> bool:
    answer = desk.post(path, FORM if form is None else form, **how)
    assert answer.status_code in (200, 403)
    return answer.status_code == 200


def test_it_accepts_what_was_signed_with_the_token(desk: Desk) -> None:
    answer = desk.rings()
    assert is_well_formed(answer)
    assert len(desk.calls) == 1
    assert desk.forged == 0


@pytest.mark.parametrize("signature", ["", "A" * 28, "not base64 at all", "Ä\xff", "=", "a b"])
def test_it_refuses_a_wrong_signature(desk: Desk, signature: str) -> None:
    assert not accepts(desk, headers={"X-Twilio-Signature": signature})
    assert desk.calls == []


def test_it_refuses_a_missing_signature_and_another_s_token(desk: Desk) -> None:
    assert not accepts(desk, token=None)
    assert not accepts(desk, token="somebody else's")
    assert not accepts(desk, token="")


def test_it_refuses_a_form_that_was_changed_on_the_way(desk: Desk) -> None:
    signature = _signature_of(desk, FORM)
    for changed in ({**FORM, "From": "+19995550100"}, {**FORM, "Extra": "1"}, {"CallSid": CALL}, {}):
        assert not accepts(desk, changed, headers={"X-Twilio-Signature": signature})
    assert accepts(desk, headers={"X-Twilio-Signature": signature})


def _signature_of(desk: Desk, form: dict[str, str]) -> str:
    return str(RequestValidator(TOKEN).compute_signature(f"{BELL}/twilio/voice", form))


def test_it_refuses_a_signature_for_another_address(desk: Desk) -> None:
    assert not accepts(
        desk, path="/twilio/voice/1", headers={"X-Twilio-Signature": _signature_of(desk, FORM)}
    )
    assert not accepts(desk, signed_for="https://other.example")
    assert not accepts(desk, signed_for="http://bell.example")


def test_it_accepts_parameters_that_nobody_knew_of_when_this_was_written(desk: Desk) -> None:
    new = {**FORM, "BrandNewParameter": "1", "Übermorgen": "ä ö & = + %", "Empty": "", "StirVerstat": ""}
    assert accepts(desk, new)
    assert len(desk.calls) == 1


def test_it_accepts_a_parameter_that_comes_twice(desk: Desk) -> None:
    assert accepts(desk, {**FORM, "MediaUrl": ["b", "a", "b"]})


def test_it_takes_the_query_as_it_came(desk: Desk) -> None:
    """Twilio signs the address as it requests it: the order and the spelling of the query are part of it."""
    assert accepts(desk, path="/twilio/voice/status?b=2&a=1&c=%C3%A4+x")
    signed = "/twilio/voice/status?b=2&a=1"
    signature = RequestValidator(TOKEN).compute_signature(BELL + signed, FORM)
    other_order = "/twilio/voice/status?a=1&b=2"
    assert not accepts(desk, path=other_order, headers={"X-Twilio-Signature": signature})


# Two tokens while they are rotated


def test_it_accepts_the_previous_token_while_tokens_are_rotated(make_desk: MakeDesk) -> None:
    rotating = make_desk(twilio_auth_token="the-new-token", twilio_previous_auth_token=TOKEN)
    assert accepts(rotating)
    assert accepts(rotating, token="the-new-token")
    assert not accepts(rotating, token="a third one")


def test_it_refuses_the_previous_token_afterwards(make_desk: MakeDesk) -> None:
    assert not accepts(make_desk(twilio_auth_token="the-new-token"))


# Algorithms


def test_it_accepts_sha256_when_the_header_says_so(desk: Desk) -> None:
    assert accepts(desk, algorithm="HMAC_SHA256", headers=SHA256)


def test_it_refuses_one_algorithm_s_signature_under_the_other_s_name(desk: Desk) -> None:
    assert not accepts(desk, algorithm="HMAC_SHA256")
    assert not accepts(desk, headers=SHA256)


@pytest.mark.parametrize("settings", ["algorithm=HMAC_SHA512", "algorithm=NONE", "key=x,algorithm=md5"])
def test_it_refuses_an_algorithm_that_it_does_not_know(desk: Desk, settings: str) -> None:
    assert not accepts(desk, headers={"X-Twilio-Webhooks-Signature-Settings": settings})


@pytest.mark.parametrize("settings", ["", "key=x", "nonsense", "algorithm=", ",,,"])
def test_it_takes_settings_without_an_algorithm_for_the_usual_one(desk: Desk, settings: str) -> None:
    assert accepts(desk, headers={"X-Twilio-Webhooks-Signature-Settings": settings})


# Addresses


def test_it_goes_by_its_public_address_whatever_the_request_looks_like_inside(desk: Desk) -> None:
    """Behind a proxy that ends TLS the request comes as http to another host."""
    assert accepts(desk, sent_to="http://127.0.0.1:8080")


@pytest.mark.parametrize("signed_for", ["https://bell.example", "https://bell.example:443"])
def test_it_accepts_the_default_port_named_or_not(desk: Desk, signed_for: str) -> None:
    assert accepts(desk, signed_for=signed_for)


def test_it_accepts_a_port_that_is_not_the_default(make_desk: MakeDesk) -> None:
    desk = make_desk(public_url="https://bell.example:8443")
    assert accepts(desk, signed_for="https://bell.example:8443", sent_to="http://127.0.0.1:8080")
    assert not accepts(desk, signed_for="https://bell.example:9999")


FORWARDED = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "other.example", "X-Forwarded-Port": "443"}


def test_it_believes_a_trusted_proxy(make_desk: MakeDesk) -> None:
    desk = make_desk(trusted_proxies=1)
    inside = "http://10.0.0.7:8080"
    assert accepts(desk, signed_for="https://other.example", sent_to=inside, headers=FORWARDED)
    assert accepts(desk, sent_to=inside, headers=FORWARDED), "its own public address is right all the same"
    elsewhere = {**FORWARDED, "X-Forwarded-Port": "8443"}
    assert accepts(desk, signed_for="https://other.example:8443", sent_to=inside, headers=elsewhere)
    assert not accepts(desk, signed_for="https://third.example", sent_to=inside, headers=FORWARDED)


def test_it_believes_no_proxy_that_it_was_not_told_of(desk: Desk) -> None:
    assert not accepts(
        desk, signed_for="https://other.example", sent_to="http://10.0.0.7:8080", headers=FORWARDED
    )


@pytest.mark.parametrize("host", ["bell.example:abc", "[::1", "bell example", "", "bell.example:99999999"])
def test_it_refuses_what_claims_to_come_from_nowhere(make_desk: MakeDesk, host: str) -> None:
    desk = make_desk(trusted_proxies=1)
    answer = desk.post(
        "/twilio/voice",
        FORM,
        token="forged",
        headers={"X-Forwarded-Proto": "https", "X-Forwarded-Host": host},
    )
    assert answer.status_code in (400, 403)


# Everywhere


def _paths(desk: Desk) -> list[str]:
    paths = []
    for rule in desk.app.url_map.iter_rules():
        if rule.rule.startswith("/twilio"):
            known = dict.fromkeys(rule.arguments, 1)
            paths.append(desk.app.url_map.bind("bell.example").build(rule.endpoint, known))
    return paths


def test_it_keeps_nothing_of_a_forged_request_but_the_count(desk: Desk) -> None:
    paths = _paths(desk)
    assert len(paths) > 10
    before = desk.rows(but=("counters",))
    forms: list[dict[str, str]] = [
        FORM,
        {},
        {"CallSid": CALL, "RecordingSid": "RE1", "RecordingUrl": "https://x/RE1"},
    ]
    for path in paths:
        for form in forms:
            answer = desk.post(path, form, token="forged")
            assert answer.status_code == 403, path
            assert b"Response" not in answer.data
    assert desk.rows(but=("counters",)) == before
    assert list((desk.settings.data_dir / "spool").glob("*")) == []
    assert desk.forged >= 1


def test_it_takes_nothing_but_posts(desk: Desk) -> None:
    for path in _paths(desk):
        for method in ("get", "put", "delete", "patch"):
            assert getattr(desk.app.test_client(), method)(path).status_code in (403, 404, 405)


def test_it_writes_the_count_of_a_flood_once_a_second(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: seconds[0])
    for _ in range(50):
        assert not accepts(desk, token="forged")
    assert desk.forged == 1
    seconds[0] += 1.5
    assert not accepts(desk, token="forged")
    assert desk.forged == 51


def test_it_refuses_a_forged_request_even_when_the_database_is_down(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: object) -> None:
        raise sa.exc.OperationalError("UPDATE", {}, Exception("the database is down"))

    monkeypatch.setattr(receipts, "count", down)
    assert not accepts(desk, token="forged")
