"""What a mail says in parts that are no text."""

from __future__ import annotations

import base64
import time

import pytest

from intake.mail.parsing import read_mail
from intake.mail.parsing.invitations import invitation_text
from intake.mail.said import said_in
from tests.intake.mail.parsing.letters import mail, part, parts

ZONE = """BEGIN:VTIMEZONE
TZID:Central Standard Time
BEGIN:STANDARD
DTSTART:16010101T020000
TZOFFSETFROM:-0500
TZOFFSETTO:-0600
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=1SU;BYMONTH=11
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:-0600
TZOFFSETTO:-0500
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=2SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
"""
EVENT = """BEGIN:VEVENT
UID:1@customer.example
SUMMARY;LANGUAGE=en-US:Maintenance\\, all of
  production
DTSTART;TZID=Central Standard Time:20261124T150000
DTEND;TZID=Central Standard Time:20261124T163000
LOCATION:Room 5
ORGANIZER;CN=Ann Archer:MAILTO:ann@customer.example
ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:support@vendor.example
RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=4
DESCRIPTION:We stop the scheduler.\\nPlease be there.
BEGIN:VALARM
ACTION:DISPLAY
DESCRIPTION:Reminder
TRIGGER:-PT15M
END:VALARM
END:VEVENT
"""


def calendar(*blocks: str, method: str = "REQUEST") -> str:
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nMETHOD:{method}\n{''.join(blocks)}END:VCALENDAR\n"


def body_of(raw: bytes) -> str:
    return said_in(read_mail(raw), "unproven").body


INVITATION = """Invitation: Maintenance, all of production
When: Tue 24 Nov 2026, 15:00 to 16:30, Central Standard Time (UTC-06:00)
Repeats: every 2 weeks, 4 times
Where: Room 5
Organizer: Ann Archer <ann@customer.example>

We stop the scheduler.
Please be there."""


def test_it_says_what_is_in_an_invitation() -> None:
    raw = mail("Content-Type: text/calendar; method=REQUEST; charset=utf-8", body=calendar(ZONE, EVENT))
    assert body_of(raw) == INVITATION
    assert [each.content_type for each in read_mail(raw).attachments] == ["text/calendar"]


def test_it_tells_an_invitation_beside_its_text_once() -> None:
    ics = base64.b64encode(calendar(ZONE, EVENT).encode()).decode()
    both = [
        part("See you there.", "Content-Type: text/plain"),
        part(calendar(ZONE, EVENT), "Content-Type: text/calendar; method=REQUEST"),
        part(ics, "Content-Type: application/ics; name=invite.ics", "Content-Transfer-Encoding: base64"),
    ]
    assert body_of(parts(*both, kind="alternative")) == f"See you there.\n\n{INVITATION}"
    assert read_mail(parts(*both, kind="alternative")).text == "See you there."


@pytest.mark.parametrize(
    ("method", "lines", "told"),
    [
        ("CANCEL", "", "Cancelled: Call"),
        ("REQUEST", "STATUS:CANCELLED\n", "Cancelled: Call"),
        ("PUBLISH", "", "Event: Call"),
        ("COUNTER", "", "Another time is proposed for: Call"),
        ("REPLY", "ATTENDEE;PARTSTAT=DECLINED;CN=Bob:mailto:bob@b.example\nCOMMENT:On holiday\n",
         "Answer to the invitation: Call\nAnswer: Bob <bob@b.example> declines\nComment: On holiday"),
        ("REQUEST", "DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261227\n",
         "Invitation: Call\nWhen: Thu 24 Dec 2026 to Sat 26 Dec 2026, all day"),
        ("REQUEST", "DTSTART;VALUE=DATE:20261224\n", "Invitation: Call\nWhen: Thu 24 Dec 2026, all day"),
        ("REQUEST", "DTSTART:20261224T230000Z\nDURATION:PT2H\n",
         "Invitation: Call\nWhen: Thu 24 Dec 2026, 23:00 to Fri 25 Dec 2026, 01:00, UTC"),
        ("REQUEST", "DTSTART;TZID=Europe/Berlin:20260701T090000\n",
         "Invitation: Call\nWhen: Wed 01 Jul 2026, 09:00, Europe/Berlin (UTC+02:00)"),
        ("REQUEST", "DTSTART;TZID=Our Own:20260701T090000\n",
         "Invitation: Call\nWhen: Wed 01 Jul 2026, 09:00, Our Own"),
        ("REQUEST", "DTSTART:20260701T090000\n",
         "Invitation: Call\nWhen: Wed 01 Jul 2026, 09:00, in whatever zone one is"),
        ("REQUEST", "DTSTART:yesterday\nRRULE:FREQ=WEEKLY;UNTIL=20261224T230000Z\n",
         "Invitation: Call\nRepeats: every week, until Thu 24 Dec 2026"),
    ],
)  # fmt: skip
def test_it_says_what_an_invitation_is_for_and_when(method: str, lines: str, told: str) -> None:
    assert (
        invitation_text(calendar(f"BEGIN:VEVENT\nSUMMARY:Call\n{lines}END:VEVENT\n", method=method)) == told
    )


