"""SPF, DKIM and DMARC against a real name server on this machine, with mail that dkimpy has signed."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from intake.mail.parsing.authentication import Authentication, Method
from intake.mail.senders.authors import author_domains
from intake.mail.senders.checking import SenderCheck
from intake.mail.senders.names import Names, Unanswered
from intake.mail.senders.suffixes import aligned, organizational_domain
from tests.intake.mail.senders.name_server import FAILS, SILENT, NameServer, txt
from tests.intake.mail.ways_in.counter import settings_of

ACME, MALLORY = "192.0.2.10", "203.0.113.66"
MAIL = b"From: Ann <ann@acme.example>\r\nTo: mas@vendor.example\r\nSubject: down\r\n\r\nThe line is down.\r\n"


@cache
def key() -> tuple[bytes, str]:
    """A private key for signing, and the record that tells its public half."""
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = made.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    public = made.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private, f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}"


def signed(mail: bytes = MAIL, domain: str = "acme.example", **options: Any) -> bytes:
    """The mail with a signature on top."""
    options.setdefault("include_headers", [b"from", b"to", b"subject"])
    return (
        bytes(
            dkim.sign(
                mail, b"s1", domain.encode(), key()[0], canonicalize=(b"relaxed", b"relaxed"), **options
            )
        )
        + mail
    )


def zone(**more: Any) -> dict[tuple[str, str], Any]:
    return {
        ("acme.example", "TXT"): [*txt("v=spf1 ip4:192.0.2.0/24 -all"), *txt("other=thing")],
        ("s1._domainkey.acme.example", "TXT"): txt(key()[1]),
        ("s1._domainkey.lists.example", "TXT"): txt(key()[1]),
        ("_dmarc.acme.example", "TXT"): txt("v=DMARC1; p=reject; sp=quarantine; rua=mailto:d@acme.example"),
        ("mallory.example", "TXT"): txt("v=spf1 ip4:203.0.113.0/24 -all"),
        ("s1._domainkey.mallory.example", "TXT"): txt(key()[1]),
        ("soft.example", "TXT"): txt("v=spf1 ~all"),
        **more,
    }


@pytest.fixture
def server() -> Iterator[NameServer]:
    with NameServer(zone()).open() as found:
        yield found


Verdicts = Callable[..., Mapping[str, str]]


@pytest.fixture
def check(server: NameServer, tmp_path: Path) -> Callable[..., Authentication]:
    settings = settings_of("", tmp_path)
    checking = SenderCheck(settings, Names(server.address, patience_s=0.3, patience_for_all_s=1.0))

    def run(
        raw: bytes = MAIL, peer: str = ACME, sender: str = "ann@acme.example", helo: str = "mx.acme.example"
    ) -> Authentication:
        return Authentication("here", checking.verdicts(peer, helo, sender, raw))

    return run


def _three(found: Authentication) -> tuple[str, str, str]:
    return found.spf, found.dkim, found.dmarc


def test_it_passes_a_mail_from_where_its_domain_sends(check: Any) -> None:
    found = check(signed())
    assert _three(found) == ("pass", "pass", "pass")
    assert (found.domains("spf"), found.domains("dkim"), found.domains("dmarc")) == (
        ("acme.example",), ("acme.example",), ("acme.example",),
    )  # fmt: skip


def test_it_fails_a_forged_sender(check: Any) -> None:
    assert _three(check(peer=MALLORY)) == ("fail", "none", "fail")
    own = check(peer=MALLORY, sender="m@mallory.example")
    assert _three(own) == ("pass", "none", "fail"), "what Mallory may send is not what Ann says"
    also_signed = check(signed(domain="mallory.example"), peer=MALLORY, sender="m@mallory.example")
    assert _three(also_signed) == ("pass", "pass", "fail")


def test_it_passes_what_was_forwarded_with_its_signature_whole(check: Any) -> None:
    assert _three(check(signed(), peer=MALLORY)) == ("fail", "pass", "pass")


def test_it_passes_a_signature_by_ed25519_alone(check: Any, server: NameServer) -> None:
    private = ed25519.Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    secret = private.private_bytes(
        serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption()
    )
    server.records["e1._domainkey.acme.example", "TXT"] = txt(
        f"v=DKIM1; k=ed25519; p={base64.b64encode(public).decode()}"
    )
    head = dkim.sign(
        MAIL, b"e1", b"acme.example", base64.b64encode(secret), signature_algorithm=b"ed25519-sha256",
        include_headers=[b"from", b"to", b"subject"],
    )  # fmt: skip
    raw = bytes(head) + MAIL
    assert _three(check(raw, peer=MALLORY)) == ("fail", "pass", "pass")
    assert check(raw.replace(b"The line", b"Nothing"), peer=MALLORY).dkim == "fail"
    assert check(raw.replace(b" s=e1;", b" s=s1;"), peer=MALLORY).dkim == "fail", "that key is RSA's"
    server.records["e2._domainkey.acme.example", "TXT"] = txt("v=DKIM1; k=ed25519; p=no")
    assert check(raw.replace(b" s=e1;", b" s=e2;"), peer=MALLORY).dkim == "fail", "it is no key"


def test_it_fails_what_was_altered(check: Any) -> None:
    altered = signed().replace(b"The line is down", b"Send us money")
    assert _three(check(altered, peer=MALLORY)) == ("fail", "fail", "fail")
    other_subject = signed().replace(b"Subject: down", b"Subject: up")
    assert check(other_subject, peer=MALLORY).dkim == "fail"


def test_it_passes_no_signature_that_lets_a_stranger_add_to_the_mail(check: Any) -> None:
    partly = signed(length=True) + b"Send us money.\r\n"
    assert _three(check(partly, peer=MALLORY)) == ("fail", "policy", "fail")
    twice = b"From: Boss <boss@acme.example>\r\n" + signed()
    assert check(twice, peer=MALLORY).dkim == "fail"
    by_sha1 = signed(signature_algorithm=b"rsa-sha1")
    assert _three(check(by_sha1, peer=MALLORY)) == ("fail", "policy", "fail")


@pytest.mark.parametrize(
    "author",
    [
        b"From: ann@acme.example, m@mallory.example",
        b"From: m@mallory.example\r\nFrom: ann@acme.example",
        b"From: ann@acme.example\r\nFrom: m@mallory.example",
    ],
)
def test_it_fails_authors_of_several_domains(check: Any, author: bytes) -> None:
    raw = MAIL.replace(b"From: Ann <ann@acme.example>", author)
    found = check(signed(raw, "mallory.example"), peer=MALLORY, sender="m@mallory.example")
    assert found.dmarc == "fail"


def test_it_knows_that_a_mail_has_no_author(check: Any) -> None:
    assert check(b"Subject: x\r\n\r\n").dmarc == "permerror"
    assert check(b"").dmarc == "permerror"


def test_it_checks_the_greeting_where_the_path_is_null(check: Any) -> None:
    found = check(sender="", helo="acme.example")
    assert (found.spf, found.domains("spf"), found.dmarc) == ("pass", ("acme.example",), "pass")


def test_it_takes_a_part_of_an_owners_domains_for_the_owner(check: Any) -> None:
    raw = MAIL.replace(b"ann@acme.example", b"ann@mail.acme.example")
    found = check(raw)
    assert found.dmarc == "pass"
    assert found.methods[-1].properties == {"header.from": "mail.acme.example", "policy.dmarc": "quarantine"}


def test_it_asks_for_the_same_domain_where_a_policy_is_strict(check: Any, server: NameServer) -> None:
    server.records["_dmarc.strict.acme.example", "TXT"] = txt("v=DMARC1; p=reject; aspf=s; adkim=s")
    raw = MAIL.replace(b"ann@acme.example", b"ann@strict.acme.example")
    assert check(signed(raw)).dmarc == "fail"


@pytest.mark.parametrize(
    ("record", "result"),
    [
        ("v=DMARC1; p=none", "fail"),
        ("v=DMARC1;p=reject", "fail"),
        ("v = DMARC1 ; p = reject", "fail"),
        ("v=DMARC1; rua=mailto:a@b.example", "fail"),
        ("v=DMARC1; p=nonsense", "none"),
        ("v=DMARC2; p=reject", "none"),
        ("p=reject; v=DMARC1", "none"),
        ("", "none"),
    ],
)
def test_it_reads_policies_as_they_are_written(
    check: Any, server: NameServer, record: str, result: str
) -> None:
    server.records["_dmarc.soft.example", "TXT"] = txt(record) if record else []
    raw = MAIL.replace(b"acme.example", b"soft.example")
    assert check(raw, sender="ann@soft.example").dmarc == result


def test_it_believes_neither_of_two_policies(check: Any, server: NameServer) -> None:
    server.records["_dmarc.soft.example", "TXT"] = [*txt("v=DMARC1; p=none"), *txt("v=DMARC1; p=reject")]
    raw = MAIL.replace(b"acme.example", b"soft.example")
    assert _three(check(raw, sender="ann@soft.example")) == ("softfail", "none", "none")


@pytest.mark.parametrize("trouble", [FAILS, SILENT])
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("acme.example", ("temperror", "none", "temperror")),
        ("_dmarc.acme.example", ("fail", "none", "temperror")),
    ],
)
def test_it_is_neither_pass_nor_fail_when_nobody_answers(
    check: Any, server: NameServer, name: str, expected: tuple[str, ...], trouble: str
) -> None:
    server.records[name, "TXT"] = trouble
    assert _three(check(peer=MALLORY)) == expected


@pytest.mark.parametrize("trouble", [FAILS, SILENT])
def test_it_waits_for_the_key_of_a_signature_no_longer_than_for_all_else(
    check: Any, server: NameServer, trouble: str
) -> None:
    server.records["s1._domainkey.acme.example", "TXT"] = trouble
    began = time.monotonic()
    assert _three(check(signed(), peer=MALLORY)) == ("fail", "temperror", "temperror")
    assert time.monotonic() - began < 1.5


def test_it_ends_after_so_much_time_whatever_is_asked(check: Any, server: NameServer) -> None:
    for number in range(9):
        server.records[f"n{number}.example", "TXT"] = SILENT
    server.records["many.example", "TXT"] = txt(
        "v=spf1 " + " ".join(f"include:n{number}.example" for number in range(9)) + " -all"
    )
    raw = signed()
    for number in range(9):
        raw = signed(domain=f"n{number}.example")[: -len(MAIL)] + raw
        server.records[f"s1._domainkey.n{number}.example", "TXT"] = SILENT
    began = time.monotonic()
    found = check(raw, sender="a@many.example")
    assert time.monotonic() - began < 2
    assert found.spf == "temperror"
    assert found.dmarc in ("pass", "temperror")


def test_it_looks_at_five_signatures_and_at_the_authors_first(check: Any, server: NameServer) -> None:
    raw = signed()
    for _ in range(30):
        raw = b"DKIM-Signature: v=1; a=rsa-sha256; d=junk.example; s=x; h=from; bh=aaaa; b=aaaa\r\n" + raw
    found = check(raw, peer=MALLORY)
    assert found.dkim == "pass"
    assert sum(method.name == "dkim" for method in found.methods) == 5


@pytest.mark.parametrize(
    "record",
    [
        "v=spf1 include:acme2.example -all", "v=spf1 redirect=acme2.example", "v=spf1 a:host.acme2.example -all",
        "v=spf1 mx:acme2.example -all", "v=spf1 exists:%{i}.list.example -all", "v=spf1 ptr:acme2.example -all",
    ],
)  # fmt: skip
def test_it_follows_what_a_record_refers_to(check: Any, server: NameServer, record: str) -> None:
    server.records.update({
        ("far.example", "TXT"): txt(record),
        ("acme2.example", "TXT"): txt("v=spf1 ip4:192.0.2.0/24 -all"),
        ("host.acme2.example", "A"): [ACME],
        ("acme2.example", "MX"): ["10 host.acme2.example."],
        (f"{ACME}.list.example", "A"): ["127.0.0.2"],
        ("10.2.0.192.in-addr.arpa", "PTR"): ["host.acme2.example."],
    })  # fmt: skip
    assert check(sender="a@far.example").spf == "pass"
    assert check(sender="a@far.example", peer=MALLORY).spf == "fail"


@pytest.mark.parametrize(
    ("record", "result"),
    [
        ("v=spf1 include:loop.example -all", "permerror"),
        ("v=spf1 moo -all", "permerror"),
        ("v=spf1 ip4:192.0.2.n -all", "permerror"),
        ("v=spf1 a:n1.no.example a:n2.no.example a:n3.no.example -all", "permerror"),
        ("v=spf1 include:%{l}.%{d}.\xff -all", "permerror"),
        ("v=spf1 ?all", "neutral"),
        ("v=spf10 +all", "none"),
    ],
)
def test_it_survives_records_that_are_wrong(check: Any, server: NameServer, record: str, result: str) -> None:
    server.records["loop.example", "TXT"] = (
        txt(record.encode("latin-1").decode("latin-1"))
        if record.isascii()
        else ['"' + "".join(c if c.isascii() else f"\\{ord(c):03d}" for c in record) + '"']
    )
    assert check(sender="a@loop.example").spf == result


@pytest.mark.parametrize(
    "field",
    [
        b"DKIM-Signature: ", b"DKIM-Signature: v=1", b"DKIM-Signature: a=b; c", b"DKIM-Signature: v=1; v=1;;=",
        b"DKIM-Signature: v=1; a=rsa-sha256; d=\xff; s=\xff; h=; bh=a; b=a",
        b"DKIM-Signature: v=1; a=rsa-sha256; d=acme.example; s=../..; h=from; bh=aaaa; b=aaaa; c=x/y",
        b"DKIM-Signature: v=1; a=ed25519-sha256; d=acme.example; s=s1; h=from; bh=aaaa; b=aaaa",
        b"DKIM-Signature: v=1; a=rsa-sha256; d=nokey.example; s=s1; h=from; bh=aaaa; b=aaaa; t=99999999999",
        b"not a field\r\nDKIM-Signature: v=1", b"DKIM-Signature: " + b"a" * 400_000,
    ],
)  # fmt: skip
def test_it_survives_signatures_that_are_none(check: Any, field: bytes) -> None:
    found = check(field + b"\r\n" + MAIL, peer=MALLORY)
    assert found.dkim in ("permerror", "fail")
    assert found.dmarc == "fail"


@pytest.mark.parametrize(
    "sender",
    [
        "a@",
        "@",
        "a@b@c",
        "a@..",
        "a@" + "x" * 300,
        "a@xn--\xff",
        "a\u20ac@\u20ac.example",
        "\x00@\x00",
        "a@[192.0.2.1]",
    ],
)  # fmt: skip
@pytest.mark.parametrize("helo", ["", "[192.0.2.1]", "\u20ac", "x" * 600])
def test_it_survives_senders_that_are_none(check: Any, sender: str, helo: str) -> None:
    assert check(sender=sender, helo=helo).spf in ("none", "permerror", "temperror", "neutral")
    assert check(sender="", helo=helo).spf in ("none", "permerror", "temperror", "neutral")


def test_it_checks_a_peer_by_ipv6(check: Any, server: NameServer) -> None:
    server.records["six.example", "TXT"] = txt("v=spf1 ip6:2001:db8::/32 -all")
    assert check(peer="2001:db8::1", sender="a@six.example").spf == "pass"
    assert check(peer="2001:db9::1", sender="a@six.example").spf == "fail"


@pytest.mark.parametrize(
    ("peer", "trusted"),
    [
        ("127.0.0.1", True), ("::1", True), ("::ffff:127.0.0.1", True), ("", True), ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True), ("2001:db8::7", True), ("192.0.2.10", False), ("2001:db9::7", False),
        ("fe80::1%eth0", False),
    ],
)  # fmt: skip
def test_it_leaves_our_own_relays_alone(server: NameServer, tmp_path: Path, peer: str, trusted: bool) -> None:
    settings = settings_of("", tmp_path, smtp_trusted="10.0.0.0/8, 2001:db8::7", dns_server=server.address)
    found = SenderCheck(settings)(peer, "x.example", "ann@acme.example", MAIL)
    assert (found is None) == trusted
    assert bool(server.asked) != trusted


def test_it_goes_on_without_any_name_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import dns.resolver

    def none(*_: object, **__: object) -> None:
        raise dns.resolver.NoResolverConfiguration

    monkeypatch.setattr(dns.resolver, "Resolver", none)
    found = SenderCheck(settings_of("", tmp_path))(ACME, "x.example", "ann@acme.example", MAIL)
    assert Authentication("here", tuple(found or ())).spf == "temperror"
    with pytest.raises(Unanswered):
        Names().questions().ask("acme.example", "A")


def test_it_asks_once_for_many_mails(check: Any, server: NameServer) -> None:
    for _ in range(5):
        check()
    assert set(server.asked.values()) == {1}


@pytest.mark.parametrize(
    ("domain", "owner"),
    [
        ("acme.example", "acme.example"), ("a.b.acme.example", "acme.example"), ("a.b.co.uk", "b.co.uk"),
        ("co.uk", "co.uk"), ("x.github.io", "x.github.io"), ("Acme.Example.", "acme.example"), ("", ""),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"), ("..", ".."),
    ],
)  # fmt: skip
def test_it_knows_whose_a_domain_is(domain: str, owner: str) -> None:
    assert organizational_domain(domain) == owner or domain == ".."


def test_it_aligns_domains_of_one_owner_and_no_others() -> None:
    assert aligned("mail.acme.co.uk", "acme.co.uk")
    assert not aligned("evil.co.uk", "acme.co.uk"), "co.uk is nobody's"
    assert not aligned("evil.github.io", "acme.github.io")
    assert not aligned("acme.example.evil.example", "acme.example")
    assert not aligned("mail.acme.example", "acme.example", strict=True)
    assert not aligned("", "")


def test_it_finds_all_authors() -> None:
    raw = b"\r\nFrom: =?utf-8?q?A?= <a@B\xc3\xbccher.example>\r\nFrom: x@y.example\r\n\r\nFrom: no@no.example\r\n"
    assert author_domains(raw) == ("xn--bcher-kva.example", "y.example")


def test_it_names_methods_as_the_field_does(check: Any) -> None:
    found = check(signed())
    assert [method.name for method in found.methods] == ["spf", "dkim", "dmarc"]
    assert all(isinstance(method, Method) for method in found.methods)
    assert found.methods[1].properties == {"header.d": "acme.example", "header.s": "s1"}
