"""The text, the HTML and the attachments of a mail, whatever it is made of."""

from __future__ import annotations

import base64
import binascii
import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intake.mail.parsing import read_mail, safe_html
from intake.mail.parsing.names import Names, safe_name
from intake.mail.parsing.safe_html import crude_text
from tests.intake.mail.parsing.letters import mail, part, parts

PNG = "iVBORw0KGgo="


@pytest.mark.parametrize(
    ("charset", "codec"),
    [
        ("utf-8", "utf-8"), ("iso-8859-1", "latin-1"), ("windows-1252", "cp1252"), ("cp-850", "cp850"),
        ("iso-8859-15", "iso-8859-15"), ("koi8-r", "koi8-r"), ("windows-1251", "cp1251"), ("x-sjis", "cp932"),
        ("iso-2022-jp", "iso-2022-jp"), ("iso-2022-jp-2", "iso2022_jp_2"), ("euc-jp", "euc_jp"),
        ("ks_c_5601-1987", "cp949"), ("gb2312", "gb2312"), ("gbk", "gbk"), ("big5", "big5"), ("utf-16", "utf-16"),
        ("utf-16le", "utf-16-le"), ("unicode-1-1-utf-7", "utf-7"), ("utf-7", "utf-7"), ("macintosh", "mac_roman"),
    ],
)  # fmt: skip
def test_it_reads_a_declared_charset(charset: str, codec: str) -> None:
    said = {"koi8-r": "Привет", "cp1251": "Привет", "cp932": "テスト", "iso-2022-jp": "テスト", "euc_jp": "テスト",
            "iso2022_jp_2": "テスト", "cp949": "한국어", "gb2312": "你好", "gbk": "你好", "big5": "你好"}  # fmt: skip
    text = said.get(codec, "Grüße")
    body = base64.b64encode(text.encode(codec)).decode()
    raw = mail(f"Content-Type: text/plain; charset={charset}", "Content-Transfer-Encoding: base64", body=body)
    assert read_mail(raw).text == text


def test_it_guesses_a_charset_that_is_not_declared() -> None:
    russian = "Добрый день, линия не работает с девяти часов утра. Пожалуйста, позвоните нам."
    assert read_mail(mail("Content-Type: text/plain", body=russian.encode("cp1251"))).text == russian
    assert read_mail(mail(body="Grüße".encode("latin-1"))).text == "Grüße"
    assert read_mail(mail("Content-Type: text/plain; charset=nonsense", body="Grüße")).text == "Grüße"
    assert read_mail(mail("Content-Type: text/plain; charset=hex", body="Grüße")).text == "Grüße"


def test_it_keeps_what_can_be_read_of_broken_characters() -> None:
    read = read_mail(mail("Content-Type: text/plain; charset=utf-8", body="äöüäöüäöüäöü".encode() + b"\xc3"))
    assert read.text.startswith("äöüäöüäöüäöü")


def test_it_prefers_the_text_of_an_alternative_and_keeps_the_html() -> None:
    read = read_mail(parts(part("plain", "Content-Type: text/plain"), part("<p>rich</p>", "Content-Type: text/html"),
                           kind="alternative"))  # fmt: skip
    assert (read.text, read.html, read.safe_html) == ("plain", "<p>rich</p>", "<p>rich</p>")
    assert read.attachments == ()


def test_it_shows_the_text_of_html_where_there_is_no_other() -> None:
    html = (
        "<html><style>p{}</style><body><p>One &amp; two</p><ul><li>three</ul><div>four<br>five</div><script>x"
    )
    assert read_mail(mail("Content-Type: text/html", body=html)).text == "One & two\n\n- three\n\nfour\nfive"


def test_it_joins_texts_around_an_attachment() -> None:
    read = read_mail(parts(part("before", "Content-Type: text/plain"),
                           part(PNG, "Content-Type: image/png; name=a.png", "Content-Transfer-Encoding: base64"),
                           part("after", "Content-Type: text/plain")))  # fmt: skip
    assert read.text == "before\n\nafter"
    assert [(each.name, each.data) for each in read.attachments] == [("a.png", b"\x89PNG\r\n\x1a\n")]


def test_it_keeps_an_inline_image_and_its_reference() -> None:
    html = part(
        '<p>see <img src="cid:logo@x"><img src="https://spy.example/x.png" alt="pixel"></p>',
        "Content-Type: text/html",
    )
    image = part(PNG, "Content-Type: image/png", "Content-ID: <logo@x>", "Content-Transfer-Encoding: base64")
    read = read_mail(parts(html, image, kind="related"))
    assert [(each.name, each.content_id, each.inline) for each in read.attachments] == [
        ("logo.png", "logo@x", True)
    ]
    assert read.safe_html is not None
    assert 'src="cid:logo@x"' in read.safe_html
    assert "spy.example" not in read.safe_html
    assert read.remote_images == 1


