"""Does a line begin with the marker of a private note? Pure. In doubt it is one that nobody can be sure of."""

from __future__ import annotations

import enum
import re
import unicodedata

# What mail programs put around a word that is bold, in a list, or pasted; and what nobody sees.
_AROUND = re.compile(r"^[\s>*_#•·–—\-\"'“”‘’(\[]+")
_EMPHASIS = re.compile(r"[*_]")


class Marked(enum.StrEnum):
    """How sure it is that a line has the marker."""

    YES = "yes"
    PERHAPS = "perhaps"
    NO = "no"


def marked(line: str, marker: str) -> Marked:
    """Whether ``line`` begins with ``marker``, in whatever letters; perhaps, where its colon alone is missing."""
    if _after(line, marker) is not None:
        return Marked.YES
    word = re.sub(r"\W+$", "", _plain(marker))
    if not word:
        return Marked.NO
    begins = _AROUND.sub("", _plain(line))
    # In the marker's very letters: "NOTE they ..." is meant so, "Note that ..." is English.
    perhaps = begins.startswith(word) and not begins[len(word) : len(word) + 1].isalnum()
    return Marked.PERHAPS if perhaps and word != word.lower() else Marked.NO


def without_marker(line: str, marker: str) -> str:
    """What a marked line says besides."""
    return (_after(line, marker) or "").strip()


def _after(line: str, marker: str) -> str | None:
    """What follows the marker; None if the line does not begin with it."""
    wanted, plain = _plain(marker).strip().casefold(), _plain(line).strip()
    for text in (plain, _AROUND.sub("", plain)):
        for said in (text, _EMPHASIS.sub("", text)):
            squeezed = re.sub(r"^(\w+)\s+(?=[:])", r"\1", said)
            if squeezed.casefold().startswith(wanted):
                return squeezed[len(wanted) :]
    return None


def _plain(text: str) -> str:
    """The text in the letters that it looks like (a wide colon is a colon), without what is not seen."""
    normal = unicodedata.normalize("NFKC", text)
    return "".join(c for c in normal if unicodedata.category(c) != "Cf")
