"""The link in a text opens one page: the case, its decision and timeline, and the voicemail to play."""

from __future__ import annotations

import re

import pytest

from simulator import audio
from simulator.phones import Answers
from tests.house import House
from tests.stories.people import BELL, DANA, MARIA, TOM


@pytest.fixture
def link(house: House) -> str:
    """The link that Dana got, as a path."""
    house.phone(DANA).behave(Answers(4, presses="1"))
    house.voicemail_from(MARIA)
    house.fast_forward(40)
    found = re.search(rf"{BELL}(/case/\S+)", house.texts(DANA)[0])
    assert found is not None
    return found[1]


def test_it_shows_the_case_to_who_has_the_link(house: House, link: str) -> None:
    answer = house.app.test_client().get(link)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    for part in ("Case 1001", "Lakeside Credit Union", "Elite", "(512) 555-0142", "Dana Whitfield",
                 "A voicemail was left.", "around the clock", "accepted the case", "<audio"):  # fmt: skip
        assert part in page
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_it_gives_the_same_as_json(house: House, link: str) -> None:
    shown = house.app.test_client().get(link, headers={"Accept": "application/json"}).get_json()
    assert shown["number"] == 1001
    assert shown["decision"]["outcome"] == "page"
    kinds = [entry["kind"] for entry in shown["timeline"]]
    for kind in ("call.began", "voicemail.heard-of", "case.opened", "page.started", "page.accepted"):
        assert kinds.count(kind) == 1
    assert kinds.index("call.began") < kinds.index("case.opened") < kinds.index("page.accepted")


def test_it_plays_the_voicemail_byte_for_byte(house: House, link: str) -> None:
    (recording,) = house.recordings
    answer = house.app.test_client().get(f"{link}/voicemail/{recording.sid}.wav")
    assert answer.status_code == 200
    assert answer.mimetype == "audio/wav"
    assert answer.data == audio.wav(house.company.recordings[recording.sid].samples)


def test_it_shows_nothing_to_who_forges_or_stretches_a_link(house: House, link: str) -> None:
    client = house.app.test_client()
    (recording,) = house.recordings
    house.voicemail_from(TOM)
    others = house.context.links.case_url(1002).removeprefix(BELL)
    assert client.get(others).status_code == 200
    for path in (
        f"{link}x",
        link[:-3],
        "/case/1001",
        house.context.links.case_url(4711).removeprefix(BELL),
        f"{others}/voicemail/{recording.sid}.wav",
        f"{link}/voicemail/RE{'0' * 32}.wav",
    ):
        answer = client.get(path)
        assert answer.status_code == 404, path
        assert b"Lakeside" not in answer.data


def test_it_names_the_days_of_a_timeline_that_has_several(house: House, link: str) -> None:
    assert 'class="day"' not in house.app.test_client().get(link).get_data(as_text=True)
    house.fast_forward(86_400)
    page = house.app.test_client().get(link).get_data(as_text=True)
    days = re.findall(r'class="day">(\w{3} \d\d \w{3} \d{4})<', page)
    assert len(days) == len(set(days)) == 2


def test_it_says_what_to_do_with_a_link_that_was_cut_off_or_is_too_old(house: House, link: str) -> None:
    client = house.app.test_client()
    cut = client.get(link[:-3])
    for answer in (cut, client.get("/case/1001")):
        assert answer.status_code == 404
        assert "older than 14 days" in answer.get_data(as_text=True)
        assert answer.headers["Referrer-Policy"] == "no-referrer"
