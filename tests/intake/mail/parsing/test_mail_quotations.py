"""History is folded, never deleted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.mail.parsing import bounds
from intake.mail.parsing.quoting import fold

QUOTES = [
    "> the old words\n",
    "On Mon, 6 Jul 2026 at 09:12, Bob <bob@b.example> wrote:\n> the old words\n",
    "On Mon, 6 Jul 2026 at 09:12, Bob Builder of the Night\nShift <bob@b.example> wrote:\n\n> the old words\n",
    "Am 06.07.2026 um 09:12 schrieb Bob:\n> the old words\n",
    "Le lun. 6 juil. 2026 à 09:12, Bob <bob@b.example> a écrit :\n> the old words\n",
    "El lun, 6 jul 2026 a las 9:12, Bob escribió:\n> the old words\n",
    "On 6 Jul 2026, at 09:12, Bob <bob@b.example> wrote:\n\nthe old words\n",
    "On 6 Jul 2026, at 09:12, Bob <bob@b.example> sent:\n\n> the old words\n",
    "På 6 juli 2026 på 09:12:18, Bob (bob@b.example) skrev:\n\nthe old words\n",
    "Op 6 jul. 2026, om 09:12 heeft Bob <bob@b.example> het volgende geschreven:\n\nthe old words\n",
    "2026-07-06 9:12 GMT+03:00 Bob <\nbob@b.example>:\n\n> the old words\n",
    "2026/7/6 Bob <bob@b.example>\n\n> the old words\n",
    "2026年7月6日 9:12 Bob <bob@b.example> 写道：\n\nthe old words\n",
    "On 6 Jul 2026, at 09:12, Bob Builder\n<bob@b.example>\nwrote:\n\nthe old words\n",
    "---- Bob wrote ----\n\nthe old words\n",
    "-----On 06/07/2026 09:12, Bob Builder wrote-----\n\nthe old words\n",
    "Date: Mon, 6 Jul 2026 09:12\nFrom: Bob\nTo: Ann\nSubject: x\n\nthe old words\n",
    "-----Original Message-----\nFrom: Bob\nSent: Monday\nthe old words\n",
    "-----Ursprüngliche Nachricht-----\nthe old words\n",
    f"{'_' * 32}\nFrom: Bob <bob@b.example>\nSent: Monday\nTo: Ann\nSubject: x\n\nthe old words\n",
    "Von: Bob\nGesendet: Montag\nAn: Ann\nBetreff: x\n\nthe old words\n",
    "*From:* Bob\n*Sent:* Monday\n*To:* Ann\n\nthe old words\n",
    "---------- Forwarded message ---------\nthe old words\n",
]


@pytest.mark.parametrize("quote", QUOTES)
def test_it_folds_what_is_quoted(quote: str) -> None:
    folded = fold(f"The new words.\n\n{quote}")
    assert folded.written == "The new words."
    assert "the old words" in folded.quoted


def test_it_keeps_answers_between_quotations() -> None:
    folded = fold("On 6 July Bob wrote:\n> first?\n\nYes.\n\n> second?\nNo.\n")
    assert folded.written.split() == ["Yes.", "No."]
    assert folded.quoted.count("?") == 2


def test_it_knows_signatures() -> None:
    assert fold("Words\n-- \nAnn\nCustomer Ltd\n").signature == "-- \nAnn\nCustomer Ltd"
    assert fold("Words\n\nSent from my iPhone\n").signature == "Sent from my iPhone"
    both = fold("Words\n--\nAnn\n> quoted\n")
    assert (both.written, both.signature, both.quoted) == ("Words", "--\nAnn", "> quoted")


@pytest.mark.parametrize(
    "text",
    [
        "On Monday the batch failed. Bob wrote: it is broken.\nPlease look.",
        "From: the plant in Ohio\nwe see errors.",
        "Dear team,\n\nto: do\ncc: nobody\n",
        "a > b, and b > c",
        "----\nA table\n----",
        "2026-07-06 started by Ann <ann@a.example>:\nit failed at once",
        "Date: 2026-07-06\nHost: alpha\nthe service is down",
    ],
)
def test_it_leaves_alone_what_only_looks_like_a_quotation(text: str) -> None:
    folded = fold(text)
    assert (folded.written, folded.quoted) == (text.strip(), "")


@pytest.mark.parametrize(
    "text", ["> only quoted\n", "-- \nonly signed", "-----Original Message-----\nFrom: a"]
)
def test_it_shows_everything_where_nothing_else_is_left(text: str) -> None:
    assert fold(text).written == text.strip()


_LINES = st.sampled_from(["words", "> quoted", "", "-- ", "From: a", "Sent: b", "To: c", "On 6 July Bob wrote:",
                          "_" * 32,
                          "-----Original Message-----", "Sent from my phone", " ", "\t>x", "é: wrote:"])  # fmt: skip


@given(st.lists(_LINES | st.text(max_size=30), max_size=40).map("\n".join))
def test_it_never_deletes_a_character(text: str) -> None:
    folded = fold(text)
    assert "".join(piece.text for piece in folded.pieces) == text
    assert folded.written or not text.strip()


def test_it_folds_a_text_of_any_length() -> None:
    text = "line\n" * bounds.FOLDED_LINES + "> quoted\n" * 10
    folded = fold(text)
    assert "".join(piece.text for piece in folded.pieces) == text
