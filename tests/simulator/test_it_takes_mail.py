"""The post office takes what the product hands over: real SMTP over loopback, into mailboxes that behave."""

from __future__ import annotations

import email
import smtplib
from collections.abc import Iterator

import pytest
from post_desk import GRACE, OURS, PRIYA, Product, mail, new_office, pass_time

from simulator.behaviours import BadBehaviour
from simulator.mail import manners
from simulator.mail.letters import Envelope
from simulator.mail.listening import listen
from simulator.mail.manners import Accepts, Bounces, Defers, Manner, OutOfOffice, Refuses
from simulator.mail.office import PostOffice
from tests.mail_server import free_port


@pytest.fixture
def product() -> Product:
    return Product()


@pytest.fixture
def office(product: Product) -> PostOffice:
    return new_office(product)


@pytest.fixture
def smtp(office: PostOffice) -> Iterator[smtplib.SMTP]:
    port = free_port()
    counter = listen(office, port)
    with smtplib.SMTP("127.0.0.1", port) as connection:
        yield connection
    counter.stop()


def test_it_keeps_the_very_bytes_for_each_recipient(office: PostOffice, smtp: smtplib.SMTP) -> None:
    raw = mail()
    smtp.sendmail(OURS, [GRACE, "Priya+case@nightbell.example"], raw)
    (hers,), (priyas,) = office.mailbox(GRACE).received, office.mailbox(PRIYA).received
    assert hers.envelope == Envelope(OURS, (GRACE,), raw)
    assert priyas.envelope.raw == raw
    assert (hers.mail.header("subject"), hers.mail.text) == ("Your case", "We have your mail. 🔔\n")
    assert [passage.reply.code for passage in office.passages] == [250, 250]


def test_it_takes_the_null_sender(office: PostOffice, smtp: smtplib.SMTP) -> None:
    smtp.sendmail("", [GRACE], mail())
    assert office.mailbox(GRACE).received[0].envelope.sender == ""


def test_it_says_its_size_and_refuses_more_before_reading(smtp: smtplib.SMTP) -> None:
    smtp.ehlo()
    assert smtp.esmtp_features["size"] == "60000000"
    code, _ = smtp.mail(OURS, ["SIZE=60000001"])
    assert code == 552


