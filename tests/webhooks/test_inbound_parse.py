"""SendGrid's Inbound Parse: its own sample posts, sender and verifier against the web process; both modes."""

from __future__ import annotations

import base64
import json
import os
import threading
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import sendgrid.helpers.inbound as inbound_package
import sqlalchemy as sa
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from sendgrid.helpers.eventwebhook import EventWebhook
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from core.settings import load_settings
from intake.mail.models import InboundMail, MailBytes
from intake.mail.parsing import ParsedMail, read_mail
from intake.mail.parsing.authentication import Authentication, Method
from intake.mail.trust import trust_in
from intake.mail.ways_in.posted import Part, read_post, verdicts_of
from tests.intake.mail.senders.name_server import FAILS, NameServer, txt
from tests.webhooks.desk import Desk
from tests.webhooks.test_spool import database_down
from webhooks import inbound_parse as door
from webhooks.posted_parts import read_parts

KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC = base64.b64encode(
    KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
).decode()
SAMPLES = Path(os.path.dirname(inbound_package.__file__)) / "sample_data"
BOX, PATH, AT = "MASsupport@smatechnologies.com", "/mail/inbound-parse", "1774000000"
XYZZY = "multipart/form-data; boundary=xYzZY"


@pytest.fixture
def names() -> Iterator[NameServer]:
    """The name server; what it has nothing of does not exist."""
    with NameServer({}).open() as server:
        yield server


@pytest.fixture
def posted_desk(make_desk: Callable[..., Desk], names: NameServer) -> Desk:
    return make_desk(inbound_parse_key=PUBLIC, dns_server=names.address)


def sign(body: bytes, at: str = AT, key: ec.EllipticCurvePrivateKey = KEY) -> dict[str, str]:
    signature = key.sign(at.encode() + body, ec.ECDSA(hashes.SHA256()))
    return {
        "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
        "X-Twilio-Email-Event-Webhook-Timestamp": at,
    }


def post(desk: Desk, body: bytes, content_type: str = XYZZY, **headers: str) -> TestResponse:
    sent = headers or sign(body)
    return desk.app.test_client().post(PATH, data=body, content_type=content_type, headers=sent)


def form(**fields: Any) -> tuple[bytes, str]:
    """A body and its type; a field is text, bytes, or a file as (name, type, bytes)."""
    body = b""
    for name, value in fields.items():
        head, data = f'Content-Disposition: form-data; name="{name}"', value
        if isinstance(value, tuple):
            file, kind, data = value
            head += f'; filename="{file}"\r\nContent-Type: {kind}'
        data = data.encode() if isinstance(data, str) else data
        body += b"------post\r\n" + head.encode() + b"\r\n\r\n" + data + b"\r\n"
    return body + b"------post--\r\n", "multipart/form-data; boundary=----post"


def kept(desk: Desk) -> list[InboundMail]:
    with desk.context.database.reading() as session:
        return list(session.scalars(sa.select(InboundMail).order_by(InboundMail.id)))


def raw(desk: Desk) -> bytes:
    with desk.context.database.reading() as session:
        return session.scalars(sa.select(MailBytes.raw)).one()


def parsed(desk: Desk) -> ParsedMail:
    return read_mail(raw(desk))


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def _inner(body: bytes, name: bytes) -> bytes:
    return body.split(b'name="' + name + b'"\n\n', 1)[1].split(b"\n--xYzZY", 1)[0]


@pytest.mark.parametrize("name", ["raw_data.txt", "raw_data_with_attachments.txt"])
def test_it_keeps_a_raw_mail_to_the_byte(posted_desk: Desk, name: str) -> None:
    body = sample(name)
    assert post(posted_desk, body).status_code == 200
    assert raw(posted_desk) == _inner(body, b"email")
    (mail,) = kept(posted_desk)
    assert (mail.via, mail.envelope_from) == ("http", "test@example.com")
    assert mail.authentication == [
        {"name": "spf", "result": "pass", "reason": "", "properties": {"smtp.mailfrom": "example.com"}},
        {"name": "dkim", "result": "pass", "reason": "", "properties": {"header.d": "sendgrid.com"}},
        {"name": "dmarc", "result": "none", "reason": "", "properties": {"header.from": "example.com"}},
    ]


