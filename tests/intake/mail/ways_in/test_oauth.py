"""Mailboxes that take tokens and no passwords: a real Dovecot that asks a token server whose a token is."""

from __future__ import annotations

import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from bench.dovecot import MISSING, USER, Dovecot, dovecot
from core.settings import SettingsError
from intake.mail.ways_in import puller as puller_module
from intake.mail.ways_in.imap_mailbox import Account, Mailbox, MailboxError
from intake.mail.ways_in.oauth import NoToken, Tokens
from tests.intake.mail.ways_in.counter import settings_of
from tests.intake.mail.ways_in.test_puller import mail, pulling, until
from tests.intake.mail.ways_in.token_server import CLIENT, REFRESH, SECRET, TokenServer, token_server

with_dovecot = pytest.mark.skipif(
    MISSING is None, reason="dovecot is not installed (apt install dovecot-imapd)"
)


@pytest.fixture
def tokens() -> Iterator[TokenServer]:
    with token_server(USER) as found:
        yield found


@pytest.fixture
def server(tokens: TokenServer) -> Iterator[Dovecot]:
    with dovecot(introspection=tokens.introspection) as found:
        yield found


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(puller_module, "_FIRST_PAUSE_S", 0.05)
    monkeypatch.setattr(puller_module, "_LONGEST_PAUSE_S", 0.2)


def given(tokens: TokenServer, **more: Any) -> dict[str, Any]:
    return {"imap_token_url": tokens.url, "imap_client_id": CLIENT, "imap_client_secret": SECRET, **more}


def asking(tokens: TokenServer, folder: Path, **more: Any) -> Tokens:
    return Tokens(settings_of("", folder, **given(tokens, **more)))


def address(server: Dovecot) -> str:
    return f"imap+plain+oauth://{USER}@127.0.0.1:{server.port}/INBOX"


@with_dovecot
@pytest.mark.parametrize("mechanisms", ["xoauth2 oauthbearer", "xoauth2", "oauthbearer"])
def test_it_fetches_from_a_mailbox_that_wants_a_token(
    tokens: TokenServer, tmp_path: Path, mechanisms: str
) -> None:
    with dovecot(introspection=tokens.introspection, mechanisms=mechanisms) as server:
        server.put(mail(1))
        with pulling(address(server), tmp_path, **given(tokens, imap_refresh_token=REFRESH)) as found:
            until(lambda: server.mails("Nightbell"))
            server.put(mail(2))
            until(lambda: len(found.kept) == 2)
    assert [form["grant_type"] for form in tokens.asked] == ["refresh_token"]


@with_dovecot
def test_it_gets_another_token_for_a_new_connection_when_the_host_takes_the_old_one_no_more(
    server: Dovecot, tokens: TokenServer, tmp_path: Path
) -> None:
    with pulling(address(server), tmp_path, **given(tokens)) as found:
        server.put(mail(1))
        until(lambda: len(found.kept) == 1)
        server.stop()
        tokens.valid.clear()
        server.start()
        server.put(mail(2))
        until(lambda: len(found.kept) == 2)
    assert [form["grant_type"] for form in tokens.asked] == ["client_credentials"] * 2


@with_dovecot
def test_it_says_that_the_host_refuses_the_token(
    server: Dovecot, tokens: TokenServer, tmp_path: Path
) -> None:
    tokens.user = "somebody else"
    with pytest.raises(MailboxError, match=r"refuses the token.*NIGHTBELL_IMAP_SCOPE") as caught:
        Mailbox(Account.of(address(server), "Done"), asking(tokens, tmp_path))
    assert not any(token in str(caught.value) for token in tokens.valid)


