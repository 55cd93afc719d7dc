"""The link in a text leads to a page whose buttons accept the case, or pass it on; opening it changes nothing."""

from __future__ import annotations

import html
import re

import pytest
from click.testing import CliRunner

from console import case_commands
from console.commands import main
from core.models import Case
from routing import handling
from tests.house import House
from tests.stories.people import BELL, DANA, LUIS, MARIA


@pytest.fixture
def night(house: House) -> House:
    """Maria's voicemail rings Dana."""
    house.voicemail_from(MARIA)
    house.fast_forward(3)
    return house


def link_of(house: House, number: str) -> str:
    """The link in somebody's latest text, as a path."""
    found = re.search(rf"{BELL}(/case/\S+)", house.texts(number)[-1])
    assert found is not None
    return found[1]


def form_of(house: House, link: str) -> tuple[dict[str, str], str]:
    """What the page's form would send, and the page."""
    page = house.app.test_client().get(link).get_data(as_text=True)
    token = re.search(r'name="form" value="([^"]+)"', page)
    chosen = re.search(r'<option value="([^"]+)" selected>', page)
    return {"form": html.unescape(token[1]) if token else "", "person": chosen[1] if chosen else ""}, page


def press(house: House, link: str, button: str, **fields: str) -> int:
    """Press a button of the page; the status that answers."""
    form, _ = form_of(house, link)
    return house.app.test_client().post(f"{link}/{button}", data={**form, **fields}).status_code


def test_it_is_accepted_by_whom_the_link_was_sent_to(night: House) -> None:
    link = link_of(night, DANA)
    form, page = form_of(night, link)
    assert form["person"] == "dana"
    assert "Accept the case" in page
    assert press(night, link, "accept") == 303
    night.fast_forward(3)
    assert night.case.engineer == "dana"
    assert night.phone(DANA).ringing is None
    _, page = form_of(night, link)
    assert "Accept the case" not in page
    assert "Pass it on" in page
    assert press(night, link, "accept") == 303, "a second press of the same person changes nothing"
    assert len(night.events("page.accepted")) == 1


@pytest.mark.both_databases
def test_it_is_passed_on_before_and_after_it_was_accepted(night: House) -> None:
    link = link_of(night, DANA)
    assert press(night, link, "pass") == 303
    night.fast_forward(3)
    assert night.rung == {DANA: 1, LUIS: 1}
    assert press(night, link, "pass") == 422, "she has passed: a late press must not escalate twice"
    assert night.pages[0].position == 1
    luis = link_of(night, LUIS)
    press(night, luis, "accept")
    assert press(night, luis, "pass") == 303
    assert night.case.engineer is None
    assert [page.state for page in night.pages] == ["handed-on", "ringing"]


def test_it_changes_nothing_when_a_link_is_opened(night: House) -> None:
    client, link = night.app.test_client(), link_of(night, DANA)
    for path in (link, f"{link}/accept", f"{link}/pass"):
        for method in (client.get, client.head):
            assert method(path).status_code in (200, 404, 405)
    assert night.case.engineer is None
    assert night.pages[0].position == 0


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"form": "forged"}, "had been open for too long"),
        ({"form": ""}, "had been open for too long"),
        ({"person": ""}, "nobody with the key"),
        ({"person": "mallory"}, "nobody with the key"),
    ],
)
def test_it_refuses_what_the_page_did_not_send(night: House, fields: dict[str, str], said: str) -> None:
    link = link_of(night, DANA)
    form, _ = form_of(night, link)
    for button in ("accept", "pass"):
        answer = night.app.test_client().post(f"{link}/{button}", data={**form, **fields})
        assert answer.status_code == 422
        assert said in html.unescape(answer.get_data(as_text=True))
    assert night.case.engineer is None


def test_it_takes_no_form_of_another_case(night: House) -> None:
    link = link_of(night, DANA)
    other = night.context.links.form_token(1002)
    assert press(night, link, "accept", form=other) == 422
    assert night.app.test_client().post("/case/forged/accept", data={"person": "dana"}).status_code == 404


def test_it_says_who_has_it(night: House) -> None:
    link = link_of(night, DANA)
    form, _ = form_of(night, link)
    night.text(LUIS, "ACK 1001")
    answer = night.app.test_client().post(f"{link}/accept", data=form)
    assert answer.status_code == 422
    assert "Luis Ortega already has case 1001." in html.unescape(answer.get_data(as_text=True))


def test_it_wants_nobody_for_a_case_that_is_answered(night: House) -> None:
    link = link_of(night, DANA)
    with night.context.database.writing() as session:
        case, dana = session.get_one(Case, 1001), handling.somebody(session, "dana")
        handling.write(session, case, "It is mended.", dana, night.scheduler.now(), public=True)
    _, page = form_of(night, link)
    assert "Pass it on" not in page
    assert press(night, link, "accept", form=night.context.links.form_token(1001), person="dana") == 422


@pytest.mark.both_databases
def test_it_is_accepted_and_passed_on_from_a_shell(night: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(case_commands, "open_context", lambda: night.context)
    run = CliRunner().invoke
    done = run(main, ["case", "accept", "1001", "--by", "luis"])
    assert done.exit_code == 0, done.output
    assert "Luis Ortega has case 1001" in done.output
    assert night.case.engineer == "luis"
    refused = run(main, ["case", "accept", "1001", "--by", "dana"])
    assert refused.exit_code == 1
    assert "Luis Ortega already has case 1001" in refused.output
    assert "goes to the next engineer" in run(main, ["case", "pass", "1001", "--by", "luis"]).output
    assert night.case.engineer is None
