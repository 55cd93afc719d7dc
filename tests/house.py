"""The whole house in one process: the product, the telephone company, and a clock that the story sets.

Time passes only when a story lets it; then whatever is due happens in its order, in the company and in the
worker. All TwiML that is answered is checked against Twilio's own classes, and an alert at the company
(a failed webhook, a document it cannot run) fails the story unless it says that it expects one.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import requests
import sqlalchemy as sa
from requests.adapters import BaseAdapter
from werkzeug.test import Client

from app import create_app
from console.case_page import describe
from core import due
from core.models import Case, Event
from core.settings import load_settings
from intake.phone.models import Call as CallRow
from routing.context import build_context
from routing.policies import apply_policy
from simulator.calls import Call
from simulator.company import PhoneCompany
from simulator.phones import Phone
from simulator.scheduler import VirtualScheduler
from simulator.transport import ConnectFailed, WebhookRequest, WebhookResponse, WsgiTransport
from tests.twiml_lint import problems_in
from webhooks.receipts import Counter
from worker import Worker

BELL = "https://bell.example"
ACCOUNT_SID = "AC" + "5" * 32
TOKEN = "a-token-for-stories"
CENTRAL = ZoneInfo("America/Chicago")
NIGHT = datetime(2026, 3, 4, 2, 10, tzinfo=CENTRAL)  # a Wednesday; Dana is on call
DAY = datetime(2026, 3, 4, 10, 0, tzinfo=CENTRAL)
SAMPLE = Path(__file__).parent.parent / "routing" / "samples" / "agreement.yaml"

SUPPORT, MANAGED = "+18773632305", "+18772745771"
MARIA, TOM, GRACE, OMAR, LENA = "+15125550142", "+13125550177", "+12065550118", "+12145550163", "+17755550190"
STRANGER = "+19175550100"
DANA, LUIS, PRIYA, SAM = "+17135550101", "+17135550102", "+17135550103", "+17135550104"


class _StoryClock:
    def __init__(self, scheduler: VirtualScheduler) -> None:
        self._scheduler = scheduler

    def now(self) -> datetime:
        return self._scheduler.now()


class _WsgiAdapter(BaseAdapter):
    """The way to the company's REST API without a socket."""

    def __init__(self, house: House) -> None:
        super().__init__()
        self._house = house

    def send(self, request: requests.PreparedRequest, **_options: Any) -> requests.Response:  # type: ignore[override]
        if self._house.api_is_down:
            raise requests.ConnectionError("the API does not answer")
        body = request.body or b""
        answer = Client(self._house.company.wsgi).open(
            request.path_url,
            method=request.method,
            headers=dict(request.headers),
            data=body if isinstance(body, bytes) else body.encode(),
        )
        response = requests.Response()
        response.status_code = answer.status_code
        response.headers.update(dict(answer.headers))
        response.raw = BytesIO(answer.get_data())
        response._content = answer.get_data()
        response.url = request.url or ""
        response.request = request
        return response

    def close(self) -> None:
        """Nothing to close."""