def test_it_puts_a_parsed_mail_together_again(posted_desk: Desk) -> None:
    assert post(posted_desk, sample("default_data.txt")).status_code == 200
    mail = parsed(posted_desk)
    assert (mail.subject, str(mail.sender)) == ("Inbound Parse Test Data", "Example User <test@example.com>")
    assert mail.text.strip() == "Hello Twilio SendGrid!"
    assert "<strong>Hello Twilio SendGrid!" in (mail.safe_html or "")
    assert (mail.attachments, mail.problems) == ((), ())


# Its sender leaves its files open.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_it_takes_the_posts_of_sendgrids_own_sender(posted_desk: Desk) -> None:
    """Its sender signs nothing, so a proxy here does, with the check of its own verifier."""
    from sendgrid.helpers.inbound.send import Send

    def signing(environ: dict[str, Any], start: Any) -> Any:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        signed = sign(body)
        verifier = EventWebhook(PUBLIC)
        assert verifier.verify_signature(body.decode(), *signed.values())
        environ["wsgi.input"] = BytesIO(body)
        environ.update({f"HTTP_{name.upper().replace('-', '_')}": value for name, value in signed.items()})
        return posted_desk.app.wsgi_app(environ, start)

    server = make_server("127.0.0.1", 0, signing)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    try:
        sender = Send(f"http://127.0.0.1:{server.port}{PATH}")
        names = sorted(file.name for file in SAMPLES.iterdir() if file.stat().st_size)
        assert [sender.test_payload(str(SAMPLES / name)).status_code for name in names] == [200] * 3
    finally:
        server.shutdown()
        serving.join()
        server.server_close()
    assert len(kept(posted_desk)) == 3


def test_it_keeps_a_repeated_post_once(posted_desk: Desk) -> None:
    headers = f"From: a@acme.example\nTo: {BOX}\nMessage-ID: <1@acme.example>\nSubject: down\n"
    body, kind = form(
        headers=headers, text="down", envelope=json.dumps({"to": [BOX], "from": "a@acme.example"})
    )
    for at in (AT, "1774000999"):
        assert post(posted_desk, body, kind, **sign(body, at)).status_code == 200
    (mail,) = kept(posted_desk)
    assert (mail.mailbox, mail.message_id) == ("managed-services", "<1@acme.example>")


def _is_refused(desk: Desk, answer: TestResponse) -> bool:
    return answer.status_code == 403 and kept(desk) == []


def test_it_refuses_what_sendgrid_has_not_signed(posted_desk: Desk) -> None:
    body, kind = form(email="Subject: x\n\nx")
    signed, other = sign(body), ec.generate_private_key(ec.SECP256R1())
    signature, at = signed.values()
    names = list(signed)
    for headers in (
        {"X-Nothing": "1"},
        {names[0]: signature},
        {names[1]: at},
        {names[0]: signature, names[1]: "1774000001"},
        {names[0]: "nonsense!", names[1]: at},
        {names[0]: base64.b64encode(b"\x30\x00").decode(), names[1]: at},
        {names[0]: "A" * 3_000, names[1]: at},
        {names[0]: signature, names[1]: "\u0661"},
        sign(body, key=other),
        sign(body + b" "),
    ):
        assert _is_refused(posted_desk, post(posted_desk, body, kind, **headers))
    posted_desk.app.test_client().get("/health")
    assert posted_desk.forged == 10
    assert post(posted_desk, body, kind, **signed).status_code == 200


