"""The page of a case shows its mails: text first, history folded, HTML that can do nothing, files that cannot run."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.house import House
from tests.stories.mailbox import FORGED, MARIA_AT, MASSUPPORT, Mailbox, mails, messages
from tests.stories.people import BELL

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(200))
HTML = (
    '<p onclick="steal()">The <b>agent</b> is down.</p><script>steal()</script><img src="cid:logo">'
    '<img src="https://tracker.example/pixel.gif"><a href="javascript:steal()">x</a>'
)


@pytest.fixture
def client(house: House) -> FlaskClient:
    return house.app.test_client()


def rich_mail(name: str = "schedule.pdf") -> bytes:
    """Text, HTML with an image of its own and one of elsewhere, and a file."""
    lines = [
        f"From: Maria Alvarez <{MARIA_AT}>", f"To: {MASSUPPORT}", "Subject: The agent <b>is</b> down",
        "Message-ID: <rich@lakeside.example>", "MIME-Version: 1.0",
        'Content-Type: multipart/mixed; boundary="m"', "",
        "--m", 'Content-Type: multipart/related; boundary="r"', "",
        "--r", 'Content-Type: multipart/alternative; boundary="a"', "",
        "--a", "Content-Type: text/plain; charset=utf-8", "",
        "The agent is down.", "", "On Tue, 3 Mar 2026 at 10:00, Support wrote:", "> What is <it>?", "",
        "--a", "Content-Type: text/html; charset=utf-8", "", HTML, "--a--",
        "--r", "Content-Type: image/png; name=logo.png", "Content-ID: <logo>", "Content-Disposition: inline",
        "Content-Transfer-Encoding: 8bit", "",
    ]  # fmt: skip
    file = f'Content-Disposition: attachment; filename="{name}"'
    after = ["", "--r--", "--m", "Content-Type: application/pdf", file, "", "%PDF", "--m--", ""]
    return "\r\n".join(lines).encode() + b"\r\n" + PNG + "\r\n".join(after).encode()


def shown(house: House, client: FlaskClient, path: str = "", **options: Any) -> Any:
    link = house.context.links.case_url(house.cases[0].id).removeprefix(BELL)
    return client.get(link + path, base_url=BELL, **options)


def test_it_shows_the_text_and_folds_the_history(house: House, client: FlaskClient) -> None:
    Mailbox(house, MARIA_AT).sends(rich_mail())
    page = shown(house, client).get_data(as_text=True)
    for part in ("The agent &lt;b&gt;is&lt;/b&gt; down", "Lakeside Credit Union", "From", MARIA_AT, "Quoted history",
                 "&gt; What is &lt;it&gt;?", "schedule.pdf", "1 image of other hosts left out", "2 business days",
                 "was recognised by mail address"):  # fmt: skip
        assert part in page
    assert "steal" not in page
    assert "tracker.example" not in page
    assert "number withheld" not in page


def test_its_html_runs_nothing_and_fetches_nothing_from_elsewhere(house: House, client: FlaskClient) -> None:
    Mailbox(house, MARIA_AT).sends(rich_mail())
    (message,) = messages(house, 1001)
    answer = shown(house, client, f"/mail/{message.id}.html")
    html = answer.get_data(as_text=True)
    assert "<b>agent</b>" in html
    for part in ("steal", "tracker.example", "script", "onclick"):
        assert part not in html
    rules = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in rules
    assert "sandbox" in rules
    assert "allow-scripts" not in rules
    assert "allow-same-origin" not in rules
    assert f"{BELL}/case/" in html  # the mail's own image comes from us
    image = client.get(html.split('src="')[1].split('"')[0].removeprefix(BELL), base_url=BELL)
    assert (image.status_code, image.data, image.mimetype) == (200, PNG, "image/png")
    assert image.headers["Content-Disposition"].startswith("inline")


def test_its_files_are_for_keeping_and_not_for_running(house: House, client: FlaskClient) -> None:
    Mailbox(house, MARIA_AT).sends(rich_mail('r\u00e9sum\u00e9".html'))
    (message,) = messages(house, 1001)
    assert message.details is not None
    (file,) = [each for each in message.details["attachments"] if each["type"] == "application/pdf"]
    answer = shown(house, client, f"/mail/{message.id}/{file['index']}")
    assert answer.data == b"%PDF"
    assert answer.mimetype == "application/octet-stream"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert "filename*=UTF-8''r%C3%A9sum%C3%A9" in answer.headers["Content-Disposition"]
    shown_all_the_same = shown(house, client, f"/mail/{message.id}/{file['index']}?show")
    assert shown_all_the_same.mimetype == "application/octet-stream"


def test_the_mail_is_there_to_the_byte(house: House, client: FlaskClient) -> None:
    raw = rich_mail()
    Mailbox(house, MARIA_AT).sends(raw)
    answer = shown(house, client, f"/mail/{messages(house, 1001)[0].id}.eml")
    assert answer.data == raw
    assert answer.headers["Content-Disposition"].startswith("attachment;")


def test_a_link_opens_the_mails_of_its_own_case_alone(house: House, client: FlaskClient) -> None:
    Mailbox(house, MARIA_AT).sends(rich_mail())
    Mailbox(house, MARIA_AT).writes(
        "Another", html="<p>Secret</p>", attach=("a.txt", "text/plain", b"secret")
    )
    other = messages(house, 1002)[0].id
    for path in (
        f"{other}.html",
        f"{other}.eml",
        f"{other}/0",
        "999.eml",
        f"{mails(house)[0].message_row}/77",
    ):
        assert shown(house, client, f"/mail/{path}").status_code == 404
    assert client.get(f"/case/forged/mail/{other}.eml").status_code == 404


def test_it_warns_of_a_forged_sender(house: House, client: FlaskClient) -> None:
    Mailbox(house, MARIA_AT).writes("Give me access", verdicts=FORGED)
    page = shown(house, client).get_data(as_text=True)
    for part in ("Unknown sender", "unverified", "needs a look", "sender forged", "forged: the domain"):
        assert part in page


def test_it_says_who_writes_when_it_is_a_machine(house: House, client: FlaskClient) -> None:
    Mailbox(house, MARIA_AT).writes("Out of office: Re: something", auto_submitted="auto-replied")
    page = shown(house, client).get_data(as_text=True)
    assert "out of office" in page
    assert "No response time was promised" in page


def test_the_same_is_there_as_json(house: House, client: FlaskClient) -> None:
    Mailbox(house, MARIA_AT).sends(rich_mail())
    told = shown(house, client, headers={"Accept": "application/json"}).get_json()
    mail = told["messages"][0]["mail"]
    assert mail["from"] == f"Maria Alvarez <{MARIA_AT}>"
    assert [file["name"] for file in mail["files"]] == ["logo.png", "schedule.pdf"]