class House:
    """The product and the telephone company around one clock."""

    def __init__(self, database_url: str, folder: Path, at: datetime = NIGHT, **settings: Any) -> None:
        self.scheduler = VirtualScheduler(at.astimezone(UTC))
        session = requests.Session()
        session.trust_env = False
        session.mount("https://", _WsgiAdapter(self))
        self.settings = load_settings(
            database_url=database_url, data_dir=folder, public_url=BELL, secret_key="a key for stories only",
            twilio_account_sid=ACCOUNT_SID, twilio_auth_token=TOKEN, **settings,
        )  # fmt: skip
        self.context = build_context(
            self.settings, clock=_StoryClock(self.scheduler), telephone_session=session, wake=None
        )
        self.app = create_app(self.context)
        self.worker = Worker(self.context)
        self.api_is_down = False
        self.web_is_down = False
        self.expected_alerts: set[int] = set()
        self.twiml_problems: list[str] = []
        self._wsgi = WsgiTransport({BELL: self.app})
        self.company = PhoneCompany(ACCOUNT_SID, TOKEN, self.scheduler, self._deliver)
        self.company.pass_time = self.fast_forward
        self.company.calls_per_second = None
        for number in (SUPPORT, MANAGED):
            self.company.own_number(
                number, voice_url=f"{BELL}/twilio/voice#rc=2&rp=ct,rt,5xx", sms_url=f"{BELL}/twilio/sms",
                status_callback=f"{BELL}/twilio/voice/status",
            )  # fmt: skip
        self.apply(SAMPLE.read_text())

    # -- the product ---------------------------------------------------------------------------------------

    def apply(self, document: str) -> int:
        """Make ``document`` the policy."""
        with self.context.database.writing() as session:
            version = apply_policy(session, document, self.scheduler.now())
        self.context.policies.forget()
        return version

    def _deliver(self, request: WebhookRequest) -> WebhookResponse:
        if self.web_is_down:
            raise ConnectFailed("nobody listens")
        answer = self._wsgi(request)
        kind = "messaging" if "/sms" in request.url else "voice"
        if answer.status == 200:
            self.twiml_problems += [f"{request.url}: {problem}" for problem in problems_in(answer.body, kind)]
        return answer

    def sql(self, statement: Any) -> Any:
        """All rows of a statement."""
        with self.context.database.reading() as session:
            return session.scalars(statement).all()

    @property
    def cases(self) -> list[Case]:
        """All cases, the earliest first."""
        return list(self.sql(sa.select(Case).order_by(Case.id)))

    @property
    def case(self) -> Case:
        """The only case."""
        (case,) = self.cases
        return case

    @property
    def near_misses(self) -> list[CallRow]:
        """The calls that ended without a message."""
        return list(self.sql(sa.select(CallRow).where(CallRow.near_miss.is_(True))))

    def shown(self, number: int | None = None) -> dict[str, Any]:
        """What the page of a case shows."""
        with self.context.database.reading() as session:
            case = session.get_one(Case, number or self.case.id)
            return describe(session, self.context, case)

    def events(self, kind: str) -> list[Event]:
        """The events of a kind."""
        return list(self.sql(sa.select(Event).where(Event.kind == kind).order_by(Event.id)))

    def counter(self, name: str) -> int:
        """The value of a counter."""
        return sum(row.value for row in self.sql(sa.select(Counter).where(Counter.name == name)))

    # -- time ----------------------------------------------------------------------------------------------

    @property
    def local_time(self) -> str:
        """The clock on the wall."""
        return f"{self.scheduler.now().astimezone(CENTRAL):%H:%M:%S}"

    def fast_forward(self, seconds: float = 0) -> None:
        """Let time pass: everything that is due happens at its instant."""
        end = self.scheduler.now() + timedelta(seconds=seconds)
        while True:
            self.worker.run_due()
            at = min((t for t in (self.scheduler.next_at(), self._next_due()) if t), default=end)
            if at > end:
                break
            self.scheduler.set_now(max(at, self.scheduler.now()))
            while (when := self.scheduler.next_at()) is not None and when <= self.scheduler.now():
                self.scheduler.run_next()
        self.scheduler.set_now(end)

    def _next_due(self) -> datetime | None:
        with self.context.database.reading() as session:
            at = due.next_due_at(session)
        return max(at, self.scheduler.now()) if at else None

    # -- people --------------------------------------------------------------------------------------------

    def phone(self, number: str) -> Phone:
        """An outside telephone."""
        return self.company.phone(number)

    def call(self, from_: str, to: str = SUPPORT, **options: Any) -> Caller:
        """Somebody dials a line."""
        return Caller(self, self.company.dial(from_, to, **options))

    def rings(self, number: str) -> int:
        """How often a phone has been rung by us."""
        return sum(call.direction == "outbound-api" for call in self.phone(number).calls)

    def texts(self, number: str) -> list[str]:
        """The texts that a phone got."""
        return [text.body for text in self.phone(number).sms if text.direction == "received"]

    def check(self) -> None:
        """What no story may leave behind."""
        assert self.twiml_problems == []
        unexpected = [a for a in self.company.alerts if a.code not in self.expected_alerts]
        assert unexpected == []


class Caller:
    """A person on a call, who listens before doing the next thing."""

    def __init__(self, house: House, call: Call) -> None:
        self.house = house
        self.call = call
        self._seen = 0
        self._wait()

    def _wait(self) -> None:
        self.house.company.run_until_waiting(self.call)

    @property
    def said(self) -> str:
        """What was heard since the last deed."""
        return " ".join(heard.text for heard in self.call.heard[self._seen :])

    def hears(self, *words: str) -> Caller:
        """All of ``words`` were said since the last deed."""
        for word in words:
            assert word in self.said, f"{word!r} was not heard, but: {self.said!r}"
        return self

    def does_not_hear(self, *words: str) -> Caller:
        """None of ``words`` was said since the last deed."""
        for word in words:
            assert word not in self.said, f"{word!r} was heard: {self.said!r}"
        return self

    def _do(self, deed: Callable[[], object]) -> Caller:
        self._seen = len(self.call.heard)
        deed()
        self._wait()
        return self

    def presses(self, keys: str) -> Caller:
        """Press keys, and listen to what follows."""
        return self._do(lambda: self.call.press(keys))

    def waits(self) -> Caller:
        """Press nothing until something else is asked."""
        waiting = self.call.waiting
        self._seen = len(self.call.heard)
        self.house.company.run_until(
            lambda: self.call.ended or (self.call.is_asking and self.call.waiting is not waiting)
        )
        return self

    def says(self, seconds: float = 8, text: str = "") -> Caller:
        """Speak for a while; the recording goes on."""
        self.call.speak(seconds=seconds, text=text or "Production is down.")
        return self

    def hangs_up(self) -> Caller:
        """End the call."""
        self.call.hang_up()
        self.house.fast_forward(0)
        return self

    def leaves(self, seconds: float = 8) -> Caller:
        """Speak, and hang up instead of pressing a key."""
        return self.says(seconds).hangs_up()

    @property
    def is_over(self) -> bool:
        """Whether the line is dead."""
        return self.call.ended