@pytest.mark.parametrize(
    ("spf", "dkim", "policy", "found", "trust"),
    [
        ("pass", "none", "v=DMARC1; p=reject", "pass", "proven"),
        ("fail", "{@mail.customer.example : pass}", "v=DMARC1; p=reject", "pass", "proven"),
        ("softfail", "{@customer.example : fail}", "v=DMARC1; p=reject", "fail", "forged"),
        ("softfail", "{@elsewhere.example : pass}", "v=DMARC1; p=none", "fail", "forged"),
        ("softfail", "none", "", "none", "doubted"),
        ("fail", "none", FAILS, None, "forged"),
        ("softfail", "none", FAILS, None, "doubted"),
    ],
)
def test_it_asks_what_the_authors_domain_wants(
    posted_desk: Desk, names: NameServer, spf: str, dkim: str, policy: str, found: str | None, trust: str
) -> None:
    names.records["_dmarc.customer.example", "TXT"] = txt(policy) if policy not in ("", FAILS) else policy
    mail = b"From: Ann <ann@customer.example>\r\nSubject: down\r\n\r\nIt is down.\r\n"
    envelope = json.dumps({"to": [BOX], "from": "ann@customer.example"})
    body, kind = form(email=mail, envelope=envelope, SPF=spf, dkim=dkim)
    assert post(posted_desk, body, kind).status_code == 200
    (kept_mail,) = kept(posted_desk)
    methods = [Method(**each) for each in kept_mail.authentication or ()]  # type: ignore[arg-type]
    assert Authentication("", tuple(methods)).dmarc == (found or "none")
    assert [each.name for each in methods].count("dmarc") == (found is not None)
    assert trust_in(parsed(posted_desk), methods) == trust


def test_it_takes_either_of_two_keys(make_desk: Callable[..., Desk], names: NameServer) -> None:
    other = base64.b64encode(
        ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    ).decode()  # fmt: skip
    body, kind = form(email="Subject: x\n\nx")
    assert (
        post(
            make_desk(inbound_parse_key=f"{other}, {PUBLIC}", dns_server=names.address), body, kind
        ).status_code
        == 200
    )
    assert post(make_desk(inbound_parse_key=other), body, kind).status_code == 403


def test_it_asks_for_the_post_again_while_it_is_not_set_up(desk: Desk) -> None:
    body, kind = form(email="Subject: x\n\nx")
    assert post(desk, body, kind).status_code == 503


def test_it_asks_for_the_post_again_when_we_fail(posted_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    body, kind = form(email="Subject: x\n\nx")
    with database_down(posted_desk):
        assert post(posted_desk, body, kind).status_code == 503
    with monkeypatch.context() as patched:
        patched.setattr(door, "_read", lambda *_: 1 / 0)
        assert post(posted_desk, body, kind).status_code == 503
    assert post(posted_desk, body, kind).status_code == 200
    assert len(kept(posted_desk)) == 1


def test_it_takes_30_mb_where_others_may_send_1(posted_desk: Desk) -> None:
    whole = b"Subject: big\r\n\r\n" + b"x" * 30_000_000
    body, kind = form(email=whole)
    assert post(posted_desk, body, kind).status_code == 200
    assert raw(posted_desk) == whole
    assert post(posted_desk, b"x" * 46_000_000).status_code == 413
    assert posted_desk.app.test_client().post("/twilio/voice", data=b"x" * 2_000_000).status_code in (
        403,
        413,
    )


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"nothing of the kind", XYZZY), (b"a=b", "application/x-www-form-urlencoded"),
        (sample("raw_data.txt")[:300], XYZZY), (b"\xff\x00", ""), (b"--xYzZY--", XYZZY),
        (form(envelope="{}")[0], form(envelope="{}")[1]),
    ],
)  # fmt: skip
def test_it_keeps_what_it_cannot_read(posted_desk: Desk, body: bytes, kind: str) -> None:
    assert post(posted_desk, body, kind).status_code == 200
    mail = parsed(posted_desk)
    assert mail.subject == "A mail that cannot be read"
    assert [each.data for each in mail.attachments] == [body]


