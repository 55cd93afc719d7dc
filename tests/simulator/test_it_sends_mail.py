"""People write to the product: what they write, how it is delivered, tried again, and returned."""

from __future__ import annotations

import email
import ssl
from email.message import EmailMessage, Message
from email.policy import default
from pathlib import Path

import pytest
from post_desk import GRACE, OURS, PRIYA, Product, mail, new_office, pass_time

from simulator.mail.composing import Attachment, CannotWrite, Draft
from simulator.mail.delivering import Listener
from simulator.mail.letters import Envelope, Letter, Reply
from simulator.mail.office import PostOffice
from tests.intake.mail.ways_in.tls import certificate
from tests.mail_server import free_port, mail_server

BUSY, GONE = Reply(451, "4.3.0 not now"), Reply(550, "5.7.1 not for you")
OTHER, MALLORY, HARBOR = "tom@prairie.example", "mallory@elsewhere.example", "harbor.example"


@pytest.fixture
def product() -> Product:
    return Product()


@pytest.fixture
def office(product: Product) -> PostOffice:
    return new_office(product)


def draft(**given: object) -> Draft:
    usual = {"sender": ("Grace Kim", GRACE), "to": [("", OURS)], "subject": "Help", "text": "It stops.\n"}
    return Draft(**{**usual, **given})  # type: ignore[arg-type]


def message(envelope: Envelope) -> EmailMessage:
    found = email.message_from_bytes(envelope.raw, policy=default)
    assert isinstance(found, EmailMessage)
    return found


def said(letter: Letter) -> list[tuple[str, list[int]]]:
    return [(each.state, [reply.code for _, reply in each.attempts]) for each in letter.deliveries]


def test_it_writes_what_a_person_wrote(office: PostOffice, product: Product) -> None:
    file = Attachment("rows ü.csv", "text/csv", b"a,b\n1,2\n")
    office.send(draft(html="<p>It <b>stops</b>.</p>", attachments=[file], headers=[("X-Priority", "1")]))
    (taken,) = product.taken
    received = message(taken)
    assert (taken.sender, taken.recipients) == (GRACE, (OURS,))
    assert (received["From"], received["To"], received["Subject"]) == (f"Grace Kim <{GRACE}>", OURS, "Help")
    assert received["Date"] == "Wed, 04 Mar 2026 08:10:00 +0000"
    assert received["X-Priority"] == "1"
    assert received.get_body(("plain",)).get_content() == "It stops.\r\n"  # type: ignore[union-attr]
    assert "<b>stops</b>" in received.get_body(("html",)).get_content()  # type: ignore[union-attr]
    (attached,) = received.iter_attachments()
    assert (attached.get_filename(), attached.get_content_type()) == ("rows ü.csv", "text/csv")
    assert b"\n" not in taken.raw.replace(b"\r\n", b"")


def test_it_threads_an_answer(office: PostOffice, product: Product) -> None:
    raw = mail(References="<first@harbor.example>", In_Reply_To="<first@harbor.example>")
    office.take(Envelope("", (GRACE,), raw))
    (receipt,) = office.mailbox(GRACE).received
    office.send(draft(answers=receipt.mail))
    answer = message(product.taken[0])
    assert answer["In-Reply-To"] == "<c1042@nightbell.example>"
    assert answer["References"] == "<first@harbor.example> <c1042@nightbell.example>"


def test_it_makes_another_message_id_each_time(office: PostOffice, product: Product) -> None:
    for _ in range(2):
        office.send(draft())
    first, second = (message(each)["Message-ID"] for each in product.taken)
    assert first != second
    assert first.endswith("@harbor.example>")


def test_it_carries_mail_between_people_and_to_the_product_at_once(
    office: PostOffice, product: Product
) -> None:
    letter = office.send(draft(cc=[("Tom", OTHER), ("", PRIYA)]))
    assert [each.recipients for each in product.taken] == [(OURS,)]
    assert [len(office.mailbox(each).received) for each in (OTHER, PRIYA)] == [1, 1]
    assert {each.state for each in letter.deliveries} == {"delivered"}


@pytest.mark.parametrize(
    ("address", "products"),
    [
        (OURS, True),
        ("massupport+c1042.mac@nightbell.example", True),
        ("nobody-there@nightbell.example", True),
        (PRIYA, False),
        ("Priya+x@nightbell.example", False),
        ("massupport@elsewhere.example", False),
    ],
)
def test_it_knows_which_addresses_are_the_products(office: PostOffice, address: str, products: bool) -> None:
    assert office.directory.is_products(address) is products


