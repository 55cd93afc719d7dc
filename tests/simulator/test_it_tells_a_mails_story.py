"""The stories of a mail, played against a real simulator and a product that is played by the test."""

from __future__ import annotations

import argparse
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask, jsonify
from simulated_app import ACCOUNT, TOKEN
from werkzeug.serving import make_server

from simulator import scene
from simulator.company import PhoneCompany
from simulator.mail import reading, story
from simulator.mail.delivering import Replies
from simulator.mail.letters import Envelope, Reply
from simulator.mail.office import PostOffice
from simulator.mail.story_desk import PostDesk, at_work, person
from simulator.mail.story_watch import own_words
from simulator.night_desk import NightError
from simulator.scheduler import ClockFile, LiveScheduler
from simulator.web import create_app
from tests.mail_server import free_port

LINE, GRACE, PRIYA = "MASsupport@smatechnologies.com", "grace@harbor.example", "priya@nightbell.example"
CHICAGO = "America/Chicago"


@dataclass
class Bell:
    """A product that does as it should, but for what it is told to leave out."""

    base: str
    office: PostOffice | None = None
    leaves_out: set[str] = field(default_factory=set)
    messages: list[dict[str, Any]] = field(default_factory=list)
    first: str = ""

    def __call__(self, envelope: Envelope) -> Replies:
        mail = reading.read(envelope.raw)
        taken = "mail" not in self.leaves_out
        reply = Reply(250, "2.6.0 stored") if taken else Reply(550, "5.7.1 no")
        if taken:
            self._take(mail, envelope.recipients[0])
        return dict.fromkeys(envelope.recipients, reply)

    def _take(self, mail: reading.Mail, recipient: str) -> None:
        by_engineer = "+e7" in recipient
        if "reply" in self.leaves_out and self.first and not by_engineer:
            return
        body = own_words(mail.text)
        self.messages.append({"author": "engineer" if by_engineer else "customer", "body": body})
        if by_engineer:
            self._write(GRACE, body, envelope_from=LINE)
        elif not self.first:
            self.first = mail.header("Message-ID")
            self._write(
                GRACE, "Your case number is 1007. We respond by Mon 9 Mar 2026, 10:00 CST.", automatic=True
            )
            self._write(PRIYA, f"Case 1007. {self.base}/case/signed", automatic=True, reply_to="e7")

    def _write(
        self, to: str, text: str, *, envelope_from: str = "", automatic: bool = False, reply_to: str = "c7"
    ) -> None:
        if (reply_to if automatic else "answer") in self.leaves_out:
            return
        message = EmailMessage(policy=SMTP)
        message["From"], message["To"], message["Subject"] = f"Services <{LINE}>", to, "Re: [Case 1007] it"
        message["Message-ID"] = f"<{len(self.messages)}.{reply_to}@smatechnologies.com>"
        message["Reply-To"] = LINE.replace("@", f"+{reply_to}@")
        if "thread" not in self.leaves_out:
            message["In-Reply-To"] = self.first
        if automatic:
            message["Auto-Submitted"] = "auto-replied"
        message.set_content(text)
        assert self.office is not None
        envelope = Envelope(envelope_from, (to,), message.as_bytes())
        self.office.scheduler.after(0.02, lambda: self.office and self.office.take(envelope))

    def case(self) -> dict[str, Any]:
        """The case as the signed link shows it."""
        return {
            "number": 1007, "title": "it", "customer": "Harbor", "tier": None, "service": "Managed Services",
            "priority": 4, "status": "open", "contact_at": "10:00", "target": "2 business days",
            "due_at": "Mon 09 Mar 2026, 10:00 CST", "engineer": None, "channel": "mail", "from_address": GRACE,
            "voicemails": [], "decision": None, "timeline": [], "messages": self.messages, "late": False,
            "responded_at": "10:01" if len(self.messages) > 1 else None,
        }  # fmt: skip


@pytest.fixture
def bell(tmp_path: Any) -> Iterator[Bell]:
    """A simulator in real time, on a port of its own, beside the product's page."""
    port = free_port()
    bell = Bell(f"http://127.0.0.1:{port}")
    scheduler = LiveScheduler(ClockFile(tmp_path / "clock"))
    company = PhoneCompany(ACCOUNT, TOKEN, scheduler)
    bell.office = PostOffice(scheduler, bell, company.events, name="mx.nightbell.example")
    world = scene.load(scene.DEFAULT)
    scene.set_up(company, world)
    scene.set_up_mail(bell.office, world)
    app = create_app(company, world, bell.office)
    _with_case_page(app, bell)
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    scheduler.start()
    thread.start()
    yield bell
    company.events.close()
    server.shutdown()
    thread.join()
    server.server_close()
    scheduler.stop()