def test_it_takes_the_method_of_the_part_where_the_calendar_has_none() -> None:
    event = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:Call\nEND:VEVENT\nEND:VCALENDAR\n"
    assert body_of(mail("Content-Type: text/calendar; method=CANCEL", body=event)) == "Cancelled: Call"
    assert body_of(mail("Content-Type: text/calendar", body=event)) == "Event: Call"


@pytest.mark.parametrize(
    "nonsense",
    [
        "nothing",
        "BEGIN:VCALENDAR\nEND:VCALENDAR",
        "BEGIN:VEVENT\nSUMMARY:Cut off",
        calendar("BEGIN:VEVENT\n", "X" * 100_000, "\nEND:VEVENT\n"),
        calendar("BEGIN:VEVENT\nDTSTART\n=:=\nEND:VEVENT\n" * 50_000),
        calendar("BEGIN:VEVENT\nSUMMARY:a\n" + "ATTENDEE:mailto:a@b.example\n" * 40_000 + "END:VEVENT\n"),
        calendar("BEGIN:VTIMEZONE\n" * 20_000),
        calendar(ZONE.replace("FREQ=YEARLY", "FREQ=SECONDLY"), EVENT),
    ],
)
def test_it_reads_no_calendar_for_long(nonsense: str) -> None:
    began = time.process_time()
    assert body_of(mail("Content-Type: text/calendar; method=REQUEST", body=nonsense))
    assert time.process_time() - began < 1


def test_it_says_what_a_visiting_card_says() -> None:
    card = (
        "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Archer;Ann;;;\r\nFN:Ann Archer\r\nORG:Customer\\, Ltd;IT\r\n"
        "item1.TEL;TYPE=cell:+1 713 555\r\n  0100\r\nEMAIL:ann@customer.example\r\nPHOTO:aaaa\r\nEND:VCARD\r\n"
        "BEGIN:VCARD\r\nN;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;Bo\r\nEND:VCARD\r\n"
    )
    assert body_of(mail("Content-Type: text/vcard; charset=utf-8", body=card)) == (
        "Visiting card\nName: Ann Archer\nCompany: Customer, Ltd, IT\nTelephone: +1 713 555 0100\n"
        "Mail: ann@customer.example\n\nVisiting card\nName: Müller, Bo"
    )
    with_text = parts(part("Words.", "Content-Type: text/plain"), part(card, "Content-Type: text/vcard"))
    assert body_of(with_text) == "Words."


def test_it_says_what_a_report_for_machines_says() -> None:
    status = (
        "Reporting-MTA: dns; mx.customer.example\n\nFinal-Recipient: rfc822; bob@b.example\nAction: failed\n"
        "Status: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 no such user\n"
    )
    raw = parts(
        part(status, "Content-Type: message/delivery-status"),
        kind="report",
        extra="; report-type=delivery-status",
    )
    assert body_of(raw) == "Mail to bob@b.example could not be delivered: 5.1.1 smtp; 550 5.1.1 no such user"


def test_it_says_that_a_mail_is_encrypted() -> None:
    raw = parts(
        part("Version: 1", "Content-Type: application/pgp-encrypted"),
        part("...", "Content-Type: application/octet-stream; name=encrypted.asc"),
        kind="encrypted", extra='; protocol="application/pgp-encrypted"',
    )  # fmt: skip
    assert body_of(raw) == "(The mail is encrypted, OpenPGP: it cannot be read here.)"


def test_it_shows_the_words_of_a_signed_text_without_its_armour() -> None:
    armoured = (
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nPlease restart it.\n"
        "-----BEGIN PGP SIGNATURE-----\n\niQEzBAEBCAAdFiEE\n=abcd\n-----END PGP SIGNATURE-----\n\nThanks\n"
    )
    read = read_mail(mail(body=armoured))
    assert read.written == "Please restart it.\n\nThanks"
    assert "".join(piece.text for piece in read.folded.pieces) == read.text
    assert read.protection == "OpenPGP signed"


def test_it_names_the_files_of_a_mail_without_text() -> None:
    raw = parts(
        part("aGVsbG8=", "Content-Type: audio/wav; name=call.wav", "Content-Transfer-Encoding: base64")
    )
    assert body_of(raw) == "(no text; attached: call.wav)"
    assert body_of(mail(body="")) == "(no text)"
