"""Access tokens for mail hosts that take no passwords any more (RFC 6749), as Microsoft 365 and Google do not.

With a refresh token they are for the user who has consented, without one for the program itself (client credentials).
A host may answer with a new refresh token, to be used from then on: it is kept in a file that only we can read.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading
import time
from pathlib import Path
from typing import Any

import requests

from core.settings import Settings

_PATIENCE_S = (5.0, 20.0)
_EARLY_S = 60.0  # a token is not used any more so long before its end
_UNTIL_UNSAID_S = 300.0
_FILE = "imap-refresh-token"


class NoToken(Exception):
    """The token server gives no token, and will not if asked again; the text says what to do about it."""


class Tokens:
    """Gets access tokens, and gives the same one out until its time is over. Any thread may ask."""

    def __init__(self, settings: Settings) -> None:
        self._url, self._scope = settings.imap_token_url, settings.imap_scope
        self._client = settings.imap_client_id
        self._secret = settings.imap_client_secret.get_secret_value()
        self._given = settings.imap_refresh_token.get_secret_value()
        self._file = settings.data_dir / _FILE
        self._lock = threading.Lock()
        self._token, self._until = "", 0.0

    def token(self) -> str:
        """One that is valid now. :class:`NoToken`; and OSError while the server does not answer."""
        with self._lock:
            if not self._token or time.monotonic() >= self._until:
                self._ask()
            return self._token

    def refused(self, token: str) -> None:
        """The mail host does not take this one: it is not given out again."""
        with self._lock:
            if token == self._token:
                self._token = ""

    def _ask(self) -> None:
        form = {"client_id": self._client, "client_secret": self._secret, "scope": self._scope}
        if self._given:
            form |= {"grant_type": "refresh_token", "refresh_token": self._latest()}
        else:
            form["grant_type"] = "client_credentials"
        sent = {name: value for name, value in form.items() if value}
        response = requests.post(self._url, sent, timeout=_PATIENCE_S, allow_redirects=False)
        if response.status_code >= 500 or response.status_code == 429:
            response.raise_for_status()
        answer = _read(response)
        token = answer.get("access_token")
        if response.status_code != 200 or not isinstance(token, str) or not token:
            raise NoToken(_refusal(answer, response.status_code))
        lasts = answer.get("expires_in")
        lasts = (
            float(lasts) if isinstance(lasts, int | float | str) and str(lasts).isdigit() else _UNTIL_UNSAID_S
        )
        self._token, self._until = token, time.monotonic() + max(lasts - _EARLY_S, lasts / 2)
        new = answer.get("refresh_token")
        if self._given and isinstance(new, str) and new and new != sent["refresh_token"]:
            self._keep(new)

    # -- the refresh token ---------------------------------------------------------------------------------

    @property
    def _made_of(self) -> str:
        """Which setting a kept token follows: another one in the setting is a new consent."""
        return hashlib.sha256(self._given.encode()).hexdigest()

    def _latest(self) -> str:
        with contextlib.suppress(OSError, ValueError, AttributeError):
            kept = json.loads(self._file.read_text())
            if kept.get("made_of") == self._made_of:
                return str(kept["token"])
        return self._given

    def _keep(self, token: str) -> None:
        """Whole or not at all: the one before may be void already."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        new = Path(f"{self._file}.new")
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump({"made_of": self._made_of, "token": token}, file)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._file)


def _read(response: requests.Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _refusal(answer: dict[str, Any], status: int) -> str:
    """What the server says, by its code alone: its sentences may repeat what was sent (RFC 6749, 5.2)."""
    code = str(answer.get("error") or f"HTTP {status}")[:60]
    code = code if code.replace("_", "").replace(" ", "").isalnum() else "an error"
    settings = {
        "invalid_grant": "the consent has ended: set NIGHTBELL_IMAP_REFRESH_TOKEN to a new one",
        "invalid_client": "see NIGHTBELL_IMAP_CLIENT_ID and NIGHTBELL_IMAP_CLIENT_SECRET",
        "unauthorized_client": "see NIGHTBELL_IMAP_CLIENT_ID",
        "invalid_scope": "see NIGHTBELL_IMAP_SCOPE",
    }
    return f"the token server gives no token ({code}); {settings.get(code, 'see NIGHTBELL_IMAP_TOKEN_URL')}"
