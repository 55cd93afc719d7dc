"""The whole house in one process: the product, the telephone company, and a clock that the story sets.

Time passes only when a story lets it; then whatever is due happens in its order, in the company and in the
worker. All TwiML that is answered is checked against Twilio's own classes, and an alert at the company
(a failed webhook, a document it cannot run) fails the story unless it says that it expects one.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
import sqlalchemy as sa
from flask import Flask

from app import create_app
from core.models import Event
from core.settings import load_settings
from core.telephony import RETRY_RULE
from routing.context import build_context
from routing.event_kinds import KINDS
from routing.policies import PolicyVersion, apply_policy
from simulator.company import PhoneCompany
from simulator.phones import Phone
from simulator.scheduler import VirtualScheduler
from simulator.transport import ConnectFailed, WebhookRequest, WebhookResponse, WsgiTransport
from simulator.webhooks import sign
from tests.stories.caller import Caller
from tests.stories.people import ACCOUNT_SID, BELL, CENTRAL, MANAGED, MARIA, NIGHT, SUPPORT, TOKEN, agreement
from tests.stories.plumbing import StoryClock, WsgiAdapter, earlier, no_database, spare_the_disk
from tests.stories.questions import Questions
from tests.twiml_lint import problems_in
from worker import Worker


class House(Questions):
    """The product and the telephone company around one clock."""

    def __init__(self, database_url: str, folder: Path, at: datetime = NIGHT, **settings: Any) -> None:
        self.scheduler = VirtualScheduler(at.astimezone(UTC))
        session = requests.Session()
        session.trust_env = False
        session.mount("https://", WsgiAdapter(self._api))
        self.settings = load_settings(
            database_url=database_url, data_dir=folder, public_url=BELL, secret_key="a key for stories only",
            twilio_account_sid=ACCOUNT_SID, twilio_auth_token=TOKEN, **settings,
        )  # fmt: skip
        self.context = build_context(
            self.settings, clock=StoryClock(self.scheduler), telephone_session=session, wake=None
        )
        engine = self.context.database.engine
        if not sa.event.contains(engine, "connect", spare_the_disk):
            sa.event.listen(engine, "connect", spare_the_disk)
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

    def _api(self) -> Flask:
        if self.api_is_down:
            raise requests.ConnectionError("the API does not answer")
        return self.company.wsgi

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
                return earlier(self.scheduler.next_at(), due_at)
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
        return earlier(self.scheduler.next_at(), self._next_due())

    def _next_due(self) -> datetime | None:
        """When the worker has something to do; asked so often that it must cost next to nothing."""
        if self.database_is_down:
            return None
        with contextlib.closing(self.context.database.engine.raw_connection()) as connection:
            cursor = connection.cursor()
            cursor.execute("SELECT min(due_at) FROM due WHERE state = 'ready'")
            (at,) = cursor.fetchone() or (None,)
        if isinstance(at, str):  # SQLite has no type for it
            at = datetime.fromisoformat(at).replace(tzinfo=UTC)
        return max(at, self.scheduler.now()) if at else None

    @contextlib.contextmanager
    def database_down(self) -> Iterator[None]:
        """The database does not answer for a while; the worker waits for it, as it does in real life."""
        database = self.context.database
        names = ("reading", "writing", "writing_quickly")
        self.database_is_down = True
        for name in names:
            setattr(database, name, no_database)
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
        return self.picks_up_within(number, 600)

    def picks_up_within(self, number: str, seconds: float) -> Caller:
        """The same, if it may take longer until it rings."""
        phone = self.phone(number)
        self.until(lambda: phone.ringing is not None, within=seconds)
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

    def check(self) -> None:
        """What no story may leave behind."""
        unknown = set(self.sql(sa.select(Event.kind).distinct())) - set(KINDS)
        assert not unknown, f"events that docs/events.md does not list, and no webhook can ask for: {unknown}"
        assert self.twiml_problems == [], self.twiml_problems
        unexpected = [a for a in self.company.alerts if a.code not in self.expected_alerts]
        assert unexpected == [], unexpected