# -- parsed mode, put together again --------------------------------------------------------------------------


def together(**fields: Any) -> ParsedMail:
    body, kind = form(**fields)
    return read_mail(read_post(read_parts(kind, body)).raw)


def test_it_keeps_each_text_in_its_charset() -> None:
    mail = together(
        headers="From: =?iso-8859-2?q?Ji=F8=ED?= <jiri@acme.example>\nSubject: =?utf-8?q?v=C3=BDpadek?=\n"
        'Content-Type: multipart/alternative;\n boundary="gone"\nContent-Transfer-Encoding: 7bit\nX-Kept: yes',
        text="p\u0159\u00ed\u0161ern\u011b".encode("iso-8859-2"),
        html="<p>\u4f4e\u4e0b</p>".encode("gb18030"),
        charsets=json.dumps({"text": "iso-8859-2", "html": "gb18030"}),
    )
    assert (mail.subject, mail.sender.name if mail.sender else "") == ("v\u00fdpadek", "Ji\u0159\u00ed")
    assert "p\u0159\u00ed\u0161ern\u011b" in mail.text
    assert "\u4f4e\u4e0b" in (mail.safe_html or "")
    assert mail.header("X-Kept") == "yes"


def test_it_keeps_files_with_their_names_types_and_ids() -> None:
    picture, report = bytes(range(256)) * 9, b"\r\n--gone--\r\n\x00"
    mail = together(
        headers="From: a@acme.example\nSubject: files",
        text="see", html='<img src="cid:logo@acme">',
        attachments="3",
        **{
            "attachment-info": json.dumps({
                "attachment1": {"filename": "b\u00e9richt \u20ac.pdf", "type": "application/pdf"},
                "attachment2": {"filename": "logo.png", "type": "image/png", "content-id": "logo@acme"},
                "attachment3": {"filename": "old.eml", "type": "message/rfc822"},
            }),
            "content-ids": json.dumps({"logo@acme": "attachment2"}),
        },
        attachment1=("x.pdf", "application/pdf", report),
        attachment2=("logo.png", "image/png", picture),
        attachment3=("old.eml", "message/rfc822", b"Subject: old\r\n\r\nold text"),
    )  # fmt: skip
    first, second, third = mail.attachments
    assert (first.name, first.content_type, first.data) == (
        "b\u00e9richt \u20ac.pdf",
        "application/pdf",
        report,
    )
    assert (second.data, second.content_id, second.inline) == (picture, "logo@acme", True)
    assert "old text" in third.text


def test_it_makes_a_header_where_none_was_posted() -> None:
    mail = together(
        **{"from": "J\u00f6rg <joerg@acme.example>"}, to=BOX, subject="down\r\nBcc: x@y.example", text="t"
    )
    assert str(mail.sender) == "J\u00f6rg <joerg@acme.example>"
    assert mail.subject == "down Bcc: x@y.example"
    assert mail.header("Bcc") is None
    assert [each.address for each in mail.to] == ["MASsupport@smatechnologies.com"]


def test_it_lets_nothing_in_a_post_write_into_the_header() -> None:
    parts = [
        Part("headers", b"Subject: one\n\n\nX-Second: two\nnot a field\n folded on\nX-Third: three"),
        Part("text", b"t"),
        Part("charsets", json.dumps({"text": 'utf-8"\r\nX-Evil: 1'}).encode()),
        Part("attachment1", b"f", 'a"\r\nX-Evil: 2.txt', "text/plain\r\nX-Evil: 3"),
        Part("content-ids", json.dumps({"a>\r\nX-Evil: 4": "attachment1"}).encode()),
    ]
    mail = read_mail(read_post(parts).raw)
    assert mail.attachments[0].content_type == "text/plain"
    assert mail.header("X-Second") == "two"
    assert mail.header("X-Third") == "three"
    assert mail.header("X-Evil") is None
    assert mail.text.strip() == "t"
    assert mail.attachments[0].data == b"f"


