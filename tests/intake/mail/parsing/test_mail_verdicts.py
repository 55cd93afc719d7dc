"""Who writes: a person, or a machine, and how that is known. And what our receiver says of the sender."""

from __future__ import annotations

import pytest

from intake.mail.parsing import Envelope, Kind, Ours, ParsedMail, read_mail
from intake.mail.parsing.authentication import parse_results
from tests.intake.mail.parsing.letters import mail, part

OURS = Ours(loop_value="secret", hosts={"mail.vendor.example"}, mailboxes={"support@vendor.example"})


def judged(
    *fields: str, subject: str = "The line is down", sender: str = "ann@customer.example"
) -> ParsedMail:
    return read_mail(mail(*fields, head=f"From: {sender}\nSubject: {subject}\n"), ours=OURS)


@pytest.mark.parametrize(
    ("fields", "kind", "reason"),
    [
        ([], Kind.PERSON, ""),
        (["Auto-Submitted: no"], Kind.PERSON, ""),
        (["Importance: high", "X-Mailer: mutt"], Kind.PERSON, ""),
        (["Auto-Submitted: auto-replied"], Kind.AUTO_REPLY, "auto-submitted-auto-replied"),
        (
            ["Auto-Submitted: auto-replied (vacation); owner=ann"],
            Kind.AUTO_REPLY,
            "auto-submitted-auto-replied",
        ),
        (["Auto-Submitted: auto-generated"], Kind.AUTO_GENERATED, "auto-submitted"),
        (["Precedence: bulk"], Kind.LIST, "precedence-bulk"),
        (["Precedence: junk"], Kind.AUTO_GENERATED, "precedence-junk"),
        (["X-Auto-Response-Suppress: All"], Kind.AUTO_GENERATED, "x-auto-response-suppress"),
        (["X-Auto-Response-Suppress: DR, OOF, AutoReply"], Kind.AUTO_GENERATED, "x-auto-response-suppress"),
        (["X-Auto-Response-Suppress: DR"], Kind.PERSON, ""),
        (["List-Id: <users.customer.example>"], Kind.LIST, "list-id"),
        (["List-Unsubscribe: <https://a.example>"], Kind.LIST, "list-unsubscribe"),
        (["X-Autoreply: yes"], Kind.AUTO_REPLY, "x-autoreply"),
        (["X-Autoreply: no"], Kind.PERSON, ""),
        (["X-Loop: somebody"], Kind.AUTO_GENERATED, "x-loop"),
        (["X-Nightbell-Loop: secret"], Kind.LOOP, "own-loop-marker"),
        (["X-Nightbell-Loop: guessed"], Kind.PERSON, ""),
        (["Message-ID: <1@mail.vendor.example>"], Kind.LOOP, "own-message-id"),
        (["Return-Path: <>"], Kind.AUTO_GENERATED, "null-return-path"),
        (["X-Failed-Recipients: a@b.example"], Kind.BOUNCE, "x-failed-recipients"),
    ],
)
def test_it_knows_a_machine_by_its_header(fields: list[str], kind: Kind, reason: str) -> None:
    verdict = judged(*fields).verdict
    assert (verdict.kind, verdict.reason) == (kind, reason)
    assert verdict.may_answer is (kind is Kind.PERSON)


@pytest.mark.parametrize(
    ("subject", "fields", "kind"),
    [
        ("Automatic reply: The line is down", [], Kind.AUTO_REPLY),
        ("Automatische Antwort: Abwesenheit bis Montag", [], Kind.OUT_OF_OFFICE),
        ("Réponse automatique : absence", [], Kind.AUTO_REPLY),
        ("AUTO: I am away", [], Kind.AUTO_REPLY),
        ("Auto-Reply from Lakeside", [], Kind.AUTO_REPLY),
        ("自動応答：不在", [], Kind.OUT_OF_OFFICE),
        ("Automatic Reply", [], Kind.AUTO_REPLY),
        ("Automatic reply rule sends nothing, P1", [], Kind.PERSON),
        ("Auto-response scripts fail", [], Kind.PERSON),
        ("Out of office", ["Auto-Submitted: auto-replied"], Kind.OUT_OF_OFFICE),
        ("The out of office screen is down", [], Kind.PERSON),
        ("Undeliverable: your mail", [], Kind.PERSON),
        ("Undeliverable: your mail", ["Return-Path: <>"], Kind.BOUNCE),
    ],
)
def test_it_believes_a_subject_only_with_something_else(subject: str, fields: list[str], kind: Kind) -> None:
    assert judged(*fields, subject=subject).verdict.kind is kind


