"""``python -m simulator.night``: plays the night call against a running system, and tells it as a story.

At 02:10 a customer with 24/7 cover phones, says that production is down, and leaves a voicemail. The first
engineer's phone is a mailbox, which acknowledges nothing; the next engineer hears the voicemail, accepts, and calls
the customer: nothing is left that would be broken, or ring, when the clock is set for another story.
Everything goes through the simulator's control API, and through the signed link that comes by text.
The exit code is 0 only if a case was opened, its voicemail stored, and a person accepted it.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from datetime import datetime
from pathlib import Path
from types import FrameType

import requests

from simulator.night_cast import CalledBack, Caller, Engineer, Mailbox, Player, Prompter
from simulator.night_desk import Desk, Json, NightError, Stage, line_of, must_be_heard
from simulator.night_ending import Ending, case_lines, missing, moral, promises
from simulator.night_story import Beat, Paper, Watcher, name_of, voicemail_left_at

NIGHT, ZONE = "02:10", "America/Chicago"
MARIA, SUPPORT = "+15125550142", "+18773632305"
LONGEST_S = 150.0
SETTLE_S = 10.0  # how long the last things may take: storing the sound, stamping the acceptance


class Night:
    """One performance."""

    def __init__(self, desk: Desk, paper: Paper, caller: str, line: str, audio: Path | None) -> None:
        self._desk, self._paper = desk, paper
        self._caller, self._line, self._audio = caller, line, audio
        self._prompter = Prompter()
        self._players: dict[str, Player] = {}
        self._state = desk.state()
        self._watcher = Watcher(self._state)

    def play(self) -> Ending:
        """From the first ring to the last key press, told as it happens."""
        stir = next((item["stir"] for item in self._state["callers"] if item["number"] == self._caller), "")
        sid = self._desk.do("/calls", **{"from": self._caller, "to": self._line, "stir": stir})["sid"]
        self._players[sid] = Caller(self._desk, self._prompter, sid, self._audio)
        until = time.monotonic() + LONGEST_S
        while not self._is_over(sid) and time.monotonic() < until:
            self._desk.wait(self._state["last_event"], self._prompter.run())
            self._look(sid)
        return self._ending(sid)

    def _look(self, caller_sid: str) -> None:
        self._state = self._desk.state()
        calls = self._watcher.new_calls(self._state)
        caller = next((call for call in calls if call["sid"] == caller_sid), None)
        if caller is None:
            raise NightError("the simulator was restarted in the middle of the call")
        since = voicemail_left_at(caller)
        for beat in self._watcher.beats(self._state):
            print(self._paper.beat(beat, since), flush=True)
        for call in calls:
            if call["sid"] not in self._players and call["status"] == "ringing" and since is not None:
                self._players[call["sid"]] = self._cast(call)
                self._introduce(call, since)
            if call["sid"] in self._players and not call["ended"]:
                self._players[call["sid"]].see(call)

    def _cast(self, call: Json) -> Player:
        """The first engineer's phone turns out to be a mailbox; whoever is called after that is awake."""
        if call["phone"] == self._caller:
            return CalledBack(self._desk, self._prompter, call["sid"])
        if len(self._players) == 1:
            return Mailbox(self._desk, self._prompter, call["sid"], name_of(self._state, call["phone"]))
        if any(isinstance(player, Engineer) for player in self._players.values()):
            return Player(self._desk, self._prompter, call["sid"])  # sleeps on
        return Engineer(self._desk, self._prompter, call["sid"])

    def _introduce(self, call: Json, since: datetime) -> None:
        words = {
            Mailbox: "sleeps; a mailbox takes the call. It will press no key.",
            Engineer: "wakes up.",
            CalledBack: "is called back.",
        }
        what = words.get(type(self._players[call["sid"]]), "sleeps on.")
        beat = Beat(datetime.fromisoformat(self._state["now"]), name_of(self._state, call["phone"]), what)
        print(self._paper.beat(beat, since), flush=True)

    def _is_over(self, caller_sid: str) -> bool:
        calls = {call["sid"]: call for call in self._watcher.new_calls(self._state)}
        caller = calls.get(caller_sid)
        if caller is None or not caller["ended"]:
            return False
        if voicemail_left_at(caller) is None:
            return True
        return any(
            isinstance(self._players.get(sid), Engineer) and call["ended"] for sid, call in calls.items()
        )

    def _ending(self, caller_sid: str) -> Ending:
        until = time.monotonic() + SETTLE_S
        while True:
            self._look(caller_sid)
            calls = self._watcher.new_calls(self._state)
            pages = [call for call in calls if call["direction"] == "outbound-api"]
            caller = next(call for call in calls if call["sid"] == caller_sid)
            ending = Ending(caller, pages, self._case(), self._accepted_at(pages))
            if self._is_complete(ending) or ending.left_at is None or time.monotonic() > until:
                return ending
            time.sleep(0.5)

    def _is_complete(self, ending: Ending) -> bool:
        """Nothing is missing, and a call to the customer has been stamped."""
        spoke = any(isinstance(player, CalledBack) for player in self._players.values())
        return missing(ending) is None and (not spoke or bool(ending.case and ending.case["responded_at"]))

    def _case(self) -> Json | None:
        """The case behind the signed link of the last text."""
        link = self._watcher.link(self._state)
        if link is None:
            return None
        try:
            answer = requests.get(link, headers={"Accept": "application/json"}, timeout=10)
            case: Json = answer.json()
        except (requests.RequestException, ValueError) as error:
            raise NightError(f"the signed link {link} does not open: {error}") from error
        return case if answer.ok else None

    def _accepted_at(self, pages: list[Json]) -> datetime | None:
        for call in pages:
            player = self._players.get(call["sid"])
            if isinstance(player, Engineer):
                keys = [item for item in call["did"] if item["kind"] == "pressed"]
                if accepting := [item for item in keys if item["text"] == player.accept_key]:
                    return datetime.fromisoformat(accepting[-1]["time"])
        return None

    def tell_the_end(self, ending: Ending) -> str | None:
        """The case, the promises; what is missing, if anything is."""
        if ending.case is not None:
            print("\n".join(case_lines(ending.case, self._paper)))
        print(self._paper.heading("Promises"))
        for promise in promises(ending):
            print(self._paper.promise(promise))
        if link := self._watcher.link(self._state):
            print(f"\nThe case, as the engineer sees it: {link}")
        return missing(ending)


