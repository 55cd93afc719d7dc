"""Which charset bytes may be in that say nothing of it.

The library that is asked compares languages, and needs more words than a short mail has: it takes French for Czech.
What Western European bytes are is told by the characters that no language mixes, and Japanese by its syllables.
"""

from __future__ import annotations

import re

_LIKELY = (
    "cp1252", "cp1251", "koi8-r", "gb18030", "big5", "cp932", "euc_jp", "cp949", "cp1250", "cp1253",
    "cp1254", "cp1255", "cp1256", "cp874", "iso8859_2", "utf_16_le", "utf_16_be",
)  # fmt: skip
_LATIN = ("cp1252", "cp1250", "cp1254", "iso8859_2")
# Chinese has next to none of the one, and never so many of the other.
_BY_SYLLABLES = (
    ("euc_jp", re.compile("[\u3041-\u30fe]"), 0.2),
    ("euc_kr", re.compile("[\uac00-\ud7a3]"), 0.85),
)
_LETTER = "a-zA-Zà-öø-ÿÀ-ÖØ-Þ"
# As Windows-1252 shows what is written in another charset: signs within words, and letters of two languages.
_IN_A_WORD = re.compile(f"[{_LETTER}][³¹¼¾±¶¿Ÿ][{_LETTER}]|\ufffd")
_ROMANIAN = re.compile(f"[{_LETTER}][ºþ]")


def most_likely(sample: bytes) -> str | None:
    """Python's name of the charset that a sample is most likely in; None if it looks like none."""
    from charset_normalizer import from_bytes

    text = sample.decode("utf-8", "replace")
    if text.count("\ufffd") * 20 < len(text) - len(text.encode("ascii", "ignore")):
        return "utf-8"  # a text of several bytes a character with a few broken ones
    for codec, letters, least in _BY_SYLLABLES:
        if _consists_of(sample, codec, letters, least):
            return "cp949" if codec == "euc_kr" else codec
    best = from_bytes(sample, cp_isolation=list(_LIKELY), enable_fallback=False).best()
    if best is None:
        return None
    return _of_latin(sample, best.encoding) if best.encoding in _LATIN else best.encoding


def _of_latin(sample: bytes, best: str) -> str:
    """Windows-1252, unless that would show what nobody writes."""
    shown = sample.decode("cp1252", "replace")
    letters = set(shown)
    czech = letters & set("šž") and letters & set("øìùèïò")
    hungarian = letters & set("õû") and letters & set("öü") and letters & set("áéíóú")
    romanian = letters & set("ãîâ") and "ð" not in letters and _ROMANIAN.search(shown)
    if czech or (hungarian and not letters & set("ãêôàñ")) or romanian or _IN_A_WORD.search(shown):
        return best if best in ("cp1250", "iso8859_2") else "cp1250"
    turkish = letters & set("ðþý") and letters & set("üöç") and not letters & set("áíúæ")
    return "cp1254" if turkish else "cp1252"


def _consists_of(sample: bytes, codec: str, letters: re.Pattern[str], least: float) -> bool:
    """Whether so much of what is not ASCII is of these letters, in this charset."""
    try:
        text = sample.decode(codec)
    except UnicodeDecodeError:
        return False
    other = len(text) - len(text.encode("ascii", "ignore"))
    return len(letters.findall(text)) > least * other
