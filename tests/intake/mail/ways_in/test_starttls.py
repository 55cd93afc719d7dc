"""STARTTLS: offered with a certificate, nothing from before it counts after it, renewed without a restart."""

from __future__ import annotations

import os
import smtplib
import ssl
import time
from pathlib import Path

import pytest

from intake.mail.ways_in.certificates import BadCertificate, Certificates
from tests.intake.mail.ways_in.counter import Talk, counter
from tests.intake.mail.ways_in.tls import certificate

MAIL = b"Subject: down\r\n\r\nThe line is down.\r\n"


def _trusting(file: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(file))


def test_it_takes_mail_over_tls(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    with (
        counter(tmp_path, smtp_certificate=cert, smtp_key=key) as found,
        smtplib.SMTP("127.0.0.1", found.port, timeout=10) as client,
    ):
        client.ehlo()
        assert client.has_extn("starttls")
        client.starttls(context=_trusting(cert))
        client.ehlo()
        assert not client.has_extn("starttls")
        assert not client.has_extn("auth")
        client.sendmail("ann@customer.example", ["mas@vendor.example"], MAIL * 30_000)
    assert [mail.raw for mail in found.kept] == [MAIL * 30_000]


def test_it_forgets_what_was_said_in_the_clear(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    with counter(tmp_path, smtp_certificate=cert, smtp_key=key) as found:
        talk = Talk(found)
        talk.says("MAIL FROM:<mallory@customer.example>")
        talk.sends(b"STARTTLS\r\nRCPT TO:<mas@vendor.example>\r\nDATA\r\n")  # injected by somebody on the way
        assert talk.hears()[0].startswith("220")
        secure = _trusting(cert).wrap_socket(talk.socket, server_hostname="127.0.0.1")
        secure.sendall(b"NOOP\r\n")
        assert secure.recv(100).startswith(b"250"), "the injected commands were thrown away"
        secure.sendall(b"MAIL FROM:<ann@customer.example>\r\n")
        assert secure.recv(100).startswith(b"503"), "it wants to be greeted again"
        secure.close()


def test_it_survives_a_handshake_that_is_none(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cert, key = certificate(tmp_path)
    with counter(tmp_path, smtp_certificate=cert, smtp_key=key) as found:
        for garbage in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x00\xff" + b"\x00" * 300, b""):
            talk = Talk(found)
            talk.says("STARTTLS")
            talk.sends(garbage)
            talk.close()
        time.sleep(0.2)
        with smtplib.SMTP("127.0.0.1", found.port, timeout=10) as client:
            client.starttls(context=_trusting(cert))
            client.sendmail("ann@customer.example", ["mas@vendor.example"], MAIL)
    assert len(found.kept) == 1
    assert [record for record in caplog.records if record.levelname in ("ERROR", "CRITICAL")] == []


def test_it_reads_a_renewed_certificate_and_keeps_the_old_one_if_it_cannot(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    certificates = Certificates(cert, key)
    first = certificates.context()
    assert certificates.context() is first
    new_cert, new_key = certificate(tmp_path, "renewed")
    cert.write_bytes(new_cert.read_bytes())
    os.utime(cert, (1, 1))
    assert certificates.context() is first, "half of a renewal is none"
    key.write_bytes(new_key.read_bytes())
    os.utime(key, (1, 1))
    second = certificates.context()
    assert second is not first
    cert.unlink()
    assert certificates.context() is second


def test_it_names_a_certificate_that_cannot_be_used(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    other, _ = certificate(tmp_path, "other")
    broken = tmp_path / "broken.pem"
    broken.write_text("nothing")
    for wrong in ((tmp_path / "missing.pem", None), (broken, None), (cert, None), (other, key)):
        with pytest.raises(BadCertificate) as caught:
            Certificates(*wrong)
        assert str(wrong[0]) in str(caught.value)
        assert "NIGHTBELL_SMTP_CERTIFICATE" in str(caught.value)
    assert Certificates(None, None).context() is None
