"""The outbox at work: what the server says, edge by edge, with a real server."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
import sqlalchemy as sa

from core import due
from core.mail import MailError
from core.mail_addresses import SignedAddresses
from core.models import Case, Message, Person
from routing import handling
from routing.clocks.rules import NotPossible
from routing.correspondence import automatic, delivery, receipts
from routing.correspondence.conversation import conversation_of
from routing.correspondence.desk import desk_of
from routing.correspondence.lanes import Lanes
from routing.correspondence.letters import File
from routing.correspondence.models import MailKind
from routing.coverage import Outcome
from tests.post_office import PostOffice
from tests.routing.correspondence.conftest import FIRST_MAIL, MARIA, MailHouse

ANN = "ann@lakeside.example"


def states(house: MailHouse) -> list[str]:
    return [mail.state for mail in house.mails]


def test_it_sends_an_answer_in_the_thread_of_the_customers_mail(house: MailHouse) -> None:
    house.reply(files=[File("log.txt", "text/plain", b"all is well\n")])
    assert house.case.responded_at == house.scheduler.now(), "stamped in the same transaction"
    house.fast_forward(1)
    assert states(house) == ["sent"]
    (got,) = house.office.mail_to(MARIA)
    signed = SignedAddresses(house.settings.secret_key.get_secret_value())
    assert got["Subject"] == "Re: [Case 1001] Scheduler down"
    assert got["From"].addresses[0].display_name == "Dana Whitfield, SMA Technologies"
    assert got["From"].addresses[0].addr_spec == "massupport@smatechnologies.com"
    assert got["In-Reply-To"] == FIRST_MAIL
    assert got["References"].split() == ["<root@lakeside.example>", FIRST_MAIL]
    assert signed.case_of(got["Reply-To"].addresses[0].addr_spec) == 1001
    assert signed.thread_of(got["Message-ID"]).case == 1001
    assert got["Cc"].addresses[0].addr_spec == ANN
    assert got["Auto-Submitted"] is None, "a person writes"
    text = got.get_body().get_content().replace("\r", "")
    assert text.startswith(
        "It runs again.\n\nDana Whitfield\nSMA Technologies Managed Services - case 1001\n"
    )
    assert "Maria Alvarez wrote:\n> The scheduler is down.\n> Please help." in text
    assert [part.get_filename() for part in got.iter_attachments()] == ["log.txt"]
    (letter,) = house.office.letters
    assert signed.bounced_of(letter.mail_from) == house.mail.id
    assert letter.rcpt_tos == [MARIA, ANN]
    assert "The answer left by mail." in [entry["text"] for entry in house.shown()["timeline"]]


def test_it_sends_no_copies_where_none_are_wanted(house: MailHouse) -> None:
    house.reply(copies=False)
    house.fast_forward(1)
    assert house.office.letters[0].rcpt_tos == [MARIA]


def test_it_does_not_send_twice_to_whom_the_engineers_own_mail_has_reached(house: MailHouse) -> None:
    house.reply(reached={MARIA})
    house.fast_forward(1)
    assert house.office.letters[0].rcpt_tos == [ANN]
    assert house.case.responded_at is not None


def test_it_sends_nothing_where_everybody_has_been_reached(house: MailHouse) -> None:
    sent = house.reply(reached={MARIA, ANN}, own_message_id="<own@vendor.example>")
    assert sent.message.mail_message_id == "<own@vendor.example>"
    assert house.mails == []
    assert house.case.responded_at is not None


def test_it_tries_again_under_the_same_message_id(house: MailHouse) -> None:
    house.office.refusals = {MARIA: "451 come back later", ANN: "451 come back later"}
    house.reply()
    house.fast_forward(60)
    assert states(house) == ["waiting"]
    assert house.mail.tries > 2
    assert house.mail.error == "451 come back later"
    house.office.refusals = {}
    house.fast_forward(120)
    assert states(house) == ["sent"]
    assert house.office.mail_to(MARIA)[0]["Message-ID"] == house.mail.rfc_message_id
    assert len(house.events("mail.sent")) == 1


def test_it_speaks_only_for_those_who_have_not_got_it(house: MailHouse) -> None:
    house.office.refusals = {ANN: "450 greylisted"}
    house.reply()
    house.fast_forward(1)
    assert (states(house), house.mail.remaining) == (["waiting"], [ANN])
    house.office.refusals = {}
    house.fast_forward(60)
    assert states(house) == ["sent"]
    assert [letter.rcpt_tos for letter in house.office.letters] == [[MARIA], [ANN]]


def test_it_stands_when_a_copy_alone_is_refused(house: MailHouse) -> None:
    house.office.refusals = {ANN: "550 5.1.1 no such user"}
    house.reply()
    house.fast_forward(1)
    assert states(house) == ["sent"]
    assert house.mail.failures[ANN]["status"] == "5.1.1"
    assert house.case.responded_at is not None, "somebody at the customer has the answer"


def test_it_takes_the_response_back_when_nobody_can_get_the_answer(house: MailHouse) -> None:
    house.office.refusals = {
        ANN: "550 5.1.1 no such user",
        MARIA: "550 5.1.1 <maria@lakeside.example>: unknown",
    }
    house.reply()
    due_at = house.case.due_at
    house.fast_forward(5)
    assert states(house) == ["failed"]
    assert (house.case.responded_at, house.case.due_at) == (None, due_at)
    assert MARIA not in (house.mail.error or ""), "what servers repeat is not kept"
    timeline = [entry["text"] for entry in house.shown()["timeline"]]
    assert "The answer could not be delivered: 5.1.1 no such address." in timeline
    assert "The answer was taken back: it reached nobody; the promise is open again." in timeline
    (text,) = house.texts("+17135550101")
    assert text.startswith("NOT DELIVERED: the mail that answered case 1001")


def test_it_opens_a_case_again_whose_answer_reached_nobody(house: MailHouse) -> None:
    house.office.refusals = dict.fromkeys((ANN, MARIA), "550 5.1.1 no such user")
    house.reply()
    with house.context.database.writing() as session:
        handling.close(
            session, session.get_one(Case, 1001), session.get_one(Person, "dana"), house.scheduler.now()
        )
    house.fast_forward(5)
    assert (house.case.status, house.case.responded_at) == ("open", None)


def test_it_leaves_a_response_alone_that_another_answer_gave(house: MailHouse) -> None:
    house.reply("First.")
    house.fast_forward(5)
    house.office.refusals = dict.fromkeys((ANN, MARIA), "550 5.7.1 not wanted")
    house.reply("Second.")
    house.fast_forward(5)
    assert states(house) == ["sent", "failed"]
    assert house.case.responded_at is not None
    assert len(house.texts("+17135550101")) == 1, "the engineer is told all the same"


@pytest.mark.both_databases
def test_it_sounds_an_alarm_once_when_an_answer_does_not_leave(house: MailHouse) -> None:
    house.office.refusals = dict.fromkeys((ANN, MARIA), "421 too busy")
    house.reply()
    house.fast_forward(3600)
    assert len(house.events("mail.delayed")) == 1
    assert states(house) == ["waiting"]


def test_it_gives_up_after_two_days(house: MailHouse) -> None:
    house.office.refusals = dict.fromkeys((ANN, MARIA), "421 too busy")
    house.reply()
    house.fast_forward(3600)
    house.it_becomes(house.scheduler.now() + timedelta(hours=46))
    house.fast_forward(1800)
    assert states(house) == ["waiting"]
    house.fast_forward(3600)
    assert states(house) == ["failed"]
    assert house.case.responded_at is None
    assert house.due("ready").count("mail.deliver") == 0


def test_it_waits_for_a_mail_server_that_is_not_set_any_more(
    house: MailHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.reply()
    monkeypatch.setattr(house.context.mailer, "_url", "")
    house.fast_forward(60)
    assert states(house) == ["waiting"]
    monkeypatch.setattr(house.context.mailer, "_url", house.office.url)
    house.fast_forward(120)
    assert states(house) == ["sent"]


def test_it_sends_again_what_a_dead_worker_left_behind(house: MailHouse) -> None:
    """At least once: the server may have it, and nobody can ask it."""
    house.reply()
    claim = claimed(house)
    outgoing = delivery._prepare(house.context, claim)
    assert outgoing is not None
    assert house.context.mailer.hand_over(outgoing.raw, outgoing.recipients, envelope_from="") == {}
    assert states(house) == ["sending"]  # and here the worker dies
    successor = claimed(house)
    with pytest.raises(due.LeaseLost):
        delivery.deliver(house.context, claim)
    delivery.deliver(house.context, successor)
    assert states(house) == ["sent"]
    first, second = house.office.mail_to(MARIA)
    assert first["Message-ID"] == second["Message-ID"]


def test_it_changes_nothing_for_a_worker_that_has_lost_its_lease(house: MailHouse) -> None:
    house.reply()
    claim = claimed(house)
    outgoing = delivery._prepare(house.context, claim)
    assert outgoing is not None
    claimed(house)
    with pytest.raises(due.LeaseLost):
        delivery._note(house.context, claim, outgoing, {MARIA: MailError("550 no", permanent=True)})
    assert states(house) == ["sending"]
    assert house.mail.failures == {}


def claimed(house: MailHouse) -> due.Claim:
    with house.context.database.writing() as session:
        row = session.query(due.Due).filter(due.Due.kind == "mail.deliver").one()
        return due._lease(session, row.id, house.scheduler.now() + timedelta(minutes=5))


def test_it_writes_nothing_down_that_could_not_be_mailed(
    house: MailHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house.context.mailer, "_url", "")
    with pytest.raises(NotPossible, match="no mail server is set"):
        house.reply()
    assert house.case.responded_at is None


@pytest.mark.parametrize(
    ("files", "wrong"),
    [
        ([File("a", "text/plain", b"x")] * 51, "51 files are too many"),
        ([File("a", "text/plain", b"x" * 21 * 1_048_576)], "21 MB together"),
    ],
)
def test_it_refuses_what_no_mail_takes(house: MailHouse, files: list[File], wrong: str) -> None:
    with pytest.raises(NotPossible, match=wrong):
        house.reply(files=files)
    assert (house.mails, house.case.responded_at) == ([], None)


def test_it_lets_no_link_to_a_case_out(house: MailHouse) -> None:
    house.reply(f"See {house.context.links.case_url(1001)} and https://docs.example/x")
    house.fast_forward(1)
    text = house.office.mail_to(MARIA)[0].get_body().get_content()
    assert "See [...] and https://docs.example/x" in text
    assert "/case/" not in text


def test_it_keeps_injected_lines_out_of_the_envelope(house: MailHouse, office: PostOffice) -> None:
    with house.context.database.writing() as session:
        message = session.query(Message).filter(Message.author == "customer").one()
        message.details = {
            **message.details, "subject": "x\r\nBcc: all@lakeside.example",
            "from": {"name": "M\r\nBcc: all@lakeside.example", "address": MARIA},
        }  # fmt: skip
    house.reply()
    house.fast_forward(1)
    (got,) = office.mail_to(MARIA)
    assert got["Bcc"] is None
    assert got["Subject"] == "Re: [Case 1001] x Bcc: all@lakeside.example"


def test_it_says_that_nothing_leaves(house: MailHouse) -> None:
    def problems() -> list[str]:
        answer = house.app.test_client().get("/health").get_json()
        return [problem for problem in answer["problems"] if "mail has left" in problem]

    house.office.refusals = dict.fromkeys((ANN, MARIA), "421 too busy")
    house.reply()
    house.fast_forward(600)
    assert problems() == []
    house.fast_forward(600)
    assert len(problems()) == 1
    house.office.refusals = {}
    house.fast_forward(900)
    assert problems() == []


def test_it_has_one_receipt_of_a_case(house: MailHouse) -> None:
    with house.context.database.writing() as session:
        case = session.get_one(Case, 1001)
        policy = house.context.policies.current().policy
        now = house.scheduler.now()
        receipts.opened(session, house.context, case, policy, Outcome.WAIT, now)
        receipts.opened(session, house.context, case, policy, Outcome.WAIT, now)
    assert [mail.kind for mail in house.mails] == ["receipt"]


def test_it_cannot_have_two_receipts(house: MailHouse) -> None:
    """The database says so, should two workers ever write at the same time."""
    with pytest.raises(sa.exc.IntegrityError, match="outbound_mails"):
        write_receipts(house, 2)
    assert house.mails == []


def write_receipts(house: MailHouse, number: int) -> None:
    with house.context.database.writing() as session:
        case = session.get_one(Case, 1001)
        desk = desk_of(house.context, house.context.policies.current().policy, case)
        assert desk is not None
        now = house.scheduler.now()
        for _ in range(number):
            automatic.tell(session, house.context, case, desk, MailKind.RECEIPT, "Again.", now)


def customers_mail(house: MailHouse, **details: object) -> None:
    """What the customer's mail said of itself."""
    with house.context.database.writing() as session:
        message = session.query(Message).filter(Message.author == "customer").one()
        message.details = {**(message.details or {}), **details}


