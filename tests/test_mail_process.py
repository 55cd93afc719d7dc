"""The mail process: real, with a real database, killed and starved; whatever happens, no mail is lost."""

from __future__ import annotations

import os
import signal
import smtplib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from bench.dovecot import MISSING, dovecot
from core.database import Database
from core.heartbeat import MAIL, last_beat, mailbox_kind
from core.settings import load_settings
from intake.mail.models import InboundMail, MailBytes, MailState
from routing.context import Context, build_context
from routing.policies import apply_policy
from tests.forked import Forked
from tests.intake.mail.ways_in.counter import free_port
from tests.intake.mail.ways_in.tls import certificate
from tests.reused_database import reused_postgres, reused_url
from tests.stories.people import agreement

__all__ = ["reused_postgres", "reused_url"]

ANN, BOX = "ann@acme.example", "MASsupport@smatechnologies.com"
SETTINGS = {
    "NIGHTBELL_SECRET_KEY": "a key for tests only", "TWILIO_ACCOUNT_SID": "AC" + "5" * 32,
    "TWILIO_AUTH_TOKEN": "a-token-for-tests", "NIGHTBELL_LOG_LEVEL": "WARNING",
}  # fmt: skip
# What these show of the process is the same whatever the database.
on_sqlite_alone = pytest.mark.parametrize("reused_url", ["sqlite"], indirect=True)


def letter(number: object = 1) -> bytes:
    return (
        f"From: Ann <{ANN}>\r\nTo: {BOX}\r\nSubject: down {number}\r\nMessage-ID: <{number}@acme.example>\r\n\r\n"
        "The line is down.\r\n"
    ).encode()


