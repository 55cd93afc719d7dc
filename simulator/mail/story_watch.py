"""What is new in the mailboxes, told as beats of a story. Pure, but for fetching a letter's whole text."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from simulator.night_desk import Json
from simulator.night_story import Beat

_QUOTED = re.compile(r"^(>.*|On .{5,80} wrote:|-- Write above this line.*)$", re.MULTILINE)
_SHOWN = 420


class MailWatcher:
    """Tells each letter, and each attempt to deliver one, once. What was there before it began is left out."""

    def __init__(self, mail: Json, letter: Callable[[str], Json]) -> None:
        self._old = {each["id"] for box in mail["mailboxes"] for each in box["letters"]}
        self._letter = letter
        self._opened: dict[str, Json] = {}
        self._told: set[tuple[str, ...]] = set()

    def letters(self, mail: Json) -> list[Json]:
        """The story's letters so far, whole, the oldest first; each with the ``owner`` of its mailbox."""
        found = [
            self._open(each) | {"deliveries": each["deliveries"], "owner": box}
            for box in mail["mailboxes"]
            for each in box["letters"]
            if each["id"] not in self._old
        ]
        return sorted(found, key=lambda each: str(each["time"]))

    def beats(self, mail: Json) -> list[Beat]:
        """What has not been told yet, by time."""
        fresh = [
            beat
            for letter in self.letters(mail)
            for key, beat in letter_beats(letter)
            if not (key in self._told or self._told.add(key))  # type: ignore[func-returns-value]
        ]
        return sorted(fresh, key=lambda beat: beat.at)

    def _open(self, letter: Json) -> Json:
        if letter["id"] not in self._opened:
            self._opened[letter["id"]] = self._letter(letter["id"])
        return self._opened[letter["id"]]


def letter_beats(letter: Json) -> list[tuple[tuple[str, ...], Beat]]:
    """All that happened to a letter, each with a key that stays the same."""
    who, at = letter["owner"]["name"] or letter["mailbox"], _time(letter)
    if letter["direction"] == "received":
        return [((letter["id"],), Beat(at, who, f"gets {_kind(letter)}: {_words(letter)}"))]
    to = ", ".join(pair["address"] for pair in letter["to"])
    beats: list[tuple[tuple[str, ...], Beat]] = [
        ((letter["id"],), Beat(at, who, f"writes to {to}: {_words(letter)}"))
    ]
    for delivery in letter["deliveries"]:
        for number, attempt in enumerate(delivery["attempts"]):
            said = f"{attempt['code']} {attempt['text']}" if attempt["code"] else attempt["text"]
            key = (letter["id"], delivery["recipient"], str(number))
            beats.append((key, Beat(_time(attempt), "The post office", f"hands it over: {said}.")))
    return beats


def _kind(letter: Json) -> str:
    names = ", ".join(pair["name"] or pair["address"] for pair in letter["from"])
    return f"{'an automatic mail' if letter['automatic'] else 'a mail'} from {names or 'nobody'}"


def _words(letter: Json) -> str:
    return f"“{letter['subject']}”. {own_words(letter['text'])}"


def own_words(text: str) -> str:
    """The text on one line, without what it quotes, and not too long."""
    words = " ".join(_QUOTED.sub("", text).split())
    return words if len(words) <= _SHOWN else words[:_SHOWN].rsplit(" ", 1)[0] + " …"


def _time(item: Json) -> datetime:
    return datetime.fromisoformat(item["time"])


def header(letter: Json, name: str) -> str:
    """A header of a whole letter, or an empty text."""
    return next((value for key, value in letter["headers"] if key.lower() == name.lower()), "")


def is_in_conversation(letter: Json, earlier: Json) -> bool:
    """Whether a mail program shows ``letter`` under ``earlier``."""
    ids = f"{header(letter, 'In-Reply-To')} {header(letter, 'References')}".split()
    return earlier["message_id"] in ids
