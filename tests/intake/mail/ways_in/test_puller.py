"""The puller against a real Dovecot: nothing is lost, nothing is put away that is not stored, nothing waits long."""

from __future__ import annotations

import contextlib
import errno
import os
import random
import select
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bench.dovecot import MISSING, Dovecot, dovecot
from intake.mail.ways_in import puller as puller_module
from intake.mail.ways_in.door import Door
from intake.mail.ways_in.imap_mailbox import KEYWORD, Account, Mailbox, MailboxError
from intake.mail.ways_in.puller import Puller
from tests.intake.mail.ways_in.counter import Counter, settings_of
from tests.intake.mail.ways_in.tls import certificate

pytestmark = pytest.mark.skipif(
    MISSING is None, reason="dovecot is not installed (apt install dovecot-imapd)"
)

DOWN = sa.exc.OperationalError("", {}, Exception("the database is down"))


def mail(number: object) -> bytes:
    return (
        f"From: ann@acme.example\r\nTo: mas@vendor.example\r\nSubject: {number}\r\n"
        f"Message-ID: <{number}@acme.example>\r\n\r\nThe line is down.\r\n"
    ).encode()


@pytest.fixture
def server() -> Iterator[Dovecot]:
    with dovecot() as found:
        yield found


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(puller_module, "_FIRST_PAUSE_S", 0.05)
    monkeypatch.setattr(puller_module, "_LONGEST_PAUSE_S", 0.2)
    monkeypatch.setattr(puller_module, "_LONGEST_TRY_S", 0.2)
    monkeypatch.setattr(puller_module, "GIVE_UP_S", 0.5)


@contextmanager
def pulling(url: str, folder: Path, counter: Counter | None = None, **more: Any) -> Iterator[Counter]:
    """A puller at work, before a door that keeps mail in a list."""
    found = counter or Counter()
    settings = settings_of("", folder, imap_url=url, **more)
    alive: list[float] = []
    door = Door(found.knows, found.serves, found.store)
    pull = Puller(settings, door, lambda: alive.append(time.monotonic()), url)
    pull.start()
    try:
        yield found
    finally:
        pull.stop()


def until(done: Callable[[], object], within: float = 15) -> None:
    deadline = time.monotonic() + within
    while not done():
        assert time.monotonic() < deadline, "it has not happened"
        time.sleep(0.02)


def stored(counter: Counter) -> list[bytes]:
    return [each.raw for each in counter.kept]


def test_it_takes_what_waits_and_moves_it_to_a_folder_that_it_makes(server: Dovecot, tmp_path: Path) -> None:
    for number in range(3):
        server.put(mail(number), flags="\\Seen" if number == 1 else "")
    with pulling(server.url(), tmp_path) as found:
        until(lambda: len(server.mails("Nightbell")) == 3)
    assert stored(found) == [mail(0), mail(1), mail(2)], "what somebody has read is taken as well"
    assert server.mails() == []
    assert [raw for raw, _ in server.mails("Nightbell")] == [mail(0), mail(1), mail(2)]
    assert ["\\Seen" in flags for _, flags in server.mails("Nightbell")] == [False, True, False]
    kept = found.kept[0]
    assert (kept.via, kept.envelope.sender, list(kept.envelope.recipients), kept.authentication) == (
        "imap", None, [], None,
    )  # fmt: skip


def test_it_marks_mails_where_they_are(server: Dovecot, tmp_path: Path) -> None:
    server.put(mail(1))
    server.put(mail(2), flags="\\Deleted")
    with pulling(server.url(), tmp_path, imap_done="-") as found:
        until(lambda: KEYWORD in server.mails()[0][1])
        server.put(mail(3))
        until(lambda: len(found.kept) == 2)
        until(lambda: sum(KEYWORD in flags for _, flags in server.mails()) == 2)
    assert stored(found) == [mail(1), mail(3)]
    left = dict(server.mails())
    assert "\\Seen" in left[mail(1)]
    assert left.keys() == {mail(1), mail(2), mail(3)}, "nothing that others have deleted is expunged"
    with pulling(server.url(), tmp_path, imap_done="-") as again:
        time.sleep(0.5)
    assert again.kept == []