def main() -> int:
    given = _arguments()
    signal.signal(signal.SIGTERM, _stop)
    desk = Desk(given.simulator)
    try:
        if given.audio is not None:
            must_be_heard(given.audio)
        state = desk.state()
        line_of(state, given.line)
        return _perform(desk, state, given)
    except NightError as error:
        print(f"night: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("\nnight: stopped; the clock and the phones are as they were", file=sys.stderr)
        return 130
    return 1


def _perform(desk: Desk, state: Json, given: argparse.Namespace) -> int:
    paper = Paper(ZONE, colour=sys.stdout.isatty() and "NO_COLOR" not in os.environ)
    stage = Stage(desk, state)
    try:
        stage.set(NIGHT, ZONE)
        night = Night(desk, paper, given.caller, given.line, given.audio)
        print(paper.heading("The night call") + f": it is {NIGHT} in Chicago, and everybody sleeps.")
        print(
            "(+s: seconds since the voicemail. The first engineer's phone is a mailbox; the next one wakes up.)\n"
        )
        ending = night.play()
        lacking = night.tell_the_end(ending)
    finally:
        stage.clear(clock=not given.keep_clock)
    if lacking is not None:
        print(f"\nnight: {lacking}", file=sys.stderr)
        return 1
    print(f"\nA case was opened, its voicemail is stored, and {moral(ending)}.")
    return 0


def _arguments() -> argparse.Namespace:
    port = os.environ.get("SIMULATOR_PORT") or "8787"
    parser = argparse.ArgumentParser(prog="python -m simulator.night", description="Play the night call.")
    parser.add_argument("--audio", type=Path, metavar="FILE", help="the voicemail (WAV, MP3, FLAC, OGG)")
    parser.add_argument(
        "--simulator", default=f"http://127.0.0.1:{port}", metavar="URL", help="(%(default)s)"
    )
    parser.add_argument("--caller", default=MARIA, metavar="NUMBER", help="who calls (%(default)s)")
    parser.add_argument("--line", default=SUPPORT, metavar="NUMBER", help="which line (%(default)s)")
    parser.add_argument("--keep-clock", action="store_true", help="let it stay night afterwards")
    return parser.parse_args()


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
