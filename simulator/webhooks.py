"""Webhooks as Twilio sends them: signed, retried by the rule in the URL's fragment, logged.

Facts from Twilio's documents: the fragment (``#rc=2&rp=ct,5xx``) is not sent and not signed; by default only
a failed connect is retried, once; 301 and 302 are followed with GET and without the form; every retry of one
request carries the same I-Twilio-Idempotency-Token.
"""

from __future__ import annotations

import base64
import hmac
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from simulator.scheduler import Scheduler
from simulator.transport import ConnectFailed, Outcome, Sender, WebhookRequest, WebhookResponse

MAX_REDIRECTS = 5
Disturb = Callable[[WebhookRequest, str], list[float]]


def sign(token: str, url: str, form: Mapping[str, str], algorithm: str = "sha1") -> str:
    """X-Twilio-Signature: base64 of the HMAC over the URL and each sorted name with its value."""
    text = url + "".join(name + form[name] for name in sorted(form))
    return base64.b64encode(hmac.digest(token.encode(), text.encode(), algorithm)).decode()


@dataclass(frozen=True)
class RetryRule:
    """How often and after what to try again; times in seconds."""

    retries: int = 1
    policy: frozenset[str] = frozenset({"ct"})
    connect_timeout: float = 5.0
    read_timeout: float = 15.0
    total_timeout: float = 15.0

    @classmethod
    def of(cls, fragment: str) -> RetryRule:
        """The rule of a fragment such as ``rc=2&rp=ct,rt,5xx&ct=2000``; what is wrong there is ignored."""
        given = dict(parse_qsl(fragment))

        def number(key: str, default: int, low: int, high: int) -> int:
            text = given.get(key, "")
            return min(max(int(text), low), high) if text.isdigit() else default

        return cls(
            retries=number("rc", 1, 0, 5),
            policy=frozenset(given.get("rp", "ct").split(",")),
            connect_timeout=number("ct", 5000, 100, 10000) / 1000,
            read_timeout=number("rt", 15000, 100, 15000) / 1000,
            total_timeout=number("tt", 15000, 100, 15000) / 1000,
        )

    def again_after(self, outcome: Outcome) -> bool:
        """Whether this outcome is one that the rule tries again after."""
        if isinstance(outcome, WebhookResponse):
            kind = f"{outcome.status // 100}xx"
            return kind in {"4xx", "5xx"} and bool({kind, "all"} & self.policy)
        return bool({"ct" if isinstance(outcome, ConnectFailed) else "rt", "all"} & self.policy)


@dataclass
class LogEntry:
    """One HTTP request that went out, and what came of it. ``status`` is 0 when nothing came back."""

    time: datetime
    kind: str
    method: str
    url: str
    params: dict[str, str]
    status: int = 0
    ms: int = 0
    error: str = ""


@dataclass(frozen=True)
class Alert:
    """One line of Twilio's debugger."""

    time: datetime
    code: int
    message: str
    url: str = ""
    call_sid: str = ""


@dataclass
class _Delivery:
    """One webhook on its way, with its retries and redirects."""

    kind: str
    request: WebhookRequest
    params: dict[str, str]
    rule: RetryRule
    started: datetime
    done: Callable[[WebhookResponse | None, str], None]
    tries: int = 0
    redirects: int = 0


