"""The mailboxes through the control API, as the page and the stories use it, and the scene that fills them."""

from __future__ import annotations

import base64
import json
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import pytest
from post_desk import Product
from simulated_app import DANA
from werkzeug.test import Client as Browser
from werkzeug.test import TestResponse

from simulator import scene
from simulator.company import PhoneCompany
from simulator.mail.letters import Envelope, Reply
from simulator.mail.office import PostOffice
from simulator.web import create_app

OURS, GRACE = "MASsupport@smatechnologies.com", "grace@harbor.example"


@pytest.fixture
def product() -> Product:
    return Product()


@pytest.fixture
def office(company: PhoneCompany, product: Product) -> PostOffice:
    return PostOffice(company.scheduler, product, company.events, name="mx.nightbell.example")


@pytest.fixture
def browser(company: PhoneCompany, office: PostOffice) -> Browser:
    world = scene.load(scene.DEFAULT)
    scene.set_up(company, world)
    scene.set_up_mail(office, world)
    return Browser(create_app(company, world, office))


def post(browser: Browser, path: str, **given: Any) -> TestResponse:
    return browser.post("/control/mail" + path, json=given)


def done(browser: Browser, path: str, **given: Any) -> dict[str, Any]:
    answer = post(browser, path, **given)
    assert answer.status_code == 200, answer.text
    return dict(answer.json or {})


def mailbox(browser: Browser, address: str = GRACE) -> dict[str, Any]:
    shown = browser.get("/control/mail/state").json or {}
    return next(dict(box) for box in shown["mailboxes"] if box["address"] == address)


def receive(office: PostOffice, html: str = "", image: bytes = b"") -> str:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = OURS, GRACE, "Case 1042"
    message["Message-ID"], message["Reply-To"] = (
        "<c1042@x.example>",
        "MASsupport+c1042.mac@smatechnologies.com",
    )
    message.set_content("Hello\n")
    if html:
        message.add_alternative(html, subtype="html")
    if image:
        message.add_attachment(image, "image", "png", filename="plan.png", cid="<plan@x>")
    office.take(Envelope("", (GRACE,), message.as_bytes()))
    return office.mailbox(GRACE).received[-1].id


def test_it_shows_the_default_scene(browser: Browser) -> None:
    shown = browser.get("/control/mail/state").json or {}
    assert shown["lines"] == [{"address": OURS, "name": "Managed Services"}]
    assert [box["address"] for box in shown["mailboxes"]][:2] == [GRACE, "omar@bluebonnet.example"]
    assert {box["role"] for box in shown["mailboxes"]} == {"customer", "engineer"}
    assert mailbox(browser)["manner"] == {"kind": "accepts"}


def test_it_knows_the_engineers_by_the_names_that_their_phones_have(browser: Browser) -> None:
    phones = {item["number"]: item["name"] for item in (browser.get("/control/state").json or {})["phones"]}
    assert mailbox(browser, "dana@nightbell.example")["name"] == phones[DANA]


def test_it_writes_to_the_product_and_shows_the_reply_code(browser: Browser, product: Product) -> None:
    product.replies = [Reply(451, "4.3.0 later")]
    file = {"name": "a.txt", "type": "text/plain", "content": base64.b64encode(b"hi").decode()}
    sent = done(browser, "/letters", **{
        "from": f"Grace Kim <{GRACE}>", "to": OURS, "subject": "Help", "text": "It stops.", "attachments": [file],
    })  # fmt: skip
    (delivery,) = sent["deliveries"]
    assert (delivery["state"], delivery["recipient"]) == ("waiting", OURS)
    assert [attempt["code"] for attempt in delivery["attempts"]] == [451]
    retried = done(browser, f"/letters/{sent['id']}/retry")
    assert retried["deliveries"][0]["state"] == "delivered"
    assert retried["attachments"] == 1
    assert mailbox(browser)["letters"][0]["id"] == sent["id"]


def test_it_answers_a_mail_with_little_said(browser: Browser, office: PostOffice, product: Product) -> None:
    id_ = receive(office)
    done(browser, "/letters", **{"from": GRACE, "text": "Thanks", "answers": id_})
    (taken,) = product.taken
    assert taken.recipients == ("MASsupport+c1042.mac@smatechnologies.com",)
    assert b"Subject: Re: Case 1042\r\n" in taken.raw
    assert b"In-Reply-To: <c1042@x.example>\r\n" in taken.raw


def test_it_sends_a_file_as_it_is(browser: Browser, product: Product) -> None:
    raw = b"From: <tom@prairie.example>\nTo: MASsupport@smatechnologies.com\nSubject: raw\n\nhello\n"
    answer = browser.post("/control/mail/raw", data=raw)
    assert answer.status_code == 200
    assert (product.taken[0].sender, product.taken[0].recipients) == ("tom@prairie.example", (OURS,))
    browser.post(f"/control/mail/raw?from=&to={OURS}", data=b"\xff\x00 nothing at all")
    assert (product.taken[1].sender, product.taken[1].recipients) == ("", (OURS,))
    assert mailbox(browser, "nobody@nowhere.example")["letters"][0]["subject"] == ""


def test_it_opens_a_letter_and_marks_it_as_read(browser: Browser, office: PostOffice) -> None:
    id_ = receive(office, "<p>Hello</p>", b"\x89PNG")
    assert mailbox(browser)["unread"] == 1
    opened = browser.get(f"/control/mail/letters/{id_}").json or {}
    assert (opened["text"], opened["html"], opened["envelope_from"]) == ("Hello\n", True, "")
    assert ["Message-ID", "<c1042@x.example>"] in opened["headers"]
    assert opened["parts"] == [{"index": 0, "name": "plan.png", "type": "image/png", "size": 4}]
    assert done(browser, f"/letters/{id_}/read")["read"] is True
    assert mailbox(browser)["unread"] == 0


