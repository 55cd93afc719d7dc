"""The two stories of a mail: an ordinary one in business hours, and an urgent one at night."""

from __future__ import annotations

import re
import secrets
from datetime import datetime

from simulator.mail.story_telling import Story
from simulator.mail.story_watch import is_in_conversation
from simulator.night_desk import Json

_PROMISE = re.compile(r"[^.]*\bby (?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b[^.]*\.")
_RINGS_WITHIN_S = 5.0
_A_CALL = 3  # as much patience as a mail needs: what a call says takes its time


def _any_number() -> int:
    """Another matter each time: of the same one there are only so many receipts."""
    return 100 + secrets.randbelow(900)


class Ordinary(Story):
    """In business hours: two business days are promised, and nobody is rung."""

    title = "A mail on a working day"
    moral = "The mail became a case, was answered by a person, and the whole conversation is on it."

    def play(self) -> None:
        first = self.write(
            self.customer, to=self._line, subject=f"The nightly import stops after {_any_number()} rows",
            text="Hello,\n\nsince this morning the nightly import stops in the middle, without an error.\n"
                 f"Could you have a look?\n\n{self.customer['name']}\n",
        )  # fmt: skip
        receipt = self.wait_for(
            "a receipt to the customer", lambda: self.received(self.customer, automatic=True, after=first)
        )
        self.judge_receipt(receipt, first)
        promise = _PROMISE.search(receipt["text"])
        self.judge(promise is not None, f"It promises: “{' '.join(promise[0].split()) if promise else ''}”")
        page = self._told(first)
        answer = self._answered(page, first)
        self._replied(answer)

    def _told(self, first: Json) -> Json:
        def find() -> Json | None:
            pages = (each for each in self.inbox() if each["owner"]["role"] == "engineer")
            return next((each for each in pages if self.number in each["subject"]), None)

        page = self.wait_for(f"a mail about case {self.number} to an engineer", find)
        name = page["owner"]["name"]
        self.judge(True, f"{name} was told by mail {self.since(page, first):.1f} s after it was written.")
        return page

    def _answered(self, page: Json, first: Json) -> Json:
        quoted = "".join(f"> {line}\n" for line in page["text"].splitlines())
        words = "the import's account had run out of rights. It runs again, please try it.\n"
        sent = self.write(page["owner"], answers=page["id"], text=f"Hello,\n\n{words}\n{quoted}")
        answer = self.wait_for(
            "the engineer's answer to the customer",
            lambda: self.received(self.customer, automatic=False, after=sent),
        )
        self.judge(
            words.strip() in " ".join(answer["text"].split()),
            f"The customer had the answer {self.since(answer, sent):.1f} s later.",
        )
        self.judge(is_in_conversation(answer, first), "It came in the conversation of the customer's mail.")
        self.judge("Write above" not in answer["text"], "Nothing of the engineer's own mail is in it.")
        return answer

    def _replied(self, answer: Json) -> None:
        thanks = "it runs again. Thank you for the quick help."
        self.write(
            self.customer, answers=answer["id"], text=f"Hello,\n\n{thanks}\n\n{self.customer['name']}\n"
        )

        def find() -> Json | None:
            case = self.case()
            bodies = [each["body"] for each in case["messages"]] if case else []
            return case if any(thanks in " ".join(body.split()) for body in bodies) else None

        case = self.wait_for(f"the customer's reply on case {self.number}", find)
        people = sum(each["author"] in {"customer", "engineer"} for each in case["messages"])
        self.judge(
            str(case["number"]) == self.number,
            f"The reply is on case {self.number}: {people} mails of people, one conversation.",
        )
        stamped = bool(case["responded_at"])
        self.judge(
            stamped and not case["late"], f"The answer counts as the response, promised by {case['due_at']}."
        )


class Urgent(Story):
    """At night: priority 1 has its price, which is accepted first."""

    title = "An urgent mail at night"
    moral = "Nobody was rung before the charges were accepted; then a person was, who called the customer."

    def play(self) -> None:
        self._wake()
        first = self.write(
            self.customer, to=self._line, subject=f"P1: the agent on node {_any_number()} is down, nothing runs",
            text=f"Hello,\n\nthe agent is down and no job has run since midnight.\n\n{self.customer['name']}\n",
        )  # fmt: skip
        asked = self.wait_for(
            "the question whether the charges are accepted",
            lambda: self.received(self.customer, automatic=True, after=first),
        )
        self.judge_receipt(asked, first)
        has_link = re.search(r"https?://\S+", asked["text"]) is not None
        self.judge(has_link, "It asks to accept the charges first, by a link or by a word.")
        self.judge(not self._rings(), "Nobody was rung before that.")
        yes = self.write(self.customer, answers=asked["id"], text="YES\n")
        self._rung(yes)
        self._responded()

    def _wake(self) -> None:
        """The engineers call the customer, who is awake."""
        for phone in self._phones["phones"]:
            self.behave(phone["number"], kind="answers", after=3, presses="5")
        for caller in self._phones["callers"]:
            if caller["name"] == self.customer["name"]:
                self.behave(caller["number"], kind="answers", after=2, hangs_up_after=5)

    def _rings(self) -> list[Json]:
        """The calls to engineers about this case."""
        calls = self._calls.new_calls(self._phones)
        return [each for each in calls if each["direction"] == "outbound-api" and self._is_about(each)]

    def _is_about(self, call: Json) -> bool:
        said = " ".join(item["text"] for item in call["heard"])
        return " ".join(self.number) in said or self.number in said

    def _rung(self, yes: Json) -> None:
        patience = self._patience * _A_CALL
        what = f"a call about case {self.number} to the consultant"
        page = self.wait_for(what, lambda: next(iter(self._rings()), None), patience)
        after = (
            datetime.fromisoformat(page["started"]) - datetime.fromisoformat(yes["time"])
        ).total_seconds()
        self.judge(after <= _RINGS_WITHIN_S, f"The consultant's phone rang {after:.1f} s after the YES.")

    def _responded(self) -> None:
        def find() -> Json | None:
            case = self.case()
            return case if case is not None and case["responded_at"] else None

        what = f"a call of the engineer to the customer of case {self.number}"
        case = self.wait_for(what, find, self._patience * _A_CALL)
        consented, engineer = case["consented_at"], case["engineer"]
        self.judge(bool(consented), f"The consent is stored with its time, {consented}.")
        self.judge(
            case["priority"] == 1, f"The case has priority 1, and its {case['target']} ran from there."
        )
        self.judge(bool(engineer), f"A person has the case by pressing a key: {engineer}.")
        self.judge(not case["late"], f"{engineer} spoke with the customer in time, due by {case['due_at']}.")
