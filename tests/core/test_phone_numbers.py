from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import phone_numbers as pn

WITHHELD = ["anonymous", "unknown", "restricted", "unavailable", "private", "blocked"]
# As Twilio sends them: the words typed on a telephone's keypad.
KEYPAD = ["+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253"]


@pytest.mark.parametrize("raw", ["", "  ", *WITHHELD, *(w.upper() for w in WITHHELD), " Anonymous ", *KEYPAD])
def test_it_knows_a_withheld_number(raw: str) -> None:
    assert pn.is_withheld(raw)
    assert pn.caller_number(raw) is None


@pytest.mark.parametrize("raw", ["+17135550101", "client:alice", "anonymous2", "+2666966870"])
def test_it_takes_nothing_else_for_withheld(raw: str) -> None:
    assert not pn.is_withheld(raw)


@pytest.mark.parametrize(
    ("raw", "e164"),
    [
        ("+17135550101", "+17135550101"),
        ("(713) 555-0101", "+17135550101"),
        ("1-713-555-0101", "+17135550101"),
        ("7135550101", "+17135550101"),
        ("+44 20 7946 0018", "+442079460018"),
        ("011442079460018", "+442079460018"),
        ("+1 877 363 2305", "+18773632305"),
        ("+17135550101 ext. 5", "+17135550101"),
    ],
)
def test_it_writes_a_number_as_e164(raw: str, e164: str) -> None:
    assert pn.to_e164(raw) == e164


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "1042",
        "5550101",
        "713555010",
        "71355501012",
        "client:alice",
        "+",
        "++",
        "+8110000000000000",
        "x",
        "*69",
        "+999123",
        "+10005550101",
        "1135550101",
    ],
)
def test_it_refuses_what_no_telephone_can_have(raw: str) -> None:
    """Seven digits too: without an area code nobody can be called back."""
    assert pn.to_e164(raw) is None


def test_it_knows_no_number_of_a_caller_who_is_no_telephone() -> None:
    assert pn.caller_number("client:alice") is None
    assert pn.caller_number("+17135550101") == "+17135550101"


@pytest.mark.parametrize(
    ("e164", "shown"),
    [("+17135550101", "(713) 555-0101"), ("+442079460018", "+44 20 7946 0018"), ("nothing", "nothing")],
)
def test_it_shows_a_number_as_people_write_it(e164: str, shown: str) -> None:
    assert pn.shown(e164) == shown


@pytest.mark.parametrize(
    ("digits", "spoken"),
    [
        ("1042", "1 0 4 2"),
        ("+17135550101", "7 1 3 5 5 5 0 1 0 1"),
        ("+442079460018", "4 4 2 0 7 9 4 6 0 0 1 8"),
        ("", ""),
    ],
)
def test_it_speaks_digits_one_by_one(digits: str, spoken: str) -> None:
    assert pn.spoken(digits) == spoken


@settings(deadline=None, max_examples=25)
@given(st.text(max_size=20) | st.from_regex(r"\+?[0-9*#]{0,20}", fullmatch=True))
def test_it_never_fails_and_writes_nothing_but_e164(raw: str) -> None:
    for number in (pn.to_e164(raw), pn.caller_number(raw)):
        assert number is None or re.fullmatch(r"\+[1-9][0-9]{6,14}", number)
    assert isinstance(pn.shown(raw), str)
