"""A customer's application made of canned documents, and a phone company in virtual time that talks to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from twilio.request_validator import RequestValidator

from simulator.scheduler import VirtualScheduler
from simulator.transport import ConnectFailed, ReadTimeout, WebhookRequest, WebhookResponse

ACCOUNT = "AC" + "5" * 32
TOKEN = "simulated-auth-token"
BASE = "https://bell.example"
LINE = "+18773632305"
MARIA = "+15125550142"
DANA = "+17135550101"
LUIS = "+17135550102"

Answer = str | WebhookResponse | Exception | Callable[[WebhookRequest], "str | WebhookResponse"]


@dataclass
class Seen:
    path: str
    method: str
    form: dict[str, str]
    headers: dict[str, str]
    at: datetime


@dataclass
class App:
    """Answers by path; a list is answered one after the other, its last item again and again."""

    scheduler: VirtualScheduler
    pages: dict[str, Answer | list[Answer]] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)

    def __setitem__(self, path: str, answer: Answer | list[Answer]) -> None:
        self.pages[path] = answer

    def __call__(self, request: WebhookRequest) -> WebhookResponse:
        parts = urlsplit(request.url)
        assert not parts.fragment
        validator = RequestValidator(TOKEN)
        assert validator.validate(request.url, request.form, request.headers["X-Twilio-Signature"])
        self.seen.append(
            Seen(parts.path, request.method, request.form, request.headers, self.scheduler.now())
        )
        if f"{parts.scheme}://{parts.netloc}" != BASE:
            raise ConnectFailed(parts.netloc)
        answer = self.pages.get(parts.path, "")
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if isinstance(answer, Exception):
            raise answer
        if callable(answer):
            answer = answer(request)
        return answer if isinstance(answer, WebhookResponse) else twiml(answer)

    def to(self, path: str) -> list[Seen]:
        return [seen for seen in self.seen if seen.path == path]

    def forms(self, path: str) -> list[dict[str, str]]:
        return [seen.form for seen in self.to(path)]

    @property
    def paths(self) -> list[str]:
        return [seen.path for seen in self.seen]


def twiml(inside: str) -> WebhookResponse:
    body = f'<?xml version="1.0" encoding="UTF-8"?><Response>{inside}</Response>'
    return WebhookResponse(200, {"Content-Type": "text/xml"}, body)


def error(status: int) -> WebhookResponse:
    return WebhookResponse(status, {"Content-Type": "text/plain"}, "no")


def slow() -> ReadTimeout:
    return ReadTimeout("slow")
