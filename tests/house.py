"""The whole house in one process: the product, the telephone company, and a clock that the story sets.

Time passes only when a story lets it; then whatever is due happens in its order, in the company and in the
worker. All TwiML that is answered is checked against Twilio's own classes, and an alert at the company
(a failed webhook, a document it cannot run) fails the story unless it says that it expects one.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
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
from core.due import Due
from core.models import Case, Event, Recording
from core.settings import load_settings
from core.telephony import RETRY_RULE
from intake.phone.models import Call as CallRow
from routing.context import build_context
from routing.decisions import DecisionRecord
from routing.paging.models import Attempt, Page
from routing.policies import PolicyVersion, apply_policy
from simulator.calls import Call
from simulator.company import PhoneCompany
from simulator.phones import Phone
from simulator.scheduler import VirtualScheduler
from simulator.transport import ConnectFailed, WebhookRequest, WebhookResponse, WsgiTransport
from simulator.webhooks import sign
from tests.twiml_lint import problems_in
from webhooks.receipts import Counter as CounterRow
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
ENGINEERS = (DANA, LUIS, PRIYA, SAM)


def agreement(*changes: tuple[str, str]) -> str:
    """The sample policy; of each change the first place with its old text gets the new one."""
    text = SAMPLE.read_text()
    for old, new in changes:
        assert old in text, f"the sample policy has no {old!r}"
        text = text.replace(old, new, 1)
    return text


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
        engine = self.context.database.engine
        if not sa.event.contains(engine, "connect", _spare_the_disk):
            sa.event.listen(engine, "connect", _spare_the_disk)
        self.app = create_app(self.context)
        self.worker = Worker(self.context)
        self.api_is_down = False
        self.web_is_down = False
        self.database_is_down = False
        self.refused_tries = 0  # so many tries of each request find nobody listening
        self.elsewhere: dict[str, str] = {}  # documents on other hosts, by address
        self.expected_alerts: set[int] = set()
        self.twiml_problems: list[str] = []
        self._tries: Counter[str] = Counter()
        self._wsgi = WsgiTransport({BELL: self.app})
        self.company = PhoneCompany(ACCOUNT_SID, TOKEN, self.scheduler, self._deliver)
        self.company.pass_time = self.fast_forward
        self.company.calls_per_second = None
        for number in (SUPPORT, MANAGED):
            self.company.own_number(
                number,
                voice_url=f"{BELL}/twilio/voice{RETRY_RULE}",
                status_callback=f"{BELL}/twilio/voice/status{RETRY_RULE}",
                sms_url=f"{BELL}/twilio/sms{RETRY_RULE}",
            )
        if not self.sql(sa.select(PolicyVersion.version)):
            self.apply(agreement())

    # -- the product ---------------------------------------------------------------------------------------

    def apply(self, document: str) -> int:
        """Make ``document`` the policy."""
        with self.context.database.writing() as session:
            version = apply_policy(session, document, self.scheduler.now())
        self.context.policies.forget()
        return version

    def _deliver(self, request: WebhookRequest) -> WebhookResponse:
        elsewhere = self.elsewhere.get(request.url.partition("?")[0])
        if elsewhere is not None:
            return WebhookResponse(200, {"Content-Type": "text/xml"}, elsewhere)
        if self.web_is_down or self._is_refused(request):
            raise ConnectFailed("nobody listens")
        answer = self._wsgi(request)
        kind = "messaging" if "/sms" in request.url else "voice"
        if answer.status == 200 and not answer.header("Content-Type").startswith("audio/"):
            self.twiml_problems += [f"{request.url}: {problem}" for problem in problems_in(answer.body, kind)]
        return answer

    def _is_refused(self, request: WebhookRequest) -> bool:
        token = request.headers["I-Twilio-Idempotency-Token"]
        self._tries[token] += 1
        return self._tries[token] <= self.refused_tries

    def post(self, path: str, **form: str) -> str:
        """A request as the company signs it, straight to the product; what answers it."""
        headers = {"X-Twilio-Signature": sign(TOKEN, BELL + path, form)}
        answer = self.app.test_client().post(path, base_url=BELL, data=form, headers=headers)
        assert answer.status_code == 200
        return answer.get_data(as_text=True)

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
    def decision(self) -> DecisionRecord:
        """The decision of the only case."""
        (decision,) = self.sql(sa.select(DecisionRecord).where(DecisionRecord.case_id == self.case.id))
        return decision  # type: ignore[no-any-return]

    @property
    def reasons(self) -> list[str]:
        """Why: the codes of the only case's decision."""
        return [reason["code"] for reason in self.decision.reasons]

    @property
    def near_miss_decision(self) -> DecisionRecord:
        """The decision of the only call that ended without a message."""
        (decision,) = self.sql(sa.select(DecisionRecord).where(DecisionRecord.outcome == "near-miss"))
        return decision  # type: ignore[no-any-return]

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

    @property
    def phone_calls(self) -> list[CallRow]:
        """The calls that came in, the earliest first."""
        return list(self.sql(sa.select(CallRow).order_by(CallRow.started_at)))

    @property
    def recordings(self) -> list[Recording]:
        """The recordings that the product knows of, the earliest first."""
        return list(self.sql(sa.select(Recording).order_by(Recording.received_at)))

    @property
    def pages(self) -> list[Page]:
        """The pages, the earliest first."""
        return list(self.sql(sa.select(Page).order_by(Page.id)))

    def attempts(self, channel: str = "voice") -> list[Attempt]:
        """The attempts to reach engineers, the earliest first."""
        return list(self.sql(sa.select(Attempt).where(Attempt.channel == channel).order_by(Attempt.id)))

    def due(self, state: str = "ready") -> list[str]:
        """The kinds of the work that is in a state."""
        return list(self.sql(sa.select(Due.kind).where(Due.state == state).order_by(Due.due_at)))

    def counter(self, name: str) -> int:
        """The value of a counter."""
        return sum(row.value for row in self.sql(sa.select(CounterRow).where(CounterRow.name == name)))

    # -- time ----------------------------------------------------------------------------------------------

    @property
    def local_time(self) -> str:
        """The clock on the wall."""
        return f"{self.scheduler.now().astimezone(CENTRAL):%H:%M:%S}"

    def fast_forward(self, seconds: float = 0) -> None:
        """Let time pass: everything that is due happens at its instant."""
        end = self.scheduler.now() + timedelta(seconds=seconds)
        while (at := self._next_after_work()) is not None and at <= end:
            self.scheduler.set_now(max(at, self.scheduler.now()))
            while (when := self.scheduler.next_at()) is not None and when <= self.scheduler.now():
                self.scheduler.run_next()
        self.scheduler.set_now(end)

    def _next_after_work(self) -> datetime | None:
        """Let the worker do what is due; when something happens next.

        The worker is not asked where nothing is due: that would take most of a story.
        """
        if not self.database_is_down:
            self.worker.replay_spool()
            due_at = self._next_due()
            if due_at is None or due_at > self.scheduler.now():
                return _earlier(self.scheduler.next_at(), due_at)
            self.worker.run_due()
        return self._next_at()

    def until(self, done: Callable[[], object], within: float = 600) -> None:
        """Let time pass, one thing that happens after the other, until ``done()``."""
        end = self.scheduler.now() + timedelta(seconds=within)
        while not done():
            at = self._next_at()
            assert at is not None, "it has not happened, and nothing more is planned"
            assert at <= end, f"it has not happened within {within} seconds"
            self.fast_forward((at - self.scheduler.now()).total_seconds())

    def it_becomes(self, when: datetime) -> None:
        """Turn the clock to a later hour, when nothing is going on."""
        self.scheduler.set_now(when.astimezone(UTC))

    def _next_at(self) -> datetime | None:
        return _earlier(self.scheduler.next_at(), self._next_due())

    def _next_due(self) -> datetime | None:
        if self.database_is_down:
            return None
        with self.context.database.reading() as session:
            at = due.next_due_at(session)
        return max(at, self.scheduler.now()) if at else None

    @contextlib.contextmanager
    def database_down(self) -> Iterator[None]:
        """The database does not answer for a while; the worker waits for it, as it does in real life."""
        database = self.context.database
        names = ("reading", "writing", "writing_quickly")
        self.database_is_down = True
        for name in names:
            setattr(database, name, _no_database)
        try:
            yield
        finally:
            for name in names:
                delattr(database, name)
            self.database_is_down = False

    # -- people --------------------------------------------------------------------------------------------

    def phone(self, number: str) -> Phone:
        """An outside telephone."""
        return self.company.phone(number)

    def call(self, from_: str, to: str = SUPPORT, **options: Any) -> Caller:
        """Somebody dials a line."""
        return Caller(self, self.company.dial(from_, to, **options))

    def voicemail_from(self, from_: str = MARIA, to: str = SUPPORT, keys: str = "1") -> Caller:
        """The usual night call: a key for the menu, a voicemail, and no word more."""
        caller = self.call(from_, to)
        for key in keys:
            caller.presses(key)
        return caller.leaves()

    def picks_up(self, number: str) -> Caller:
        """Somebody takes the telephone as soon as it rings, and listens."""
        phone = self.phone(number)
        self.until(lambda: phone.ringing is not None)
        call = phone.ringing
        assert call is not None
        call.answer()
        return Caller(self, call)

    def text(self, from_: str, body: str, to: str = SUPPORT) -> str:
        """Somebody sends a text to a line; the text that comes back within seconds, or nothing."""
        before = len(self.texts(from_))
        self.company.text(from_, to, body)
        self.fast_forward(2 * self.company.message_step)
        replies = {m.sid for m in self.company.desk.messages.values() if m.direction == "outbound-reply"}
        got = [text for text in self.phone(from_).sms if text.direction == "received"][before:]
        return " ".join(text.body for text in got if text.sid in replies)

    def rings(self, number: str) -> int:
        """How often a phone has been rung by us."""
        return sum(call.direction == "outbound-api" for call in self.phone(number).calls)

    def texts(self, number: str) -> list[str]:
        """The texts that a phone got."""
        return [text.body for text in self.phone(number).sms if text.direction == "received"]

    @property
    def rung(self) -> dict[str, int]:
        """Whose phones have been rung by us, and how often."""
        return {number: self.rings(number) for number in ENGINEERS if self.rings(number)}

    @property
    def texted(self) -> dict[str, int]:
        """Who got texts, and how many."""
        return {number: len(self.texts(number)) for number in ENGINEERS if self.texts(number)}

    def check(self) -> None:
        """What no story may leave behind."""
        assert self.twiml_problems == []
        unexpected = [a for a in self.company.alerts if a.code not in self.expected_alerts]
        assert unexpected == []


def _spare_the_disk(connection: Any, _record: object) -> None:
    """Stories have no power cuts: what they commit need not reach the disk."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous=OFF")
        return
    connection.execute("SET synchronous_commit TO off")
    connection.commit()


def _earlier(*instants: datetime | None) -> datetime | None:
    return min((at for at in instants if at is not None), default=None)


def _no_database() -> Any:
    raise sa.exc.OperationalError("SELECT 1", {}, ConnectionRefusedError("the database is down"))


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

    def presses(self, keys: str) -> Caller:
        """Press keys, and listen to what follows."""
        return self._listens(lambda: self.call.press(keys))

    def waits(self) -> Caller:
        """Press nothing until something else is asked."""
        return self._listens(lambda: None)

    def _listens(self, deed: Callable[[], object]) -> Caller:
        call = self.call
        before, peer, self._seen = call.waiting, call.peer, len(call.heard)
        deed()
        self.house.until(
            lambda: (
                call.ended
                or (call.peer is not None and call.peer is not peer)
                or (call.is_asking and call.waiting is not before)
            )
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
