"""The marker of a private note, however programs dress it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.mail.markers import Marked, marked, without_marker


@pytest.mark.parametrize(
    "line",
    [
        "NOTE: they have not paid", "note: they have not paid", "  NOTE:they have not paid",
        "*NOTE:* they have not paid",
        "*NOTE*: they have not paid", "NOTE : they have not paid", "NOTE：they have not paid",
        "\u200bNOTE: they have not paid", "\ufeffNOTE: they have not paid", "- NOTE: they have not paid",
        "> NOTE: they have not paid", "“NOTE: they have not paid", "__NOTE:__ they have not paid",
    ],
)  # fmt: skip
def test_it_sees_the_marker(line: str) -> None:
    assert marked(line, "NOTE:") is Marked.YES
    assert without_marker(line, "NOTE:") == "they have not paid"


@pytest.mark.parametrize(
    "line", ["NOTE they have not paid", "NOTE; they have not paid", "NOTE", "*NOTE* - paid?"]
)
def test_it_is_not_sure_where_the_colon_is_missing(line: str) -> None:
    assert marked(line, "NOTE:") is Marked.PERHAPS


@pytest.mark.parametrize(
    "line",
    ["", "Note that the agent restarts", "NOTEPAD: is open", "Please NOTE: it restarts", "Notes: none"],
)
def test_it_sees_no_marker_in_other_words(line: str) -> None:
    assert marked(line, "NOTE:") is Marked.NO


@pytest.mark.parametrize("marker", ["##", "[intern]", "int:", "// "])
def test_it_knows_markers_of_any_kind(marker: str) -> None:
    assert marked(f"{marker} they have not paid", marker) is Marked.YES
    assert without_marker(f"{marker} they have not paid", marker).endswith("they have not paid")
    assert marked("they have not paid", marker) is Marked.NO


@given(st.text(max_size=40), st.text(max_size=40))
def test_it_reads_any_line(line: str, rest: str) -> None:
    assert marked(line, "NOTE:") in Marked
    assert marked(f"NOTE: {rest}", "NOTE:") is Marked.YES
