"""Whole conversations with the simulated post office: real SMTP in both directions, in virtual time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from intake.mail.senders.checking import SenderCheck
from intake.mail.ways_in.door import door_of
from intake.mail.ways_in.listener import Listener as OurListener
from simulator.mail.composing import Draft
from simulator.mail.delivering import Listener
from simulator.mail.letters import Letter
from simulator.mail.listening import listen
from simulator.mail.manners import Bounces, Defers, OutOfOffice, Refuses
from simulator.mail.office import PostOffice
from tests.house import House
from tests.mail_server import free_port
from tests.stories.mailbox import GRACE_AT, MASSUPPORT, cases, messages
from tests.stories.people import DAY, PRIYA

PRIYA_AT, NAME = "priya@nightbell.example", "mx.nightbell.example"


class Town:
    """The house, its listener, and the post office that everybody outside has a mailbox at."""

    def __init__(self, house: House, office: PostOffice) -> None:
        self.house, self.office = house, office

    def write(
        self, sender: str, text: str, subject: str = "It stops", envelope_from: str | None = None
    ) -> Letter:
        draft = Draft(("", sender), [("", MASSUPPORT)], subject=subject, text=text)
        sent = self.office.send(draft, envelope_from=envelope_from)
        self.house.fast_forward(2)
        return sent

    def answer(self, letter: Letter, text: str) -> Letter:
        """The owner of the mailbox answers, above what they quote."""
        mail = letter.mail
        quoted = "".join(f"> {line}\n" for line in mail.text.splitlines())
        draft = Draft(
            ("", letter.mailbox), mail.addresses("reply-to") or mail.addresses("from"),
            subject=f"Re: {mail.header('subject')}", text=f"{text}\n\n{quoted}", answers=mail,
        )  # fmt: skip
        sent = self.office.send(draft)
        self.house.fast_forward(2)
        return sent

    def inbox(self, address: str) -> list[Letter]:
        return self.office.mailbox(address).received

    def said(self) -> list[tuple[str, str]]:
        """Who has written on the first case, and the first line of what."""
        return [(each.author, each.body.partition("\n")[0]) for each in messages(self.house, 1001)]


@pytest.fixture
def town(database_url: str, tmp_path: Path) -> Iterator[Town]:
    """A Wednesday at ten."""
    inside, outside = free_port(), free_port()
    house = House(
        database_url, tmp_path / "data", smtp_url=f"smtp+plain://127.0.0.1:{outside}",
        smtp_listen=f"smtp://127.0.0.1:{inside}", authserv_id=NAME,
    )  # fmt: skip
    settings = house.context.settings
    listener = OurListener(settings, door_of(house.context), SenderCheck(settings), NAME)
    office = PostOffice(house.scheduler, Listener(settings.smtp_listen, NAME), name=NAME)
    office.line(MASSUPPORT)
    office.mailbox(PRIYA_AT).role = "engineer"
    counter = listen(office, outside)
    listener.start()
    house.it_becomes(DAY)
    yield Town(house, office)
    listener.stop()
    counter.stop()
    house.check()
    house.context.close()


def test_a_mail_its_receipt_the_answer_and_what_the_customer_says_to_it(town: Town) -> None:
    first = town.write(GRACE_AT, "Since this morning the import stops.")
    (receipt,) = town.inbox(GRACE_AT)
    assert "Your case number is 1001." in receipt.mail.text
    assert (receipt.envelope.sender, receipt.mail.header("auto-submitted")) == ("", "auto-replied")
    assert receipt.mail.header("in-reply-to") == first.mail.header("message-id")
    (page,) = town.inbox(PRIYA_AT)
    town.answer(page, "It runs again, please try it.")
    answer = town.inbox(GRACE_AT)[-1]
    assert answer.mail.text.startswith("It runs again, please try it.")
    assert first.mail.header("message-id") in answer.mail.header("references")
    assert town.house.case.response_kind == "reply"
    town.answer(answer, "Thank you, it does.")
    assert [each.id for each in cases(town.house)] == [1001]
    assert [author for author, _ in town.said()] == ["customer", "system", "engineer", "customer"]
    assert town.said()[-1] == ("customer", "Thank you, it does.")


def test_two_machines_that_answer_each_other_fall_silent(town: Town) -> None:
    town.office.behave(GRACE_AT, OutOfOffice(polite=False, after=1))
    town.write(GRACE_AT, "Please have a look.")
    town.house.fast_forward(3600)
    sent = [each for each in town.office.mailbox(GRACE_AT).letters if each.direction == "sent"]
    assert len(town.inbox(GRACE_AT)) == len(sent) - 1 <= 3
    assert [each.id for each in cases(town.house)] == [1001]
    assert town.house.case.responded_at is None


def test_a_polite_machine_does_not_answer_the_receipt_and_its_answer_to_a_person_is_none(town: Town) -> None:
    town.office.behave(GRACE_AT, OutOfOffice(after=1))
    town.write(GRACE_AT, "Please have a look.")
    assert len(town.office.mailbox(GRACE_AT).letters) == 2
    town.answer(town.inbox(PRIYA_AT)[-1], "It runs again.")
    responded = town.house.case.responded_at
    town.house.fast_forward(60)
    assert len(town.office.mailbox(GRACE_AT).letters) == 4, "the mail, its receipt, the answer, the notice"
    assert town.house.case.responded_at == responded is not None


def test_a_report_that_comes_later_takes_the_response_back(town: Town) -> None:
    town.write(GRACE_AT, "Please have a look.")
    town.office.behave(GRACE_AT, Bounces(after=60))
    town.answer(town.inbox(PRIYA_AT)[-1], "It runs again.")
    assert town.house.case.responded_at is not None
    town.house.fast_forward(120)
    assert town.house.case.responded_at is None
    told = [letter for letter in town.inbox(PRIYA_AT) if "NOT DELIVERED" in letter.mail.text]
    assert len(told) == 1, "she wrote it and is on call: once is enough"


def test_a_mailbox_that_refuses_takes_the_response_back_at_once(town: Town) -> None:
    town.write(GRACE_AT, "Please have a look.")
    town.office.behave(GRACE_AT, Refuses())
    town.answer(town.inbox(PRIYA_AT)[-1], "It runs again.")
    town.house.fast_forward(5)
    assert town.house.case.responded_at is None


def test_a_mailbox_that_is_busy_gets_its_mail_later(town: Town) -> None:
    town.office.behave(GRACE_AT, Defers(times=2))
    town.write(GRACE_AT, "Please have a look.")
    assert town.inbox(GRACE_AT) == []
    town.house.fast_forward(600)
    assert len(town.inbox(GRACE_AT)) == 1


def test_a_forged_sender_rings_nobody_and_hears_nothing(town: Town) -> None:
    town.write(GRACE_AT, "All is down.", "P1: ring them", envelope_from="mallory@elsewhere.example")
    town.house.fast_forward(60)
    assert (town.house.case.customer_id, town.house.case.priority, town.house.rung) == (None, 4, {})
    assert (town.inbox(GRACE_AT), town.inbox("mallory@elsewhere.example")) == ([], [])


def test_priority_1_that_is_asked_for_by_whom_it_is_owed_rings(town: Town) -> None:
    town.write(GRACE_AT, "All is down.", "P1: ring us")
    town.house.until(lambda: town.house.rings(PRIYA))
    assert town.house.case.priority == 1


def test_mail_to_nobody_is_returned(town: Town) -> None:
    draft = Draft(("", GRACE_AT), [("", "nobody-there@smatechnologies.com")], subject="x", text="y")
    letter = town.office.send(draft)
    assert letter.deliveries[0].attempts[0][1].code == 550
    assert "550 5.1.1" in town.inbox(GRACE_AT)[0].mail.text
    assert cases(town.house) == []
