"""Every setting of Nightbell, read once from the environment; a wrong one stops the start and is named.

The documentation of each setting is its ``description``; ``docs/settings.md`` lists the same set and a test
compares the two.
"""

from __future__ import annotations

import base64
import re
from email.utils import parseaddr
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

import sqlalchemy as sa
from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

TWILIO_API_URL = "https://api.twilio.com"
# How the DER form of every public key on P-256 begins (RFC 5480), and how long it is.
_P256, _P256_BYTES = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004"), 91


class SettingsError(Exception):
    """The start cannot go on; ``str(error)`` has one line for each wrong setting."""


def _named(environment_name: str, *others: str) -> AliasChoices:
    return AliasChoices(environment_name, *others)


class Settings(BaseSettings):
    """Settings by the names of their environment variables."""

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", populate_by_name=True, frozen=True
    )

    database_url: str = Field(
        "sqlite:///data/nightbell.db",
        validation_alias=_named("DATABASE_URL"),
        description="sqlite:///path/to/file.db or postgresql://user:password@host/name",
    )
    data_dir: Path = Field(
        Path("data"),
        validation_alias=_named("NIGHTBELL_DATA_DIR"),
        description="a writable folder for audio, the spool and wake-up pipes",
    )
    storage_url: str = Field(
        "",
        validation_alias=_named("NIGHTBELL_STORAGE_URL"),
        description="where audio is kept: empty for a folder in the data folder, or s3://bucket/prefix",
    )
    public_url: str = Field(
        "http://127.0.0.1:8080",
        validation_alias=_named("NIGHTBELL_PUBLIC_URL"),
        description="the http(s) address under which Twilio and people reach this service, without a path",
    )
    secret_key: SecretStr = Field(
        validation_alias=_named("NIGHTBELL_SECRET_KEY"),
        description="at least 16 random characters; signs the links in pages",
    )
    host: str = Field(
        "127.0.0.1",
        validation_alias=_named("NIGHTBELL_HOST"),
        description="the address the web process listens on",
    )
    port: int = Field(
        8080,
        ge=1,
        le=65535,
        validation_alias=_named("PORT", "NIGHTBELL_PORT"),
        description="the port the web process listens on",
    )
    web_threads: int = Field(
        8,
        ge=1,
        le=64,
        validation_alias=_named("NIGHTBELL_WEB_THREADS"),
        description="how many requests the web process serves at once",
    )
    trusted_proxies: int = Field(
        0,
        ge=0,
        le=5,
        validation_alias=_named("NIGHTBELL_TRUSTED_PROXIES"),
        description="how many reverse proxies stand in front and set X-Forwarded-* headers",
    )
    twilio_account_sid: str = Field(
        validation_alias=_named("TWILIO_ACCOUNT_SID"),
        description="the account's SID: AC and 32 hexadecimal digits",
    )
    twilio_auth_token: SecretStr = Field(
        validation_alias=_named("TWILIO_AUTH_TOKEN"),
        description="the account's auth token; it signs webhooks",
    )
    twilio_previous_auth_token: SecretStr = Field(
        SecretStr(""),
        validation_alias=_named("TWILIO_PREVIOUS_AUTH_TOKEN"),
        description="a second token whose signature is accepted too, while tokens are rotated",
    )
    twilio_api_url: str = Field(
        TWILIO_API_URL,
        validation_alias=_named("TWILIO_API_URL"),
        description="the http(s) address of Twilio's REST API, or of the simulator",
    )
    smtp_url: SecretStr = Field(
        SecretStr(""),
        validation_alias=_named("NIGHTBELL_SMTP_URL"),
        description="where mail is handed over: smtp://user:password@host:587 (STARTTLS where offered), "
        "smtps://..., or smtp+plain://... without TLS; empty: no mail is sent",
    )
    mail_from: str = Field(
        "Nightbell <nightbell@localhost>",
        validation_alias=_named("NIGHTBELL_MAIL_FROM"),
        description="the sender of mail, such as Support <support@vendor.example>",
    )
    smtp_listen: str = Field(
        "",
        validation_alias=_named("NIGHTBELL_SMTP_LISTEN"),
        description="where mail is taken in: smtp://address:port, lmtp://address:port or lmtp+unix:///path; "
        "empty: no listener",
    )
    smtp_certificate: Path | None = Field(
        None,
        validation_alias=_named("NIGHTBELL_SMTP_CERTIFICATE"),
        description="a PEM file with the listener's certificate and its chain; STARTTLS is offered with it",
    )
    smtp_key: Path | None = Field(
        None,
        validation_alias=_named("NIGHTBELL_SMTP_KEY"),
        description="a PEM file with the certificate's private key, where it is not in the same file",
    )
    smtp_trusted: str = Field(
        "",
        validation_alias=_named("NIGHTBELL_SMTP_TRUSTED"),
        description="addresses and networks of our own relays, with commas between: their mail is not checked "
        "again for forged senders; this machine is always one",
    )
    mail_max_bytes: int = Field(
        40_000_000,
        ge=100_000,
        le=500_000_000,
        validation_alias=_named("NIGHTBELL_MAIL_MAX_BYTES"),
        description="the largest mail that the listener takes, in bytes",
    )
    authserv_id: str = Field(
        "",
        validation_alias=_named("NIGHTBELL_AUTHSERV_ID"),
        description="the name of our own receiver, as it stands in its Authentication-Results and in the "
        "listener's greeting; empty: such fields are not believed, and the greeting has the public host name",
    )
    dns_server: str = Field(
        "",
        validation_alias=_named("NIGHTBELL_DNS_SERVER"),
        description="the address (or address:port) of the name server that is asked about senders; empty: the "
        "machine's own",
    )
    imap_url: SecretStr = Field(
        SecretStr(""),
        validation_alias=_named("NIGHTBELL_IMAP_URL"),
        description="the mailbox that is fetched: imaps://user:password@host/INBOX, imap://... with STARTTLS, or "
        "imap+plain://... without TLS; several with blanks between; empty: none",
    )
    imap_done: str = Field(
        "Nightbell",
        validation_alias=_named("NIGHTBELL_IMAP_DONE"),
        description="the folder that fetched mails are moved to, made if it is not there; - leaves them where "
        "they are, marked as read",
    )
    inbound_parse_key: str = Field(
        "",
        validation_alias=_named("NIGHTBELL_INBOUND_PARSE_KEY"),
        description="the public key with which SendGrid signs Inbound Parse posts, as it shows it (while keys are "
        "changed: both, with a comma between); empty: such posts are not taken",
    )
    lease_seconds: float = Field(
        30.0,
        ge=2,
        le=600,
        validation_alias=_named("NIGHTBELL_LEASE_SECONDS"),
        description="how long a worker may hold a piece of due work before another takes it over",
    )
    clock_file: Path | None = Field(
        None,
        validation_alias=_named("NIGHTBELL_CLOCK_FILE"),
        description="a file with an offset in seconds that shifts the clock; for the simulator only",
    )
    log_level: str = Field(
        "INFO",
        validation_alias=_named("NIGHTBELL_LOG_LEVEL"),
        pattern="^(DEBUG|INFO|WARNING|ERROR)$",
        description="DEBUG, INFO, WARNING or ERROR",
    )

    @field_validator("database_url")
    @classmethod
    def _database_url(cls, value: str) -> str:
        # Hosting platforms still hand out the scheme that SQLAlchemy dropped.
        value = re.sub(r"^postgres(ql)?(\+psycopg)?://", "postgresql+psycopg://", value)
        if not value.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError("neither SQLite nor PostgreSQL")
        if value.removeprefix("sqlite:///") in ("", ":memory:"):
            raise ValueError("names no file; a database in memory is not shared with the worker")
        _refuse_bad_database(value)
        return value

    @field_validator("public_url", "twilio_api_url")
    @classmethod
    def _web_address(cls, value: str) -> str:
        parts = _parts(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
            raise ValueError("not an http(s) address")
        if parts.path not in ("", "/") or parts.query or parts.fragment:
            raise ValueError("has a path")
        return value.rstrip("/")

    @field_validator("smtp_url")
    @classmethod
    def _smtp_url(cls, value: SecretStr) -> SecretStr:
        parts = _parts(value.get_secret_value())
        known = parts.scheme in ("smtp", "smtps", "smtp+plain")
        if value.get_secret_value() and not (known and parts.hostname and parts.port != 0):
            raise ValueError("not an SMTP address")
        return value

    @field_validator("smtp_listen")
    @classmethod
    def _smtp_listen(cls, value: str) -> str:
        parts = _parts(value)
        at_port = parts.scheme in ("smtp", "lmtp") and parts.hostname and parts.port
        in_file = parts.scheme == "lmtp+unix" and not parts.netloc and len(parts.path) > 1
        if value and not at_port and not in_file:
            raise ValueError("not a place to listen")
        return value

    @field_validator("smtp_trusted")
    @classmethod
    def _smtp_trusted(cls, value: str) -> str:
        networks_of(value)
        return value

    @field_validator("dns_server")
    @classmethod
    def _dns_server(cls, value: str) -> str:
        if value:
            host_and_port(value)
        return value

    @field_validator("imap_url")
    @classmethod
    def _imap_url(cls, value: SecretStr) -> SecretStr:
        for parts in map(urlsplit, value.get_secret_value().split()):
            known = parts.scheme in ("imap", "imaps", "imap+plain")
            if not (known and parts.hostname and parts.username and parts.password and parts.port != 0):
                raise ValueError("not a mailbox with user and password")
        return value

    @field_validator("inbound_parse_key")
    @classmethod
    def _inbound_parse_key(cls, value: str) -> str:
        for key in value.split(",") if value else ():
            try:
                der = base64.b64decode(key.strip(), validate=True)
            except ValueError:
                raise ValueError("not base64") from None
            if len(der) != _P256_BYTES or not der.startswith(_P256):
                raise ValueError("not a public key of the curve P-256")
        return value

    @field_validator("mail_from")
    @classmethod
    def _mail_from(cls, value: str) -> str:
        if "@" not in parseaddr(value)[1]:
            raise ValueError("not a mail address")
        return value

    @field_validator("storage_url")
    @classmethod
    def _storage_url(cls, value: str) -> str:
        parts = _parts(value)
        if value and not (parts.scheme == "file" or (parts.scheme == "s3" and parts.netloc)):
            raise ValueError("neither empty nor file:// or s3:// with a bucket")
        return value

    @field_validator("twilio_account_sid")
    @classmethod
    def _account_sid(cls, value: str) -> str:
        if not re.fullmatch(r"AC[0-9a-fA-F]{32}", value):
            raise ValueError("not an account SID")
        return value

    @field_validator("twilio_auth_token")
    @classmethod
    def _auth_token(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value():
            raise ValueError("empty")
        return value

    @field_validator("secret_key")
    @classmethod
    def _secret_key(cls, value: SecretStr) -> SecretStr:
        if len(value.get_secret_value()) < 16:
            raise ValueError("too short")
        return value

    @property
    def webhook_tokens(self) -> tuple[str, ...]:
        """The tokens whose signature a webhook may carry, the current one first."""
        tokens = (self.twilio_auth_token, self.twilio_previous_auth_token)
        return tuple(token.get_secret_value() for token in tokens if token.get_secret_value())

    @property
    def mailboxes(self) -> list[str]:
        """The addresses of the mailboxes that are fetched; they have passwords in them."""
        return self.imap_url.get_secret_value().split()

    @property
    def takes_mail_in(self) -> bool:
        """Whether there is something for a mail process to do."""
        return bool(self.smtp_listen or self.mailboxes)


def _parts(address: str) -> SplitResult:
    """The parts of an address; ValueError, without its words, for one that is none or has a port that is none."""
    try:
        parts = urlsplit(address)
        _ = parts.port  # only reading it finds out
    except ValueError:
        raise ValueError("not an address") from None
    return parts


def _refuse_bad_database(address: str) -> None:
    try:
        port = sa.make_url(address).port
    except (sa.exc.ArgumentError, ValueError):
        raise ValueError("not an address") from None
    if port is not None and not 0 < port < 65_536:
        raise ValueError("its port is not one of 1 to 65535")


def networks_of(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """The networks of a list with commas between; ValueError, without its words, if one is none."""
    try:
        return tuple(ip_network(each.strip(), strict=False) for each in text.split(",") if each.strip())
    except ValueError:
        raise ValueError("not a list of addresses and networks") from None


def host_and_port(text: str, port: int = 53) -> tuple[str, int]:
    """``address``, ``address:port`` or ``[address]:port``, with ``port`` where none is named; ValueError if not."""
    try:
        return str(ip_address(text)), port
    except ValueError:
        parts = urlsplit(f"//{text}")
    try:
        return str(ip_address(parts.hostname or "")), parts.port or port
    except ValueError:
        raise ValueError("not an address") from None


def environment_name(field: str) -> str:
    """The environment variable that sets ``field``."""
    alias = Settings.model_fields[field].validation_alias
    assert isinstance(alias, AliasChoices)
    return str(alias.choices[0])


def load_settings(**values: object) -> Settings:
    """Read the settings from the environment, ``values`` first; :class:`SettingsError` names each mistake."""
    try:
        return Settings(**values)  # type: ignore[arg-type]  # pydantic checks the values
    except ValidationError as error:
        raise SettingsError("\n".join(_mistakes(error))) from None


def _mistakes(error: ValidationError) -> list[str]:
    lines = []
    by_alias = {environment_name(name): name for name in Settings.model_fields}
    for mistake in error.errors():
        place = str(mistake["loc"][0])
        name = by_alias.get(place, place)
        if name not in Settings.model_fields:
            lines.append(f"{place}: {mistake['msg']}")
            continue
        said = mistake["msg"].removeprefix("Value error, ")
        problem = "is not set" if mistake["type"] == "missing" else f"is wrong ({said})"
        lines.append(
            f"{environment_name(name)} {problem}; expected: {Settings.model_fields[name].description}"
        )
    return lines
