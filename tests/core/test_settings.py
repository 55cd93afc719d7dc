"""Settings: read once, and every wrong one is named with what it expects."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.settings import Settings, SettingsError, environment_name, load_settings

RIGHT = {
    "NIGHTBELL_SECRET_KEY": "sixteen letters!",
    "TWILIO_ACCOUNT_SID": "AC" + "0a" * 16,
    "TWILIO_AUTH_TOKEN": "token",
}
REQUIRED = sorted(RIGHT)
TAKES_ANYTHING = {
    "NIGHTBELL_DATA_DIR", "NIGHTBELL_HOST", "NIGHTBELL_CLOCK_FILE", "TWILIO_PREVIOUS_AUTH_TOKEN",
    "NIGHTBELL_IMAP_CLIENT_ID", "NIGHTBELL_IMAP_CLIENT_SECRET", "NIGHTBELL_IMAP_REFRESH_TOKEN",
    "NIGHTBELL_IMAP_SCOPE", "NIGHTBELL_SMTP_CERTIFICATE", "NIGHTBELL_SMTP_KEY", "NIGHTBELL_AUTHSERV_ID",
    "NIGHTBELL_IMAP_DONE",
}  # fmt: skip
WRONG = {
    "DATABASE_URL": [
        "mysql://u:hidden-value@host/db", "hidden-value", "sqlite:///", "sqlite:///:memory:", "sqlite://",
        "postgresql://u:hidden-value@host:port/db", "postgresql://u:hidden-value@host:99999/db",
        "postgresql://u:hidden-value@[::1/db", "postgresql://u@host:hidden-value/db",
    ],
    "NIGHTBELL_STORAGE_URL": ["gs://hidden-value", "hidden-value", "/var/hidden-value", "s3://", "s3:///hidden-value"],
    "NIGHTBELL_SMTP_NAME": ["hidden-value.example\r\n250 more", "hidden value", "hidden-value:25"],
    "NIGHTBELL_PUBLIC_URL": [
        "bell.example/hidden-value", "ftp://hidden-value", "https://bell.example/hidden-value",
        "https://bell.example?hidden-value", "http://hidden-value:99999", "http://[hidden-value", "https://",
        "http://bell.example:hidden-value",
    ],
    "NIGHTBELL_SECRET_KEY": ["hidden-value"],
    "PORT": ["hidden-value", "0", "65536", "80.5"],
    "NIGHTBELL_WEB_THREADS": ["0", "65", "hidden-value"],
    "NIGHTBELL_TRUSTED_PROXIES": ["-1", "6", "hidden-value"],
    "TWILIO_ACCOUNT_SID": ["hidden-value", "AC123", "AC" + "g" * 32, "SK" + "0" * 32],
    "TWILIO_AUTH_TOKEN": [],  # any text is a token; an empty one counts as missing
    "TWILIO_API_URL": ["hidden-value", "https://api.example/hidden-value", "ws://hidden-value"],
    "NIGHTBELL_SMTP_URL": ["hidden-value", "http://hidden-value", "smtp://", "smtp://hidden-value:0", "smtp://u:p/hidden-value@h"],
    "NIGHTBELL_MAIL_FROM": ["hidden-value"],
    "NIGHTBELL_SMTP_LISTEN": [
        "hidden-value", "smtp://hidden-value", "smtp://127.0.0.1:0", "http://hidden-value:25", "lmtp://",
        "lmtp+unix://", "lmtp+unix://hidden-value/socket", "smtp://hidden-value:99999",
    ],
    "NIGHTBELL_SMTP_TRUSTED": ["hidden-value", "192.0.2.0/24, hidden-value", "192.0.2.0/33"],
    "NIGHTBELL_MAIL_MAX_BYTES": ["0", "99999", "500000001", "hidden-value"],
    "NIGHTBELL_DNS_SERVER": ["hidden-value", "hidden-value:53", "192.0.2.1:99999", "[192.0.2.1", "192.0.2.1:x"],
    "NIGHTBELL_IMAP_URL": [
        "hidden-value", "imaps://host/hidden-value", "imaps://user@hidden-value", "pop3://u:hidden-value@host",
        "imaps://u:hidden-value@host:0", "imaps://u:p@host/INBOX hidden-value",
        "imaps+oauth://user:hidden-value@host", "imaps+oauth://hidden-value", "oauth+imaps://user@hidden-value",
    ],
    "NIGHTBELL_IMAP_TOKEN_URL": [
        "hidden-value", "http://login.example/hidden-value", "ftp://hidden-value", "https://",
        "https://client:hidden-value@login.example/token", "https://login.example:0/hidden-value",
    ],
    "NIGHTBELL_INBOUND_PARSE_KEY": ["hidden-value!", "-----BEGIN PUBLIC KEY-----", "AAAA", ","],
    "NIGHTBELL_LEASE_SECONDS": ["1.9", "601", "hidden-value", "nan", "inf"],
    "NIGHTBELL_LOG_LEVEL": ["debug", "hidden-value"],
}  # fmt: skip
EACH_WRONG = [(name, value) for name, values in WRONG.items() for value in values]


@pytest.fixture(autouse=True)
def right(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An environment with which the start goes on, in a folder without a ``.env`` file."""
    monkeypatch.chdir(tmp_path)
    for name, value in RIGHT.items():
        monkeypatch.setenv(name, value)