class Child:
    """A mail process of its own, on a port of its own."""

    def __init__(self, url: str, folder: Path, *, limit: int | None = None, **environment: str) -> None:
        self.port = free_port()
        wanted = {
            **os.environ, **SETTINGS, "DATABASE_URL": url, "NIGHTBELL_DATA_DIR": str(folder),
            "NIGHTBELL_SMTP_LISTEN": f"smtp://127.0.0.1:{self.port}", **environment,
        }  # fmt: skip
        said = folder / f"said-{self.port}"
        self.process = Forked("tests.mail_child", wanted, said, limit=limit)

    def client(self) -> smtplib.SMTP:
        """A connection, once it listens."""
        deadline = time.monotonic() + 20
        while True:
            try:
                return smtplib.SMTP("127.0.0.1", self.port, timeout=30, local_hostname="there.example")
            except ConnectionRefusedError:
                assert self.process.returncode is None, self.process.said_until_its_end()
                assert time.monotonic() < deadline
                time.sleep(0.02)

    def send(self, raw: bytes, sender: str = ANN, to: str = BOX) -> None:
        with self.client() as client:
            client.sendmail(sender, [to], raw)

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Stop it; its exit status, and what it wrote."""
        self.process.send_signal(number)
        said = self.process.said_until_its_end()
        assert self.process.returncode is not None
        return self.process.returncode, said


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "data"
    made.mkdir()
    return made


@pytest.fixture
def context(reused_url: str, folder: Path) -> Iterator[Context]:
    settings = load_settings(
        database_url=reused_url, data_dir=folder, secret_key="a key for tests only",
        twilio_account_sid="AC" + "5" * 32, twilio_auth_token="token",
    )  # fmt: skip
    made = build_context(settings)
    with made.database.writing() as session:
        apply_policy(session, agreement(), made.clock.now())
    yield made
    made.close()


@pytest.fixture
def start(context: Context, reused_url: str, folder: Path) -> Iterator[Callable[..., Child]]:
    children: list[Child] = []

    def begin(**options: Any) -> Child:
        children.append(Child(reused_url, folder, **options))
        return children[-1]

    yield begin
    for child in children:
        child.process.kill()


@pytest.fixture
def worker(context: Context, reused_url: str, folder: Path) -> Iterator[None]:
    """A worker process beside the mail process."""
    wanted = {
        **os.environ, **SETTINGS, "DATABASE_URL": reused_url, "NIGHTBELL_DATA_DIR": str(folder),
        "TWILIO_API_URL": "http://127.0.0.1:9",
    }  # fmt: skip
    process = Forked("worker", wanted, folder / "said-by-worker")
    yield
    process.send_signal(signal.SIGTERM)
    process.said_until_its_end()


def wait_for_a_beat(context: Context, kind: str) -> None:
    """Until a process of this kind has begun its work; a busy machine takes its time."""
    deadline = time.monotonic() + 20
    while True:
        with context.database.reading() as session:
            if last_beat(session, kind) is not None:
                return
        assert time.monotonic() < deadline
        time.sleep(0.05)


def kept(context: Context) -> list[bytes]:
    """The bytes of each mail that is kept, once for each row."""
    with context.database.reading() as session:
        rows = sa.select(MailBytes.raw).join(InboundMail, InboundMail.sha256 == MailBytes.sha256)
        return list(session.scalars(rows.order_by(InboundMail.id)))


def test_it_keeps_mail_shows_that_it_lives_and_ends_when_told(start: Any, context: Context) -> None:
    child = start()
    child.send(letter())
    assert kept(context) == [letter()]
    with context.database.reading() as session:
        assert last_beat(session, MAIL) is not None
        assert last_beat(session) is None, "it is no worker"
    assert child.end() == (0, "")


def test_it_greets_with_its_own_name_and_not_with_that_of_whom_it_believes(start: Any) -> None:
    for settings, name in (
        ({"NIGHTBELL_PUBLIC_URL": "https://bell.vendor.example"}, b"bell.vendor.example"),
        ({"NIGHTBELL_SMTP_NAME": "mx.vendor.example"}, b"mx.vendor.example"),
    ):
        child = start(NIGHTBELL_AUTHSERV_ID="relay.vendor.example", **settings)
        child.client().close()  # it listens
        with socket.create_connection(("127.0.0.1", child.port)) as talk:
            assert name in talk.recv(1000).split(b" ", 1)[1]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_it_is_killed_between_the_text_and_its_reply(
    start: Any, context: Context, folder: Path, moment: str
) -> None:
    child = start(HANG=moment)
    broken: list[BaseException] = []

    def send() -> None:
        try:
            child.send(letter())
        except (smtplib.SMTPServerDisconnected, ConnectionError) as error:
            broken.append(error)

    sender = threading.Thread(target=send)
    sender.start()
    deadline = time.monotonic() + 20
    while not (folder / "hangs").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    child.end(signal.SIGKILL)
    sender.join()
    assert len(broken) == 1, "the sender was told nothing, and keeps the mail"
    assert len(kept(context)) == (1 if moment == "after" else 0)
    start().send(letter())
    assert kept(context) == [letter()], "sent twice, it is one mail"


@contextmanager
def _held(url: str) -> Iterator[None]:
    """Somebody holds the tables of mail, and does not let go."""
    if url.startswith("sqlite"):
        database = Database(url)
        with database.engine.connect() as connection:
            connection.exec_driver_sql("ROLLBACK")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield
            connection.exec_driver_sql("ROLLBACK")
            connection.exec_driver_sql("BEGIN")
        database.close()
        return
    with psycopg.connect(url.replace("+psycopg", "")) as session:
        session.execute("LOCK TABLE mail_bytes IN ACCESS EXCLUSIVE MODE")
        yield
        session.rollback()


def test_it_says_try_again_while_the_database_is_held_and_takes_it_afterwards(
    start: Any, context: Context, reused_url: str
) -> None:
    child = start()
    with child.client() as client:
        with _held(reused_url), pytest.raises(smtplib.SMTPDataError) as caught:
            client.sendmail(ANN, [BOX], letter())
        assert caught.value.smtp_code == 451
        client.sendmail(ANN, [BOX], letter())
    assert kept(context) == [letter()]
    _, said = child.end()
    assert "ann@" not in said, "no log names a sender"


def test_it_says_try_again_when_there_is_no_database_at_all(folder: Path) -> None:
    child = Child(f"postgresql://nobody@127.0.0.1:{free_port()}/none", folder)
    try:
        with child.client() as client, pytest.raises(smtplib.SMTPRecipientsRefused) as caught:
            client.sendmail(ANN, [BOX], letter())
        assert caught.value.recipients[BOX][0] == 451
    finally:
        child.end()


def test_it_says_try_again_when_the_disk_is_full(context: Context, folder: Path) -> None:
    url = str(context.settings.database_url)
    if not url.startswith("sqlite"):
        pytest.skip("PostgreSQL's disk is not ours to fill")
    child = Child(url, folder, limit=3_000_000)
    try:
        with child.client() as client:
            client.sendmail(ANN, [BOX], letter("small"))
            with pytest.raises(smtplib.SMTPDataError) as caught:
                client.sendmail(ANN, [BOX], letter("large") + b"x" * 4_000_000)
        assert 400 <= caught.value.smtp_code < 500
    finally:
        child.end()
    assert kept(context) == [letter("small")]


def _send_patiently(child: Child, letters: list[bytes]) -> None:
    """As a mail server does: what is told to come again comes again; any other refusal is an error."""
    with child.client() as client:
        for each in letters:
            while not _is_taken(client, each):
                time.sleep(0.1)


def _is_taken(client: smtplib.SMTP, raw: bytes) -> bool:
    try:
        client.sendmail(ANN, [BOX], raw)
    except (smtplib.SMTPDataError, smtplib.SMTPRecipientsRefused) as error:
        code = error.args[0] if isinstance(error, smtplib.SMTPDataError) else error.recipients[BOX][0]
        if not 400 <= code < 500:
            raise
        return False
    return True


def test_it_takes_a_burst_of_two_senders_and_each_mail_is_one_case(
    start: Any, context: Context, worker: None
) -> None:
    """``MAILS_IN_BURST=10000`` for the long form: ``make burst``."""
    usual = 100 if context.database.is_sqlite else 20
    count = int(os.environ.get("MAILS_IN_BURST", usual)) // 2
    child = start()
    letters = [[letter(f"{who}.{number}") for number in range(count)] for who in range(2)]
    # Every tenth is sent again, as by a server that has not heard the reply.
    senders = [
        threading.Thread(target=_send_patiently, args=(child, [*each, *each[::10]])) for each in letters
    ]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert sorted(kept(context)) == sorted(each for half in letters for each in half)
    deadline = time.monotonic() + 60 + count
    while True:
        with context.database.reading() as session:
            taken = sa.select(InboundMail.case_id).where(InboundMail.state == MailState.TAKEN)
            cases = list(session.scalars(taken))
        if len(cases) == 2 * count:
            break
        assert time.monotonic() < deadline, f"{len(cases)} of {2 * count} mails are on cases"
        time.sleep(0.1)
    assert len(set(cases)) == 2 * count


ODD = {
    "nothing at all": b"",
    "only NULs": b"\x00" * 3_000,
    "NULs everywhere": b"From: a\x00nn@acme.example\r\nSubject: a\x00b\r\nMessage-ID: <n\x00@x>\r\n\r\na\x00b\r\n",
    "a header of 2 MB": b"Subject: long\r\nX-Long: " + b"h" * 2_000_000 + b"\r\n\r\ntext\r\n",
    "a subject of 2 MB": b"Subject: " + b"s" * 2_000_000 + b"\r\n\r\ntext\r\n",
    "3,000 recipients": b"Subject: many\r\nTo: "
    + b",\r\n ".join(b"n%d@acme.example" % n for n in range(3_000))
    + b"\r\n\r\ntext\r\n",
    "bytes that are no text": b"Subject: \xff\xfe\xed\xa0\x80\r\nFrom: \xff <\xff@\xff>\r\n\r\n\xff\xfe",
    "line ends of others": b"From: a@b.example\nSubject: bare\n\ntext\n.\nmore\n",
    "5,000 links": b"Subject: links\r\nContent-Type: text/html\r\n\r\n"
    + b"<a href='http://x.example'>x</a>\r\n" * 5_000,
    "a part in a part, 2,000 times": b"Subject: deep\r\n"
    + b"".join(b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n" % (n, n) for n in range(2_000)),
}  # fmt: skip


def test_it_makes_a_case_of_whatever_is_sent(start: Any, context: Context, worker: None) -> None:
    child = start()
    for raw in ODD.values():
        child.send(raw)
    deadline = time.monotonic() + 60
    done = (MailState.TAKEN, MailState.POISON)
    while True:
        with context.database.reading() as session:
            rows = session.execute(sa.select(InboundMail.size, InboundMail.state, InboundMail.case_id)).all()
        if len(rows) == len(ODD) and all(row.state in done for row in rows):
            break
        assert time.monotonic() < deadline, rows
        time.sleep(0.1)
    assert all(row.case_id for row in rows)
    # smtplib makes every line end CR LF.
    assert sorted(len(raw) for raw in kept(context)) == sorted(row.size for row in rows)


@pytest.mark.skipif(MISSING is None, reason="dovecot is not installed (apt install dovecot-imapd)")
@on_sqlite_alone
def test_it_fetches_from_a_mailbox_beside_taking_mail_in(start: Any, context: Context) -> None:
    with dovecot() as server:
        with server.client() as client:
            client.create("Other")
        child = start(NIGHTBELL_IMAP_URL=f"{server.url()} {server.url(folder='Other')}")
        server.put(letter("fetched"))
        server.put(letter("fetched from elsewhere"), folder="Other")
        child.send(letter("sent"))
        deadline = time.monotonic() + 20
        while len(kept(context)) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        for number in (1, 2):
            wait_for_a_beat(context, mailbox_kind(number))
        assert child.end()[0] == 0
    assert set(kept(context)) == {letter("fetched"), letter("fetched from elsewhere"), letter("sent")}


@on_sqlite_alone
def test_it_says_what_to_do_when_it_cannot_start(start: Any, folder: Path, tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        place = f"smtp://127.0.0.1:{other.getsockname()[1]}"
        cert, _ = certificate(tmp_path)
        for environment, name in (
            ({"NIGHTBELL_SMTP_LISTEN": place}, "NIGHTBELL_SMTP_LISTEN"),
            ({"NIGHTBELL_SMTP_LISTEN": "nonsense"}, "NIGHTBELL_SMTP_LISTEN"),
            ({"NIGHTBELL_SMTP_CERTIFICATE": str(cert)}, "NIGHTBELL_SMTP_CERTIFICATE"),
        ):
            child = start(**environment)
            said = child.process.said_until_its_end()
            assert child.process.returncode == 2
            assert name in said
            assert said.count("\n") == 1


@on_sqlite_alone
def test_it_waits_to_be_stopped_where_no_mail_comes_in(start: Any, context: Context) -> None:
    child = start(NIGHTBELL_SMTP_LISTEN="")
    wait_for_a_beat(context, MAIL)
    assert child.process.runs_on_for(0.5)
    status, said = child.end()
    assert status == 0
    assert "NIGHTBELL_SMTP_LISTEN" in said