@with_dovecot
def test_it_goes_on_saying_what_is_wrong_and_never_a_secret(
    server: Dovecot, tokens: TokenServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pulling(address(server), tmp_path, **given(tokens, imap_refresh_token="void-token")):
        until(lambda: len(caplog.records) >= 2)
    assert "NIGHTBELL_IMAP_REFRESH_TOKEN" in caplog.text
    assert "void-token" not in caplog.text
    assert SECRET not in caplog.text


def test_it_asks_for_a_token_when_the_last_one_is_about_to_end(
    tokens: TokenServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    found = asking(tokens, tmp_path, imap_scope="mail.read offline")
    first = found.token()
    now += 3500
    assert found.token() == first
    now += 60
    assert found.token() != first
    assert tokens.asked[0] == {
        "client_id": CLIENT, "client_secret": SECRET, "scope": "mail.read offline",
        "grant_type": "client_credentials",
    }  # fmt: skip


def test_it_keeps_the_refresh_token_that_it_is_given(tokens: TokenServer, tmp_path: Path) -> None:
    """A host may take each only once; after a new start the latest is the one."""
    tokens.rotates = True
    for _ in range(3):
        assert asking(tokens, tmp_path, imap_refresh_token=REFRESH).token() in tokens.valid
    assert len({form["refresh_token"] for form in tokens.asked}) == 3
    kept = tmp_path / "imap-refresh-token"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    tokens.refresh = "a new consent"
    assert asking(tokens, tmp_path, imap_refresh_token="a new consent").token() in tokens.valid
    kept.write_text("nonsense")
    tokens.refresh = REFRESH
    assert asking(tokens, tmp_path, imap_refresh_token=REFRESH).token() in tokens.valid


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((400, {"error": "invalid_grant"}), "NIGHTBELL_IMAP_REFRESH_TOKEN"),
        ((401, {"error": "invalid_client"}), "NIGHTBELL_IMAP_CLIENT_ID"),
        ((400, {"error": "invalid_scope"}), "NIGHTBELL_IMAP_SCOPE"),
        ((400, {"error": "<b>x", "error_description": SECRET}), "an error"),
        ((404, b"not found"), "HTTP 404"),
        ((302, b""), "HTTP 302"),
        ((200, {"access_token": 7}), "NIGHTBELL_IMAP_TOKEN_URL"),
        ((200, [1]), "NIGHTBELL_IMAP_TOKEN_URL"),
    ],
)
def test_it_says_why_there_is_no_token(
    tokens: TokenServer, tmp_path: Path, answer: tuple[int, Any], said: str
) -> None:
    tokens.answers = [answer]
    found = asking(tokens, tmp_path)
    with pytest.raises(NoToken) as caught:
        found.token()
    assert said in str(caught.value)
    assert SECRET not in str(caught.value)
    assert found.token() in tokens.valid, "the next time it is asked again"


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_token_server_in_trouble_is_asked_again(tokens: TokenServer, tmp_path: Path, status: int) -> None:
    tokens.answers = [(status, b"")]
    found = asking(tokens, tmp_path)
    with pytest.raises(requests.HTTPError):
        found.token()
    assert found.token() in tokens.valid


@pytest.mark.parametrize("lasts", [None, "3600", -5, "soon", 1e400])
def test_it_lives_with_whatever_is_said_of_the_time(
    tokens: TokenServer, tmp_path: Path, lasts: object
) -> None:
    tokens.lasts = lasts  # type: ignore[assignment]
    assert asking(tokens, tmp_path).token() in tokens.valid


def test_a_mailbox_without_a_password_needs_to_know_where_tokens_are_had(tmp_path: Path) -> None:
    box = "imaps+oauth://mas%40vendor.example@outlook.example/INBOX"
    with pytest.raises(SettingsError) as caught:
        settings_of("", tmp_path, imap_url=box)
    assert [line.split()[0] for line in str(caught.value).splitlines()] == [
        "NIGHTBELL_IMAP_TOKEN_URL", "NIGHTBELL_IMAP_CLIENT_ID",
    ]  # fmt: skip
    url = "https://login.example/t/token"
    account = Account.of(
        settings_of("", tmp_path, imap_url=box, imap_token_url=url, imap_client_id="x").mailboxes[0], "-"
    )
    assert (account.scheme, account.user, account.port, account.oauth) == (
        "imaps",
        "mas@vendor.example",
        993,
        True,
    )
