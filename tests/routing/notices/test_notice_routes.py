"""How a customer can be told: every hindrance, and that nothing ever gets a text that must not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.notices.routes import (
    MAIL,
    MOST_TEXTS_A_DAY,
    SMS,
    NoRoute,
    Reach,
    Route,
    can_get_texts,
    route,
    why_no_text,
)

LINE, MARIA, LANDLINE = "+18773632305", "+15125550142", "+442079460018"
USUAL = Reach(wanted="sms", number=MARIA, line_number=LINE)
WITH_MAIL = replace(USUAL, email="maria@lakeside.example", mail_works=True)

HINDRANCES: list[tuple[dict[str, Any], str]] = [
    ({"wanted": "mail"}, "the line sends no texts"),
    ({"number": None}, "withheld"),
    ({"text_came_back": True}, "could not be delivered"),
    ({"no_text_reason": "a landline"}, "gets no texts: a landline"),
    ({"own_numbers": frozenset({MARIA})}, "one of our own"),
    ({"number": LANDLINE}, "cannot get texts"),
    ({"number": "+61491570156", "verified": False, "entered": True}, "abroad"),
    ({"texts_today": MOST_TEXTS_A_DAY}, "too many"),
]


def test_it_sends_a_text_where_nothing_is_against_it() -> None:
    assert route(USUAL) == route(WITH_MAIL) == Route(SMS, MARIA)


@pytest.mark.parametrize(("known", "why"), HINDRANCES)
def test_it_writes_a_mail_where_something_is(known: dict[str, Any], why: str) -> None:
    assert route(replace(WITH_MAIL, **known)) == Route(MAIL, "maria@lakeside.example")
    nothing = route(replace(USUAL, **known))
    assert isinstance(nothing, NoRoute)
    assert why in nothing.reason
    assert "no mail address is known" in nothing.reason
    no_server = route(replace(USUAL, **known, email="maria@lakeside.example"))
    assert isinstance(no_server, NoRoute)
    assert "no mail server is set" in no_server.reason


def test_it_sends_nothing_where_the_line_says_so() -> None:
    assert route(replace(WITH_MAIL, wanted="off")) == NoRoute("the line sends no receipts")


def test_it_texts_a_customer_abroad_who_is_known_or_calls_from_there() -> None:
    abroad = replace(USUAL, number="+61491570156")
    assert why_no_text(replace(abroad, entered=True)) is None
    assert why_no_text(replace(abroad, verified=False)) is None


@pytest.mark.parametrize(
    ("number", "textable"),
    [
        (MARIA, True),  # North America: a mobile or not, nobody can see it
        ("+61491570156", True),
        ("+447700900123", True),  # a range that the library does not know
        (LANDLINE, False),
        ("+4930123456", False),
        (LINE, False),
        ("+19005551234", False),  # premium rate
        ("sip:somebody", False),
    ],
)
def test_it_tells_numbers_apart_by_their_plan(number: str, textable: bool) -> None:
    assert can_get_texts(number) is textable


@given(
    wanted=st.sampled_from(["sms", "mail", "off"]),
    number=st.sampled_from([None, MARIA, LANDLINE, LINE, "+61491570156"]),
    verified=st.booleans(),
    entered=st.booleans(),
    reason=st.sampled_from([None, "asked us to stop"]),
    texts=st.integers(0, 20),
    back=st.booleans(),
    email=st.sampled_from([None, "a@b.example"]),
    works=st.booleans(),
)
def test_it_never_takes_a_way_that_is_closed(
    wanted: str, number: str | None, verified: bool, entered: bool, reason: str | None, texts: int, back: bool,
    email: str | None, works: bool,
) -> None:  # fmt: skip
    reach = Reach(
        wanted, number, LINE, frozenset({LINE}), verified, entered, reason, texts, back, email, works
    )
    way = route(reach)
    if isinstance(way, NoRoute):
        assert not (wanted == "sms" and number == MARIA and reason is None and texts < 10 and not back)
        assert not (wanted != "off" and email and works)
    elif way.channel == SMS:
        assert way.address == number != LINE
        assert (wanted, reason, back) == ("sms", None, False)
        assert texts < MOST_TEXTS_A_DAY
    else:
        assert way.address == email
        assert wanted != "off"
        assert works