def test_it_answers_where_the_customer_wants_answers(house: MailHouse) -> None:
    customers_mail(house, reply_to=[{"name": "Team", "address": "team@lakeside.example"}])
    house.reply()
    assert house.mail.to_address == "team@lakeside.example"


def test_it_never_answers_itself(house: MailHouse) -> None:
    ours = {"name": "", "address": "MASsupport+x@smatechnologies.com"}
    customers_mail(house, reply_to=[ours], cc=[ours])
    house.reply()
    assert house.mail.recipients == (MARIA,)


def test_it_leaves_out_addresses_that_nobody_can_write_to(house: MailHouse) -> None:
    odd = [{"name": "", "address": address} for address in ("no address", "jürgen@lakeside.example", "x@")]
    customers_mail(house, reply_to=odd[:1], cc=odd)
    house.reply()
    assert house.mail.recipients == (MARIA,)


def test_it_writes_to_international_addresses(house: MailHouse) -> None:
    customers_mail(house, trust="proven", reply_to=[{"name": "", "address": "jürgen@bücher.example"}], cc=[])
    house.reply()
    house.fast_forward(5)
    assert house.office.letters[0].rcpt_tos == ["jürgen@xn--bcher-kva.example"]
    assert "jürgen@xn--bcher-kva.example".encode() in bytes(house.office.letters[0].content or b"")


