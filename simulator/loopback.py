"""An HttpClient for the unmodified ``twilio.rest.Client`` that reaches a company of the same process.

``Client(account_sid, auth_token, http_client=LoopbackHttpClient(company))``: no socket is opened.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from twilio.http import HttpClient
from twilio.http.response import Response
from werkzeug.datastructures import MultiDict
from werkzeug.test import Client

from simulator.company import PhoneCompany

TWILIO = "api.twilio.com"


class LoopbackHttpClient(HttpClient):
    def __init__(self, company: PhoneCompany) -> None:
        self._client = Client(company.wsgi)

    def request(
        self,
        method: str,
        url: str,
        params: dict[str, Any] | None = None,
        data: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        parts = urlsplit(url)
        if parts.hostname != TWILIO:
            raise ConnectionError(f"{parts.hostname} is not reachable from a test")
        given = {name: value for name, value in (params or {}).items() if value is not None}
        answer = self._client.open(
            parts.path,
            base_url=f"https://{TWILIO}",
            method=method.upper(),
            query_string=MultiDict(given) if given else parts.query,
            data=MultiDict(data) if data else None,
            headers=headers,
            auth=auth,
        )
        return Response(answer.status_code, answer.get_data(as_text=True), dict(answer.headers))
