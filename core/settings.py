"""Every setting of Nightbell, read once from the environment; a wrong one stops the start and is named.

The documentation of each setting is its ``description``; ``docs/settings.md`` lists the same set and a test
compares the two.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import AliasChoices, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.setting_values import (
    OAUTH,
    AccountSid,
    DatabaseUrl,
    ImapUrls,
    Key,
    ListeningPlace,
    Networks,
    P256Keys,
    Sender,
    Server,
    SmtpUrl,
    StorageUrl,
    Token,
    TokenUrl,
    WebAddress,
)  # fmt: skip

TWILIO_API_URL = "https://api.twilio.com"


class SettingsError(Exception):
    """The start cannot go on; ``str(error)`` has one line for each wrong setting."""


def _named(environment_name: str, *others: str) -> AliasChoices:
    return AliasChoices(environment_name, *others)


class Settings(BaseSettings):
    """Settings by the names of their environment variables."""

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", populate_by_name=True, frozen=True
    )

    database_url: DatabaseUrl = Field(
        "sqlite:///data/nightbell.db",
        validation_alias=_named("DATABASE_URL"),
        description="sqlite:///path/to/file.db or postgresql://user:password@host/name",
    )
    data_dir: Path = Field(
        Path("data"),
        validation_alias=_named("NIGHTBELL_DATA_DIR"),
        description="a writable folder for audio, the spool and wake-up pipes",
    )
    storage_url: StorageUrl = Field(
        "",
        validation_alias=_named("NIGHTBELL_STORAGE_URL"),
        description="where audio is kept: empty for a folder in the data folder, or s3://bucket/prefix",
    )
    public_url: WebAddress = Field(
        "http://127.0.0.1:8080",
        validation_alias=_named("NIGHTBELL_PUBLIC_URL"),
        description="the http(s) address under which Twilio and people reach this service, without a path",
    )
    secret_key: Key = Field(
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
    twilio_account_sid: AccountSid = Field(
        validation_alias=_named("TWILIO_ACCOUNT_SID"),
        description="the account's SID: AC and 32 hexadecimal digits",
    )
    twilio_auth_token: Token = Field(
        validation_alias=_named("TWILIO_AUTH_TOKEN"),
        description="the account's auth token; it signs webhooks",
    )
    twilio_previous_auth_token: SecretStr = Field(
        SecretStr(""),
        validation_alias=_named("TWILIO_PREVIOUS_AUTH_TOKEN"),
        description="a second token whose signature is accepted too, while tokens are rotated",
    )
    twilio_api_url: WebAddress = Field(
        TWILIO_API_URL,
        validation_alias=_named("TWILIO_API_URL"),
        description="the http(s) address of Twilio's REST API, or of the simulator",
    )
    smtp_url: SmtpUrl = Field(
        SecretStr(""),
        validation_alias=_named("NIGHTBELL_SMTP_URL"),
        description="where mail is handed over: smtp://user:password@host:587 (STARTTLS where offered), "
        "smtps://..., or smtp+plain://... without TLS; empty: no mail is sent",
    )
    mail_from: Sender = Field(
        "Nightbell <nightbell@localhost>",
        validation_alias=_named("NIGHTBELL_MAIL_FROM"),
        description="the sender of mail, such as Support <support@vendor.example>",
    )
    smtp_listen: ListeningPlace = Field(
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
    smtp_name: str = Field(
        "",
        pattern=r"^[A-Za-z0-9.-]{0,253}$",
        validation_alias=_named("NIGHTBELL_SMTP_NAME"),
        description="who we are: the host name in the listener's greeting; empty: that of the public address",
    )
    smtp_trusted: Networks = Field(
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
        description="whom we believe: the name under which the mail host or relay before us writes "
        "Authentication-Results; empty: such fields are not believed",
    )
    dns_server: Server = Field(
        "",
        validation_alias=_named("NIGHTBELL_DNS_SERVER"),
        description="the address (or address:port) of the name server that is asked about senders; empty: the "
        "machine's own",
    )
    imap_url: ImapUrls = Field(
        SecretStr(""),
        validation_alias=_named("NIGHTBELL_IMAP_URL"),
        description="the mailbox that is fetched: imaps://user:password@host/INBOX, imap://... with STARTTLS, or "
        "imap+plain://... without TLS; with +oauth, as in imaps+oauth://user@host/INBOX, where a token is needed "
        "instead of a password; several with blanks between; empty: none",
    )
    imap_token_url: TokenUrl = Field(
        "",
        validate_default=True,
        validation_alias=_named("NIGHTBELL_IMAP_TOKEN_URL"),
        description="the https address of the mail host's token server, for mailboxes with +oauth",
    )
    imap_client_id: str = Field(
        "",
        validate_default=True,
        validation_alias=_named("NIGHTBELL_IMAP_CLIENT_ID"),
        description="the ID under which Nightbell is registered there, needed with NIGHTBELL_IMAP_TOKEN_URL",
    )
    imap_client_secret: SecretStr = Field(
        SecretStr(""),
        validation_alias=_named("NIGHTBELL_IMAP_CLIENT_SECRET"),
        description="its secret; empty: it was registered without one",
    )
    imap_refresh_token: SecretStr = Field(
        SecretStr(""),
        validation_alias=_named("NIGHTBELL_IMAP_REFRESH_TOKEN"),
        description="the refresh token of the mailbox's user; empty: tokens are for Nightbell itself "
        "(client credentials)",
    )
    imap_scope: str = Field(
        "",
        validation_alias=_named("NIGHTBELL_IMAP_SCOPE"),
        description="what the tokens are for, as the mail host calls it; empty: it is not said",
    )
    imap_done: str = Field(
        "Nightbell",
        validation_alias=_named("NIGHTBELL_IMAP_DONE"),
        description="the folder that fetched mails are moved to, made if it is not there; - leaves them where "
        "they are, marked as read",
    )
    inbound_parse_key: P256Keys = Field(
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

    @field_validator("imap_token_url", "imap_client_id")
    @classmethod
    def _needed_by_mailboxes(cls, value: str, info: ValidationInfo) -> str:
        mailboxes = info.data.get("imap_url", SecretStr("")).get_secret_value().split()
        if not value and any(OAUTH in each.partition(":")[0] for each in mailboxes):
            raise ValueError("empty, and a mailbox of NIGHTBELL_IMAP_URL needs it")
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