def test_it_asks_for_the_mail_again_when_it_has_failed(
    office: PostOffice, smtp: smtplib.SMTP, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise TimeoutError("the engine did not answer")

    monkeypatch.setattr(office, "take", fail)
    with pytest.raises(smtplib.SMTPDataError) as failed:
        smtp.sendmail(OURS, [GRACE], mail())
    assert failed.value.smtp_code == 451


def test_it_refuses_for_good(office: PostOffice, smtp: smtplib.SMTP) -> None:
    office.behave(GRACE, Refuses())
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        smtp.sendmail(OURS, [GRACE], mail())
    assert refused.value.recipients[GRACE][0] == 550
    assert smtp.sendmail(OURS, [GRACE, PRIYA], mail())[GRACE][0] == 550
    assert len(office.mailbox(PRIYA).received) == 1
    assert office.mailbox(GRACE).letters == []


def test_it_refuses_for_now_as_often_as_told(office: PostOffice, smtp: smtplib.SMTP) -> None:
    office.behave(GRACE, Defers(times=2))
    for _ in range(2):
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            smtp.sendmail(OURS, [GRACE], mail())
        assert refused.value.recipients[GRACE][0] == 451
    smtp.sendmail(OURS, [GRACE], mail())
    assert len(office.mailbox(GRACE).received) == 1


def test_it_reports_a_failure_later_with_the_mail_enclosed(
    office: PostOffice, smtp: smtplib.SMTP, product: Product
) -> None:
    office.behave(GRACE, Bounces(after=5, status="5.2.2", text="mailbox full"))
    bounce_address = "ms+b7.mac@nightbell.example"
    smtp.sendmail(bounce_address, [GRACE], mail())
    pass_time(office, 4.9)
    assert product.taken == []
    pass_time(office, 0.1)
    (report,) = product.taken
    assert (report.sender, report.recipients) == ("", (bounce_address,))
    message = email.message_from_bytes(report.raw)
    assert message.get_content_type() == "multipart/report"
    assert message.get_param("report-type") == "delivery-status"
    _, status, enclosed = message.get_payload()
    fields = status.get_payload()[1]
    assert (fields["Action"], fields["Status"]) == ("failed", "5.2.2")
    assert fields["Final-Recipient"] == f"rfc822; {GRACE}"
    assert enclosed.get_payload()[0]["Message-ID"] == "<c1042@nightbell.example>"
    assert message["Auto-Submitted"] == "auto-replied"


def test_it_reports_nothing_of_what_must_not_be_bounced(
    office: PostOffice, smtp: smtplib.SMTP, product: Product
) -> None:
    office.behave(GRACE, Bounces())
    smtp.sendmail("", [GRACE], mail())
    pass_time(office, 60)
    assert product.taken == []


def test_it_answers_a_person_once_a_day_that_its_owner_is_away(
    office: PostOffice, smtp: smtplib.SMTP, product: Product
) -> None:
    office.behave(GRACE, OutOfOffice(text="Back on Monday."))
    for _ in range(2):
        smtp.sendmail("ms+b7.mac@nightbell.example", [GRACE], mail())
    pass_time(office, 5)
    (answer,) = product.taken
    message = email.message_from_bytes(answer.raw)
    assert (answer.sender, answer.recipients) == ("", ("ms+b7.mac@nightbell.example",))
    assert message["Auto-Submitted"] == "auto-replied"
    assert message["In-Reply-To"] == "<c1042@nightbell.example>"
    pass_time(office, 24 * 3600)
    smtp.sendmail("ms+b7.mac@nightbell.example", [GRACE], mail())
    pass_time(office, 5)
    assert len(product.taken) == 2


@pytest.mark.parametrize(
    ("sender", "headers"),
    [
        ("", {}),
        (OURS, {"Auto_Submitted": "auto-replied"}),
        (OURS, {"Precedence": "bulk"}),
        (OURS, {"List_Id": "<news.nightbell.example>"}),
        (OURS, {"to": "somebody@else.example"}),
    ],
)
def test_it_answers_no_machine_unless_it_is_rude(
    office: PostOffice, smtp: smtplib.SMTP, product: Product, sender: str, headers: dict[str, str]
) -> None:
    office.behave(GRACE, OutOfOffice())
    smtp.sendmail(sender, [GRACE], mail(**headers))
    pass_time(office, 5)
    assert product.taken == []
    office.behave(GRACE, OutOfOffice(polite=False))
    smtp.sendmail(sender, [GRACE], mail(**headers))
    pass_time(office, 5)
    (answer,) = product.taken
    assert (answer.sender, answer.recipients) == (GRACE, (OURS,))
    assert email.message_from_bytes(answer.raw)["Auto-Submitted"] is None


def test_it_takes_mail_of_the_product_to_itself_back_to_it(
    office: PostOffice, smtp: smtplib.SMTP, product: Product
) -> None:
    smtp.sendmail(OURS, ["ms+c1.mac@nightbell.example"], mail())
    assert product.taken[0].recipients == ("ms+c1.mac@nightbell.example",)


@pytest.mark.parametrize(
    "manner", [Accepts(), Refuses(), Defers(2), Bounces(), OutOfOffice(polite=False), Refuses("5.7.1 no")]
)
def test_it_reads_the_manners_that_it_shows(manner: Manner) -> None:
    assert manners.read(manners.show(manner)) == manner


@pytest.mark.parametrize(
    "description",
    [
        {},
        {"kind": "sings"},
        {"kind": "accepts", "after": 3},
        {"kind": "refuses", "text": "two\r\nlines"},
        {"kind": "defers", "times": 0},
        {"kind": "bounces", "after": -1},
        {"kind": "out-of-office", "polite": "no"},
    ],
)
def test_it_says_which_manner_is_wrong(description: dict[str, object]) -> None:
    with pytest.raises(BadBehaviour):
        manners.read(description)
