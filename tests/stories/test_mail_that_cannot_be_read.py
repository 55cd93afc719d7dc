"""Poison: whatever raises, hangs or takes its reader with it is a case all the same, and can be read later."""

from __future__ import annotations

import re
import resource
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from core import due
from core.due import Due, DueState
from intake.mail import mail_facts, timely
from intake.mail.models import MailState
from intake.mail.parsing import Envelope, Ours, read_mail
from intake.mail.receiving import store
from intake.mail.replaying import replay
from intake.mail.taking_in import take_in
from routing.clocks.rules import NotPossible
from tests.house import House
from tests.stories.mailbox import MARIA_AT, MASSUPPORT, Mailbox, mails, messages


@pytest.fixture
def maria(house: House) -> Mailbox:
    return Mailbox(house, MARIA_AT, "Maria Alvarez")


def raises(*_: Any) -> Any:
    raise RecursionError("a mail that nobody has thought of")


def loops(*_: Any) -> Any:
    while True:
        pass


def swallows_and_loops(*_: Any) -> Any:
    while True:
        try:
            time.sleep(0.001)
        except Exception:  # noqa: BLE001  # it is what careless code does
            continue


def sleeps(*_: Any) -> Any:
    time.sleep(3)


@pytest.mark.parametrize(
    "reader", [raises, loops, swallows_and_loops, sleeps], ids=lambda each: each.__name__
)
def test_it_is_a_case_from_envelope_and_bytes(
    house: House, maria: Mailbox, monkeypatch: pytest.MonkeyPatch, reader: Any
) -> None:
    monkeypatch.setattr(timely, "read_mail", reader)
    monkeypatch.setattr(timely.read_in_time, "__defaults__", (0.3,))
    started = time.monotonic()
    maria.writes("The agent is down", "Since nine o'clock.")
    assert time.monotonic() - started < 2.5
    case = house.case
    assert (case.title, case.needs_look, case.target) == ("The agent is down", True, "2 business days")
    assert "Since nine o'clock." in messages(house, case.id)[0].body
    (row,) = mails(house)
    assert (row.state, row.case_id) == (MailState.POISON, case.id)
    assert row.error is not None
    assert house.events("mail.unreadable")


def test_the_limit_is_two_seconds(house: House, maria: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timely, "read_mail", loops)
    started = time.monotonic()
    maria.writes("The agent is down")
    assert 1.9 < time.monotonic() - started < 4
    assert mails(house)[0].error == "reading took longer than 2 seconds"


