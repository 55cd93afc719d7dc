"""How a webhook leaves the house: one request out, one answer or one of two failures back."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlencode, urlsplit

import requests

if TYPE_CHECKING:
    from simulator.scheduler import LiveScheduler, VirtualScheduler


@dataclass(frozen=True)
class WebhookRequest:
    """One HTTP request to the customer's application. ``form`` is empty for GET: it is in the URL then."""

    method: str
    url: str
    headers: dict[str, str]
    form: dict[str, str]


@dataclass(frozen=True)
class WebhookResponse:
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""

    def header(self, name: str) -> str:
        """A header by its name in any case, or an empty text."""
        return next((value for key, value in self.headers.items() if key.lower() == name.lower()), "")


class ConnectFailed(Exception):
    """No connection: refused, no such host, TLS trouble, or not within the connect time-out."""


class ReadTimeout(Exception):
    """Connected, but no answer within the read time-out."""


Transport = Callable[[WebhookRequest], WebhookResponse]
Outcome = WebhookResponse | ConnectFailed | ReadTimeout


class Sender(Protocol):
    """Sends one request and gives the outcome to ``done`` on the engine's thread."""

    def send(
        self, request: WebhookRequest, timeouts: tuple[float, float], done: Callable[[Outcome], None]
    ) -> None: ...


class InlineSender:
    """Virtual time: the transport is called right here. A read time-out takes its virtual seconds."""

    def __init__(self, scheduler: VirtualScheduler, transport: Transport) -> None:
        self._scheduler = scheduler
        self.transport = transport

    def send(
        self, request: WebhookRequest, timeouts: tuple[float, float], done: Callable[[Outcome], None]
    ) -> None:
        try:
            outcome: Outcome = self.transport(request)
        except ConnectFailed as error:
            outcome = error
        except ReadTimeout as error:
            late = error
            self._scheduler.after(timeouts[1], lambda: done(late))
            return
        done(outcome)


def post_with_requests(request: WebhookRequest, timeouts: tuple[float, float]) -> WebhookResponse:
    """The real thing: HTTP by ``requests``, which never follows a redirect by itself here."""
    try:
        with requests.Session() as session:
            session.trust_env = False  # no proxy of this machine's environment stands in between
            answer = session.request(
                request.method,
                request.url,
                headers=request.headers,
                data=urlencode(request.form) if request.method == "POST" else None,
                timeout=timeouts,
                allow_redirects=False,
            )
    except requests.exceptions.ReadTimeout as error:
        raise ReadTimeout(str(error)) from error
    except requests.exceptions.RequestException as error:
        raise ConnectFailed(str(error)) from error
    return _response(answer.status_code, dict(answer.headers), answer.content)


def _response(status: int, headers: dict[str, str], body: bytes) -> WebhookResponse:
    """A sound has no text; anything else is taken for UTF-8."""
    response = WebhookResponse(status, headers)
    if response.header("Content-Type").startswith("audio/"):
        return response
    return WebhookResponse(status, headers, body.decode("utf-8", errors="replace"))


class PooledSender:
    """Real time: a few daemon threads do the waiting, so that a slow webhook never blocks the engine."""

    def __init__(self, scheduler: LiveScheduler, threads: int = 16) -> None:
        self._scheduler = scheduler
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        for number in range(threads):
            threading.Thread(target=self._work, name=f"webhook-{number}", daemon=True).start()

    def send(
        self, request: WebhookRequest, timeouts: tuple[float, float], done: Callable[[Outcome], None]
    ) -> None:
        def job() -> None:
            try:
                outcome: Outcome = post_with_requests(request, timeouts)
            except (ConnectFailed, ReadTimeout) as error:
                outcome = error
            self._scheduler.after(0, lambda: done(outcome))

        self._jobs.put(job)

    def _work(self) -> None:
        while True:
            self._jobs.get()()


class WsgiTransport:
    """Webhooks straight into WSGI applications of the same process, chosen by scheme and host of the URL.

    ``apps`` maps ``https://bell.example`` to an application; any other host cannot be connected to.
    """

    def __init__(self, apps: dict[str, object]) -> None:
        self._apps = apps

    def __call__(self, request: WebhookRequest) -> WebhookResponse:
        from werkzeug.test import Client

        parts = urlsplit(request.url)
        base = f"{parts.scheme}://{parts.netloc}"
        if base not in self._apps:
            raise ConnectFailed(f"nobody answers at {base}")
        client = Client(self._apps[base])  # type: ignore[arg-type]  # any WSGI callable
        answer = client.open(
            parts.path or "/",
            base_url=base,
            query_string=parts.query,
            method=request.method,
            headers=request.headers,
            data=request.form if request.method == "POST" else None,
        )
        return _response(answer.status_code, dict(answer.headers), answer.get_data())