def test_it_knows_its_own_mailbox_and_robots() -> None:
    assert judged(sender="Support@Vendor.example").verdict.reason == "from-own-mailbox"
    assert judged(sender="no-reply@customer.example").verdict.kind is Kind.AUTO_GENERATED
    assert judged(sender="noreen@customer.example").verdict.kind is Kind.PERSON


def test_it_lets_machines_open_cases_and_out_of_office_not() -> None:
    assert judged("Auto-Submitted: auto-generated").verdict.may_reopen
    assert not judged("Auto-Submitted: auto-replied").verdict.may_reopen


def report(action: str, status: str, extra: str = "") -> bytes:
    body = "".join(
        f"--r\n{each}\n"
        for each in (
            part("Your mail did not arrive.", "Content-Type: text/plain"),
            part(f"Reporting-MTA: dns; mx.b.example\n\nFinal-Recipient: rfc822; Bob@B.example\nAction: {action}\n"
                 f"Status: {status}\nDiagnostic-Code: smtp; 550 no such user\n{extra}",
                 "Content-Type: message/delivery-status"),
            part("Message-ID: <case-7@vendor.example>\nSubject: x\n\nours", "Content-Type: message/rfc822"),
        )
    )  # fmt: skip
    kind = "Content-Type: multipart/report; report-type=delivery-status; boundary=r"
    return mail(kind, head="From: MAILER-DAEMON@b.example\nSubject: Undelivered\n", body=body + "--r--\n")


@pytest.mark.parametrize(
    ("action", "status", "permanent", "kind"),
    [
        ("failed", "5.1.1", True, Kind.BOUNCE), ("failed", "4.4.7", False, Kind.BOUNCE),
        ("delayed", "4.4.1", False, Kind.BOUNCE), ("failed", "", True, Kind.BOUNCE),
        ("delivered", "2.0.0", None, Kind.AUTO_GENERATED), ("relayed", "2.0.0", None, Kind.AUTO_GENERATED),
    ],
)  # fmt: skip
def test_it_reads_a_delivery_report(action: str, status: str, permanent: bool | None, kind: Kind) -> None:
    verdict = read_mail(report(action, status)).verdict
    assert verdict.kind is kind
    assert verdict.bounce is not None
    assert verdict.bounce.permanent is permanent
    assert verdict.bounce.original_id == "<case-7@vendor.example>"
    assert [each.address for each in verdict.bounce.recipients] == ["Bob@b.example"]


def test_it_reads_a_bounce_that_is_written_for_people() -> None:
    body = ("I'm afraid I wasn't able to deliver your message.\n\n<bob@b.example>:\n550 5.1.1 unknown user\n\n"
            "--- Below this line is a copy of the message.\n\n"
            "Message-ID: <case-7@vendor.example>\n\nours")  # fmt: skip
    raw = mail(head="From: MAILER-DAEMON@b.example\nSubject: failure notice\n", body=body)
    bounce = read_mail(raw, Envelope(sender="")).verdict.bounce
    assert bounce is not None
    assert (bounce.original_id, bounce.permanent) == ("<case-7@vendor.example>", True)
    assert [(each.address, each.status) for each in bounce.recipients] == [("bob@b.example", "5.1.1")]


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ("To: all@b.example\n\nnot delivered to:\n  bob@b.example (no such user)\n  * cyd@b.example\n",
         ["bob@b.example", "cyd@b.example"]),
        ("Ask <postmaster@b.example>, please.\nDid not reach: c=US;p=B;dda:SMTP=bob@B.example; on Fri\n",
         ["bob@b.example"]),
        ("<bob@b.example>: mailbox full\n--- Original message ---\ncall dan@c.example\n", ["bob@b.example"]),
        ("MAILER-DAEMON@b.example could not deliver.\n", [""]),
    ],
)  # fmt: skip
def test_it_finds_out_whom_a_bounce_for_people_means(said: str, named: list[str]) -> None:
    raw = mail(
        head="From: MAILER-DAEMON@b.example\nTo: case@vendor.example\nSubject: failure notice\n", body=said
    )
    bounce = read_mail(raw).verdict.bounce
    assert bounce is not None
    assert [each.address for each in bounce.recipients] == named


def test_it_names_whom_we_wrote_to_and_not_where_that_was_forwarded_to() -> None:
    forwarded = report("failed", "5.1.1", "Original-Recipient: rfc822; bob@work.example\n")
    bounce = read_mail(forwarded).verdict.bounce
    assert bounce is not None
    assert [each.address for each in bounce.recipients] == ["bob@work.example"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (["Return-Path: <MAILER-DAEMON@relay.example>"], "null-path-and-subject"),
        (["Content-Type: multipart/report; boundary=r"], "report-and-subject"),
    ],
)
def test_it_knows_a_bounce_without_its_usual_marks(fields: list[str], reason: str) -> None:
    head = "From: delivery@b.example\nSubject: Mail could not be delivered\n"
    verdict = read_mail(mail(*fields, head=head, body="--r\n\nIt did not arrive.\n--r--\n")).verdict
    assert (verdict.kind, verdict.reason) == (Kind.BOUNCE, reason)


