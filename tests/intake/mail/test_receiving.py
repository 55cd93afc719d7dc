"""The door of mail: one commit makes a mail safe, and the database decides which of two copies is the first."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.due import Due
from core.mail_addresses import SignedAddresses
from core.models import Event
from core.settings import load_settings
from intake.mail.models import InboundMail, MailBytes, MailState
from intake.mail.parsing import Envelope
from intake.mail.raw_bytes import raw_bytes
from intake.mail.receiving import TAKE_IN, Incoming, Stored, known_recipient, store, store_all
from routing.context import Context, build_context
from routing.policies import apply_policy, parse_policy
from tests.stories.people import agreement

BOX = "MASsupport@smatechnologies.com"
NOON = datetime(2026, 3, 4, 18, 0, tzinfo=UTC)
OTHER_BOX = """mailboxes:
  operations:
    name: Managed Operations
    address: operations@smatechnologies.com
    aliases: [ops@smatechnologies.com]
    service: managed-operations
    catch_all: true
"""


class StillClock:
    """A clock that the test sets."""

    at = NOON

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def context(database_url: str, tmp_path: Path, clock: StillClock) -> Iterator[Context]:
    settings = load_settings(
        database_url=database_url, data_dir=tmp_path, secret_key="a key for mail alone",
        twilio_account_sid="AC" + "0" * 32, twilio_auth_token="token",
    )  # fmt: skip
    context = build_context(settings, clock=clock)
    with context.database.writing() as session:
        apply_policy(session, agreement(("mailboxes:\n", OTHER_BOX)), NOON)
    yield context
    context.close()


def mail(*fields: str, body: str = "The agent is down.") -> bytes:
    """A mail from Maria with ``fields`` besides."""
    head = ["From: Maria <maria@lakeside.example>", f"To: {BOX}", "Subject: Agent", *fields]
    return "\r\n".join([*head, "", body, ""]).encode()


def _rows(context: Context) -> list[InboundMail]:
    with context.database.reading() as session:
        return list(session.scalars(sa.select(InboundMail).order_by(InboundMail.id)))


def _put(context: Context, raw: bytes, *recipients: str) -> list[Stored]:
    return store(context, raw, Envelope("maria@lakeside.example", recipients or (BOX,)), "smtp")


def test_it_keeps_every_byte_and_the_work_in_one_commit(context: Context) -> None:
    raw = mail("Message-ID: <1@lakeside.example>", body="caf\xe9 \0 \x1b")
    (stored,) = _put(context, raw)
    (row,) = _rows(context)
    assert (row.id, row.mailbox, row.recipient) == (stored.id, "managed-services", BOX.lower())
    assert (row.state, row.via, row.size, row.message_id) == (
        "stored",
        "smtp",
        len(raw),
        "<1@lakeside.example>",
    )
    with context.database.reading() as session:
        assert raw_bytes(session, row) == raw
        work = session.scalars(sa.select(Due)).one()
    assert (work.kind, work.payload, work.due_at) == (TAKE_IN, {"mail": row.id}, NOON)


def test_a_copy_of_a_mail_is_known_by_its_message_id(context: Context) -> None:
    (first,) = _put(context, mail("Message-ID: <1@lakeside.example>"))
    (again,) = _put(context, mail("Received: by mx2; today", "Message-ID: <1@lakeside.example>"))
    assert (again.id, again.duplicate) == (first.id, True)
    kept, copy = _rows(context)
    assert (kept.state, copy.state) == (MailState.STORED, MailState.DUPLICATE)  # no byte is thrown away
    with context.database.reading() as session:
        assert len(session.scalars(sa.select(Due)).all()) == 1
        assert session.scalars(sa.select(Event.kind).where(Event.kind == "mail.duplicate")).all()


def test_the_same_bytes_again_are_kept_once(context: Context) -> None:
    raw = mail("Message-ID: <1@lakeside.example>")
    for _ in range(3):
        _put(context, raw)
    with context.database.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(MailBytes)) == 1
    assert len(_rows(context)) == 1


def test_nobody_keeps_out_another_s_mail_by_its_message_id(context: Context) -> None:
    raw = mail("Message-ID: <1@lakeside.example>")
    _put(context, raw.replace(b"maria@lakeside", b"mallory@elsewhere"))
    (stored,) = _put(context, raw)
    assert not stored.duplicate


def test_without_a_message_id_what_is_said_decides(context: Context) -> None:
    monday = mail("Date: Mon, 2 Mar 2026 08:00:00 -0600")
    _put(context, monday)
    (again,) = _put(context, monday.replace(b"From:", b"Received: by mx2\r\nFrom:"))
    (tuesday,) = _put(context, mail("Date: Tue, 3 Mar 2026 08:00:00 -0600"))
    (other,) = _put(context, mail("Date: Mon, 2 Mar 2026 08:00:00 -0600", body="Something else"))
    assert (again.duplicate, tuesday.duplicate, other.duplicate) == (True, False, False)


def test_a_machine_that_says_the_same_every_few_hours_is_heard_each_time(
    context: Context, clock: StillClock
) -> None:
    _put(context, mail())
    (at_once,) = _put(context, mail())
    clock.at += timedelta(hours=3)
    (later,) = _put(context, mail())
    assert (at_once.duplicate, later.duplicate) == (True, False)


def test_a_mail_to_two_mailboxes_is_two(context: Context) -> None:
    stored = _put(context, mail("Message-ID: <1@x>"), BOX, "OPS@smatechnologies.com", BOX)
    assert [(each.mailbox, each.recipient) for each in stored] == [
        ("managed-services", BOX.lower()),
        ("operations", "operations@smatechnologies.com"),
    ]
    assert _rows(context)[1].addressed == ["ops@smatechnologies.com"]


@pytest.mark.parametrize(
    ("recipients", "mailbox"),
    [
        ((), "managed-services"),  # as the header says
        (("somebody@elsewhere.example",), "managed-services"),
        (("typo@smatechnologies.com",), "operations"),
    ],
)
def test_a_mail_always_finds_a_mailbox(context: Context, recipients: tuple[str, ...], mailbox: str) -> None:
    (stored,) = store(context, mail(), Envelope(None, recipients), "imap")
    assert stored.mailbox == mailbox


def test_a_large_mail_is_kept_to_the_byte_and_once(context: Context) -> None:
    raw = mail("Message-ID: <1@x>") + bytes(range(256)) * 8_000
    _put(context, raw)
    _put(context, raw.replace(b"Message-ID: <1@x>", b"Message-ID: <2@x>"))
    _put(context, raw)
    first, second = _rows(context)
    with context.database.reading() as session:
        assert raw_bytes(session, first) == raw
        assert len(raw_bytes(session, second)) == len(raw)


def test_several_are_kept_together_or_none(context: Context) -> None:
    mails = [Incoming(mail(f"Message-ID: <{n}@x>"), Envelope(None, (BOX,)), "imap") for n in (1, 2, 1)]
    stored = [each[0] for each in store_all(context, mails)]
    assert [each.duplicate for each in stored] == [False, False, True]
    assert stored[2].id == stored[0].id


def test_without_a_policy_it_is_kept_all_the_same(database_url: str, tmp_path: Path) -> None:
    settings = load_settings(
        database_url=database_url, data_dir=tmp_path, secret_key="a key for mail alone",
        twilio_account_sid="AC" + "0" * 32, twilio_auth_token="token",
    )  # fmt: skip
    context = build_context(settings)
    (stored,) = _put(context, mail())
    assert stored.mailbox is None
    context.close()


def test_it_keeps_the_tag_that_a_mail_was_sent_to(context: Context) -> None:
    tagged = SignedAddresses("a key for mail alone").case_address(BOX, 1001)
    _put(context, mail(), BOX, tagged)
    (row,) = _rows(context)
    assert row.addressed == [BOX.lower(), tagged.lower()]


@pytest.mark.parametrize(
    ("address", "mailbox"),
    [
        ("massupport@SMATECHNOLOGIES.com", "managed-services"),
        ("massupport+c1042.abcdefghijkl@smatechnologies.com", "managed-services"),
        ("ops+anything@smatechnologies.com", "operations"),
        ("nobody@smatechnologies.com", "operations"),
        ("massupport@elsewhere.example", None),
        ("", None),
        ("@", None),
    ],
)
def test_it_knows_its_recipients(address: str, mailbox: str | None) -> None:
    policy = parse_policy(agreement(("mailboxes:\n", OTHER_BOX)))
    assert known_recipient(policy, address) == mailbox


def test_a_postmaster_without_a_domain_is_ours_where_the_policy_has_one() -> None:
    alias = ("aliases: [ops@smatechnologies.com]", "aliases: [postmaster@smatechnologies.com]")
    with_one = parse_policy(agreement(("mailboxes:\n", OTHER_BOX.replace(*alias))))
    assert known_recipient(with_one, "Postmaster") == "operations"
    assert known_recipient(parse_policy(agreement()), "postmaster") is None
    assert known_recipient(with_one, "root") is None


def test_two_copies_at_the_same_moment_are_one(context: Context) -> None:
    raw = mail("Message-ID: <1@lakeside.example>")
    results: list[Stored] = []
    barrier = threading.Barrier(8)

    def put() -> None:
        barrier.wait()
        results.extend(_put(context, raw))

    threads = [threading.Thread(target=put) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(_rows(context)) == 1
    assert [each.duplicate for each in results].count(False) == 1


@pytest.mark.parametrize(
    "raw",
    [b"", b"\0" * 1000, b"\xff" * 100, b"From: " + b"a" * 3_000_000, b"\n" * 50, b"no header at all"],
    ids=["empty", "NULs", "bytes", "long", "lines", "text"],
)
def test_whatever_comes_is_kept(context: Context, raw: bytes) -> None:
    (stored,) = _put(context, raw)
    with context.database.reading() as session:
        assert raw_bytes(session, session.get_one(InboundMail, stored.id)) == raw


def test_nothing_is_kept_where_the_commit_fails(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> Callable[[], None]:
        raise sa.exc.OperationalError("INSERT", {}, Exception("the disk is full"))

    monkeypatch.setattr("core.due.enqueue", refuse)
    with pytest.raises(sa.exc.OperationalError):
        _put(context, mail())
    assert _rows(context) == []