def test_it_answers_whoever_is_of_the_case_and_nobody_else(house: MailHouse) -> None:
    """Somebody who has got hold of the case's address may add to it, and is told nothing."""
    with house.context.database.writing() as session:
        for address in ("tom@prairie.example", "boss@lakeside.example"):
            session.add(
                Message(
                    case_id=1001, at=house.scheduler.now(), channel="mail", author="customer", body="And?",
                    mail_message_id=f"<x.{address}>",
                    details={"from": {"name": "", "address": address}, "verdict": {"kind": "person"}},
                )
            )  # fmt: skip
            session.flush()
            if address.startswith("tom"):
                talk = conversation_of(
                    session, session.get_one(Case, 1001), house.context.policies.current().policy
                )
                assert [each.address for each in talk.recipients] == [MARIA, ANN]
    house.reply()
    assert house.mail.recipients == ("boss@lakeside.example",), "a colleague's domain is the customer's"


@pytest.mark.parametrize(("trust", "to"), [("proven", "m.alvarez@elsewhere.example"), ("unproven", MARIA)])
def test_it_believes_another_domain_only_of_a_proven_sender(house: MailHouse, trust: str, to: str) -> None:
    """Who can write a sender's name can write a Reply-To as well."""
    customers_mail(house, trust=trust, reply_to=[{"name": "", "address": "m.alvarez@elsewhere.example"}])
    house.reply()
    assert house.mail.to_address == to


@pytest.mark.both_databases
def test_it_leaves_threads_to_the_phones_while_a_server_hangs(house: MailHouse) -> None:
    house.reply()
    claim = claimed(house)
    with delivery._LANES.lane(), in_another_thread(delivery._LANES):
        delivery.deliver(house.context, claim)
        assert states(house) == ["waiting"]
        assert delivery._LANES.pause == timedelta(milliseconds=200)
    house.fast_forward(1)
    assert states(house) == ["sent"]


@contextmanager
def in_another_thread(lanes: Lanes) -> Iterator[None]:
    """Somebody else holds a lane."""
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with lanes.lane() as free:
            assert free
            held.set()
            done.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(10)
    yield
    done.set()
    thread.join()


def test_it_asks_less_often_for_a_lane_that_is_held_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    lanes = Lanes(1)
    with lanes.lane() as mine, lanes.lane() as another:
        assert (mine, another) == (True, False)
        assert lanes.pause == timedelta(milliseconds=200)
        later = time.monotonic() + 2
        monkeypatch.setattr(time, "monotonic", lambda: later)
        assert lanes.pause == timedelta(seconds=5)
