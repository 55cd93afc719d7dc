"""What was written, as a telephone can read it out. Pure."""

from __future__ import annotations

import re

_LINK = re.compile(r"<?\b(?:https?|ftp)://[^\s>]+>?|<?\bwww\.[^\s>]+>?", re.IGNORECASE)
_RULED = re.compile(r"[-=_*#~+.|]{4,}")
_UNSPEAKABLE = re.compile(r"\S{41,}")  # keys, paths, encoded files: nobody could follow
_SENTENCE_ENDS = re.compile(r"[.!?:;](?=\s)")


def aloud(text: str, most: int) -> tuple[str, bool]:
    """``text`` in at most ``most`` characters, with what cannot be spoken left out; and whether it was cut.

    It is cut behind a sentence, else behind a word.
    """
    text = _LINK.sub("(a link)", text[: 20 * most])
    text = " ".join(_UNSPEAKABLE.sub("(a long code)", _RULED.sub(" ", text)).split())
    if len(text) <= most:
        return text, False
    cut = text[: most + 1]
    ends = [found.end() for found in _SENTENCE_ENDS.finditer(cut)]
    if ends and ends[-1] > most // 2:
        return cut[: ends[-1]], True
    return cut.rpartition(" ")[0] or cut[:most], True
