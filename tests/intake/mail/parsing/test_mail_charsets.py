"""Bytes whose charset is not what the mail says, or said nowhere."""

from __future__ import annotations

import pytest

from intake.mail.parsing import read_mail
from tests.intake.mail.parsing.letters import mail, part, parts


@pytest.mark.parametrize("declared", ["gb2312", "big5", "shift_jis", "ks_c_5601-1987", "iso-2022-jp"])
def test_it_reads_utf_8_that_is_called_something_else(declared: str) -> None:
    written = "数据库无法启动，请尽快回电话。 0123"
    raw = mail(f"Content-Type: text/plain; charset={declared}", body=written.encode())
    assert read_mail(raw).text == written


def test_it_reads_utf_8_into_which_something_else_was_pasted() -> None:
    body = "Größe und Übermaß: ".encode() + "Atenção".encode("cp1252")
    read = read_mail(mail("Content-Type: text/plain; charset=utf-8", body=body))
    assert read.text == "Größe und Übermaß: Atenção"


def test_it_reads_windows_1252_into_which_utf_8_was_pasted() -> None:
    body = "Informação confidencial: não divulgação, protegida por sigilo. ".encode("cp1252") + "Olá".encode()
    read = read_mail(mail("Content-Type: text/plain; charset=utf-8", body=body))
    assert read.text == "Informação confidencial: não divulgação, protegida por sigilo. Olá"


def test_a_few_broken_bytes_do_not_change_the_charset_of_a_long_text() -> None:
    body = ("é" * 200 + "a" * 20_000 + "é" * 2_000).encode() + b"\xff" * 60
    read = read_mail(mail("Content-Type: text/plain; charset=utf-8", body=body))
    assert read.text == "é" * 200 + "a" * 20_000 + "é" * 2_000 + "\ufffd" * 60


@pytest.mark.parametrize(
    ("charset", "subject"),
    [("gb2312", "邮件传输失败"), ("koi8-r", "База не отвечает"), ("iso-8859-2", "Žádost o pomoc")],
)
def test_it_reads_a_subject_without_charset_as_the_text(charset: str, subject: str) -> None:
    head = b"From: ann@a.example\nSubject: " + subject.encode(charset) + b"\n"
    raw = head + f"Content-Type: text/plain; charset={charset}\n\nx".encode()
    assert read_mail(raw).subject == subject


@pytest.mark.parametrize(
    ("charset", "written"),
    [
        ("cp1252", "Informação confidencial: não divulgação, protegida por sigilo."),
        ("cp1252", "Le serveur ne répond plus, le problème a été signalé à l'équipe dès hier."),
        ("cp1252", "Hej, vores anlæg er nede, og vi får fejl på alle kørsler siden i går."),
        ("cp1250", "Dzień dobry, serwer nie działa od wczoraj, proszę o kontakt. Błąd połączenia."),
        ("cp1250", "Dobrý den, server od včerejška neběží, žádná služba není dostupná."),
        ("cp1250", "Jó napot, a szerver tegnap este óta nem működik, kérem a gyors visszahívást."),
        (
            "cp1254",
            "Sunucu dün akşamdan beri yanıt vermiyor, lütfen bizi arayın. Teşekkürler, iyi çalışmalar.",
        ),
        ("euc_jp", "お世話になっております。サーバーが昨夜から応答しません。"),
        ("cp949", "서버가 어제 저녁부터 응답하지 않습니다. 빨리 연락 부탁드립니다."),
        ("gb18030", "服务器从昨天晚上开始没有响应，请尽快回电话。"),
    ],
)
def test_it_guesses_the_language_of_a_short_text(charset: str, written: str) -> None:
    assert read_mail(mail(body=written.encode(charset))).text == written


@pytest.mark.parametrize("end", ["`\n", "`\nend\n", ""])
def test_it_decodes_a_uuencoded_part_without_its_first_line(end: str) -> None:
    body = "#8V%T\n" + end
    fields = ("Content-Type: text/x-log; name=a.log", "Content-Transfer-Encoding: x-uuencode")
    read = read_mail(parts(part("Here it is.", "Content-Type: text/plain"), part(body, *fields)))
    assert [(each.name, each.data) for each in read.attachments] == [("a.log", b"cat")]


def test_it_leaves_prose_that_is_called_uuencoded() -> None:
    raw = mail("Content-Transfer-Encoding: x-uuencode", body="The end is near,\nsays the end")
    assert read_mail(raw).text == "The end is near,\nsays the end"
