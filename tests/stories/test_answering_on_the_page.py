"""An engineer answers on the case's page, or takes a note there; a customer accepts charges on theirs."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from core.models import Case, Person
from routing import handling
from routing.correspondence.models import ConsentRequest
from tests.stories.correspondent import Correspondent, MailHouse, mail_house, text_of
from tests.stories.mailbox import MARIA_AT, messages
from tests.stories.people import BELL, DAY, MARIA, PRIYA


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[MailHouse]:
    """A quiet Wednesday night at 02:10."""
    with mail_house(database_url, tmp_path) as house:
        yield house


@pytest.fixture
def maria(house: MailHouse) -> Correspondent:
    maria = Correspondent(house, MARIA_AT, "Maria Alvarez")
    maria.writes("The agent is down", "Since nine.", cc="Ann <ann@lakeside.example>")
    return maria


@pytest.fixture
def client(house: MailHouse) -> FlaskClient:
    return house.app.test_client()


def link(house: MailHouse) -> str:
    return house.context.links.case_url(1001).removeprefix(BELL)


def page(house: MailHouse, client: FlaskClient) -> str:
    return html.unescape(client.get(link(house)).get_data(as_text=True))


def post(house: MailHouse, client: FlaskClient, where: str, **fields: Any) -> TestResponse:
    found = re.search(r'name="form" value="([^"]+)"', page(house, client))
    assert found is not None
    given = {"form": found[1], "person": "priya", "text": "It runs again."} | fields
    answer = client.post(
        f"{link(house)}/{where}", data=encoded(given), content_type="multipart/form-data; boundary=b"
    )
    house.fast_forward(1)
    return answer


def encoded(fields: dict[str, Any]) -> bytes:
    """A form as browsers send it; a file is its name and its bytes."""
    parts = []
    for name, value in fields.items():
        file = f'; filename="{value[0]}"' if isinstance(value, tuple) else ""
        head = f'--b\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
        parts += [head.encode(), value[1] if isinstance(value, tuple) else value.encode(), b"\r\n"]
    return b"".join([*parts, b"--b--\r\n"])


@pytest.mark.both_databases
def test_an_answer_is_mailed_and_stamped(house: MailHouse, maria: Correspondent, client: FlaskClient) -> None:
    shown = page(house, client)
    assert "Maria Alvarez <maria@lakeside.example>" in shown
    assert "Ann <ann@lakeside.example>" in shown
    answer = post(house, client, "reply", to_all="on", files=("log.txt", b"all is well"))
    assert (answer.status_code, answer.headers["Referrer-Policy"]) == (303, "no-referrer")
    got = maria.latest
    assert text_of(got).startswith("It runs again.\n\nPriya Natarajan\n")
    assert got["Cc"].addresses[0].addr_spec == "ann@lakeside.example"
    (file,) = got.iter_attachments()
    assert (file.get_filename(), file.get_payload(decode=True)) == ("log.txt", b"all is well")
    assert house.case.responded_at is not None
    shown = page(house, client)
    assert "The mail as it went out" in shown
    assert "Priya Natarajan wrote to the customer." in shown
    message = messages(house, 1001)[-1]
    assert client.get(f"{link(house)}/mail/{message.id}/0").data == b"all is well"
    assert b"It runs again." in client.get(f"{link(house)}/mail/{message.id}.eml").data


def test_copies_are_left_out_where_they_are_not_wanted(
    house: MailHouse, maria: Correspondent, client: FlaskClient
) -> None:
    post(house, client, "reply")
    assert maria.latest["Cc"] is None


def test_a_note_goes_nowhere(house: MailHouse, maria: Correspondent, client: FlaskClient) -> None:
    before = len(maria.inbox)
    assert post(house, client, "note", text="They have not paid.").status_code == 303
    assert len(maria.inbox) == before
    assert messages(house, 1001)[-1].public is False
    assert house.case.responded_at is None
    assert "for colleagues only" in page(house, client)


def test_a_note_in_the_wrong_form_does_not_reach_the_customer(
    house: MailHouse, maria: Correspondent, client: FlaskClient
) -> None:
    before = len(maria.inbox)
    answer = post(house, client, "reply", text="\n**Note:** they have not paid.\nLook.")
    assert answer.status_code == 422
    shown = html.unescape(answer.get_data(as_text=True))
    assert "The text begins with NOTE:, as a note for colleagues does, and was not sent" in shown
    assert "they have not paid." in shown, "what was written is kept"
    assert (len(maria.inbox), house.case.responded_at) == (before, None)
    assert post(house, client, "reply", text="Done.\nNote: it restarts at nine.").status_code == 303


def test_an_impatient_finger_sends_one_mail(
    house: MailHouse, maria: Correspondent, client: FlaskClient
) -> None:
    before = len(maria.inbox)
    for _ in range(3):
        assert post(house, client, "reply").status_code == 303
    assert len(maria.inbox) == before + 1
    post(house, client, "reply", text="And another thing.")
    assert len(maria.inbox) == before + 2


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"text": "  \n"}, "The text is empty."),
        ({"person": "nobody"}, "there is nobody with the key 'nobody'"),
        ({"form": "forged"}, "The page had been open for too long"),
        ({"files": ("big.bin", b"x" * 21 * 1_048_576)}, "21 MB together"),
        ({"files": ("big.bin", b"x" * 30 * 1_048_576)}, "The files are too large"),
    ],
)
@pytest.mark.parametrize("form", ["reply", "note"])
def test_it_says_what_is_wrong_and_keeps_the_words(
    house: MailHouse, maria: Correspondent, client: FlaskClient, form: str, fields: dict[str, Any], wrong: str
) -> None:
    if form == "note" and "files" in fields:
        return  # it takes none
    before = len(maria.inbox)
    answer = post(house, client, form, **({"text": "Precious words."} | fields))
    assert answer.status_code in (413, 422)
    shown = html.unescape(answer.get_data(as_text=True))
    assert wrong.lower() in shown.lower()
    if answer.status_code == 422 and "text" not in fields:
        assert "Precious words." in shown
    assert len(maria.inbox) == before
    assert house.case.responded_at is None


def test_a_forged_link_writes_nothing(house: MailHouse, maria: Correspondent, client: FlaskClient) -> None:
    for form in ("reply", "note"):
        assert client.post(f"/case/forged/{form}", data={"text": "x"}).status_code == 404
    assert len(messages(house, 1001)) == 2


def test_an_answer_that_came_back_is_shown(
    house: MailHouse, maria: Correspondent, client: FlaskClient
) -> None:
    post(house, client, "reply")
    maria.cannot_be_reached()
    shown = page(house, client)
    assert "came back: 5.1.1 no such address" in shown
    assert "could not be delivered" in shown
    assert "The answer was taken back" in shown
    assert "Mail to maria@lakeside.example has come back (5.1.1 no such address)." in shown, (
        "to whoever answers"
    )
    maria.writes("I am here again", "My mailbox is mended.")
    assert "has come back (" not in page(house, client)


def test_a_caller_without_a_mailbox_is_offered_no_mail(house: MailHouse, client: FlaskClient) -> None:
    house.voicemail_from(MARIA)
    house.fast_forward(5)
    shown = page(house, client)
    assert "Answer the customer by mail" not in shown
    assert "Note for colleagues" in shown


# The page of a consent


@pytest.fixture
def asked(house: MailHouse) -> str:
    """Maria has asked for priority 1 at night; the path of the link that she got."""
    maria = Correspondent(house, MARIA_AT, "Maria Alvarez")
    maria.writes("P1 the agent is down")
    found = re.search(rf"{BELL}(/consent/\S+)", text_of(maria.latest))
    assert found is not None
    return found[1]


def said(answer: TestResponse) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True))).split())


def test_opening_the_page_changes_nothing(house: MailHouse, client: FlaskClient, asked: str) -> None:
    answer = client.get(asked)
    text = said(answer)
    for part in ("Case 1001", "P1 the agent is down", "incurs additional charges", "within 1 hour",
                 "we respond by Thu 05 Mar 2026, 17:00 CST", "Accept the charges and call the consultant",
                 "until Wed 04 Mar 2026, 08:00 CST"):  # fmt: skip
        assert part in text
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    client.head(asked)
    house.fast_forward(60)
    assert (house.case.consented_at, house.rung) == (None, {})


def test_its_button_accepts_once(house: MailHouse, client: FlaskClient, asked: str) -> None:
    house.fast_forward(120)
    answer = client.post(asked)
    assert answer.status_code == 303
    at = house.scheduler.now()
    case = house.case
    assert (case.priority, case.consented_at, case.due_at) == (1, at, at + timedelta(hours=1))
    (request,) = house.sql(sa.select(ConsentRequest))
    assert (request.state, request.accepted_via, request.accepted_at) == ("accepted", "link", at)
    house.until(lambda: house.rings(PRIYA))
    assert "The charges were accepted" in said(client.get(asked))
    house.fast_forward(5)
    client.post(asked)
    assert house.case.consented_at == at
    assert len(house.events("case.consented")) == 1
    inbox = house.office.mail_to(MARIA_AT)
    assert ["You accepted" in text_of(mail) for mail in inbox] == [False, True]


def test_it_is_forged(house: MailHouse, client: FlaskClient, asked: str) -> None:
    for path in (asked[:-3], "/consent/x", asked.replace("/consent/", "/consent/x")):
        for answer in (client.get(path), client.post(path)):
            assert answer.status_code == 404
            assert "This link is not ours" in said(answer)
    assert house.case.consented_at is None


def test_it_is_business_hours_by_now(house: MailHouse, client: FlaskClient, asked: str) -> None:
    house.it_becomes(DAY)
    client.post(asked)
    text = said(client.get(asked))
    assert "We are open" in text
    assert "reply to the mail with PRIORITY 1 in its text, or call (877) 274-5771." in text
    assert (house.case.consented_at, house.case.priority) == (None, 4)


def test_it_has_expired(house: MailHouse, client: FlaskClient, asked: str) -> None:
    house.it_becomes(DAY + timedelta(hours=12))
    answer = client.get(asked)
    assert answer.status_code == 410
    assert "This page has expired it worked until Wed 04 Mar 2026, 08:00 CST" in said(answer)
    client.post(asked)
    assert house.case.consented_at is None


@pytest.mark.both_databases
def test_it_is_not_needed_any_more(house: MailHouse, client: FlaskClient, asked: str) -> None:
    with house.context.database.writing() as session:
        case, person = session.get_one(Case, 1001), session.get_one(Person, "priya")
        handling.write(session, case, "Done.", person, house.scheduler.now(), public=True)
    client.post(asked)
    assert "There is nothing to accept any more We have answered you" in said(client.get(asked))
    assert house.case.consented_at is None


def test_whoever_reads_the_case_cannot_accept_for_the_customer(
    house: MailHouse, client: FlaskClient, asked: str
) -> None:
    shown = page(house, client)
    assert "/consent/" not in shown
    assert "(the link of the customer)" in shown
    assert client.get(f"{link(house)}/mail/{messages(house, 1001)[-1].id}.eml").status_code == 404
