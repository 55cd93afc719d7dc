from __future__ import annotations

import smtplib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage

import pytest

from core.mail import Mailer, MailError
from core.settings import Settings, SettingsError
from tests.post_office import PostOffice, post_office

MakeSettings = Callable[..., Settings]


@pytest.fixture
def office() -> Iterator[PostOffice]:
    with post_office() as office:
        yield office


def letter(subject: str = "Case 1042") -> EmailMessage:
    message = EmailMessage()
    message["To"], message["Subject"] = "maria@lakeside.example", subject
    message.set_content("We have your case.")
    return message


def test_it_hands_a_message_over(make_settings: MakeSettings, office: PostOffice) -> None:
    mailer = Mailer(make_settings(smtp_url=office.url, mail_from="Support <support@vendor.example>"))
    mailer.send(letter(), "maria@lakeside.example")
    (got,) = office.mail_to("maria@lakeside.example")
    assert got["From"] == "Support <support@vendor.example>"
    assert got.get_content().strip() == "We have your case."
    assert office.letters[0].mail_from == "support@vendor.example"


def test_it_can_send_what_must_not_bounce(make_settings: MakeSettings, office: PostOffice) -> None:
    Mailer(make_settings(smtp_url=office.url)).send(letter(), "maria@lakeside.example", envelope_from="")
    assert office.letters[0].mail_from == "<>"  # as it stands in MAIL FROM


@pytest.mark.parametrize(("reply", "permanent"), [("550 no such user", True), ("451 come back later", False)])
def test_it_says_whether_another_try_is_worth_it(
    make_settings: MakeSettings, office: PostOffice, reply: str, permanent: bool
) -> None:
    office.refusals["maria@lakeside.example"] = reply
    with pytest.raises(MailError, match=reply) as caught:
        Mailer(make_settings(smtp_url=office.url)).send(letter(), "maria@lakeside.example")
    assert caught.value.permanent is permanent


def test_it_waits_for_a_server_that_does_not_answer(make_settings: MakeSettings) -> None:
    with pytest.raises(MailError, match="does not answer") as caught:
        Mailer(make_settings(smtp_url="smtp://127.0.0.1:1")).send(letter(), "maria@lakeside.example")
    assert not caught.value.permanent


def test_it_says_that_no_server_is_set(make_settings: MakeSettings) -> None:
    mailer = Mailer(make_settings())
    assert not mailer.configured
    with pytest.raises(MailError, match="NIGHTBELL_SMTP_URL"):
        mailer.send(letter(), "maria@lakeside.example")


@pytest.mark.parametrize("url", ["mail.example", "http://mail.example", "smtp://", "smtp://host:0"])
def test_it_refuses_an_address_that_is_no_mail_server(make_settings: MakeSettings, url: str) -> None:
    with pytest.raises(SettingsError, match="NIGHTBELL_SMTP_URL"):
        make_settings(smtp_url=url)


RAW = b"Subject: Case 1042\r\n\r\nWe have your case.\r\n.\r\nThe end.\r\n"


def test_it_hands_a_finished_message_over_as_it_is(make_settings: MakeSettings, office: PostOffice) -> None:
    mailer = Mailer(make_settings(smtp_url=office.url))
    to = ["maria@lakeside.example", "ann@lakeside.example"]
    assert mailer.hand_over(RAW, to, envelope_from="desk+b1.mac@vendor.example") == {}
    (got,) = office.letters
    assert got.content == RAW
    assert (got.mail_from, got.rcpt_tos) == ("desk+b1.mac@vendor.example", to)


def test_it_says_of_each_recipient_what_was_said(make_settings: MakeSettings, office: PostOffice) -> None:
    office.refusals = {
        "gone@lakeside.example": "550 5.1.1 no such user",
        "busy@lakeside.example": "450 later",
    }
    mailer = Mailer(make_settings(smtp_url=office.url))
    to = ["maria@lakeside.example", "ann@lakeside.example"]
    refused = mailer.hand_over(RAW, ["maria@lakeside.example", *office.refusals], envelope_from="")
    assert {to: (str(why), why.permanent) for to, why in refused.items()} == {
        "gone@lakeside.example": ("550 5.1.1 no such user", True),
        "busy@lakeside.example": ("450 later", False),
    }
    assert office.letters[0].rcpt_tos == ["maria@lakeside.example"]
    assert set(mailer.hand_over(RAW, [*office.refusals], envelope_from="")) == set(office.refusals)
    office.refusals = dict.fromkeys(to, "421 closing")
    assert set(mailer.hand_over(RAW, to, envelope_from="")) == set(to), "who was not asked for has not got it"


def test_it_says_that_a_server_takes_no_international_addresses(
    make_settings: MakeSettings, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtplib.SMTP, "has_extn", lambda _self, _name: False)
    with pytest.raises(MailError, match="SMTPUTF8") as caught:
        Mailer(make_settings(smtp_url=office.url)).hand_over(RAW, ["jürgen@x.example"], envelope_from="")
    assert caught.value.permanent


def test_it_tries_again_where_a_server_turns_everybody_away(make_settings: MakeSettings) -> None:
    """Before it has seen a message, a server speaks of itself: the mail is as good as before."""
    with turning_away(b"554 no service here\r\n") as url, pytest.raises(MailError, match="554") as caught:
        Mailer(make_settings(smtp_url=url)).hand_over(RAW, ["maria@lakeside.example"], envelope_from="")
    assert not caught.value.permanent


@contextmanager
def turning_away(greeting: bytes) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_turn_away, args=(server, greeting))
        thread.start()
        yield f"smtp+plain://127.0.0.1:{server.getsockname()[1]}"
        thread.join()


def _turn_away(server: socket.socket, greeting: bytes) -> None:
    connection, _ = server.accept()
    with connection:
        connection.sendall(greeting)
        connection.recv(1000)
