"""What was written, read out by a telephone."""

from __future__ import annotations

import pytest

from routing.paging.spoken import aloud


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Hello.\n\n  It is down. ", "Hello. It is down."),
        ("See https://customer.example/a?b=c#d for it", "See (a link) for it"),
        ("See <https://customer.example/> or www.customer.example now", "See (a link) or (a link) now"),
        ("Title\n=======\nwords ----------- words", "Title words words"),
        (f"key {'a1' * 40} end", "key (a long code) end"),
        ("", ""),
    ],
)
def test_it_leaves_out_what_nobody_can_follow(text: str, spoken: str) -> None:
    assert aloud(text, 400) == (spoken, False)


def test_it_cuts_behind_a_sentence_else_behind_a_word() -> None:
    assert aloud("One two three. Four five six seven.", 20) == ("One two three.", True)
    assert aloud("One. Two three four five six seven eight", 20) == ("One. Two three four", True)
    assert aloud("a" * 30 + " " + "b" * 30, 20) == ("a" * 20, True)
    assert aloud("x " * 1_000_000, 20) == ("x x x x x x x x x x", True)
