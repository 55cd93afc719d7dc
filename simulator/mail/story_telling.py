"""What the stories of a mail have in common: telling what happens, waiting for what must come, judging it."""

from __future__ import annotations

import re
import textwrap
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

import requests

from simulator.mail.story_desk import PostDesk
from simulator.mail.story_watch import MailWatcher, header, is_in_conversation
from simulator.night_desk import Json, NightError
from simulator.night_ending import case_lines
from simulator.night_story import BROKEN, KEPT, Paper, Promise, Watcher, case_link

_CASE = re.compile(r"\bcase(?: number is)? (\d+)\b", re.IGNORECASE)
READING_S = 1.0  # between a mail and its answer


class Missing(Exception):
    """Something did not come; the message is a sentence that says what, and how long it was waited for."""


class Story(ABC):
    """One performance. ``title`` and ``moral`` are its first and its last words."""

    title: ClassVar[str]
    moral: ClassVar[str]

    def __init__(self, desk: PostDesk, paper: Paper, line: str, customer: Json, patience: float) -> None:
        self._desk, self._paper, self._line, self.customer = desk, paper, line, customer
        self._patience = patience
        self._mail, self._phones = desk.mail(), desk.state()
        self._letters = MailWatcher(self._mail, desk.letter)
        self._calls = Watcher(self._phones)
        self._began: datetime | None = None
        self.number = "?"  # of the case, once the customer knows it
        self.promises: list[Promise] = []

    @abstractmethod
    def play(self) -> None:
        """From the first mail on. Raises Missing when something does not come."""

    def broken(self) -> str | None:
        """The first promise that was not kept."""
        return next((each.sentence for each in self.promises if each.verdict == BROKEN), None)

    # -- what happens --------------------------------------------------------------------------------------

    def look(self) -> None:
        """See what is new, and tell it."""
        self._phones, self._mail = self._desk.state(), self._desk.mail()
        beats = [*self._letters.beats(self._mail), *self._calls.beats(self._phones)]
        for beat in sorted(beats, key=lambda each: each.at):
            print(self._paper.beat(beat, self._began), flush=True)

    def wait_for(self, what: str, find: Callable[[], Json | None], patience: float | None = None) -> Json:
        """What ``find`` finds when everything new has been told. Raises Missing."""
        patience = self._patience if patience is None else patience
        until = time.monotonic() + patience
        while True:
            self.look()
            if (found := find()) is not None:
                return found
            if (left := until - time.monotonic()) <= 0:
                raise Missing(f"{what} has not come within {patience:.0f} seconds")
            self._desk.wait(self._phones["last_event"], min(left, 1.0))

    def write(self, sender: Json, **given: object) -> Json:
        """A person writes; the mail as it was taken, or Missing. Whoever answers has read first."""
        if "answers" in given:
            time.sleep(READING_S)
        shown = f'"{sender["name"]}" <{sender["address"]}>' if sender["name"] else sender["address"]
        sent = self._desk.write(shown, **given)
        self._began = self._began or datetime.fromisoformat(sent["time"])
        return self.wait_for("the product's 250 for the mail", lambda: self._taken(sent["id"]))

    def _taken(self, id_: str) -> Json | None:
        sent = next((each for each in self.letters() if each["id"] == id_), None)
        states = {delivery["state"] for delivery in sent["deliveries"]} if sent else set()
        if "refused" in states:
            raise Missing("the product refused the mail for good, as told above")
        return sent if states == {"delivered"} else None

    def letters(self) -> list[Json]:
        return self._letters.letters(self._mail)

    def received(self, owner: Json, *, automatic: bool, after: Json) -> Json | None:
        """The first letter in that mailbox that came after another one, a machine's or a person's."""
        mine = (each for each in self.inbox() if each["mailbox"] == owner["address"])
        fitting = (each for each in mine if each["automatic"] is automatic and each["time"] >= after["time"])
        return next(fitting, None)

    def inbox(self) -> list[Json]:
        """What anybody has received."""
        return [each for each in self.letters() if each["direction"] == "received"]

    def case(self) -> Json | None:
        """The case behind the signed link that an engineer got, by mail or by text."""
        if not self.number.isdigit():
            return None
        mails = [each["text"] for each in self.letters() if each["owner"]["role"] == "engineer"]
        texts = [text["body"] for _, text in self._calls.new_texts(self._phones)]
        mine = [each for each in (*mails, *texts) if re.search(rf"\b{self.number}\b", each)]
        link = next(filter(None, map(case_link, mine)), None)
        if link is None:
            return None
        try:
            answer = requests.get(link, headers={"Accept": "application/json"}, timeout=10)
            found: Json = answer.json()
        except (requests.RequestException, ValueError) as error:
            raise NightError(f"the signed link {link} does not open: {error}") from error
        return found if answer.ok else None

    def behave(self, number: str, **behaviour: object) -> None:
        """Let a phone behave so from now on."""
        self._desk.do(f"/phones/{number}", behaviour=behaviour)

    # -- what is made of it --------------------------------------------------------------------------------

    def judge(self, good: bool, sentence: str) -> None:
        self.promises.append(Promise(KEPT if good else BROKEN, sentence))

    def since(self, letter: Json, earlier: Json) -> float:
        begun, came = (datetime.fromisoformat(each["time"]) for each in (earlier, letter))
        return (came - begun).total_seconds()

    def judge_receipt(self, receipt: Json, first: Json) -> None:
        """The receipt must say which case it is, and be a machine's that nobody answers."""
        number = _CASE.search(f"{receipt['subject']} {receipt['text']}")
        after = self.since(receipt, first)
        self.judge(number is not None, f"The customer knew the case's number {after:.1f} s after writing.")
        self.judge(is_in_conversation(receipt, first), "It came in the conversation of the customer's mail.")
        quiet = receipt["envelope_from"] == "" and header(receipt, "Auto-Submitted") == "auto-replied"
        self.judge(quiet, "It says that a machine wrote it, and cannot come back (RFC 3834).")
        self.number = number[1] if number else "?"

    def tell_the_end(self) -> None:
        """The case, and what became of each promise."""
        if (case := self.case()) is not None:
            print("\n".join(case_lines(case, self._paper)))
            print(self._paper.heading("Conversation"))
            for message in case["messages"]:
                print(
                    self._paper.item(
                        f"{message['author']:>9}", textwrap.shorten(message["body"], 300, placeholder=" …")
                    )
                )
        print(self._paper.heading("Promises"))
        for promise in self.promises:
            print(self._paper.promise(promise))