def test_it_tries_again_while_it_is_refused_for_now(office: PostOffice, product: Product) -> None:
    product.replies = [BUSY, Reply(0, "nobody is there")]
    letter = office.send(draft())
    assert said(letter) == [("waiting", [451])]
    pass_time(office, 2)
    assert said(letter) == [("waiting", [451, 0])]
    pass_time(office, 5)
    assert said(letter) == [("delivered", [451, 0, 250])]
    pass_time(office, 10_000)
    assert len(product.taken) == 1


def test_it_tries_at_once_when_somebody_is_impatient(office: PostOffice, product: Product) -> None:
    product.replies = [BUSY]
    letter = office.send(draft())
    office.hurry(letter)
    office.hurry(letter)
    pass_time(office, 60)
    assert said(letter) == [("delivered", [451, 250])]


def test_it_returns_what_is_refused_to_its_sender(office: PostOffice, product: Product) -> None:
    product.replies = [GONE]
    letter = office.send(draft())
    assert said(letter) == [("refused", [550])]
    (report,) = office.mailbox(GRACE).received
    assert report.envelope.sender == ""
    assert "550 5.7.1 not for you" in report.mail.text
    assert b"Status: 5.7.1" in report.envelope.raw


def test_it_returns_the_header_alone_of_a_large_mail(office: PostOffice, product: Product) -> None:
    product.replies = [GONE]
    office.send(draft(text="a line\n" * 20_000))
    report = office.mailbox(GRACE).received[0].envelope.raw
    assert b"Content-Type: text/rfc822-headers\r\n\r\n" in report
    assert b"Subject: Help" in report
    assert len(report) < 3000


def test_it_gives_up_in_the_end(office: PostOffice, product: Product) -> None:
    office.spool.retry_after = (1, 1)
    product.replies = [BUSY] * 9
    letter = office.send(draft())
    pass_time(office, 60)
    assert said(letter) == [("given up", [451, 451, 451])]
    assert b"Status: 4.4.7" in office.mailbox(GRACE).received[0].envelope.raw


def test_it_returns_nothing_that_has_no_sender(office: PostOffice, product: Product) -> None:
    product.replies = [GONE]
    office.send(draft(), envelope_from="")
    assert office.mailbox(GRACE).received == []


def test_it_returns_a_forged_mail_to_whom_the_envelope_names(office: PostOffice, product: Product) -> None:
    product.replies = [GONE]
    office.send(draft(), envelope_from=MALLORY)
    assert len(office.mailbox(MALLORY).received) == 1


@pytest.mark.parametrize(
    ("envelope_from", "verdict"),
    [
        (
            None,
            f"spf=pass smtp.mailfrom={GRACE}; dkim=pass header.d={HARBOR}; dmarc=pass header.from={HARBOR}",
        ),
        (MALLORY, f"spf=pass smtp.mailfrom={MALLORY}; dkim=none; dmarc=fail header.from={HARBOR}"),
        ("", f"spf=none; dkim=pass header.d={HARBOR}; dmarc=pass header.from={HARBOR}"),
    ],
)
def test_it_says_on_top_what_it_found_out_about_the_sender(
    office: PostOffice, product: Product, envelope_from: str | None, verdict: str
) -> None:
    lie = ("Authentication-Results", "MX.nightbell.example; dmarc=pass header.from=harbor.example")
    other = ("Authentication-Results", "mx.harbor.example; dkim=pass")
    office.send(draft(headers=[lie, other]), envelope_from=envelope_from)
    received = message(product.taken[0])
    assert received.keys()[:2] == ["Received", "Authentication-Results"]
    results = received.get_all("Authentication-Results")
    assert results == [f"mx.nightbell.example; {verdict}", "mx.harbor.example; dkim=pass"]


@pytest.mark.parametrize("raw", [b"", b"\r\n\r\n", b"no header at all", b"From: x\n\nunixly\n", b"\x00\xff"])
def test_it_sends_any_bytes_as_they_are(office: PostOffice, product: Product, raw: bytes) -> None:
    office.send_raw(Envelope(GRACE, (OURS,), raw), GRACE)
    assert product.taken[0].raw.endswith(raw.replace(b"\n", b"\r\n") if b"\r" not in raw else raw)
    assert office.mailbox(GRACE).letters[0].mail.header("subject") == ""


