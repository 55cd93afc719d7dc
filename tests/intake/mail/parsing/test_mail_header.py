"""What the header of a mail says, as it should be written and as it is."""

from __future__ import annotations

import pytest

from intake.mail.parsing import Address, read_mail
from intake.mail.parsing.addresses import read_addresses
from intake.mail.parsing.charsets import Charsets
from intake.mail.parsing.ids import read_date, read_ids
from intake.mail.parsing.parameters import read_valued
from tests.intake.mail.parsing.letters import mail


def subject_of(raw: bytes) -> str:
    return read_mail(b"Subject: " + raw + b"\n\nbody").subject


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        (b"plain", "plain"),
        (b"folded\n here", "folded here"),
        (b"=?utf-8?q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
        (b"=?UTF-8?B?R3LDvMOfZQ==?= an alle", "Grüße an alle"),
        (b"=?utf-8?q?a?= =?utf-8?q?b?=", "ab"),
        (b"=?utf-8?b?R3LD?=\n =?utf-8?b?vMOfZQ==?=", "Grüße"),  # a character cut in two
        (b"=?utf-8?q?with raw blanks?=", "with raw blanks"),
        (b"=?utf-8?b?R3LDvMOfZQ?=", "Grüße"),  # no padding
        (b"=?utf-8?b?R3LDvMOfZQ==", "Grüße"),  # cut off
        (b"=?iso-8859-1*de?q?Gr=FC=DFe?=", "Grüße"),
        (b"=?no-such-charset?q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
        (b"=?x-sjis?b?g2WDWINn?=", "テスト"),
        (b"=?ks_c_5601-1987?b?x9GxubjZ?=", "한국멉"),
        ("Grüße raw".encode(), "Grüße raw"),
        ("Grüße raw".encode("latin-1"), "Grüße raw"),
        (b"nul\x00 and bell\x07", "nul and bell"),
        (b"=?utf-8?q?a=0D=0ABcc:_x@y.example?=", "a Bcc: x@y.example"),
        (b"=?utf-8?q??=", ""),
        (b"", ""),
    ],
)
def test_it_reads_a_subject(raw: bytes, read: str) -> None:
    assert subject_of(raw) == read


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        ("Ann <ann@a.example>", [Address("Ann", "ann@a.example")]),
        ('"Archer, Ann" <ann@A.Example>', [Address("Archer, Ann", "ann@a.example")]),
        ("ann@a.example (Ann Archer)", [Address("Ann Archer", "ann@a.example")]),
        ("ann@a.example, bob@b.example", [Address("", "ann@a.example"), Address("", "bob@b.example")]),
        (
            "team: ann@a.example, Bob <bob@b.example>;",
            [Address("", "ann@a.example"), Address("Bob", "bob@b.example")],
        ),
        ("undisclosed-recipients:;", []),
        ("=?utf-8?q?Archer=2C_Ann?= <ann@a.example>", [Address("Archer, Ann", "ann@a.example")]),
        ("Ann ann@a.example", [Address("Ann", "ann@a.example")]),
        ("Ann <ann@a.example", [Address("Ann", "ann@a.example")]),
        ("<@relay.example:ann@a.example>", [Address("", "ann@a.example")]),
        ("Ann(the boss) <ann(home)@a.example>", [Address("Ann", "ann@a.example")]),
        ('"ann@other.example" <ann@a.example>', [Address("ann@other.example", "ann@a.example")]),
        ("mailto:ann@a.example", [Address("", "ann@a.example")]),
        ("<ann@a.example.>", [Address("", "ann@a.example")]),
        ("Ann Archer", [Address("Ann Archer", "")]),
        ("Ann (at home <ann@a.example>", [Address("Ann", "ann@a.example")]),
        ("ann@home@a.example", [Address("", "ann@home@a.example")]),
        ('"ann archer"@a.example', [Address("", '"ann archer"@a.example')]),
        ("ann @ a . example", [Address("", "ann@a.example")]),
        ('Ann <"ann@a.example">', [Address("Ann", "ann@a.example")]),
        ("Ann Archer [mailto:ann@a.example]", [Address("Ann Archer", "ann@a.example")]),
        ("=?utf-8?Q?Ann_=C3=84rcher_=3Cann=40a.example=3E?=", [Address("Ann Ärcher", "ann@a.example")]),
        ("=?utf-8?B?QW5u?= <=?utf-8?B?YW5uQGEuZXhhbXBsZQ==?=>", [Address("Ann", "ann@a.example")]),
        (",,;<>", []),
    ],
)
def test_it_reads_addresses(raw: str, read: list[Address]) -> None:
    assert list(read_addresses(raw.encode(), Charsets())) == read


def test_it_compares_international_domains_in_one_form() -> None:
    written, encoded = Address("", "a@bücher.example"), Address("", "A@xn--bcher-kva.example")
    assert written.key == encoded.key == "a@xn--bcher-kva.example"
    assert encoded.readable == "A@bücher.example"


def test_it_joins_a_name_whose_comma_was_not_quoted() -> None:
    assert (
        str(read_mail(mail("From: Archer, Ann <ann@a.example>", head="")).sender)
        == '"Archer, Ann" <ann@a.example>'
    )


@pytest.mark.parametrize(
    ("fields", "sender"),
    [
        (["From: Ann <ann@a.example>", "Sender: s@a.example"], "ann@a.example"),
        (["From: Ann", "Reply-To: r@a.example"], "r@a.example"),
        (["From:", "Return-Path: <p@a.example>", "Sender: s@a.example"], "p@a.example"),
        (["Sender: s@a.example"], "s@a.example"),
    ],
)
def test_it_finds_the_sender(fields: list[str], sender: str) -> None:
    found = read_mail(mail(*fields, head="")).sender
    assert found is not None
    assert found.address == sender


