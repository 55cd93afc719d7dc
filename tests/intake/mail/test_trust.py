"""Is a mail from whom it says? By what our receiver has written into it."""

from __future__ import annotations

import pytest

from intake.mail.parsing import Envelope, read_mail
from intake.mail.trust import trust_in
from routing.coverage_mail import DOUBTED, FORGED, PROVEN, UNPROVEN

US = "mx.vendor.example"
MARIA = b"Maria <maria@lakeside.example>"


def trust(results: str, *froms: bytes) -> str:
    head = [f"Authentication-Results: {US}; {results}".encode(), *(b"From: " + each for each in froms)]
    raw = b"\r\n".join([*head, b"Subject: P1", b"", b"x", b""])
    return trust_in(read_mail(raw, Envelope(), None, US), None)


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ("dmarc=pass header.from=lakeside.example", PROVEN),
        ("dmarc=pass header.from=Mail.Lakeside.example", PROVEN),
        ("dmarc=pass", PROVEN),
        ("dkim=pass header.d=lakeside.example; dmarc=none header.from=lakeside.example", PROVEN),
        ("dmarc=fail header.from=lakeside.example; dkim=pass header.d=lakeside.example", FORGED),
        ("dmarc=none; spf=softfail smtp.mailfrom=lakeside.example", DOUBTED),
        ("dmarc=none; spf=fail smtp.mailfrom=lakeside.example", FORGED),
        ("spf=pass smtp.mailfrom=evil.example", UNPROVEN),
    ],
)
def test_it_believes_what_our_receiver_found(results: str, expected: str) -> None:
    assert trust(results, MARIA) == expected


@pytest.mark.parametrize(
    "written",
    [
        MARIA,
        b"=?utf-8?q?Maria_<maria@lakeside.example>?= <x@evil.example>",
        b'"maria@lakeside.example" x@evil.example',
        b"<maria@lakeside.example> <x@evil.example>",
        b"maria@lakeside.example:x@evil.example;",
    ],
)
def test_what_servers_found_of_another_author_proves_nothing(written: bytes) -> None:
    """Our receiver has read the attacker out of From, and we read Maria."""
    evil = "dmarc=pass header.from=evil.example; spf=pass smtp.mailfrom=evil.example; dkim=pass header.d=evil.example"
    assert trust(evil, written) == DOUBTED
    assert trust(f"{evil}; dkim=pass header.d=lakeside.example", written) == PROVEN


def test_two_authors_of_two_domains_are_doubted() -> None:
    assert trust("dmarc=pass header.from=evil.example", MARIA, b"x@evil.example") == DOUBTED