def _mistakes() -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load_settings()
    return str(caught.value).splitlines()


def _description(name: str) -> str:
    field = next(field for field in Settings.model_fields if environment_name(field) == name)
    return str(Settings.model_fields[field].description)


def test_it_starts_with_only_the_required_settings() -> None:
    settings = load_settings()
    assert settings.database_url == "sqlite:///data/nightbell.db"
    assert settings.port == 8080
    assert settings.webhook_tokens == ("token",)


def test_it_has_a_wrong_value_to_try_for_every_setting() -> None:
    names = {environment_name(field) for field in Settings.model_fields}
    assert names == set(WRONG) | TAKES_ANYTHING


@pytest.mark.parametrize("name", REQUIRED)
@pytest.mark.parametrize("absent", ["unset", "empty"])
def test_it_names_a_missing_setting_and_what_it_expects(
    monkeypatch: pytest.MonkeyPatch, name: str, absent: str
) -> None:
    if absent == "unset":
        monkeypatch.delenv(name)
    else:
        monkeypatch.setenv(name, "")
    assert _mistakes() == [f"{name} is not set; expected: {_description(name)}"]


@pytest.mark.parametrize(("name", "value"), EACH_WRONG)
def test_it_names_a_wrong_setting_and_what_it_expects_but_never_its_value(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    (line,) = _mistakes()
    assert line.startswith(f"{name} is wrong (")
    assert line.endswith(f"; expected: {_description(name)}")
    assert "hidden-value" not in line


def test_it_names_all_mistakes_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in REQUIRED:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PORT", "none")
    assert sorted(line.split()[0] for line in _mistakes()) == sorted([*REQUIRED, "PORT"])


def test_it_names_a_setting_by_its_first_name_whichever_was_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTBELL_PORT", "none")
    (line,) = _mistakes()
    assert line.startswith("PORT is wrong")


def test_it_keeps_secrets_out_of_what_can_be_printed() -> None:
    shown = f"{load_settings()!r} {load_settings()}"
    assert RIGHT["NIGHTBELL_SECRET_KEY"] not in shown
    assert "'token'" not in shown


def test_it_reads_a_dotenv_file_and_the_environment_overrules_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("PORT=9001\nNIGHTBELL_HOST=0.0.0.0\nSOMEBODY_ELSES=1\n")
    monkeypatch.setenv("NIGHTBELL_HOST", "127.0.0.2")
    settings = load_settings()
    assert (settings.port, settings.host) == (9001, "127.0.0.2")


def test_it_names_what_is_wrong_in_a_dotenv_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("NIGHTBELL_LOG_LEVEL=LOUD\n")
    (line,) = _mistakes()
    assert line.startswith("NIGHTBELL_LOG_LEVEL is wrong")


def test_it_takes_an_empty_value_for_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "")
    monkeypatch.setenv("NIGHTBELL_CLOCK_FILE", "")
    settings = load_settings()
    assert (settings.port, settings.clock_file) == (8080, None)


@pytest.mark.parametrize(
    "url", ["postgres://u:p@h/n", "postgresql://u:p@h/n", "postgresql+psycopg://u:p@h/n"]
)
def test_it_takes_the_database_schemes_that_hosts_hand_out(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    assert load_settings().database_url == "postgresql+psycopg://u:p@h/n"


@pytest.mark.parametrize(
    ("given", "kept"),
    [("https://bell.example/", "https://bell.example"), ("http://10.0.0.7:8443", "http://10.0.0.7:8443")],
)
def test_it_keeps_a_web_address_without_its_last_slash(
    monkeypatch: pytest.MonkeyPatch, given: str, kept: str
) -> None:
    monkeypatch.setenv("NIGHTBELL_PUBLIC_URL", given)
    assert load_settings().public_url == kept


def test_it_has_two_tokens_while_they_are_rotated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_PREVIOUS_AUTH_TOKEN", "older")
    assert load_settings().webhook_tokens == ("token", "older")


def test_it_cannot_be_changed_afterwards() -> None:
    settings = load_settings()
    with pytest.raises(ValueError, match="frozen"):
        settings.port = 1
