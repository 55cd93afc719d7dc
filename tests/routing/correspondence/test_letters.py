"""What a letter is as bytes: read back by the standard library, and by our own reading of mail."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.mail_addresses import address_key
from intake.mail.parsing.reading import read_mail
from routing.correspondence.letters import (
    File,
    Letter,
    Manner,
    Party,
    Quotation,
    can_be_written_to,
    composed,
    distinct,
)

AT = datetime(2026, 3, 4, 8, 10, tzinfo=UTC)
MARIA = Party("Maria Alvarez", "maria@lakeside.example")
DESK = Party("SMA Technologies", "massupport@vendor.example")


# Our own reading takes apostrophes around an address for marks of the sender's program.
_LOCAL_PARTS = st.text(st.characters(exclude_characters="'"), min_size=1, max_size=30)


def letter(**changes: Any) -> Letter:
    usual: dict[str, Any] = {
        "sender": DESK, "to": MARIA, "subject": "Re: [Case 1042] Scheduler down", "text": "It runs again.",
        "at": AT, "message_id": "<c1042.abc.def@vendor.example>",
    }  # fmt: skip
    return Letter(**(usual | changes))


def read(given: Letter) -> EmailMessage:
    raw = composed(given)
    assert b"\n" not in raw.replace(b"\r\n", b""), "every line ends with CRLF"
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    return message_from_bytes(raw.replace(b"\r\n", b"\n"), policy=policy.default)  # type: ignore[return-value]


def test_it_has_what_a_mail_needs_to_be_threaded() -> None:
    got = read(
        letter(
            in_reply_to="<a@lakeside.example>",
            references=("<root@lakeside.example>", "<a@lakeside.example>"),
            reply_to="massupport+c1042.mac@vendor.example",
            copies=(Party("Ann", "ann@lakeside.example"),),
        )
    )
    assert got["Message-ID"] == "<c1042.abc.def@vendor.example>"
    assert got["In-Reply-To"] == "<a@lakeside.example>"
    assert got["References"].split() == ["<root@lakeside.example>", "<a@lakeside.example>"]
    assert got["Reply-To"] == "SMA Technologies <massupport+c1042.mac@vendor.example>"
    assert got["Cc"] == "Ann <ann@lakeside.example>"
    assert got["Date"] == "Wed, 04 Mar 2026 08:10:00 +0000"
    assert got.get_content() == "It runs again.\n"


def test_it_says_that_a_machine_writes_only_where_one_does() -> None:
    assert read(letter())["Auto-Submitted"] is None
    got = read(letter(manner=Manner.ANSWERED, loop_value="mark"))
    assert got["Auto-Submitted"] == "auto-replied"
    assert got["X-Auto-Response-Suppress"] == "All"
    assert got["X-Nightbell-Loop"] == "mark"


def test_it_does_not_break_identifiers_that_are_longer_than_a_line() -> None:
    long = [f"<{letter_ * 300}@host.example>" for letter_ in "abcdefghijklmnopqrst"]
    raw = composed(letter(references=tuple(long), in_reply_to=long[-1]))
    assert all(each.encode() in raw for each in long)
    assert read_mail(raw).references == tuple(long)


def test_it_quotes_an_earlier_message_below_the_text() -> None:
    quotation = Quotation("On Wednesday, Maria wrote:", "Help!\n\n> earlier\n" + "line\n" * 300)
    lines = read(letter(quotation=quotation)).get_content().split("\n")
    assert lines[:6] == ["It runs again.", "", "On Wednesday, Maria wrote:", "> Help!", ">", ">> earlier"]
    assert lines[-2] == "> [...]"
    assert read_mail(composed(letter(quotation=quotation))).written == "It runs again."


@pytest.mark.parametrize(
    "evil", ["x\r\nBcc: all@lakeside.example", "x\nBcc: y", "x\rBcc: y", "x\0y", "x\u2028Bcc: y"]
)
def test_it_lets_nothing_into_a_header_that_is_not_its_own(evil: str) -> None:
    got = read(
        letter(
            subject=evil, to=Party(evil, MARIA.address), sender=Party(evil, DESK.address), in_reply_to=f"<{evil}>",
            references=(f"<{evil}>",), loop_value=evil, files=(File(evil, f"text/{evil}", b"data"),),
        )
    )  # fmt: skip
    assert got["Bcc"] is None
    assert set(got.keys()) == {
        "Message-ID", "From", "To", "Subject", "Date", "X-Nightbell-Loop", "MIME-Version", "Content-Type",
    }  # fmt: skip
    assert got["To"].addresses[0].addr_spec == MARIA.address


def test_it_writes_names_and_subjects_in_any_script() -> None:
    subject = "Re: [Case 1042] " + "Übertragung der Löhne schlägt fehl, 給与の転送に失敗 " * 3
    got = read(letter(to=Party("Zoë 山田", "zoe@lakeside.example"), subject=subject, text="Läuft wieder. 🙂"))
    assert got["To"].addresses[0].display_name == "Zoë 山田"
    assert got["Subject"] == subject.strip()
    assert got.get_content().strip() == "Läuft wieder. 🙂"


def test_it_writes_international_domains_as_servers_know_them() -> None:
    got = read(letter(to=Party("Jürgen", "juergen@bücher.example")))
    assert got["To"].addresses[0].addr_spec == "juergen@xn--bcher-kva.example"


def test_it_writes_international_local_parts_as_utf8() -> None:
    raw = composed(letter(to=Party("Jürgen", "jürgen@bücher.example")))
    assert "jürgen@xn--bcher-kva.example".encode() in raw


@pytest.mark.parametrize(
    "address", ["", "nobody", "@host.example", '"two words"@host.example', "x@\u2028.example"]
)
def test_it_refuses_what_is_no_address(address: str) -> None:
    with pytest.raises(ValueError, match="mail address"):
        composed(letter(to=Party("", address)))


def test_it_carries_files_as_they_are() -> None:
    files = (
        File("log.txt", "text/plain; charset=latin-1", b"caf\xe9\r\n.\nFrom x\n"),
        File("../..\\Über sicht.pdf", "application/pdf", bytes(range(256)) * 40),
        File("mail.eml", "message/rfc822", b"Subject: x\n\nbody"),
        File("", "nonsense", b""),
    )
    raw = composed(letter(files=files))
    got = message_from_bytes(raw, policy=policy.default)
    parts = list(got.iter_attachments())  # type: ignore[attr-defined]
    assert [part.get_payload(decode=True) for part in parts] == [file.data for file in files]
    assert [part.get_filename() for part in parts] == ["log.txt", "Über sicht.pdf", "mail.eml", "attachment"]
    assert [part.get_content_type() for part in parts] == [
        "text/plain", "application/pdf", "application/octet-stream", "application/octet-stream",
    ]  # fmt: skip
    assert [each.data for each in read_mail(raw).attachments] == [file.data for file in files]


_WORDS = st.sampled_from(["batch", "–", "für", "日本語", "a,b;c", "=?x?=", '"so"', "x" * 30, "x" * 90, "(é)"])


@settings(max_examples=100, deadline=None)
@given(words=st.lists(_WORDS, min_size=1, max_size=14))
def test_a_subject_arrives_to_the_letter(words: list[str]) -> None:
    subject = " ".join(["Re: [Case 1042]", *words])
    raw = composed(letter(subject=subject))
    assert message_from_bytes(raw, policy=policy.default)["Subject"] == subject
    assert read_mail(raw).subject == subject
    head = raw.partition(b"\r\n\r\n")[0]
    assert re.search(rb"=\?utf-8\?.\?\?=", head) is None, "an encoded word has something in it"
    assert max(map(len, head.split(b"\r\n"))) <= 78


@settings(max_examples=200, deadline=None)
@given(name=st.text(), subject=st.text(), text=st.text(), file=st.text())
def test_it_writes_whatever_it_is_given(name: str, subject: str, text: str, file: str) -> None:
    raw = composed(
        letter(
            to=Party(name, MARIA.address), subject=subject, text=text, files=(File(file, "text/plain", b"x"),)
        )
    )
    got = read_mail(raw)
    assert [each.address for each in got.to] == [MARIA.address]
    assert got.problems == ()
    assert len(got.attachments) == 1


@settings(max_examples=300, deadline=None)
@given(local=_LOCAL_PARTS, domain=st.text(min_size=1, max_size=30))
def test_it_writes_an_address_so_that_it_is_read_as_it_was(local: str, domain: str) -> None:
    address = f"{local}@{domain}.example"
    if not can_be_written_to(address):
        with pytest.raises(ValueError, match="mail address"):
            composed(letter(to=Party("Maria", address)))
        return
    got = read_mail(composed(letter(to=Party("Maria", address))))
    # A local part with dots in odd places is sent in quotation marks, as it has to be.
    assert [each.key.replace('"', "") for each in got.to] == [address_key(address)]


@pytest.mark.parametrize(
    "address",
    ["0@..example", "0@.example", "0@lakeside..example", "0@", "@lakeside.example", "a b@lakeside.example"],
)
def test_it_writes_to_nothing_that_is_no_address(address: str) -> None:
    assert not can_be_written_to(address)


def test_it_names_each_address_once() -> None:
    parties = (MARIA, Party("M.", "Maria@Lakeside.example"), Party("", "ann@lakeside.example"), DESK)
    assert distinct(parties, without=[DESK.key]) == (MARIA, Party("", "ann@lakeside.example"))
