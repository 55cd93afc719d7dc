"""The mailbox page in a real browser: mails come in live, are read, answered, and sent to the product."""

from __future__ import annotations

import smtplib
import socket
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from browser_desk import WHY_NOT, Simulator

from tests.mail_server import MailServer, mail_server

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

if WHY_NOT:
    pytest.skip(WHY_NOT, allow_module_level=True)

pytestmark = pytest.mark.browser

LINE, GRACE, PRIYA = "MASsupport@smatechnologies.com", "grace@harbor.example", "priya@nightbell.example"
HTML = """<h2>We have your mail</h2><p>Open <a href="http://127.0.0.1:9/consent/abc">this page</a>.</p>
<script>parent.document.title = "taken over"</script><img src="http://127.0.0.1:TRACKER/x.png">
<img src="cid:plan@x" alt="the plan">"""
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8cfc000000301010018dd8db0"
    "0000000049454e44ae426082"
)


@pytest.fixture
def product() -> Iterator[MailServer]:
    """Where the product would take mail."""
    with mail_server() as server:
        yield server


@pytest.fixture
def desk(tmp_path: Path, browser: Browser, product: MailServer) -> Iterator[Simulator]:
    simulator = Simulator(tmp_path, deliver_to=product.url)
    simulator.start()
    yield simulator
    simulator.stop()


@pytest.fixture
def page(browser: Browser, desk: Simulator) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1400, "height": 950})
    page.set_default_timeout(15_000)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{desk.base}/mail")
    page.get_by_text("Connected", exact=True).wait_for()
    yield page
    page.close()
    assert errors == []


def deliver(desk: Simulator, to: str = GRACE, tracker: int = 9, **headers: str) -> None:
    """The product hands a mail over."""
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = (
        f"Managed Services <{LINE}>",
        to,
        "Re: [Case 1042] It stops",
    )
    message["Message-ID"] = "<c1042.one@smatechnologies.com>"
    message["Reply-To"] = LINE.replace("@", "+c1042.mac@")
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content("Your case number is 1042.\nhttp://127.0.0.1:9/case/abc\n<b>not bold</b>\n")
    message.add_alternative(HTML.replace("TRACKER", str(tracker)), subtype="html")
    message.add_attachment(PIXEL, "image", "png", filename="plan.png", cid="<plan@x>")
    with smtplib.SMTP("127.0.0.1", desk.smtp_port) as server:
        server.sendmail("", [to], message.as_bytes())


def open_letter(page: Page) -> Any:
    page.get_by_role("button", name="It stops").click()
    letter = page.get_by_role("region", name="The mail")
    letter.get_by_role("heading", name="Re: [Case 1042] It stops").wait_for()
    return letter


def test_it_shows_a_mail_as_it_comes_and_that_it_is_read(page: Page, desk: Simulator) -> None:
    deliver(desk, Auto_Submitted="auto-replied")
    grace = page.get_by_role("navigation", name="Mailboxes").get_by_role("button", name="Grace Kim")
    grace.get_by_label("1 unread").wait_for()
    assert page.title() == "(1) Mail"
    letter = open_letter(page)
    for words in (
        "Your case number is 1042.",
        "<c1042.one@smatechnologies.com>",
        "auto-replied",
        "<b>not bold</b>",
    ):
        letter.get_by_text(words).first.wait_for()
    assert letter.get_by_text("no bounces").is_visible()
    grace.get_by_label("1 unread").wait_for(state="detached")
    link = letter.get_by_role("link", name="127.0.0.1:9/case/abc")
    assert (link.get_attribute("href"), link.get_attribute("target")) == (
        "http://127.0.0.1:9/case/abc",
        "_blank",
    )


def test_it_shows_html_in_a_frame_that_can_do_nothing(page: Page, desk: Simulator) -> None:
    tracker = socket.create_server(("127.0.0.1", 0))
    deliver(desk, tracker=tracker.getsockname()[1])
    open_letter(page).get_by_role("button", name="HTML").click()
    frame = page.frame_locator("iframe")
    frame.get_by_role("heading", name="We have your mail").wait_for()
    link = frame.get_by_role("link", name="this page")
    assert link.get_attribute("href") == "http://127.0.0.1:9/consent/abc"
    assert frame.get_by_alt_text("the plan").evaluate("image => image.naturalWidth") == 1
    assert page.title().endswith("Mail")
    tracker.settimeout(1)
    with tracker, pytest.raises(TimeoutError):
        tracker.accept()
    with page.expect_popup() as popup:
        link.click()
    popup.value.close()


def test_it_gives_out_attachments(page: Page, desk: Simulator) -> None:
    deliver(desk)
    letter = open_letter(page)
    with page.expect_download() as download:
        letter.get_by_role("link", name="plan.png").click()
    assert Path(download.value.path()).read_bytes() == PIXEL
    assert download.value.suggested_filename == "plan.png"


def test_it_answers_in_the_conversation(page: Page, desk: Simulator, product: MailServer) -> None:
    deliver(desk, References="<first@harbor.example>")
    open_letter(page).get_by_role("button", name="Reply", exact=True).click()
    assert page.get_by_label("To", exact=True).input_value() == LINE.replace("@", "+c1042.mac@")
    assert page.get_by_label("Subject").input_value() == "Re: [Case 1042] It stops"
    text = page.get_by_label("Text", exact=True)
    assert "> Your case number is 1042." in text.input_value()
    page.keyboard.type("It runs again.")
    page.get_by_role("button", name="Send", exact=True).click()
    page.get_by_text("250 2.6.0 stored").first.wait_for()
    (taken,) = product.taken
    assert b"In-Reply-To: <c1042.one@smatechnologies.com>\r\n" in taken.content
    assert b"References: <first@harbor.example> <c1042.one@smatechnologies.com>\r\n" in taken.content
    assert b"\r\n\r\nIt runs again.\r\n" in taken.content


