"""How long a text is for the telephone network, and how it is cut. Pure.

A text goes out in segments of 140 bytes: 160 characters of the GSM alphabet (3GPP TS 23.038), or 70 UTF-16 units
where one character is outside of it. Of several segments each gives some room to their header: 153, or 67.
"""

from __future__ import annotations

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")  # two places each
_MOST_SEGMENTS = 3
_MORE = "..."


def is_gsm(text: str) -> bool:
    """Whether all of the text is in the GSM alphabet."""
    return set(text) <= _BASIC | _EXTENDED


def segments(text: str) -> int:
    """In how many segments the text goes out."""
    units = _unit_counts(text)
    single, each = (160, 153) if is_gsm(text) else (70, 67)
    if sum(units) <= single:
        return 1
    count, room = 1, each
    for unit in units:  # a character of two units is not divided between segments
        count, room = (count, room - unit) if unit <= room else (count + 1, each - unit)
    return count


def cut(text: str, most: int = _MOST_SEGMENTS) -> str:
    """The text in at most ``most`` segments, ended at a word. A link at its end is kept: it leads to the rest."""
    text = text.strip()
    if segments(text) <= most:
        return text
    head, _, last = text.rpartition(" ")
    link = f" {last}" if last.startswith(("https://", "http://")) else ""
    words = (head if link else text).split(" ")
    # In few steps: the longest beginning that fits, found by halving.
    fits, too_long = 0, len(words)
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        shorter = " ".join(words[:middle]) + _MORE + link
        fits, too_long = (middle, too_long) if segments(shorter) <= most else (fits, middle)
    if not fits:
        return _hard_cut(text, most)
    return " ".join(words[:fits]) + _MORE + link


def _hard_cut(text: str, most: int) -> str:
    """For a single endless word: as many characters as fit."""
    end = min(len(text), most * 160)
    while segments(text[:end]) > most:
        end -= 1
    return text[:end]


def _unit_counts(text: str) -> list[int]:
    if is_gsm(text):
        return [2 if character in _EXTENDED else 1 for character in text]
    return [2 if ord(character) > 0xFFFF else 1 for character in text]