def test_it_shows_html_that_can_do_nothing(browser: Browser, office: PostOffice) -> None:
    evil = '<script>alert(1)</script><img src="cid:plan@x"><img src="http://tracker.example/x.png">'
    answer = browser.get(f"/control/mail/letters/{receive(office, evil, b'PNG')}/html")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "img-src data:;" in policy
    assert f'src="data:image/png;base64,{base64.b64encode(b"PNG").decode()}"' in answer.text


def test_it_shows_a_mail_without_html_as_text(browser: Browser, office: PostOffice) -> None:
    assert "<pre>Hello" in browser.get(f"/control/mail/letters/{receive(office)}/html").text


def test_it_gives_out_the_source_and_the_attachments_as_files(browser: Browser, office: PostOffice) -> None:
    id_ = receive(office, image=b"<html>")
    source = browser.get(f"/control/mail/letters/{id_}/raw")
    assert source.data == office.letters[id_].envelope.raw
    part = browser.get(f"/control/mail/letters/{id_}/parts/0")
    assert (part.data, part.mimetype) == (b"<html>", "application/octet-stream")
    assert part.headers["Content-Disposition"] == "attachment; filename*=UTF-8''plan.png"
    assert browser.get(f"/control/mail/letters/{id_}/parts/1").status_code == 404


def test_it_changes_how_a_mailbox_behaves(browser: Browser) -> None:
    shown = done(browser, f"/mailboxes/{GRACE}", manner={"kind": "defers", "times": 2})
    assert (shown["manner"]["kind"], shown["manner"]["times"]) == ("defers", 2)
    assert mailbox(browser)["manner"]["times"] == 2
    new = done(browser, "/mailboxes/new@there.example", name="New", role="customer", note="of the desk")
    assert (new["name"], new["role"], new["note"]) == ("New", "customer", "of the desk")
    assert post(browser, f"/mailboxes/{GRACE}", manner={"kind": "sings"}).status_code == 400


def test_it_forgets_the_oldest_mails(
    browser: Browser, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulator.mail.office.MOST_LETTERS", 3)
    ids = [receive(office) for _ in range(5)]
    assert [letter["id"] for letter in mailbox(browser)["letters"]] == ids[:1:-1]
    assert browser.get(f"/control/mail/letters/{ids[0]}").status_code == 404


def test_it_learns_an_address_of_the_products(browser: Browser, product: Product) -> None:
    done(browser, "/lines", address="help@vendor.example", name="Help")
    done(browser, "/letters", **{"from": GRACE, "to": "help+c1@vendor.example", "text": "x"})
    assert product.taken[0].recipients == ("help+c1@vendor.example",)


def test_it_tells_of_mail_in_the_same_stream_as_of_calls(
    browser: Browser, company: PhoneCompany, office: PostOffice
) -> None:
    last = (browser.get("/control/events").json or {})["last"]
    receive(office)
    events = (browser.get(f"/control/events?after={last}").json or {})["events"]
    assert {event["kind"] for event in events} == {"mail"}
    assert events[0]["address"] == GRACE


@pytest.mark.parametrize(
    ("path", "given"),
    [
        ("/letters", {}),
        ("/letters", {"from": "nobody", "to": OURS}),
        ("/letters", {"from": GRACE}),
        ("/letters", {"from": GRACE, "to": "a@b, nonsense"}),
        ("/letters", {"from": GRACE, "to": OURS, "subject": "two\nlines"}),
        ("/letters", {"from": GRACE, "to": OURS, "attachments": [{"name": "x", "content": "?"}]}),
        ("/letters", {"from": GRACE, "to": OURS, "envelope_from": 3}),
        ("/raw", {}),
        ("/mailboxes/nobody", {}),
        ("/lines", {}),
    ],
)
def test_it_says_what_is_wrong(browser: Browser, product: Product, path: str, given: dict[str, Any]) -> None:
    answer = post(browser, path, **given) if given or path != "/raw" else browser.post("/control/mail/raw")
    assert answer.status_code == 400
    assert (answer.json or {})["error"]
    assert product.taken == []


def test_it_answers_this_machine_and_its_own_page_only(browser: Browser, office: PostOffice) -> None:
    id_ = receive(office)
    for path in ("/state", f"/letters/{id_}", f"/letters/{id_}/raw", f"/letters/{id_}/html"):
        away = browser.get(f"/control/mail{path}", environ_overrides={"REMOTE_ADDR": "192.0.2.7"})
        rebound = browser.get(f"/control/mail{path}", base_url="http://evil.example")
        assert (away.status_code, rebound.status_code) == (403, 403)
    foreign = browser.get("/control/mail/state", headers={"Origin": "http://evil.example"})
    assert foreign.status_code == 403
    assert post(browser, "/letters/none/read").status_code == 404


def test_it_serves_the_page(browser: Browser) -> None:
    with browser.get("/mail") as answer:
        assert answer.status_code == 200
        assert "mail.js" in answer.get_data(as_text=True)


def test_it_sets_up_a_scene_with_manners(tmp_path: Path, office: PostOffice) -> None:
    file = tmp_path / "scene.json"
    boxes = [{"address": GRACE, "name": "Grace", "manner": {"kind": "bounces"}}]
    file.write_text(json.dumps({"numbers": [], "mailboxes": boxes}))
    scene.set_up_mail(office, scene.load(file))
    assert office.mailbox(GRACE).manner.__class__.__name__ == "Bounces"
