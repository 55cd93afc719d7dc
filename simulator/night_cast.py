"""Who plays the night call: a caller, a mailbox, an engineer, and the caller again. Each sees only the own phone."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

from simulator.night_desk import Desk, Json

# What is offered -> the key that takes it. The first that matches what is being said.
_CALLER_TAKES = (
    r"report something else, press (\d)",
    r"production system is down.*?press (\d)",
    r"accept the charges.*?press (\d)",
    r"send your message, press (\d)",
)
_HEAR_IT = r"hear the (?:voicemail|mail|text), press (\d)"
_ACCEPT = r"accept the case, press (\d)"
_ACCEPTED = r"^You have case"
_CALL = r"call the customer now, press (\d)"
_CALLED = r"otherwise, hang up"
_ENDS_WITH_POUND = r"just press pound|followed by the pound key"

THINKING_S = 0.8  # between an offer and the key
RINGS_S = 1.5  # before a mailbox, or a person, answers
TAPE_S = 5.0  # how long the mailbox stays on the line
NODDING_S = 2.5  # from "you have the case", or "that call counts", to hanging up
TALKING_S = 6.0  # how long the customer and the engineer speak


def key_for(offer: str, wanted: tuple[str, ...]) -> str | None:
    """The key that ``offer`` names for the first wanted thing that it has."""
    for pattern in wanted:
        if found := re.search(pattern, offer, re.IGNORECASE | re.DOTALL):
            return found[1]
    return None


class Prompter:
    """Calls the players at the right second."""

    def __init__(self) -> None:
        self._due: list[tuple[float, Callable[[], object]]] = []

    def later(self, seconds: float, act: Callable[[], object]) -> None:
        self._due.append((time.monotonic() + seconds, act))

    def run(self) -> float:
        """Do what is due; seconds until the next thing, half a second at most."""
        now = time.monotonic()
        due = [act for when, act in self._due if when <= now]
        self._due = [item for item in self._due if item[0] > now]
        for act in due:
            act()
        return max(min([when - now for when, _ in self._due], default=0.5), 0.0)


class Player:
    """Somebody with a phone in one call. ``see`` is given that call whenever anything has happened."""

    def __init__(self, desk: Desk, prompter: Prompter, sid: str) -> None:
        self._desk, self._prompter, self.sid = desk, prompter, sid
        self._answered: set[object] = set()

    def see(self, call: Json) -> None:
        """Act on what the call has become."""

    def _once(self, what: object) -> bool:
        """True the first time."""
        return not (what in self._answered or self._answered.add(what))  # type: ignore[func-returns-value]

    def _later(self, seconds: float, path: str, **given: object) -> None:
        def act() -> None:
            live = {call["sid"] for call in self._desk.state()["calls"] if not call["ended"]}
            if self.sid in live:
                self._desk.do(f"/calls/{self.sid}/{path}", **given)

        self._prompter.later(seconds, act)

    def _offer(self, call: Json) -> tuple[int, str]:
        """What is being said while a key is waited for, and its place; ("", -1) when there is nothing."""
        waits = (call["waiting"] or {}).get("kind") == "gather"
        said = [(index, item["text"]) for index, item in enumerate(call["heard"]) if item["kind"] == "say"]
        return said[-1] if waits and said else (-1, "")


class Caller(Player):
    """Knows what she wants: production is down. Says it after the tone, and sends it."""

    def __init__(self, desk: Desk, prompter: Prompter, sid: str, audio: Path | None) -> None:
        super().__init__(desk, prompter, sid)
        self._audio = audio

    def see(self, call: Json) -> None:
        place, offer = self._offer(call)
        keys = key_for(offer, _CALLER_TAKES) or ""
        if re.search(_ENDS_WITH_POUND, offer):
            keys += "#"  # asked for something that she does not know, or for as many keys as it takes
        if keys and self._once(place):
            self._later(THINKING_S, "digits", digits=keys)
        if (call["waiting"] or {}).get("kind") == "record" and self._once("voicemail"):
            self._desk.speak(self.sid, self._audio)
            # Keys wait until the sentence has been said.
            self._desk.do(f"/calls/{self.sid}/digits", digits="#")


class Mailbox(Player):
    """Answers, talks, listens for a moment, and never presses a key."""

    def __init__(self, desk: Desk, prompter: Prompter, sid: str, owner: str) -> None:
        super().__init__(desk, prompter, sid)
        self._greeting = f"You have reached the mailbox of {owner}. Please leave a message."

    def see(self, call: Json) -> None:
        if call["status"] == "ringing" and self._once("ring"):
            self._later(RINGS_S, "answer")
        if call["status"] == "in-progress" and self._once("answered"):
            self._later(0.2, "speech", text=self._greeting)
            self._later(TAPE_S, "hangup", cut=True)


class CalledBack(Player):
    """The customer, when the engineer calls: awake, and soon done."""

    def see(self, call: Json) -> None:
        if call["status"] == "ringing" and self._once("ring"):
            self._later(RINGS_S, "answer")
        if call["status"] == "in-progress" and self._once("answered"):
            self._later(TALKING_S, "hangup", cut=True)


class Engineer(Player):
    """Wakes up, hears who and what, hears the voicemail, accepts, calls the customer, and hangs up."""

    accept_key: str | None = None

    def see(self, call: Json) -> None:
        if call["status"] == "ringing" and self._once("ring"):
            self._later(RINGS_S, "answer")
        place, offer = self._offer(call)
        if re.search(_ACCEPTED, offer):
            self._has_the_case(place, offer)
        elif self.accept_key and re.search(_CALLED, offer, re.IGNORECASE):
            self._hangs_up()
        elif (key := key_for(offer, (_HEAR_IT,))) and self._once("voicemail"):
            self._answered.add(place)
            self._later(THINKING_S, "digits", digits=key)
        elif (key := key_for(offer, (_ACCEPT,))) and self._once(place):
            self.accept_key = key
            self._later(THINKING_S, "digits", digits=key)

    def _has_the_case(self, place: int, offer: str) -> None:
        if (key := key_for(offer, (_CALL,))) and self._once("call"):
            self._answered.add(place)
            self._later(THINKING_S, "digits", digits=key)
        elif place not in self._answered:
            self._hangs_up()

    def _hangs_up(self) -> None:
        if self._once("goodbye"):
            self._later(NODDING_S, "hangup", cut=True)
