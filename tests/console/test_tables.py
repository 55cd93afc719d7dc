"""Rows for a spreadsheet: what customers wrote must not run there."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.tables import as_columns, as_csv


@pytest.mark.parametrize(
    "cell", ["=1+1", "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", "=cmd|' /C calc'!A0"]
)
def test_it_defuses_formulas(cell: str) -> None:
    (_, (got,)) = csv.reader(io.StringIO(as_csv(["name"], [[cell]]), newline=""))
    assert got == f"'{cell}"


def test_it_leaves_words_numbers_and_nothing_as_they_are() -> None:
    assert as_csv(["a", "b", "c"], [["Lakeside, Inc.", -3, None]]) == 'a,b,c\r\n"Lakeside, Inc.",-3,\r\n'


@given(st.lists(st.lists(st.text() | st.integers() | st.none(), min_size=3, max_size=3), max_size=5))
def test_it_writes_no_cell_that_a_spreadsheet_runs(rows: list[list[object]]) -> None:
    read = list(csv.reader(io.StringIO(as_csv(["a", "b", "c"], rows), newline="")))
    assert len(read) == len(rows) + 1
    for row, written in zip(rows, read[1:], strict=True):
        for value, cell in zip(row, written, strict=True):
            if isinstance(value, str):
                assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
                assert cell.removeprefix("'") == value.removeprefix("'")


def test_it_aligns_columns() -> None:
    assert (
        as_columns(["tier", "kept"], [["elite", 36], ["classic", 1]])
        == "tier     kept\nelite      36\nclassic     1"
    )