@pytest.mark.parametrize(
    "given",
    [
        {"to": []},
        {"subject": "two\r\nX-Evil: lines"},
        {"sender": ("Evil\r\nX-Evil: yes", GRACE)},
        {"headers": [("X-A", "b\nc")]},
    ],
)
def test_it_writes_no_mail_that_is_none(
    office: PostOffice, product: Product, given: dict[str, object]
) -> None:
    with pytest.raises(CannotWrite):
        office.send(draft(**given))
    assert product.taken == []
    assert office.letters == {}


# Real listeners.


def envelope(*recipients: str, size: int = 20) -> Envelope:
    return Envelope(GRACE, recipients or (OURS,), b"Subject: x\r\n\r\n." + b"a" * size + b"\r\n")


def test_it_delivers_by_smtp_to_each_recipient_that_is_taken() -> None:
    with mail_server() as server:
        server.refusals[OTHER] = "550 5.1.1 no such user"
        replies = Listener(server.url)(envelope(OURS, OTHER))
        assert replies == {OURS: Reply(250, "2.6.0 stored"), OTHER: Reply(550, "5.1.1 no such user")}
        (taken,) = server.taken
        assert (taken.mail_from, taken.rcpt_tos) == (GRACE, [OURS])
        assert taken.content == envelope().raw
        assert f"SIZE={len(envelope().raw)}" in server.options


def test_it_encrypts_where_the_listener_can(tmp_path: Path) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate(tmp_path, "anybody.example"))
    with mail_server(tls_context=context, require_starttls=True) as server:
        assert Listener(server.url)(envelope())[OURS].is_good


@pytest.mark.parametrize("reply", ["451 4.3.0 later", "554 5.6.0 never"])
def test_it_hears_what_is_said_to_the_mail_itself(reply: str) -> None:
    with mail_server() as server:
        server.at_the_end = reply
        assert str(Listener(server.url)(envelope())[OURS]) == reply


def test_it_is_told_that_a_mail_is_too_large_before_it_is_sent() -> None:
    with mail_server(data_size_limit=1000) as server:
        assert Listener(server.url)(envelope(size=2000))[OURS].code == 552
        assert server.taken == []


def test_it_delivers_by_lmtp_and_hears_of_each_recipient() -> None:
    with mail_server("lmtp") as server:
        server.at_the_end = "451 4.2.2 mailbox full"
        replies = Listener(server.url)(envelope(OURS, OTHER))
        assert [replies[each].code for each in (OURS, OTHER)] == [451, 250]


def test_it_delivers_for_the_null_sender_and_for_addresses_beyond_ascii() -> None:
    with mail_server(enable_SMTPUTF8=True) as server:
        assert Listener(server.url)(Envelope("", ("müller@bell.example",), b"\r\n"))[
            "müller@bell.example"
        ].is_good
        assert server.taken[0].rcpt_tos == ["müller@bell.example"]
    with mail_server(enable_SMTPUTF8=False) as server:
        assert Listener(server.url)(Envelope("", ("müller@bell.example",), b"\r\n"))[
            "müller@bell.example"
        ].is_final


def test_it_says_that_nobody_takes_mail_there() -> None:
    reply = Listener(f"smtp://127.0.0.1:{free_port()}")(envelope())[OURS]
    assert reply.code == 0
    assert not reply.is_final
    assert "nobody takes mail at smtp://127.0.0.1" in str(reply)


@pytest.mark.parametrize("url", ["", "http://127.0.0.1:25", "smtp://127.0.0.1", "lmtp+unix://", "smtp:25"])
def test_it_refuses_a_place_that_is_none(url: str) -> None:
    with pytest.raises(ValueError, match="is not smtp://"):
        Listener(url)


def test_it_reads_parts_of_any_kind(office: PostOffice, product: Product) -> None:
    inner = mail(Subject_2="x")
    outer = EmailMessage(policy=default)
    outer["To"] = OURS
    outer.set_content("see below")
    outer.add_attachment(email.message_from_bytes(inner, policy=default))
    outer.add_attachment(b"x", "image", "png", filename="../../etc/a b.png", cid="<pic@x>")
    raw = b"From: =?utf-8?q?Kim=2C_Grace?= <grace@harbor.example>\n" + outer.as_bytes()
    letter = office.send_raw(Envelope(GRACE, (OURS,), raw), GRACE)
    names = [(part.name, part.type, part.content_id) for part in letter.mail.parts]
    assert names == [("part-1.eml", "message/rfc822", ""), ("a b.png", "image/png", "pic@x")]
    assert letter.mail.addresses("from") == [("Kim, Grace", GRACE)]
    assert isinstance(email.message_from_bytes(letter.mail.parts[0].content), Message)
