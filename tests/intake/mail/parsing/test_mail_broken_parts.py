"""Mails whose parts and headers are broken where their text would be lost by the book."""

from __future__ import annotations

import base64

import pytest

from intake.mail.parsing import read_mail
from tests.intake.mail.parsing.letters import mail, part, parts


def test_it_reads_a_header_that_a_blank_line_breaks() -> None:
    raw = mail(
        body="Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\nR3LDvMOfZQ=="
    )
    read = read_mail(raw)
    assert read.text == "Grüße"
    assert read.problems == ("header broken by a blank line",)


def test_it_reads_the_broken_header_of_an_attached_mail() -> None:
    inner = "Subject: terms\n\nContent-Type: multipart/mixed; boundary=in\nMIME-Version: 1.0\n\n--in\n\nwords\n--in--"
    read = read_mail(
        parts(part("See below.", "Content-Type: text/plain"), part(inner, "Content-Type: message/rfc822"))
    )
    assert [each.text for each in read.attachments] == ["Subject: terms\n\nwords"]


def test_it_leaves_a_body_that_begins_like_a_header_where_the_header_is_whole() -> None:
    raw = mail("Content-Type: text/plain", body="Content-Type: text/html\nis what they send")
    assert read_mail(raw).text == "Content-Type: text/html\nis what they send"


@pytest.mark.parametrize("after", ["", "\n", "\r\n\r\n"])
def test_it_ends_the_last_part_before_a_boundary_without_line_of_its_own(after: str) -> None:
    raw = mail(
        "Content-Type: multipart/mixed; boundary=cut", body=f"--cut\n\none\n--cut\n\ntwo--cut--{after}"
    )
    assert read_mail(raw).text == "one\n\ntwo"


@pytest.mark.parametrize(("depth", "said"), [(12, "the words"), (60, "the words"), (200, "the words")])
def test_it_shows_the_words_of_a_mail_in_a_mail_in_a_mail(depth: int, said: str) -> None:
    read = read_mail(
        b"Subject: s\n" + b"Content-Type: message/rfc822\n\n" * depth + b"Subject: in\n\nthe words"
    )
    assert said in read.text
    assert said in read.attachments[0].text


@pytest.mark.parametrize(
    ("described", "name"),
    [
        ("Delivery report", "Delivery report.txt"),
        ("errors.log", "errors.log"),
        ("in/out", "in_out.txt"),
        ("", "attachment.txt"),
    ],
)
def test_it_calls_a_part_without_a_name_what_it_is_described_as(described: str, name: str) -> None:
    status = part(
        "Action: failed", "Content-Type: message/delivery-status", f"Content-Description: {described}"
    )
    read = read_mail(parts(part("It came back.", "Content-Type: text/plain"), status))
    assert [each.name for each in read.attachments] == [name]


def test_it_decodes_a_text_behind_which_a_list_wrote_its_footer() -> None:
    words = "The scheduler lost its database, and no job has run since. " * 6
    body = (
        base64.encodebytes(words.encode()).decode()
        + "\n"
        + "_" * 47
        + "\nops mailing list, ops@lists.example, leave it.\n" * 6
    )
    assert read_mail(mail("Content-Transfer-Encoding: base64", body=body)).text.startswith(words[:300])


@pytest.mark.parametrize("charset", ["utf-16", "utf-16le", "utf-32"])
def test_it_does_not_take_plain_bytes_for_two_a_character(charset: str) -> None:
    raw = mail(f"Content-Type: text/plain; charset={charset}", body="The café is open".encode("cp1252"))
    assert read_mail(raw).text == "The café is open"
    raw = mail(f"Content-Type: text/plain; charset={charset}", body="Сервер не отвечает".encode())
    assert read_mail(raw).text == "Сервер не отвечает"