@pytest.mark.parametrize("name", ["envelope", "charsets", "attachment-info", "content-ids"])
@pytest.mark.parametrize(
    "value", ["", "[]", "{", "null", '"x"', '{"to": 7, "from": 7, "text": 7, "a": {}}', "[" * 5_000]
)
def test_it_survives_fields_that_are_not_what_they_should_be(name: str, value: str) -> None:
    mail = together(
        **{"headers": "Subject: s", "text": "t", "attachment1": ("f.txt", "text/plain", b"f"), name: value}
    )
    assert (mail.subject, mail.text.strip(), mail.attachments[0].data) == ("s", "t", b"f")


@given(
    st.text(st.characters(exclude_categories=["C"]), max_size=60),
    st.sampled_from(["utf-8", "utf-16", "iso-8859-2", "gb18030", "koi8-r", "iso-8859-1", "cp437"]),
    st.lists(st.tuples(st.text(min_size=1, max_size=20), st.binary(max_size=200)), max_size=4),
)
def test_it_puts_any_text_and_any_files_together(
    text: str, charset: str, files: list[tuple[str, bytes]]
) -> None:
    sent = text.encode(charset, "ignore")
    parts = [
        Part("headers", b"From: a@acme.example\nSubject: s"),
        Part(
            "text", b"begin " + sent if charset != "utf-16" else ("begin " + text).encode(charset, "ignore")
        ),
        Part("charsets", json.dumps({"text": charset}).encode()),
        *(Part(f"attachment{n}", data, name, "text/x-any") for n, (name, data) in enumerate(files, 1)),
    ]
    mail = read_mail(read_post(parts).raw)
    assert mail.subject == "s"
    assert mail.text.startswith("begin")
    assert "".join(sent.decode(charset).split()) in "".join(mail.text.split())
    assert [each.data for each in mail.attachments] == [data for _, data in files]


def test_it_gives_the_same_bytes_for_the_same_post() -> None:
    body, kind = form(headers="Subject: s", text="t", html="<p>h", attachment1=("f.txt", "text/plain", b"f"))
    assert read_post(read_parts(kind, body)).raw == read_post(read_parts(kind, body)).raw


@pytest.mark.parametrize(
    ("spf", "dkim", "expected"),
    [
        ("pass", "{@acme.example : pass}", ["spf pass", "dkim pass acme.example"]),
        (
            "softfail", "{@a.example : fail, @B.example : pass}",
            ["spf softfail", "dkim fail a.example", "dkim pass b.example"],
        ),
        ("none", "none", ["spf none"]),
        ("", "", ["spf none"]),
        ("PASS\n", "{@a.example:pass}", ["spf pass", "dkim pass a.example"]),
        ("passed by me", "{@a.example : passable}", ["spf none", "dkim fail a.example"]),
    ],
)  # fmt: skip
def test_it_reads_sendgrids_verdicts(spf: str, dkim: str, expected: list[str]) -> None:
    found = verdicts_of(spf, dkim, "ann@acme.example")
    said = [" ".join((each.name, each.result, each.properties.get("header.d", ""))).strip() for each in found]
    assert said == expected


def test_it_knows_the_mail_by_its_name_however_it_is_sent() -> None:
    assert read_post([Part("email", b"Subject: x\n\n", "mail.eml")]).raw == b"Subject: x\n\n"


def test_it_needs_a_key_of_the_right_kind(tmp_path: Path) -> None:
    from core.settings import SettingsError

    other = ec.generate_private_key(ec.SECP384R1()).public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )  # fmt: skip
    with pytest.raises(SettingsError, match="NIGHTBELL_INBOUND_PARSE_KEY"):
        load_settings(
            inbound_parse_key=base64.b64encode(other).decode(), secret_key="a key for tests only",
            twilio_account_sid="AC" + "0" * 32, twilio_auth_token="t",
        )  # fmt: skip