def test_it_is_read_later_when_it_can_be(
    house: House, maria: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(timely, "read_mail", raises)
        maria.writes("=?utf-8?q?Caf=C3=A9?=", "Since nine o'clock.\n\nOn Monday you wrote:\n> Hello")
        with pytest.raises(NotPossible, match="still cannot be read"):
            replay(house.context, mails(house)[0].id)
    assert "case 1001" in replay(house.context, mails(house)[0].id)
    case = house.case
    assert (case.title, case.needs_look) == ("Café", False)
    (message,) = messages(house, 1001)
    assert message.body == "Since nine o'clock."
    assert mails(house)[0].state == MailState.TAKEN
    assert len(house.events("mail.replayed")) == 1
    with pytest.raises(NotPossible, match="nothing to do"):
        replay(house.context, mails(house)[0].id)
    with pytest.raises(NotPossible, match="no mail 777777"):
        replay(house.context, 777777)


def test_an_answer_that_cannot_be_read_still_finds_its_case(
    house: House, maria: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    maria.writes("The agent is down")
    monkeypatch.setattr(timely, "read_mail", raises)
    maria.answers(1001, "More.")
    assert len(messages(house, 1001)) == 2
    assert house.case.needs_look


def test_what_cannot_be_filed_as_it_was_read_is_filed_as_its_bytes(
    house: House, maria: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumbles(mail: Any, *rest: Any) -> Any:
        if not mail.damaged:
            raise ValueError("something that no database takes")
        return said_in(mail, *rest)

    said_in = mail_facts.said_in
    monkeypatch.setattr(mail_facts, "said_in", stumbles)
    maria.writes("The agent is down")
    assert mails(house)[0].error == "ValueError while it was taken in"
    assert house.case.title == "The agent is down"


def test_others_do_not_suffer_for_it(house: House, maria: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many at once, one of them bad: the good ones are as good as ever."""

    def sometimes(raw: bytes, *rest: Any) -> Any:
        return raises() if b"Subject: 3" in raw else read_mail(raw, *rest)

    monkeypatch.setattr(timely, "read_mail", sometimes)
    for number in range(8):
        raw = f"From: {MARIA_AT}\nTo: {MASSUPPORT}\nSubject: {number}\nMessage-ID: <{number}@x>\n\nText"
        store(house.context, raw.encode(), Envelope(MARIA_AT, [MASSUPPORT]), "smtp")
    house.fast_forward(0)
    assert [row.state for row in mails(house)] == ["taken"] * 3 + ["poison"] + ["taken"] * 4
    assert [case.title for case in house.cases] == [str(number) for number in range(8)]


def test_whoever_died_over_it_is_followed_by_a_process_that_may_die(
    house: House, maria: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first worker never came back: the second reads in a process of its own."""
    seen: list[str] = []
    apart = timely.read_apart
    monkeypatch.setattr(
        "intake.mail.taking_in.read_apart", lambda *args: seen.append("apart") or apart(*args)
    )
    raw = f"From: {MARIA_AT}\nTo: {MASSUPPORT}\nSubject: The agent\n\nText".encode()
    store(house.context, raw, Envelope(MARIA_AT, [MASSUPPORT]), "smtp")
    with house.context.database.writing() as session:
        session.execute(sa.update(Due).values(attempts=1, state=DueState.READY))
    house.fast_forward(0)
    assert seen == ["apart"]
    assert (house.case.title, mails(house)[0].state) == ("The agent", MailState.TAKEN)


class Busy:
    """Hosts that it takes for ever to look through, so that reading does; unless it is asleep, with much work."""

    def __init__(self, *, asleep: bool = False) -> None:
        self.asleep = asleep

    def __contains__(self, host: object) -> bool:
        while True:
            time.sleep(1) if self.asleep else re.match("(a*)*b", "a" * 40)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 1


def _unread(**options: bool) -> timely.Unread:
    raw = b"Subject: The agent\nMessage-ID: <1@lakeside.example>\n\nText"
    return timely.Unread(raw, Envelope(MARIA_AT), Ours(hosts=Busy(**options)))


def test_a_process_that_works_on_and_on_ends_after_two_seconds() -> None:
    """Even one that is inside of something that lets no other thread of it do anything."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    slow = timely.read_apart(_unread(), in_all=60)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert slow.damaged == "reading took longer than 2 seconds"
    assert (slow.subject, slow.sender and slow.sender.address) == ("The agent", MARIA_AT)
    worked = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
    assert 2 <= worked < 4, "the start of the process is among it"


def test_a_process_that_waits_or_dies_is_a_case_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (
        timely.read_apart(_unread(asleep=True), in_all=1.5).damaged == "reading took longer than 1.5 seconds"
    )
    monkeypatch.setattr(timely.sys, "executable", "/bin/false")
    assert timely.read_apart(_unread()).damaged == "the reader broke off apart"


def test_a_copy_can_be_taken_in_all_the_same(house: House, maria: Mailbox) -> None:
    raw = f"From: {MARIA_AT}\nTo: {MASSUPPORT}\nSubject: {{}}\nMessage-ID: <1@x>\n\nText"
    maria.sends(raw.format("One").encode())
    maria.sends(raw.format("Two").encode())
    assert [row.state for row in mails(house)] == [MailState.TAKEN, MailState.DUPLICATE]
    assert "will be taken in" in replay(house.context, mails(house)[1].id)
    house.fast_forward(0)
    assert [case.title for case in house.cases] == ["One", "Two"]


@pytest.mark.both_databases
def test_a_lost_lease_changes_nothing(house: House) -> None:
    raw = f"From: {MARIA_AT}\nTo: {MASSUPPORT}\nSubject: The agent\n\nText".encode()
    store(house.context, raw, Envelope(MARIA_AT, [MASSUPPORT]), "smtp")
    with house.context.database.writing() as session:
        (claim,) = due.claim(session, house.scheduler.now(), timedelta(seconds=30))
        due.cancel(session, claim.subject)
    with pytest.raises(due.LeaseLost):
        take_in(house.context, claim)
    assert house.cases == []
    assert mails(house)[0].state == MailState.STORED
    assert "will be taken in" in replay(house.context, mails(house)[0].id)
    house.fast_forward(0)
    assert len(house.cases) == 1


def test_a_reader_that_is_gone_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even what comes out of saving a mail ends the reader, and not the taking in."""

    def gone(*_: Any) -> Any:
        raise SystemExit

    monkeypatch.setattr(timely, "read_mail", gone)
    first, second = timely.read_in_time([timely.Unread(b"Subject: 1\n\n"), timely.Unread(b"Subject: 2\n\n")])
    assert (first.damaged, second.damaged) == ("the reader broke off", "the reader broke off")
    assert (first.subject, second.subject) == ("1", "2")