def test_it_writes_a_mail_with_everything(page: Page, product: MailServer, tmp_path: Path) -> None:
    file = tmp_path / "rows ü.csv"
    file.write_text("a,b\n1,2\n")
    page.get_by_role("button", name="Write a mail").click()
    page.get_by_label("Cc").fill(PRIYA)
    page.get_by_label("Subject").fill("It stops ü")
    page.get_by_label("Text", exact=True).fill("Help.")
    page.get_by_label("Attachments").set_input_files(file)
    page.get_by_text("HTML, and who the envelope says it is from").click()
    page.get_by_label("HTML beside the text").fill("<p>Help.</p>")
    page.get_by_label("Envelope sender").fill("mallory@elsewhere.example")
    page.get_by_role("button", name="Send", exact=True).click()
    page.get_by_text(f"{LINE}: delivered").wait_for()
    (taken,) = product.taken
    assert (taken.mail_from, taken.rcpt_tos) == ("mallory@elsewhere.example", [LINE])
    assert b"dmarc=fail header.from=harbor.example" in taken.content
    assert b"filename*=utf-8''rows%20%C3%BC.csv" in taken.content
    priya = page.get_by_role("navigation", name="Mailboxes").get_by_role("button", name="Priya Natarajan")
    priya.get_by_label("1 unread").wait_for()


def test_it_shows_refusals_and_tries_again(page: Page, product: MailServer) -> None:
    product.at_the_end = "451 4.3.0 we have failed"
    page.get_by_role("button", name="Write a mail").click()
    page.get_by_label("Subject").fill("It stops")
    page.get_by_role("button", name="Send", exact=True).click()
    page.get_by_text("451 4.3.0 we have failed").first.wait_for()
    page.get_by_text("tried again in").wait_for()
    product.at_the_end = "250 2.6.0 stored"
    page.get_by_role("button", name="Try now").click()
    page.get_by_text(f"{LINE}: delivered").wait_for()
    product.at_the_end = "550 5.7.1 not for you"
    page.get_by_role("button", name="Write a mail").click()
    page.get_by_role("button", name="Send", exact=True).click()
    page.get_by_text(f"{LINE}: refused").wait_for()
    page.get_by_role("button", name="Undelivered mail returned to sender").wait_for()


def test_it_sends_a_file_as_it_is(page: Page, product: MailServer, tmp_path: Path) -> None:
    file = tmp_path / "old.eml"
    file.write_bytes(b"From: tom@prairie.example\nTo: somebody@else.example\nSubject: From a file\n\nhello\n")
    page.get_by_role("button", name="Write a mail").click()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Send a file").click()
    chooser.value.set_files(file)
    page.get_by_role("heading", name="From a file").wait_for()
    (taken,) = product.taken
    assert (taken.mail_from, taken.rcpt_tos) == ("tom@prairie.example", [LINE])
    assert taken.content.endswith(b"Subject: From a file\r\n\r\nhello\r\n")


def test_it_changes_how_a_mailbox_behaves(page: Page, desk: Simulator) -> None:
    with page.expect_response("**/control/mail/mailboxes/**"):
        page.get_by_label("When a mail comes").select_option(label="Refuses it for good (550)")
    page.get_by_text("refuses", exact=True).wait_for()
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        deliver(desk)
    page.get_by_role("region", name="Mail handed over").get_by_text("550").wait_for()
    requests.post(
        f"{desk.base}/control/mail/mailboxes/{GRACE}", json={"manner": {"kind": "bounces", "after": 9}}
    )
    page.get_by_text("bounces", exact=True).wait_for()
    assert page.get_by_label("When a mail comes").input_value() != "1"


def test_it_opens_a_mailbox_for_anybody(page: Page, product: MailServer) -> None:
    page.get_by_label("Another address").fill("New@Somewhere.example")
    page.get_by_role("button", name="Open", exact=True).click()
    page.get_by_role("heading", name="new@somewhere.example").wait_for()
    page.get_by_role("button", name="Write a mail").click()
    page.get_by_text("From new@somewhere.example").wait_for()
    page.get_by_role("button", name="Send", exact=True).click()
    page.get_by_text(f"{LINE}: delivered").wait_for()
    assert product.taken[0].mail_from == "new@somewhere.example"


def test_it_keeps_what_is_being_written_while_mail_comes(page: Page, desk: Simulator) -> None:
    page.get_by_role("button", name="Write a mail").click()
    page.get_by_label("Text", exact=True).fill("half a sentence")
    deliver(desk)
    page.get_by_label("1 unread").first.wait_for()
    assert page.get_by_label("Text", exact=True).input_value() == "half a sentence"


def test_it_is_one_click_from_the_phones(page: Page) -> None:
    page.get_by_role("link", name="Phones").click()
    page.get_by_role("heading", name="The engineers' phones").wait_for()
    page.get_by_role("link", name="Mail").click()
    page.get_by_role("heading", name="Mail", exact=True).wait_for()


def test_it_fits_a_telephone(page: Page, desk: Simulator) -> None:
    deliver(desk)
    page.set_viewport_size({"width": 420, "height": 800})
    open_letter(page)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_it_says_that_the_simulator_is_gone_and_comes_back(page: Page, desk: Simulator) -> None:
    desk.stop()
    page.get_by_text("The simulator does not answer. Trying again…").wait_for()
    desk.start()
    page.get_by_text("Connected", exact=True).wait_for()