def _with_case_page(app: Flask, bell: Bell) -> None:
    app.add_url_rule("/case/signed", "case", lambda: jsonify(bell.case()))


@pytest.fixture
def play(bell: Bell, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    monkeypatch.setattr("simulator.mail.story_telling.READING_S", 0.0)

    def run(**given: Any) -> int:
        usual = {"simulator": bell.base, "urgent": False, "customer": GRACE, "line": None, "patience": 0.6}
        arguments = argparse.Namespace(**{**usual, "keep_clock": False, **given})
        monkeypatch.setattr(story, "_arguments", lambda: arguments)
        return story.main()

    return run


def test_it_tells_the_whole_story(
    bell: Bell, play: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert play(patience=10) == 0
    told = capsys.readouterr().out
    for words in (
        "writes to MASsupport@smatechnologies.com",
        "hands it over: 250 2.6.0 stored.",
        "Priya Natarajan was told by mail",
        "The reply is on case 1007: 3 mails of people, one conversation.",
        "the whole conversation is on it",
    ):
        assert words in re.sub(r"\s+", " ", told)
    assert "✗" not in told
    assert [message["author"] for message in bell.messages] == ["customer", "engineer", "customer"]


@pytest.mark.parametrize(
    ("left_out", "words"),
    [
        ("mail", "the product refused the mail for good"),
        ("c7", "a receipt to the customer has not come within 1 seconds"),
        ("e7", "a mail about case 1007 to an engineer has not come"),
        ("answer", "the engineer's answer to the customer has not come"),
        ("reply", "the customer's reply on case 1007 has not come"),
        ("thread", "It came in the conversation of the customer's mail."),
    ],
)
def test_it_says_plainly_what_did_not_come(
    bell: Bell, play: Callable[..., int], capsys: pytest.CaptureFixture[str], left_out: str, words: str
) -> None:
    bell.leaves_out = {left_out}
    assert play(patience=10 if left_out == "thread" else 0.6) == 1
    assert words in capsys.readouterr().err


def test_it_says_that_nothing_runs(play: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert play(simulator="http://127.0.0.1:9") == 1
    assert "make run" in capsys.readouterr().err


def test_it_puts_the_clock_back(bell: Bell, play: Callable[..., int]) -> None:
    play()
    assert bell.office is not None
    assert abs((bell.office.now() - datetime.now(UTC)).total_seconds()) < 5


def test_it_knows_whose_mailboxes_there_are(bell: Bell) -> None:
    mail = PostDesk(bell.base).mail()
    assert person(mail, GRACE)["name"] == "Grace Kim"
    with pytest.raises(NightError, match=r"no mailbox nobody@there\.example; there are grace@"):
        person(mail, "nobody@there.example")


@pytest.mark.parametrize(
    ("now", "played"),
    [
        ("2026-03-04 11:30", "2026-03-04 11:30"),  # a Wednesday
        ("2026-03-04 08:15", "2026-03-04 08:15"),
        ("2026-03-04 07:00", "2026-03-04 10:00"),
        ("2026-03-04 15:31", "2026-03-05 10:00"),
        ("2026-03-06 18:00", "2026-03-09 10:00"),  # over the weekend
        ("2026-12-24 09:00", "2026-12-28 10:00"),  # over Christmas
        ("2026-11-25 20:00", "2026-11-30 10:00"),  # over Thanksgiving
    ],
)
def test_it_is_played_when_an_office_is_open(now: str, played: str) -> None:
    zone = ZoneInfo(CHICAGO)
    moment = datetime.fromisoformat(now).replace(tzinfo=zone)
    assert at_work(moment.astimezone(UTC), CHICAGO) == datetime.fromisoformat(played).replace(tzinfo=zone)


def test_it_tells_own_words_only() -> None:
    text = (
        "Hello,\nit runs.\n\nOn Wed 4 March at 10:00, Grace wrote:\n> it stops\n-- Write above this line: x\n"
    )
    assert own_words(text) == "Hello, it runs."
    assert own_words("word " * 200).endswith("word …")
