"""How long a text is for the telephone network, and how it is cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.paging.segments import cut, is_gsm, segments

LINK = "https://bell.example/case/MTAwMQ.aaaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbb"
TEXTS = st.text(st.one_of(st.sampled_from(" ab€{é\nЖ中😀"), st.characters(codec="utf-8")), max_size=900)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("a" * 459, 3),
        ("a" * 460, 4),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("a" * 152 + "€" + "a" * 152, 3),  # the euro sign's two places are not divided
        ("Ж" * 70, 1),
        ("Ж" * 71, 2),
        ("a" * 70 + "Ж", 2),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("😀" * 67, 3),  # 33 in each segment of 67
    ],
)
def test_it_counts_segments(text: str, count: int) -> None:
    assert segments(text) == count


def test_it_knows_the_alphabet() -> None:
    assert is_gsm("Müller & Søn: 5 € @ [8] ~ ñ")
    assert not is_gsm("ç") and not is_gsm("’") and not is_gsm("…")  # noqa: PT018


@given(TEXTS, st.integers(1, 3))
def test_it_cuts_to_what_fits(text: str, most: int) -> None:
    got = cut(text, most)
    assert segments(got) <= most
    if segments(text.strip()) <= most:
        assert got == text.strip()


@given(st.lists(st.text("abcdeé", min_size=1, max_size=12), min_size=100, max_size=200))
def test_it_ends_at_a_word_and_keeps_the_link(words: list[str]) -> None:
    text = " ".join(words)
    got = cut(f"{text} {LINK}", 2)
    assert got.endswith(f" {LINK}")
    head = got.removesuffix(f" {LINK}")
    if head != text:
        kept = head.removesuffix("...")
        assert text.startswith(f"{kept} ")
        assert segments(f"{kept} {words[len(kept.split(' '))]}... {LINK}") > 2, "one word more would not fit"


def test_it_cuts_an_endless_word() -> None:
    assert cut("a" * 2000) == "a" * 459
    assert cut("https://" + "a" * 2000).startswith("https://aaa")
    assert cut("word " + "https://" + "a" * 2000).startswith("word")
