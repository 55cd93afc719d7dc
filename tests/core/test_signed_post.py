"""Posting to somebody else's system: signed, never redirected, and clear about whether another try is worth it."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from core.errors import ChannelError
from core.signed_post import post, signature
from tests.receiver import Receiver, receiver

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


@pytest.fixture
def other() -> Iterator[Receiver]:
    with receiver() as other:
        yield other


def test_it_signs_what_it_posts(other: Receiver) -> None:
    post(f"{other.url}/in", "a shared secret", "event-7", {"id": 7, "text": "é"}, NOON)
    (got,) = other.posted
    assert got.path == "/in"
    assert got.json == {"id": 7, "text": "é"}
    assert got.headers["Content-Type"] == "application/json"
    assert got.headers["Idempotency-Key"] == "event-7"
    timestamp, _, digest = got.headers["Nightbell-Signature"].partition(",")
    # As a receiver would check it, from nothing but the request and the secret.
    signed = timestamp.removeprefix("t=").encode() + b"." + got.body
    assert digest == "v1=" + hmac.new(b"a shared secret", signed, hashlib.sha256).hexdigest()
    assert int(timestamp.removeprefix("t=")) == NOON.timestamp()


def test_it_signs_as_documented() -> None:
    """A fixed value, so that a receiver written against the document goes on working."""
    assert signature("secret", b'{"id":7}', NOON) == (
        "t=1772625600,v1=" + hmac.new(b"secret", b'1772625600.{"id":7}', hashlib.sha256).hexdigest()
    )


def test_it_takes_address_and_secret_from_the_environment(
    other: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRM_URL", f"{other.url}/hidden")
    monkeypatch.setenv("CRM_SECRET", "s3cret")
    post("env:CRM_URL", "env:CRM_SECRET", "event-7", {}, NOON)
    assert other.posted[0].headers["Nightbell-Signature"] == signature("s3cret", b"{}", NOON)
    assert other.posted[0].path == "/hidden"


def test_it_says_which_variable_is_missing(other: Receiver) -> None:
    with pytest.raises(ChannelError, match="CRM_SECRET is not set") as caught:
        post(other.url, "env:CRM_SECRET", "event-7", {}, NOON)
    assert caught.value.permanent
    assert other.posted == []


@pytest.mark.parametrize(
    ("status", "permanent"),
    [
        (301, True), (307, True), (400, True), (404, True), (410, True), (408, False), (429, False), (500, False),
        (503, False),
    ],
)  # fmt: skip
def test_it_says_whether_another_try_is_worth_it(other: Receiver, status: int, permanent: bool) -> None:
    other.status, other.location = status, f"{other.url}/elsewhere"
    with pytest.raises(ChannelError, match=f"HTTP {status}") as caught:
        post(f"{other.url}/in", "secret", "event-7", {}, NOON)
    assert caught.value.permanent is permanent
    assert [got.path for got in other.posted] == ["/in"], "redirects are not followed"


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_it_is_content_with_any_2xx(other: Receiver, status: int) -> None:
    other.status = status
    post(other.url, "secret", "event-7", {}, NOON)
    assert len(other.posted) == 1


@pytest.mark.parametrize(
    ("url", "permanent"),
    [("http://127.0.0.1:1/token", False), ("http://[::1/token", True), ("http://:80/token", True)],
)
def test_it_names_no_address_in_an_error(url: str, permanent: bool) -> None:
    with pytest.raises(ChannelError) as caught:
        post(url, "secret", "event-7", {}, NOON)
    assert caught.value.permanent is permanent
    assert "token" not in str(caught.value)
    assert "127.0.0.1" not in str(caught.value)