def test_it_takes_a_forwarded_bounce_for_a_person() -> None:
    forwarded = mail("Content-Type: multipart/mixed; boundary=f", body="--f\n\nWhat is this?\n--f\nContent-Type: "
                     "message/rfc822\n\n" + report("failed", "5.1.1").decode() + "\n--f--\n")  # fmt: skip
    assert read_mail(forwarded).verdict.kind is Kind.PERSON


def test_it_reads_receipts_and_answers_of_calendars() -> None:
    receipt = mail(
        "Content-Type: multipart/report; report-type=disposition-notification; boundary=r",
        body="--r\n\nread\n--r\nContent-Type: message/disposition-notification\n\nDisposition: x\n--r--\n",
    )
    assert read_mail(receipt).verdict.kind is Kind.READ_RECEIPT
    answer = mail("Content-Type: text/calendar; method=REPLY", body="BEGIN:VCALENDAR\nEND:VCALENDAR")
    read = read_mail(answer)
    assert read.verdict.kind is Kind.CALENDAR_REPLY
    assert [(each.name, each.content_type) for each in read.attachments] == [
        ("attachment.ics", "text/calendar")
    ]
    invitation = mail("Content-Type: text/calendar; method=REQUEST", body="BEGIN:VCALENDAR\nEND:VCALENDAR")
    assert read_mail(invitation).verdict.kind is Kind.PERSON


# Authentication-Results


def results(*values: str, above: str = "") -> ParsedMail:
    head = above + "".join(f"Authentication-Results: {value}\n" for value in values)
    return read_mail(mail(head=head + "From: a@b.example\n"), authserv_id="mx.vendor.example")


def test_it_believes_the_topmost_field_of_our_own_receiver_only() -> None:
    read = results("other.example; dkim=pass header.d=b.example",
                   "MX.vendor.example; spf=fail smtp.mailfrom=b.example; dmarc=fail header.from=b.example",
                   "mx.vendor.example; spf=pass; dkim=pass header.d=b.example; dmarc=pass header.from=b.example",
                   above="Received: by store\n").authentication  # fmt: skip
    assert read is not None
    assert (read.spf, read.dkim, read.dmarc, read.behind) == ("fail", "none", "fail", 1)
    assert results("other.example; dkim=pass").authentication is None
    assert results("mx.vendor.example.evil.example; dkim=pass").authentication is None
    assert results("(mx.vendor.example) other.example; dkim=pass").authentication is None
    assert read_mail(mail("Authentication-Results: mx.vendor.example; dkim=pass")).authentication is None


@pytest.mark.parametrize(
    ("text", "spf", "dkim", "dmarc"),
    [
        ("mx; none", "none", "none", "none"),
        ("mx 1; spf=pass smtp.mailfrom=b.example", "pass", "none", "none"),
        ("mx; dkim=fail (bad; dkim=pass) header.d=b.example", "none", "fail", "none"),
        ('mx; dkim=fail reason="; dmarc=pass" header.d=b.example', "none", "fail", "none"),
        ("mx; dkim=fail header.d=x.example; dkim=pass header.d=b.example", "none", "pass", "none"),
        ("mx; dkim/1 = pass header.d = b.example", "none", "pass", "none"),
        ("mx; spf=hardfail; dmarc=permerror", "fail", "none", "permerror"),
        ("mx;; ;dkim=;=pass;dmarc=yes", "none", "none", "none"),
        ("mx; (never closed; dkim=pass", "none", "none", "none"),
        ("mx; dkim=pass header.b=a/b+c= header.d=b.example", "none", "pass", "none"),
    ],
)
def test_it_reads_authentication_results(text: str, spf: str, dkim: str, dmarc: str) -> None:
    read = parse_results(text)
    assert read is not None
    assert (read.spf, read.dkim, read.dmarc) == (spf, dkim, dmarc)


def test_it_names_the_domains_that_are_vouched_for() -> None:
    read = parse_results(
        "mx; dkim=pass header.i=@B.example; dkim=fail header.d=c.example; spf=pass smtp.mailfrom=a@d.example"
    )
    assert read is not None
    assert (read.domains("dkim"), read.domains("spf"), read.domains("dmarc")) == (
        ("b.example",),
        ("d.example",),
        (),
    )
