"""What the values of settings may be. A mistake is said without the value: it can be a secret."""

from __future__ import annotations

import base64
import re
from email.utils import parseaddr
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

import sqlalchemy as sa
from pydantic import AfterValidator, SecretStr

# How the DER form of every public key on P-256 begins (RFC 5480), and how long it is.
_P256, _P256_BYTES = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004"), 91


OAUTH = "+oauth"
"""Behind the scheme of a mailbox: it is signed in to by a token, and not by a password."""


def _parts(address: str) -> SplitResult:
    """The parts of an address; ValueError for one that is none or has a port that is none."""
    try:
        parts = urlsplit(address)
        _ = parts.port  # only reading it finds out
    except ValueError:
        raise ValueError("not an address") from None
    return parts


def _database_url(value: str) -> str:
    # Hosting platforms still hand out the scheme that SQLAlchemy dropped.
    value = re.sub(r"^postgres(ql)?(\+psycopg)?://", "postgresql+psycopg://", value)
    if not value.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ValueError("neither SQLite nor PostgreSQL")
    if value.removeprefix("sqlite:///") in ("", ":memory:"):
        raise ValueError("names no file; a database in memory is not shared with the worker")
    try:
        port = sa.make_url(value).port
    except (sa.exc.ArgumentError, ValueError):
        raise ValueError("not an address") from None
    if port is not None and not 0 < port < 65_536:
        raise ValueError("its port is not one of 1 to 65535")
    return value


def _web_address(value: str) -> str:
    parts = _parts(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise ValueError("not an http(s) address")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError("has a path")
    return value.rstrip("/")


def _storage_url(value: str) -> str:
    parts = _parts(value)
    if value and not (parts.scheme == "file" or (parts.scheme == "s3" and parts.netloc)):
        raise ValueError("neither empty nor file:// or s3:// with a bucket")
    return value


def _smtp_url(value: SecretStr) -> SecretStr:
    parts = _parts(value.get_secret_value())
    known = parts.scheme in ("smtp", "smtps", "smtp+plain")
    if value.get_secret_value() and not (known and parts.hostname and parts.port != 0):
        raise ValueError("not an SMTP address")
    return value


def _listening_place(value: str) -> str:
    parts = _parts(value)
    at_port = parts.scheme in ("smtp", "lmtp") and parts.hostname and parts.port
    in_file = parts.scheme == "lmtp+unix" and not parts.netloc and len(parts.path) > 1
    if value and not at_port and not in_file:
        raise ValueError("not a place to listen")
    return value


def _imap_urls(value: SecretStr) -> SecretStr:
    for parts in map(_parts, value.get_secret_value().split()):
        known = parts.scheme.removesuffix(OAUTH) in ("imap", "imaps", "imap+plain")
        if not (known and parts.hostname and parts.username and parts.port != 0):
            raise ValueError("not a mailbox with user and password")
        if bool(parts.password) == parts.scheme.endswith(OAUTH):
            raise ValueError("not a mailbox with user and password, or with +oauth and a user")
    return value


def _token_url(value: str) -> str:
    parts = _parts(value)
    here = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")
    if value and not ((parts.scheme == "https" or here) and parts.hostname and parts.port != 0):
        raise ValueError("not an https address")
    if parts.username or parts.fragment:
        raise ValueError("has more than host, path and query")
    return value


def _networks(value: str) -> str:
    networks_of(value)
    return value


def _server(value: str) -> str:
    if value:
        host_and_port(value)
    return value


def _p256_keys(value: str) -> str:
    for key in value.split(",") if value else ():
        try:
            der = base64.b64decode(key.strip(), validate=True)
        except ValueError:
            raise ValueError("not base64") from None
        if len(der) != _P256_BYTES or not der.startswith(_P256):
            raise ValueError("not a public key of the curve P-256")
    return value


def _sender(value: str) -> str:
    if "@" not in parseaddr(value)[1]:
        raise ValueError("not a mail address")
    return value


def _account_sid(value: str) -> str:
    if not re.fullmatch(r"AC[0-9a-fA-F]{32}", value):
        raise ValueError("not an account SID")
    return value


def _token(value: SecretStr) -> SecretStr:
    if not value.get_secret_value():
        raise ValueError("empty")
    return value


def _key(value: SecretStr) -> SecretStr:
    if len(value.get_secret_value()) < 16:
        raise ValueError("too short")
    return value


DatabaseUrl = Annotated[str, AfterValidator(_database_url)]
WebAddress = Annotated[str, AfterValidator(_web_address)]
StorageUrl = Annotated[str, AfterValidator(_storage_url)]
SmtpUrl = Annotated[SecretStr, AfterValidator(_smtp_url)]
ListeningPlace = Annotated[str, AfterValidator(_listening_place)]
TokenUrl = Annotated[str, AfterValidator(_token_url)]
ImapUrls = Annotated[SecretStr, AfterValidator(_imap_urls)]
Networks = Annotated[str, AfterValidator(_networks)]
Server = Annotated[str, AfterValidator(_server)]
P256Keys = Annotated[str, AfterValidator(_p256_keys)]
Sender = Annotated[str, AfterValidator(_sender)]
AccountSid = Annotated[str, AfterValidator(_account_sid)]
Token = Annotated[SecretStr, AfterValidator(_token)]
Key = Annotated[SecretStr, AfterValidator(_key)]


def networks_of(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """The networks of a list with commas between; ValueError if one is none."""
    try:
        return tuple(ip_network(each.strip(), strict=False) for each in text.split(",") if each.strip())
    except ValueError:
        raise ValueError("not a list of addresses and networks") from None


def host_and_port(text: str, port: int = 53) -> tuple[str, int]:
    """``address``, ``address:port`` or ``[address]:port``, with ``port`` where none is named; ValueError if not."""
    try:
        return str(ip_address(text)), port
    except ValueError:
        parts = _parts(f"//{text}")
    try:
        return str(ip_address(parts.hostname or "")), parts.port or port
    except ValueError:
        raise ValueError("not an address") from None