@pytest.mark.parametrize(
    ("raw", "ids"),
    [
        (b"<a@b>", ("<a@b>",)),
        (b"<a@b>\r\n <c@d>", ("<a@b>", "<c@d>")),
        (b"<a@b><c@d>,<a@b>", ("<a@b>", "<c@d>")),
        (b"Your mail of Monday <a@b>", ("<a@b>",)),
        (b"<long-\r\n id@b>", ("<long-id@b>",)),
        (b"a@b c@d", ("<a@b>", "<c@d>")),
        (b"<a@b", ("<a@b>",)),
        (b"<>", ()),
        (b"nothing here", ()),
        (b"=?utf-8?q?=3Ca=40b=3E?=", ("<a@b>",)),
    ],
)
def test_it_reads_message_ids(raw: bytes, ids: tuple[str, ...]) -> None:
    assert read_ids(raw, Charsets()) == ids


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        (b"Mon, 6 Jul 2026 09:12:00 +0200", "2026-07-06T07:12:00+00:00"),
        (b"6 Jul 2026 09:12 (about (nine)) +0200", "2026-07-06T07:12:00+00:00"),
        (b"Mon, 6 Jul 2026 09:12:00 -0000", "2026-07-06T09:12:00+00:00"),
        (b"whenever", None),
        (b"Mon, 99 Jul 2026 09:12:00 +0200", None),
        (b"Mon, 6 Jul 2026 09:12:00 +9999", None),
    ],
)
def test_it_reads_a_date(raw: bytes, read: str | None) -> None:
    found = read_date(raw)
    assert (found.isoformat() if found else None) == read


@pytest.mark.parametrize(
    ("raw", "value", "parameters"),
    [
        (b"text/plain; charset=utf-8", "text/plain", {"charset": "utf-8"}),
        (
            b'Text/Plain;charset="utf-8" ; format=flowed',
            "text/plain",
            {"charset": "utf-8", "format": "flowed"},
        ),
        (b"text/plain; charset=us-ascii (plain)", "text/plain", {"charset": "us-ascii"}),
        (b"multipart/mixed\n boundary=x", "multipart/mixed", {"boundary": "x"}),
        (b"a/b; filename*=utf-8''gr%C3%BCn.txt", "a/b", {"filename": "grün.txt"}),
        (
            b"a/b; filename*0*=utf-8''gr%C3; filename*1*=%BCn; filename*2=.txt",
            "a/b",
            {"filename": "grün.txt"},
        ),
        (b"a/b; name==?utf-8?q?gr=C3=BCn?=.txt", "a/b", {"name": "grün.txt"}),
        (b"a/b; name=two words.txt; x=y", "a/b", {"name": "two words.txt", "x": "y"}),
        (b'a/b; name="a;b\\"c".', "a/b", {"name": 'a;b"c'}),
        (b'a/b; name="never closed', "a/b", {"name": "never closed"}),
        (b";;", "", {}),
    ],
)
def test_it_reads_parameters(raw: bytes, value: str, parameters: dict[str, str]) -> None:
    read = read_valued(raw, Charsets())
    assert (read.value, read.parameters) == (value, parameters)


def test_it_reads_a_header_in_which_a_line_is_broken() -> None:
    read = read_mail(b"From: a@b.example\nTo: one@c.example,\ntwo@c.example\nSubject: still read\n\nbody")
    assert [each.address for each in read.to] == ["one@c.example", "two@c.example"]
    assert (read.subject, read.text) == ("still read", "body")


def test_it_takes_a_text_without_header_for_text() -> None:
    assert (
        read_mail(b"Good day, the line is down.\nPlease ring.").text
        == "Good day, the line is down.\nPlease ring."
    )


def test_it_passes_over_an_mbox_line_and_blank_lines_before_the_header() -> None:
    assert read_mail(b"From ann Mon Jul  6 09:12:00 2026\nSubject: x\n\nbody").subject == "x"
    assert read_mail(b"\r\n\r\nSubject: x\r\n\r\nbody").subject == "x"


def test_it_reads_line_ends_of_every_kind_alike() -> None:
    raw = mail("X-One: 1", body="one\n\ntwo\n")
    texts = {read_mail(raw.replace(b"\n", end)).text for end in (b"\n", b"\r\n", b"\r")}
    assert {text.strip() for text in texts} == {"one\n\ntwo"}


def test_it_reads_line_ends_that_are_broken_almost_everywhere() -> None:
    raw = b"From: ann@a.example\rSubject: Hi\r\rOne\rTwo\rby hand:\nThree"
    read = read_mail(b"From ann Mon Jan  1 00:00:00 2024\r" + raw)
    assert (read.subject, read.text) == ("Hi", "One\nTwo\nby hand:\nThree")


def test_it_finds_the_subject_after_two_megabytes_of_header() -> None:
    read = read_mail(b"X-Long: " + b"a" * 2_000_000 + b"\nX-B: c" * 10_000 + b"\nSubject: here\n\nbody")
    assert (read.subject, read.text) == ("here", "body")
    assert "header fields cut" in read.problems


def test_it_reads_three_thousand_recipients() -> None:
    to = ",\n ".join(f'"Number {n}" <n{n}@customer.example>' for n in range(3_000))
    assert len(read_mail(mail(f"Cc: {to}")).recipients) == 3_001
