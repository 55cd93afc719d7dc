"""The two stories of a mail: an ordinary one in business hours, and an urgent one at night."""

from __future__ import annotations

import re
from datetime import datetime

from simulator.mail.story_telling import Story
from simulator.mail.story_watch import is_in_conversation
from simulator.night_desk import Json
from simulator.night_story import OPEN, Promise

_PROMISE = re.compile(r"[^.]*\bby (?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b[^.]*\.")
_A_CALL = 3  # as much patience as a mail needs: what a call says takes its time


class Ordinary(Story):
    """In business hours: two business days are promised, and nobody is rung."""

    title = "A mail on a working day"
    moral = "The mail became a case, was answered by a person, and the whole conversation is on it."

    def play(self) -> None:
        first = self.write(
            self.customer, to=self._line, subject="The nightly import stops after 200 rows",
            text="Hello,\n\nsince this morning the nightly import stops after 200 rows, without an error.\n"
                 f"Could you have a look?\n\n{self.customer['name']}\n",
        )  # fmt: skip
        receipt = self.wait_for(
            "a receipt to the customer", lambda: self.received(self.customer, automatic=True, after=first)
        )
        number = self.judge_receipt(receipt, first)
        promise = _PROMISE.search(receipt["text"])
        self.judge(promise is not None, f"It promises: “{' '.join(promise[0].split()) if promise else ''}”")
        page = self._told(number, first)
        answer = self._answered(page, first)
        self._replied(number, answer)

    def _told(self, number: str, first: Json) -> Json:
        def find() -> Json | None:
            pages = (each for each in self.inbox() if each["owner"]["role"] == "engineer")
            return next((each for each in pages if number in each["subject"]), None)

        page = self.wait_for(f"a mail about case {number} to an engineer", find)
        name = page["owner"]["name"]
        self.judge(True, f"{name} was told by mail {self.since(page, first):.1f} s after it was written.")
        return page

    def _answered(self, page: Json, first: Json) -> Json:
        quoted = "".join(f"> {line}\n" for line in page["text"].splitlines())
        words = "the import's account had run out of rights. It runs again, please try it.\n"
        sent = self.write(
            page["owner"], answers=page["id"], text=f"Hello,\n\n{words}\n{page['owner']['name']}\n\n{quoted}"
        )
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

    def _replied(self, number: str, answer: Json) -> None:
        thanks = "it runs again. Thank you for the quick help."
        self.write(
            self.customer, answers=answer["id"], text=f"Hello,\n\n{thanks}\n\n{self.customer['name']}\n"
        )

        def find() -> Json | None:
            case = self.case()
            bodies = [each["body"] for each in case["messages"]] if case else []
            return case if any(thanks in " ".join(body.split()) for body in bodies) else None

        case = self.wait_for(f"the customer's reply on case {number}", find)
        people = sum(each["author"] in {"customer", "engineer"} for each in case["messages"])
        self.judge(
            str(case["number"]) == number,
            f"The reply is on case {number}: {people} mails of people, one conversation.",
        )
        stamped = bool(case["responded_at"])
        self.judge(
            stamped and not case["late"], f"The answer counts as the response, promised by {case['due_at']}."
        )


class Urgent(Story):
    """At night: priority 1 has its price, which is accepted first."""

    title = "An urgent mail at night"
    moral = "Nobody was rung before the charges were accepted, and a person has the case."

    def play(self) -> None:
        for phone in self._phones["phones"]:
            self._desk.do(
                f"/phones/{phone['number']}", behaviour={"kind": "answers", "after": 3, "presses": "1"}
            )
        first = self.write(
            self.customer, to=self._line, subject="P1: the agent is down, nothing runs",
            text=f"Hello,\n\nthe agent is down and no job has run since midnight.\n\n{self.customer['name']}\n",
        )  # fmt: skip
        asked = self.wait_for(
            "the question whether the charges are accepted",
            lambda: self.received(self.customer, automatic=True, after=first),
        )
        number = self.judge_receipt(asked, first)
        has_link = re.search(r"https?://\S+", asked["text"]) is not None
        self.judge(has_link, "It asks to accept the charges first, by a link or by a word.")
        self.judge(not self._pages(), "Nobody was rung before that.")
        yes = self.write(self.customer, answers=asked["id"], text="YES\n")
        self._rung(yes)
        self._accepted(number)

    def _pages(self) -> list[Json]:
        return [each for each in self._calls.new_calls(self._phones) if each["direction"] == "outbound-api"]

    def _rung(self, yes: Json) -> None:
        page = self.wait_for("a call to the consultant on call", lambda: next(iter(self._pages()), None))
        after = (
            datetime.fromisoformat(page["started"]) - datetime.fromisoformat(yes["time"])
        ).total_seconds()
        self.judge(after <= 5, f"The consultant's phone rang {after:.1f} s after the YES.")

    def _accepted(self, number: str) -> None:
        def find() -> Json | None:
            case = self.case()
            return case if case is not None and case["engineer"] else None

        case = self.wait_for(f"a key that accepts case {number}", find, self._patience * _A_CALL)
        self.judge(
            bool(case["consented_at"]), f"The consent is stored with its time, {case['consented_at']}."
        )
        self.judge(case["priority"] == 1, f"The case has priority 1, a response is due by {case['due_at']}.")
        self.judge(True, f"{case['engineer']} has the case, by a key.")
        self.promises.append(Promise(OPEN, f"The response itself: {case['left']}"))
