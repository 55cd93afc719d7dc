from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from itsdangerous import URLSafeTimedSerializer

from core.links import CASE_LINK_DAYS, LinkRefused, Links
from core.settings import Settings

MakeSettings = Callable[..., Settings]
DAY = 86_400


@pytest.fixture
def links(make_settings: MakeSettings) -> Links:
    return Links(make_settings(public_url="https://bell.example"))


def _token(url: str) -> str:
    return url.split("/case/")[1].split("/")[0]


def test_it_reads_what_it_wrote(links: Links) -> None:
    url = links.case_url(1042)
    assert url.startswith("https://bell.example/case/")
    assert links.read(_token(url)) == 1042


def test_it_puts_a_voicemail_under_its_case(links: Links) -> None:
    url = links.voicemail_url(1042, "RE1")
    assert url.endswith("/voicemail/RE1.wav")
    assert links.read(_token(url)) == 1042


@pytest.mark.parametrize("token", ["", "1042", "a.b.c", "..", "é", "\x00", "MTA0Mg.aaaaaa.bbbb"])
def test_it_refuses_what_nobody_signed(links: Links, token: str) -> None:
    with pytest.raises(LinkRefused):
        links.read(token)


def test_it_refuses_a_link_in_which_any_letter_was_changed(links: Links) -> None:
    token = _token(links.case_url(1042))
    signature = token.rindex(".") + 1
    for place in range(signature):
        forged = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        with pytest.raises(LinkRefused):
            links.read(forged)


def test_it_refuses_a_link_that_was_cut_off(links: Links) -> None:
    token = _token(links.case_url(1042))
    with pytest.raises(LinkRefused):
        links.read(token[:-3])


@given(case=st.integers(1, 10**9))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20, deadline=None)
def test_it_reads_any_case_number(links: Links, case: int) -> None:
    assert links.read(_token(links.case_url(case))) == case


def test_it_refuses_another_key_and_another_salt(links: Links, make_settings: MakeSettings) -> None:
    other = Links(make_settings(secret_key="another key for tests"))
    with pytest.raises(LinkRefused):
        links.read(_token(other.case_url(1042)))
    for_something_else = URLSafeTimedSerializer("a key for tests only", salt="session").dumps(1042)
    with pytest.raises(LinkRefused):
        links.read(for_something_else)


def test_it_refuses_a_link_once_it_is_too_old(links: Links, monkeypatch: pytest.MonkeyPatch) -> None:
    token = _token(links.case_url(1042))
    written = int(time.time())
    monkeypatch.setattr(time, "time", lambda: written + CASE_LINK_DAYS * DAY - 60)
    assert links.read(token) == 1042
    monkeypatch.setattr(time, "time", lambda: written + CASE_LINK_DAYS * DAY + 60)
    with pytest.raises(LinkRefused):
        links.read(token)
