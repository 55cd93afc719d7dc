"""Mail of the worst kinds, through the whole door: a clear outcome each, within the time that a mail has."""

from __future__ import annotations

import io
import time
import zipfile
from email.message import EmailMessage
from pathlib import Path

import pytest

from core.mail_addresses import SignedAddresses
from intake.mail.models import MailState
from intake.mail.parsing import Envelope
from intake.mail.receiving import Incoming, store_all
from tests.house import House
from tests.stories.correspondent import Correspondent, mail_house
from tests.stories.mailbox import MARIA_AT, MASSUPPORT, STRANGER_AT, Mailbox, mails, messages, signed
from tests.stories.people import DANA, DAY, MARIA, PRIYA, SAM

HEAD = f"From: Maria <{MARIA_AT}>\r\nTo: {MASSUPPORT}\r\nMessage-ID: <worst@lakeside.example>\r\n"


@pytest.fixture
def maria(house: House) -> Mailbox:
    return Mailbox(house, MARIA_AT, "Maria Alvarez")


def taken(house: House, maria: Mailbox, raw: bytes) -> float:
    """Take a mail in, and be sure that it was read; the seconds that it took."""
    started = time.monotonic()
    maria.sends(raw)
    (row,) = mails(house)
    assert (row.state, row.error) == (MailState.TAKEN, None)
    return time.monotonic() - started


def test_two_machines_that_answer_each_other_are_one_case_and_no_conversation(house: House) -> None:
    robot = Mailbox(house, STRANGER_AT)
    for number in range(30):
        robot.writes(f"Automatic reply: I am away ({number:02}:00)", auto_submitted="auto-replied")
    assert len(house.cases) == 1
    assert len(messages(house, 1001)) == 30
    assert house.case.due_at is None
    house.fast_forward(3600)
    assert all(not house.texts(number) for number in (DANA, PRIYA, SAM)), "nobody is told of it"


def test_our_own_mail_that_comes_back_begins_nothing(house: House, maria: Mailbox) -> None:
    """Somebody's rule sends on to us what we send to them."""
    maria.writes("The agent is down")
    for _ in range(5):
        maria.writes("Fwd: [Case 1001]", x_nightbell_loop=signed(house).loop_value())
        maria.writes("[Case 1001]", message_id=signed(house).message_id(MASSUPPORT, 1001))
    assert len(house.cases) == 1
    assert len(messages(house, 1001)) == 1
    assert len(house.events("mail.own-came-back")) == 10


def test_a_burst_is_taken_in_whole_and_holds_up_nobody(house: House) -> None:
    """The short form of ``python -m bench burst``."""
    house.it_becomes(DAY)
    burst = [
        Incoming(
            f"From: {STRANGER_AT}\nTo: {MASSUPPORT}\nSubject: Number {n}\nMessage-ID: <{n}@x>\n\nText".encode(),
            Envelope(STRANGER_AT, [MASSUPPORT]),
            "smtp",
        )
        for n in range(120)
    ]
    for start in range(0, len(burst), 30):
        store_all(house.context, burst[start : start + 30])
    store_all(house.context, burst[:30])  # and some of them once more
    house.fast_forward(60)
    # Each is one case. On a busy machine what there was no time for is given back, and comes behind the others.
    assert sorted(case.title for case in house.cases) == sorted(f"Number {n}" for n in range(120))
    told = sum(len(house.texts(number)) for number in (DANA, PRIYA, SAM))
    assert told <= 60, "carriers block numbers that get more than they tolerate"
    house.it_becomes(DAY.replace(hour=23))
    house.voicemail_from(MARIA)
    house.until(lambda: house.rung)


def test_a_zip_of_death_is_a_file_like_any_other(house: House, maria: Mailbox) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(20):
            archive.writestr(f"{number}.bin", b"\0" * 20_000_000)
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = MARIA_AT, MASSUPPORT, "See the file"
    message.set_content("It is small.")
    message.add_attachment(packed.getvalue(), "application", "zip", filename="death.zip")
    assert taken(house, maria, message.as_bytes()) < 2
    details = messages(house, 1001)[0].details
    assert details is not None
    assert [(file["name"], file["size"]) for file in details["attachments"]] == [
        ("death.zip", len(packed.getvalue()))
    ]


def test_html_of_5000_links_is_shown_as_its_text(house: House, maria: Mailbox) -> None:
    links = "".join(f'<a href="https://x.example/{n}">link {n}</a> ' for n in range(5_500))
    raw = f"{HEAD}Subject: Links\r\nContent-Type: text/html\r\n\r\n<p>Read this</p>{links}"
    assert taken(house, maria, raw.encode()) < 2
    (message,) = messages(house, 1001)
    assert "Read this" in message.body
    assert (message.html or "").count("<a ") < 10