@pytest.mark.parametrize(
    "html",
    [
        "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<a href='javascript:alert(1)'>x</a>",
        "<iframe src='https://spy.example'></iframe>", "<p style='background:url(https://spy.example)'>x</p>",
        "<p style='color:url(https://spy.example)'>x</p>", "<link rel=stylesheet href=https://spy.example>",
        "<style>@import 'https://spy.example'</style>", "<form action=https://spy.example><input></form>",
        "<svg><image href=https://spy.example /></svg>", "<table background=https://spy.example><td>x</table>",
        "<video src=https://spy.example></video>", "<img srcset=https://spy.example>", "<base href=https://spy.example>",
        "<a href='data:text/html,<script>alert(1)</script>'>x</a>", "<img src='data:image/svg+xml;base64,PHN2Zz4='>",
    ],
)  # fmt: skip
def test_it_makes_html_safe(html: str) -> None:
    safe = read_mail(mail("Content-Type: text/html", body=html)).safe_html or ""
    for bad in ("alert", "spy.example", "javascript", "onerror", "data:", "<form", "<style"):
        assert bad not in safe


def test_it_shows_five_thousand_links_as_a_notice_and_their_text() -> None:
    read = read_mail(
        mail("Content-Type: text/html", body="<p>Look</p>" + "<a href='https://a.example'>here</a> " * 5_001)
    )
    assert read.safe_html is not None
    assert "5,000 links" in read.safe_html
    assert "<a" not in read.safe_html
    assert read.text.split() == ["Look"] + ["here"] * 5_001


def test_it_brings_out_an_attached_mail_with_its_text() -> None:
    inner = part("inner words", "From: bob@b.example", "Subject: Pump/2 failed", "Content-Type: text/plain")
    read = read_mail(
        parts(part("see below", "Content-Type: text/plain"), part(inner, "Content-Type: message/rfc822"))
    )
    assert read.text == "see below"
    assert [each.name for each in read.attachments] == ["Pump_2 failed.eml"]
    assert read.attachments[0].data == inner.encode()
    assert "inner words" in read.attachments[0].text


def test_it_shows_what_attached_mails_say_where_there_is_nothing_else() -> None:
    digest = parts(part("Subject: one\n\nfirst"), part("Subject: two\n\nsecond"), kind="digest")
    read = read_mail(digest)
    assert "first" in read.text
    assert "second" in read.text
    assert [each.name for each in read.attachments] == ["one.eml", "two.eml"]


def test_it_unwraps_uuencoded_files_from_a_text() -> None:
    data = bytes(range(100))
    lines = b"".join(binascii.b2a_uu(data[n : n + 45]) for n in range(0, 100, 45))
    read = read_mail(mail(body=b"before\nbegin 644 log.bin\n" + lines + b"`\nend\nafter\n"))
    assert read.text.split() == ["before", "after"]
    assert [(each.name, each.data) for each in read.attachments] == [("log.bin", data)]


def test_it_leaves_prose_that_begins_like_uuencode() -> None:
    text = "We\nbegin 644 trials\nof the new pump tomorrow, and the whole team is invited to come\nend\n"
    assert read_mail(mail(body=text)).text == text.strip("\n")


def test_it_joins_flowing_paragraphs() -> None:
    raw = mail(
        "Content-Type: text/plain; format=flowed",
        body="one \ntwo\n\n From here\n> quoted \n> more\n-- \nAnn\n",
    )
    assert read_mail(raw).text == "one two\n\nFrom here\n> quoted \n> more\n-- \nAnn"
    delsp = mail("Content-Type: text/plain; format=flowed; delsp=yes", body="日本 \n語\n")
    assert read_mail(delsp).text == "日本語"


@pytest.mark.parametrize(
    ("encoding", "body", "text"),
    [
        ("quoted-printable", "a=20b=\nc=C3=BC", "a bcü"),
        ("Quoted-Printable ", "soft = \nbreak", "soft break"),
        ("quoted-printable", "100 = a hundred, =ZZ", "100 = a hundred, =ZZ"),
        ("base64", "R3LDvMOfZQ==", "Grüße"),
        ("BASE64;", "R3LD\nvMOfZQ", "Grüße"),
        ("base64", "R3LD\r\nvMOf\r\nZQ==\r\n", "Grüße"),
        ("base64", "b25l\nIA==\ndHdv\n", "one two"),
        (
            "base64",
            "This was never encoded, whatever is declared.",
            "This was never encoded, whatever is declared.",
        ),
        ("x-unheard-of", "as it is", "as it is"),
        ("8 bit", "Grüße", "Grüße"),
        ("", "Grüße", "Grüße"),
    ],
)
def test_it_undoes_a_transfer_encoding(encoding: str, body: str, text: str) -> None:
    raw = mail("Content-Type: text/plain; charset=utf-8", f"Content-Transfer-Encoding: {encoding}", body=body)
    assert read_mail(raw).text == text


