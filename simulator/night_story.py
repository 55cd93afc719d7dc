"""The night call as a story: what happened on every phone, with times, and what became of the promises. Pure."""

from __future__ import annotations

import re
import shutil
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from simulator.night_desk import Json

_WHO = 18
_MARGIN = 8 + 2 + 7 + 2 + _WHO + 2  # clock, seconds, who
_LINK = re.compile(r"https?://\S+/case/[^\s/]+")
KEPT, BROKEN, OPEN = "kept", "broken", "open"
_MARKS = {KEPT: "✓", BROKEN: "✗", OPEN: "…"}
_COLOURS = {"dim": "2", "bold": "1", "lamp": "33", KEPT: "32", BROKEN: "31", OPEN: "33"}


@dataclass(frozen=True)
class Beat:
    """Something that happened: when, to whom, and what."""

    at: datetime
    who: str
    what: str


@dataclass(frozen=True)
class Promise:
    """Something that was promised and whether it was kept: KEPT, BROKEN or still OPEN."""

    verdict: str
    sentence: str


class Paper:
    """Lays lines out. ``colour``: for a terminal; ``width`` in characters."""

    def __init__(self, zone: str, *, colour: bool, width: int | None = None) -> None:
        self._zone, self._colour = ZoneInfo(zone), colour
        self._width = min(width or shutil.get_terminal_size((100, 24)).columns, 110)

    def beat(self, beat: Beat, since: datetime | None) -> str:
        """One line of the story; ``since`` is when the voicemail was left."""
        clock = f"{beat.at.astimezone(self._zone):%H:%M:%S}"
        seconds = (beat.at - since).total_seconds() if since is not None and beat.at >= since else None
        plus = "" if seconds is None else f"+{seconds:.1f}s"
        who = self._as("bold", f"{beat.who[:_WHO]:<{_WHO}}")
        start = f"{self._as('dim', clock)}  {self._as('lamp', f'{plus:>7}')}  {who}"
        return f"{start}  {self._wrapped(beat.what, _MARGIN)}"

    def heading(self, text: str) -> str:
        return f"\n{self._as('bold', text)}"

    def field(self, name: str, value: str) -> str:
        return f"  {self._as('dim', f'{name:<11}')} {self._wrapped(value, 14)}"

    def item(self, mark: str, text: str) -> str:
        return f"  {mark}  {self._wrapped(text, len(mark) + 4)}"

    def promise(self, promise: Promise) -> str:
        return self.item(self._as(promise.verdict, _MARKS[promise.verdict]), promise.sentence)

    def _wrapped(self, text: str, margin: int) -> str:
        lines = textwrap.wrap(
            text, max(self._width - margin, 30), break_long_words=False, break_on_hyphens=False
        )
        return f"\n{' ' * margin}".join(lines)

    def _as(self, style: str, text: str) -> str:
        return f"\033[{_COLOURS[style]}m{text}\033[0m" if self._colour and text.strip() else text


class Watcher:
    """Tells what is new in each state that it is shown. Calls and texts from before it began are left out."""

    def __init__(self, state: Json) -> None:
        self._old_calls = {call["sid"] for call in state["calls"]}
        self._texts = {phone["number"]: len(phone["sms"]) for phone in state["phones"]}
        self._told: set[tuple[str, ...]] = set()

    def new_calls(self, state: Json) -> list[Json]:
        """The story's calls so far, the oldest first."""
        return [call for call in reversed(state["calls"]) if call["sid"] not in self._old_calls]

    def new_texts(self, state: Json) -> Iterable[tuple[Json, Json]]:
        """The story's texts so far: (phone, text)."""
        for phone in state["phones"]:
            for text in phone["sms"][self._texts.get(phone["number"], 0) :]:
                yield phone, text

    def beats(self, state: Json) -> list[Beat]:
        """What has not been told yet, by time."""
        fresh: list[Beat] = []
        for call in self.new_calls(state):
            fresh += [beat for key, beat in call_beats(call, state) if self._is_new((call["sid"], *key))]
        for phone, text in self.new_texts(state):
            if self._is_new((phone["number"], text["time"])):
                verb = "gets a text" if text["direction"] == "received" else "writes"
                fresh.append(Beat(_time(text), name_of(state, phone["number"]), f"{verb}: {text['body']}"))
        return sorted(fresh, key=lambda beat: beat.at)

    def _is_new(self, key: tuple[str, ...]) -> bool:
        known = key in self._told
        self._told.add(key)
        return not known

    def link(self, state: Json) -> str | None:
        """The newest signed link to a case in a text."""
        found = [link for _, text in self.new_texts(state) if (link := case_link(text["body"]))]
        return found[-1] if found else None


def case_link(text: str) -> str | None:
    """The first signed link to a case in a text."""
    found = _LINK.search(text)
    return found[0] if found else None


def name_of(state: Json, number: str) -> str:
    """Who has ``number``: a person's or a line's name, or the number itself."""
    known: Iterable[Mapping[str, str]] = [*state["callers"], *state["phones"], *state["numbers"]]
    return next((item["name"] for item in known if item["number"] == number and item["name"]), number)


def shown_number(number: str) -> str:
    """``+17135550101`` as ``(713) 555-0101``."""
    found = re.fullmatch(r"\+1(\d{3})(\d{3})(\d{4})", number)
    return f"({found[1]}) {found[2]}-{found[3]}" if found else number


def call_beats(call: Json, state: Json) -> list[tuple[tuple[str, ...], Beat]]:
    """Everything that happened in a call, each with a key that stays the same."""
    owner = name_of(state, call["phone"])
    if call["direction"] == "inbound":
        began = f"dials {shown_number(call['to'])}, {name_of(state, call['to'])}."
    else:
        began = f"The phone rings. It shows {shown_number(call['from'])}."
    start = Beat(datetime.fromisoformat(call["started"]), owner, began)
    beats: list[tuple[tuple[str, ...], Beat]] = [(("began",), start)]
    for index, item in enumerate(call["heard"]):
        if words := _heard(item):
            beats.append((("heard", str(index)), Beat(_time(item), owner, words)))
    for index, item in enumerate(call["did"]):
        beats.append((("did", str(index)), Beat(_time(item), owner, _did(item))))
    if call["ended"]:
        beats.append((("ended",), Beat(datetime.fromisoformat(call["ended"]), owner, _ended(call))))
    return beats


def _time(item: Json) -> datetime:
    return datetime.fromisoformat(item["time"])


def _heard(item: Json) -> str:
    return {
        "say": f"hears: “{item['text']}”",
        "play": "hears the recording.",
        "beep": "hears the tone.",
        "ring": "hears it ring at the other end.",
        "speech": f"hears the other side: “{item['text'] or '...'}”",
    }.get(item["kind"], "")


def _did(item: Json) -> str:
    if item["kind"] == "pressed":
        return f"presses {item['text']}"
    return f"says ({item['seconds']:.0f} s): “{item['text'] or '...'}”"


def _ended(call: Json) -> str:
    if call["status"] == "completed":
        return "The call is over."
    return {"busy": "Busy.", "no-answer": "Nobody answered.", "canceled": "It stops ringing."}.get(
        call["status"], "The call failed."
    )


def voicemail_left_at(call: Json) -> datetime | None:
    """When the caller had said everything: at the key after it, or at the call's end."""
    said = [_time(item) for item in call["did"] if item["kind"] == "said"]
    if not said:
        return None
    keys = [_time(item) for item in call["did"] if item["kind"] == "pressed" and _time(item) > said[-1]]
    if keys:
        return keys[0]
    return datetime.fromisoformat(call["ended"]) if call["ended"] else None