def test_it_hears_of_new_mail_within_seconds(server: Dovecot, tmp_path: Path) -> None:
    with pulling(server.url(), tmp_path) as found:
        time.sleep(0.5)
        took = []
        for number in range(3):
            began = time.monotonic()
            server.put(mail(number))
            until(lambda count=number: len(found.kept) == count + 1)  # type: ignore[misc]
            took.append(time.monotonic() - began)
    assert max(took) < 3


def test_it_reads_over_tls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    files = certificate(tmp_path)
    with dovecot(files) as server:
        for scheme in ("imaps", "imap"):
            with pulling(server.url(scheme), tmp_path) as found:
                time.sleep(0.4)
                assert found.kept == [], "a certificate that nobody vouches for is none"
            with monkeypatch.context() as patched:
                patched.setenv("SSL_CERT_FILE", str(files[0]))
                with pulling(server.url(scheme), tmp_path) as found:
                    time.sleep(0.5)
                    for number in range(2):
                        server.put(mail(f"{scheme}{number}"))
                        until(lambda count=number: len(found.kept) == count + 1, within=5)  # type: ignore[misc]


def test_it_polls_a_server_that_can_nothing_more(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(puller_module, "POLL_S", 0.1)
    with dovecot(capability="IMAP4rev1") as server:
        server.put(mail("deleted by somebody"), flags="\\Deleted")
        server.put(mail(1))
        with pulling(server.url(), tmp_path) as found:
            until(lambda: len(found.kept) == 1)
            server.put(mail(2))
            until(lambda: len(server.mails("Nightbell")) == 2)
            time.sleep(0.5)
        assert stored(found) == [mail(1), mail(2)], (
            "a mail that is copied and marked as deleted is not taken again"
        )
        assert mail("deleted by somebody") in [raw for raw, _ in server.mails()]


@pytest.mark.parametrize("error", [DOWN, OSError(errno.ENOSPC, "full"), sa.exc.TimeoutError("pool")])
def test_it_leaves_mail_alone_until_it_can_be_stored(
    server: Dovecot, tmp_path: Path, error: Exception
) -> None:
    server.put(mail(1))
    found = Counter()
    tries: list[int] = []

    def fail() -> None:
        tries.append(1)
        raise error

    found.before_keeping = fail
    with pulling(server.url(), tmp_path, found):
        until(lambda: len(tries) >= 3)
        assert server.mails() == [(mail(1), frozenset())], "not read, not moved, not marked"
        found.before_keeping = lambda: None
        until(lambda: server.mails("Nightbell"))
    assert stored(found) == [mail(1)]


def test_it_lets_the_others_pass_a_mail_that_cannot_be_stored(server: Dovecot, tmp_path: Path) -> None:
    for number in range(4):
        server.put(mail(number))
    found, bad = Counter(), mail(0)
    keep = found.store

    def store(raw: bytes, *rest: Any) -> object:
        if raw == bad:
            raise sa.exc.DataError("", {}, Exception("no such text"))
        return keep(raw, *rest)

    found.store = store  # type: ignore[method-assign]
    with pulling(server.url(), tmp_path, found):
        until(lambda: len(server.mails("Nightbell")) == 4)
    assert stored(found)[:3] == [mail(1), mail(2), mail(3)]
    assert b"Subject: 0\r\nMessage-ID: <0@acme.example>" in found.kept[3].raw
    assert b"cannot be fetched" in found.kept[3].raw


def test_it_lets_the_others_pass_a_mail_that_cannot_be_fetched(server: Dovecot, tmp_path: Path) -> None:
    for number in range(3):
        server.put(mail(number) + b"x" * 50_000)
    (broken,) = list(server.folder.glob("mail/mas/mailboxes/INBOX/dbox-Mails/u.1"))
    whole = broken.read_bytes()
    broken.write_bytes(whole[:400])
    with pulling(server.url(), tmp_path) as found:
        until(lambda: len(found.kept) >= 2)
        assert [raw[:60] for raw in stored(found)[:2]] == [mail(1)[:60], mail(2)[:60]]
        until(lambda: len(found.kept) >= 3, within=30)
    assert b"cannot be fetched" in found.kept[2].raw or found.kept[2].raw.startswith(mail(0)[:60])


def test_it_comes_back_when_the_server_does(server: Dovecot, tmp_path: Path) -> None:
    with pulling(server.url(), tmp_path) as found:
        server.put(mail(1))
        until(lambda: len(found.kept) == 1)
        server.stop()
        time.sleep(0.5)
        server.start()
        server.put(mail(2))
        until(lambda: len(found.kept) == 2)
    assert stored(found) == [mail(1), mail(2)]


def test_it_loses_nothing_on_a_line_that_breaks_again_and_again(
    server: Dovecot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut after so many bytes, wherever that is: in a greeting, a literal, between a commit and the move."""
    monkeypatch.setattr(puller_module, "GIVE_UP_S", 60.0)
    wanted = [mail(number) + b"x" * 200 * number for number in range(12)]
    for each in wanted:
        server.put(each)
    chance = random.Random(5)
    with breaking_line(server.port, lambda: chance.randint(100, 7_000)) as (port, breaks):
        url = server.url().replace(str(server.port), str(port))
        with pulling(url, tmp_path) as found:
            until(lambda: len(server.mails("Nightbell")) == 12, within=60)
        assert len(breaks) > 3
    assert set(stored(found)) == set(wanted), "and none in part"
    assert server.mails() == []


@contextmanager
def breaking_line(port: int, lasts: Callable[[], int]) -> Iterator[tuple[int, list[int]]]:
    """A line to a server that breaks after so many bytes from it; where to connect, and the breaks so far."""
    listening = socket.create_server(("127.0.0.1", 0))
    breaks: list[int] = []

    def carry(near: socket.socket) -> None:
        far = socket.create_connection(("127.0.0.1", port))
        left = lasts()
        with near, far:
            while left > 0:
                ready, _, _ = select.select([near, far], [], [], 10)
                for side, other in ((near, far), (far, near)):
                    if side in ready:
                        data = side.recv(4096)
                        if not data:
                            return
                        other.sendall(data[:left] if side is far else data)
                        left -= len(data) if side is far else 0
        breaks.append(1)

    def serve() -> None:
        while True:
            try:
                near, _ = listening.accept()
            except OSError:
                return
            with contextlib.suppress(OSError):
                carry(near)

    serving = threading.Thread(target=serve, daemon=True)
    serving.start()
    try:
        yield listening.getsockname()[1], breaks
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        serving.join()


def test_it_begins_before_there_is_a_server(server: Dovecot, tmp_path: Path) -> None:
    server.stop()
    with pulling(server.url(), tmp_path) as found:
        time.sleep(0.3)
        server.start()
        server.put(mail(1))
        until(lambda: len(found.kept) == 1)


def test_it_knows_a_mailbox_that_was_made_anew(server: Dovecot, tmp_path: Path) -> None:
    """The numbers of the mails begin again: what was known of the old ones must not be believed of the new."""
    found = Counter()
    with pulling(server.url(), tmp_path, found, imap_done="-"):
        server.put(mail("old 1"))
        until(lambda: len(found.kept) == 1)
        server.stop()
        for left in server.folder.glob("mail/mas/*"):
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        time.sleep(1.1)  # Dovecot tells mailboxes apart by the second in which they were made
        server.start()
        server.put(mail("new 1"))
        until(lambda: len(found.kept) == 2)
    assert stored(found) == [mail("old 1"), mail("new 1")]


def test_it_stores_a_mail_once_though_it_cannot_be_moved(server: Dovecot, tmp_path: Path) -> None:
    server.put(mail(1))
    server.put(mail(2))
    with server.client() as client:
        client.create("Nightbell")
    done = server.folder / "mail/mas/mailboxes/Nightbell/dbox-Mails"
    done.chmod(0o500)
    if os.getuid() != 0:
        shutil.rmtree(done)
        done.write_text("in the way")
    else:
        os.chown(done, 0, 0)
    with pulling(server.url(), tmp_path) as found:
        until(lambda: len(found.kept) == 2)
        time.sleep(1.0)
        assert stored(found) == [mail(1), mail(2)], "and not over and over"
        assert len(server.mails()) == 2


def test_it_stores_the_beginning_of_what_is_too_large(server: Dovecot, tmp_path: Path) -> None:
    large = mail("large") + b"y" * 300_000
    server.put(large)
    server.put(mail("small"))
    with pulling(server.url(), tmp_path, mail_max_bytes=100_000) as found:
        until(lambda: len(server.mails("Nightbell")) == 2)
    cut, small = stored(found)
    assert cut == b"X-Nightbell-Cut: the first 100000 bytes of %d\r\n" % len(large) + large[:100_000]
    assert small == mail("small")
    assert server.mails("Nightbell")[0][0] == large, "all of it stays in the mailbox"


def test_it_takes_mails_of_every_shape_to_the_byte(server: Dovecot, tmp_path: Path) -> None:
    shapes = [
        b"", b"\r\n", b"no header at all\r\n", b"Subject: x\r\n\r\n" + bytes(range(1, 256)) * 3 + b"\r\n",
        b"X: " + b"h" * 2_000_000 + b"\r\n\r\nb\r\n", b"Subject: )\r\n\r\n* 1 EXISTS\r\nA1 OK {5}\r\n",
        b"Subject: big\r\n\r\n" + b"z" * 10_000_000 + b"\r\n",
    ]  # fmt: skip
    put = 0
    for shape in shapes:
        with server.client() as client:
            put += client.append("INBOX", "", "", shape)[0] == "OK"
    with pulling(server.url(), tmp_path) as found:
        until(lambda: len(found.kept) == put, within=30)
    # Dovecot writes every line end as CR LF.
    assert [len(raw) for raw in stored(found)] == [len(raw) for raw, _ in server.mails("Nightbell")]
    assert set(stored(found)) == {raw for raw, _ in server.mails("Nightbell")}


def test_it_takes_a_thousand(server: Dovecot, tmp_path: Path) -> None:
    with server.client() as client:
        for number in range(1_000):
            client.append("INBOX", "", "", mail(number))
    with pulling(server.url(), tmp_path) as found:
        until(lambda: len(found.kept) == 1_000, within=60)
    assert stored(found) == [mail(number) for number in range(1_000)]
    assert server.mails() == []


def test_it_opens_the_folder_that_is_named(server: Dovecot, tmp_path: Path) -> None:
    with server.client() as client:
        client.create('"Support &AOk-t&AOk-"')
        client.append('"Support &AOk-t&AOk-"', "", "", mail(1))
    with pulling(server.url(folder="Support%20%C3%A9t%C3%A9"), tmp_path, imap_done="Done/Ünder way") as found:
        until(lambda: len(found.kept) == 1)
        until(lambda: server.mails('"Done/&ANw-nder way"'))


def _account(server: Dovecot, done: str = "Nightbell", **changed: Any) -> Account:
    known = Account.of(server.url(), done)
    return Account(**{name: changed.get(name, getattr(known, name)) for name in Account.__dataclass_fields__})


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"password": "wrong"}, "NIGHTBELL_IMAP_URL"),
        ({"password": "w\u00fcrong"}, "NIGHTBELL_IMAP_URL"),
        ({"folder": "No such folder"}, "NIGHTBELL_IMAP_URL"),
        ({"done": "INBOX"}, "NIGHTBELL_IMAP_DONE"),
        ({"done": "no//such"}, "NIGHTBELL_IMAP_DONE"),
    ],
)
def test_it_says_what_is_wrong_with_the_settings(server: Dovecot, changed: dict[str, str], said: str) -> None:
    with pytest.raises(MailboxError) as caught:
        Mailbox(_account(server, **changed))
    assert said in str(caught.value)
    assert "wrong" not in str(caught.value)


def test_it_keeps_on_saying_it_and_never_shows_the_password(
    server: Dovecot, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pulling(server.url().replace("p%40ss", "secret"), tmp_path):
        until(lambda: len(caplog.records) >= 2)
    assert "refuses user and password" in caplog.text
    assert "secret" not in caplog.text


def test_it_ends_while_it_waits(server: Dovecot, tmp_path: Path) -> None:
    with pulling(server.url(), tmp_path):
        time.sleep(0.5)
        began = time.monotonic()
    assert time.monotonic() - began < 4


def test_it_is_alive_only_when_it_has_read_the_mailbox(server: Dovecot, tmp_path: Path) -> None:
    alive: list[int] = []
    settings = settings_of("", tmp_path, imap_url=server.url())
    found = Counter()
    server.stop()
    pull = Puller(
        settings, Door(found.knows, found.serves, found.store), lambda: alive.append(1), server.url()
    )
    pull.start()
    time.sleep(0.3)
    assert alive == []
    server.start()
    until(lambda: alive)
    pull.stop()
