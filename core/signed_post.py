"""Posting JSON to somebody else's system, signed so that it can tell that we sent it.

The signature is HMAC-SHA256 over ``<timestamp>.<body>`` with the secret that both know, in the header
``Nightbell-Signature: t=<unix seconds>,v1=<hexadecimal>``; the timestamp inside it makes an old request worthless.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import os
from collections.abc import Mapping
from datetime import datetime

import requests

from core.errors import ChannelError

PATIENCE_S = 10
SIGNATURE_HEADER = "Nightbell-Signature"
ID_HEADER = "Idempotency-Key"
_PASSING_STATUSES = frozenset({408, 429})
_FROM_ENVIRONMENT = "env:"

# Its debug lines repeat addresses, and with them the secrets in their paths.
logging.getLogger("urllib3").setLevel(logging.INFO)


def revealed(value: str) -> str:
    """``value``; of ``env:NAME`` what that environment variable has. :class:`ChannelError` if it has nothing."""
    if not value.startswith(_FROM_ENVIRONMENT):
        return value
    name = value.removeprefix(_FROM_ENVIRONMENT)
    found = os.environ.get(name, "")
    if not found:
        raise ChannelError(f"the environment variable {name} is not set for the worker", permanent=True)
    return found


def signature(secret: str, body: bytes, at: datetime) -> str:
    """The header's value for ``body`` sent at ``at``."""
    timestamp = int(at.timestamp())
    digest = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


def post(url: str, secret: str, id: str, content: Mapping[str, object], at: datetime) -> None:
    """Post ``content``; done when the answer is 2xx, else :class:`ChannelError`.

    ``id`` is the same for each try, so that the receiver can drop repetitions. A 4xx is permanent, except 408 and
    429; redirects are not followed, for the body was meant for this address and no other.
    """
    body = json.dumps(content, separators=(",", ":")).encode()
    headers = {
        "Content-Type": "application/json", "User-Agent": "Nightbell", ID_HEADER: id,
        SIGNATURE_HEADER: signature(revealed(secret), body, at),
    }  # fmt: skip
    try:
        # Nobody reads what they answer: it is not even fetched.
        with requests.post(
            revealed(url), data=body, headers=headers, timeout=PATIENCE_S, allow_redirects=False, stream=True
        ) as answer:
            status = answer.status_code
    except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, ValueError) as error:
        raise ChannelError(f"no such address: {type(error).__name__}", permanent=True) from None
    except (requests.RequestException, OSError) as error:
        raise ChannelError(f"the receiver does not answer: {type(error).__name__}", permanent=False) from None
    if not 200 <= status < 300:
        permanent = status < 500 and status not in _PASSING_STATUSES
        raise ChannelError(f"the receiver answered HTTP {status}", permanent=permanent)