@pytest.mark.both_databases
def test_a_header_of_2_mb_is_read_in_time_and_says_what_it_says(house: House, maria: Mailbox) -> None:
    filler = "".join(f"X-Filler-{n}: {'x' * 900}\r\n" for n in range(2_200))
    assert taken(house, maria, f"{filler}{HEAD}Subject: Here I am\r\n\r\nText".encode()) < 2
    assert (house.case.title, house.case.verified) == ("Here I am", True)


@pytest.mark.parametrize(
    "subject",
    [
        "Hello\r\n Bcc: everybody@elsewhere.example",
        "=?utf-8?q?Hello=0D=0ABcc:_everybody@elsewhere.example?=",
        "=?utf-8?q?Hello=00there=1B[2J?=",
        "\u202eolleH \u2066there",
    ],
)
def test_nothing_in_a_header_gets_out_of_its_line(house: House, maria: Mailbox, subject: str) -> None:
    raw = f'{HEAD}Subject: {subject}\r\nReply-To: "a\r\n b" <x@y.example>\r\n\r\nText'
    taken(house, maria, raw.encode())
    title = house.case.title
    assert "Hello" in title or "olleH" in title
    assert title.isprintable() or "\u2066" in title or "\u202e" in title
    assert not any(character in title for character in "\r\n\0\x1b")


def test_nuls_are_left_out_and_nothing_else(house: House, maria: Mailbox) -> None:
    raw = f"{HEAD}Subject: A\0B\r\n\r\nOne\0 two\0\r\n".encode()
    taken(house, maria, raw)
    assert messages(house, 1001)[0].body == "One two"
    assert "\0" not in house.case.title


def test_3000_recipients_are_counted_and_not_all_shown(house: House, maria: Mailbox) -> None:
    everybody = ", ".join(f"Person {n} <p{n}@crowd.example>" for n in range(3_000))
    raw = f"From: {MARIA_AT}\r\nTo: {MASSUPPORT}\r\nCc: {everybody}\r\nSubject: All of you\r\n\r\nText"
    assert taken(house, maria, raw.encode()) < 2
    details = messages(house, 1001)[0].details
    assert details is not None
    assert (len(details["cc"]), details["more_recipients"]) == (100, 2_900)


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"\r\n" * 1_000, b"\0" * 5_000, b"\xff\xfe" * 2_000, b"From: " + b"(" * 100_000,
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + b"--x\r\n" * 20_000,
        b"Content-Type: text/plain; charset=utf-7\r\n\r\n+AAA-" * 100,
        b"Subject: =?utf-8?b?" + b"//8=" * 500 + b"?=\r\n\r\nx",
        b"Content-Type: text/html\r\n\r\n" + b"<div>" * 50_000,
        b"References: " + b"<a@b> " * 50_000 + b"\r\n\r\nx",
    ],
    ids=["empty", "blank", "NULs", "bytes", "brackets", "boundaries", "utf-7", "words", "divs", "references"],
)  # fmt: skip
def test_whatever_comes_is_a_case(house: House, maria: Mailbox, raw: bytes) -> None:
    assert taken(house, maria, raw) < 2
    assert len(messages(house, house.case.id)) == 1


def test_thousands_of_addresses_like_an_engineers_hold_up_nobody(
    house: House, maria: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is a signature to check, for each engineer, while nobody else can write."""
    asked: list[str] = []
    whole = SignedAddresses.engineer_case_of

    def counted(signed: SignedAddresses, address: str, person: str) -> int | None:
        asked.append(address)
        return whole(signed, address, person)

    monkeypatch.setattr(SignedAddresses, "engineer_case_of", counted)
    to = ", ".join(f"massupport+e{number}.{'a' * 12}@x.example" for number in range(1, 4000))
    maria.sends(f"From: {MARIA_AT}\r\nTo: {to}\r\nSubject: Many\r\n\r\nx\r\n".encode())
    assert len(house.cases) == 1
    assert len(set(asked)) <= 200


def test_a_machine_that_answers_our_receipts_ends_the_conversation(database_url: str, tmp_path: Path) -> None:
    """A person's mail gets its receipt; what answers that by itself, with or without saying so, gets none."""
    with mail_house(database_url, tmp_path) as house:
        robot = Correspondent(house, MARIA_AT)
        robot.writes("The agent is down")
        for _ in range(5):
            robot.replies("I am a machine, and do not say so.")
        robot.answers_by_machine()
        assert len(robot.inbox) == 1
        assert len(house.cases) == 1