@pytest.mark.parametrize(
    "raw",
    [
        mail("Content-Type: multipart/mixed; boundary=x", body="no part at all"),
        mail("Content-Type: multipart/mixed", body="--x\nContent-Type: text/plain\n\nno part at all\n--x--\n"),
        mail("Content-Type: multipart/mixed; boundary=X",
             body="--x\nContent-Type: text/plain\n\nno part at all\n--x--"),
        mail("Content-Type: multipart/mixed; boundary=x", body="--x\n\nno part at all"),
        mail("Content-Type: multipart/mixed; boundary=x",
             body="--x\nContent-Type: multipart/mixed; boundary=y\n\n--y\n\n"
                                                                "no part at all\n--x--\n"),
        mail("Content-Type: nonsense", body="no part at all"),
        mail("Content-Type: text/x-own", body="no part at all"),
    ],
)  # fmt: skip
def test_it_loses_no_text_to_wrong_boundaries(raw: bytes) -> None:
    assert read_mail(raw).text == "no part at all"


def test_it_keeps_what_stands_outside_of_the_parts() -> None:
    raw = mail("Content-Type: multipart/mixed; boundary=x", body="This is a multi-part message in MIME format.\n"
               "--x\n\nbody\n--x--\nA footer of the list\n")  # fmt: skip
    read = read_mail(raw)
    assert (read.text, read.outside) == ("body", "A footer of the list")


def test_it_never_unpacks_an_attachment() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("zeros", b"\0" * 20_000_000)
    body = base64.encodebytes(file.getvalue()).decode()
    read = read_mail(
        parts(
            part(body, "Content-Type: application/zip; name=death.zip", "Content-Transfer-Encoding: base64")
        )
    )
    assert [(each.name, each.data) for each in read.attachments] == [("death.zip", file.getvalue())]


def test_it_keeps_signed_and_encrypted_mail_as_parts() -> None:
    signed = parts(part("signed words", "Content-Type: text/plain"),
                   part("sig", "Content-Type: application/pgp-signature"),
                   kind="signed", extra="; protocol=application/pgp-signature")  # fmt: skip
    read = read_mail(signed)
    assert (read.text, read.protection) == ("signed words", "OpenPGP signed")
    assert [each.name for each in read.attachments] == ["attachment.asc"]
    opaque = read_mail(
        mail("Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m", body="xx")
    )
    assert (opaque.protection, [each.name for each in opaque.attachments]) == (
        "S/MIME encrypted",
        ["smime.p7m"],
    )


def test_it_reads_the_text_inside_an_opaque_signature() -> None:
    inner = b"Content-Type: text/plain\r\n\r\nsigned words\r\n"
    octets = b"\x04" + bytes([len(inner)]) + inner
    content = bytes.fromhex("06092a864886f70d010701") + b"\xa0" + bytes([len(octets)]) + octets
    cms = bytes.fromhex("308006092a864886f70d010702a080308002010131003080") + content
    raw = mail("Content-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m",
               "Content-Transfer-Encoding: base64", body=base64.b64encode(cms))  # fmt: skip
    read = read_mail(raw)
    assert (read.text.strip(), read.protection) == ("signed words", "S/MIME signed")
    assert [each.name for each in read.attachments] == ["smime.p7m"]


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("report.pdf", "report.pdf"), ("../../etc/passwd", "passwd"), ("C:\\Users\\ann\\log.txt", "log.txt"),
        ("a\r\nb.txt", "a b.txt"), ("x\0y.txt", "x_y.txt"), ("exe\u202etxt.pdf", "exetxt.pdf"), ("...", ""),
        (".htaccess", "htaccess"), ("CON.txt", "_CON.txt"), ("a:b|c?.txt", "a_b_c_.txt"), ("", ""),
    ],
)  # fmt: skip
def test_it_makes_names_safe(wanted: str, name: str) -> None:
    assert safe_name(wanted) == name


def test_it_keeps_names_short_and_apart() -> None:
    assert len(safe_name("ü" * 500 + ".pdf").encode()) <= 240
    assert safe_name("ü" * 500 + ".pdf").endswith(".pdf")
    names = Names()
    assert [names.unique("A.txt", "text/plain") for _ in range(3)] == ["A.txt", "A-2.txt", "A-3.txt"]
    assert names.unique("a-2.TXT", "text/plain") == "a-2-2.TXT"
    assert names.unique("", "image/jpeg") == "attachment.jpg"


def test_it_cuts_an_endless_text_and_keeps_it_whole_as_an_attachment() -> None:
    body = b"all work and no play\n" * 300_000
    read = read_mail(mail(body=body))
    assert "text cut" in read.problems
    assert [each.data for each in read.attachments] == [body]
    assert read.text.startswith("all work")


@settings(max_examples=50, deadline=None)
@given(texts=st.lists(st.sampled_from(["word", " ", "  ", "\r\n", "\t", "grüße"]), max_size=60))
def test_the_text_of_html_is_the_same_in_pieces_of_any_length(texts: list[str]) -> None:
    whole = crude_text("".join(texts))
    for length in (1, 3, 7):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(safe_html, "_PIECE", length)
            assert crude_text("".join(texts)) == whole