@dataclass
class Webhooks:
    """Sends the webhooks of one account and keeps the log of them."""

    scheduler: Scheduler
    sender: Sender
    token: str
    new_token: Callable[[], str]
    shared_key: tuple[str, str] | None = None  # (key id, secret): sign with HMAC_SHA256 instead
    disturb: Disturb | None = None
    log: deque[LogEntry] = field(default_factory=lambda: deque(maxlen=5000))
    on_log: Callable[[LogEntry], None] = lambda _entry: None

    def send(
        self,
        kind: str,
        url: str,
        method: str,
        params: Mapping[str, str],
        done: Callable[[WebhookResponse | None, str], None] = lambda _answer, _why: None,
    ) -> None:
        """Send one webhook; ``done(answer, "")`` on a 2xx, else ``done(None, why)``, exactly once.

        ``disturb`` may hold it back, repeat it or lose it; the first answer is the one that counts.
        """
        target, _, fragment = url.partition("#")
        request = self._request(method.upper(), target, dict(params), self.new_token())
        delays = [0.0] if self.disturb is None else self.disturb(request, kind)
        once = _Once(done)
        for delay in delays:
            delivery = _Delivery(
                kind, request, dict(params), RetryRule.of(fragment), self.scheduler.now(), once
            )
            if delay <= 0:
                self._attempt(delivery)
            else:
                self.scheduler.after(delay, _starting(self, delivery))
        if not delays:
            once(None, "lost on the way")

    def _request(self, method: str, url: str, params: dict[str, str], token: str) -> WebhookRequest:
        headers = {"User-Agent": "TwilioProxy/1.1", "Accept": "*/*", "I-Twilio-Idempotency-Token": token}
        if method == "GET":
            url, form = _with_query(url, params), {}
        else:
            form = params
            headers["Content-Type"] = "application/x-www-form-urlencoded; charset=UTF-8"
        headers.update(self._signature(url, form))
        return WebhookRequest(method, url, headers, form)

    def _signature(self, url: str, form: dict[str, str]) -> dict[str, str]:
        if self.shared_key is None:
            return {"X-Twilio-Signature": sign(self.token, url, form)}
        key, secret = self.shared_key
        return {
            "X-Twilio-Signature": sign(secret, url, form, "sha256"),
            "X-Twilio-Webhooks-Signature-Settings": f"key={key},algorithm=HMAC_SHA256",
        }

    def _attempt(self, delivery: _Delivery) -> None:
        delivery.tries += 1
        sent = self.scheduler.now()
        request, rule = delivery.request, delivery.rule
        entry = LogEntry(sent, delivery.kind, request.method, request.url, delivery.params)
        self.log.append(entry)

        def answered(outcome: Outcome) -> None:
            entry.ms = round((self.scheduler.now() - sent).total_seconds() * 1000)
            if isinstance(outcome, WebhookResponse):
                entry.status = outcome.status
            else:
                entry.error = f"{type(outcome).__name__}: {outcome}".removesuffix(": ")
            self.on_log(entry)
            self._judge(delivery, outcome)

        self.sender.send(request, (rule.connect_timeout, rule.read_timeout), answered)

    def _judge(self, delivery: _Delivery, outcome: Outcome) -> None:
        if isinstance(outcome, WebhookResponse) and outcome.status in {301, 302, 303, 307, 308}:
            self._follow(delivery, outcome)
        elif isinstance(outcome, WebhookResponse) and 200 <= outcome.status < 300:
            delivery.done(outcome, "")
        elif self._may_retry(delivery, outcome):
            self._attempt(delivery)
        elif isinstance(outcome, WebhookResponse):
            delivery.done(None, f"HTTP {outcome.status}")
        else:
            delivery.done(
                None, "no connection" if isinstance(outcome, ConnectFailed) else "no answer in time"
            )

    def _may_retry(self, delivery: _Delivery, outcome: Outcome) -> bool:
        spent = (self.scheduler.now() - delivery.started).total_seconds()
        rule = delivery.rule
        return delivery.tries <= rule.retries and spent < rule.total_timeout and rule.again_after(outcome)

    def _follow(self, delivery: _Delivery, answer: WebhookResponse) -> None:
        delivery.redirects += 1
        where = answer.header("Location")
        if not where or delivery.redirects > MAX_REDIRECTS:
            delivery.done(None, "too many redirects" if where else "redirect without Location")
            return
        url = urljoin(delivery.request.url, where).partition("#")[0]
        keeps_form = answer.status in {307, 308} and delivery.request.method == "POST"
        token = delivery.request.headers["I-Twilio-Idempotency-Token"]
        delivery.params = delivery.params if keeps_form else {}
        delivery.request = self._request("POST" if keeps_form else "GET", url, delivery.params, token)
        delivery.tries -= 1
        self._attempt(delivery)


class _Once:
    """Lets the first outcome through and drops the rest."""

    def __init__(self, fn: Callable[[WebhookResponse | None, str], None]) -> None:
        self._fn: Callable[[WebhookResponse | None, str], None] | None = fn

    def __call__(self, answer: WebhookResponse | None, why: str) -> None:
        fn, self._fn = self._fn, None
        if fn is not None:
            fn(answer, why)


def _starting(webhooks: Webhooks, delivery: _Delivery) -> Callable[[], None]:
    def start() -> None:
        delivery.started = webhooks.scheduler.now()
        webhooks._attempt(delivery)

    return start


def _with_query(url: str, params: dict[str, str]) -> str:
    if not params:
        return url
    parts = urlsplit(url)
    query = "&".join(filter(None, [parts.query, urlencode(params)]))
    return urlunsplit(parts._replace(query=query))
