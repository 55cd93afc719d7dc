"""References, and subjects that mail programs take for the same conversation."""

from __future__ import annotations

import pytest

from routing.correspondence.threads import MOST_REFERENCES, answering_subject, bare_subject, references


def test_it_adds_the_parent_to_its_references() -> None:
    assert references(["<a>", "<b>"], "<c>") == ("<a>", "<b>", "<c>")
    assert references([], "<c>") == ("<c>",)
    assert references(["<a>", "<c>", "<b>"], "<c>") == ("<a>", "<b>", "<c>"), "each once, the parent last"
    assert references([], "") == ()


def test_it_keeps_the_first_and_the_latest_of_a_long_conversation() -> None:
    ids = [f"<{number}>" for number in range(100)]
    kept = references(ids[:-1], ids[-1])
    assert len(kept) == MOST_REFERENCES
    assert kept == ("<0>", *ids[-(MOST_REFERENCES - 1) :])


@pytest.mark.parametrize(
    ("subject", "bare"),
    [
        ("Scheduler down", "Scheduler down"),
        ("Re: AW: SV: Scheduler down", "Scheduler down"),
        ("RE[2]: Scheduler down", "Scheduler down"),
        ("Re: [Case 1042] RE: [case 7] Scheduler down", "Scheduler down"),
        ("Re:", ""),
        ("", ""),
        ("Report: all is well", "Report: all is well"),
        ("[Case] of the missing job", "[Case] of the missing job"),
        ("a\r\nb", "a b"),
    ],
)
def test_it_finds_the_subject_below_prefixes(subject: str, bare: str) -> None:
    assert bare_subject(subject) == bare


def test_it_tags_an_answer_with_its_case() -> None:
    assert answering_subject(1042, "AW: [Case 1042] Scheduler down") == "Re: [Case 1042] Scheduler down"
    assert answering_subject(1042, "") == "Re: [Case 1042]"
    long = answering_subject(1042, "x" * 10_000)
    assert long.endswith("…")
    assert len(long) < 200
