"""How the night call ended: the case, the decision behind it, and whether each promise was kept. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from simulator.night_desk import Json
from simulator.night_story import BROKEN, KEPT, OPEN, Paper, Promise, voicemail_left_at

_WHY = {
    "page": "Why an engineer was called",
    "notify": "Why nobody was called",
    "wait": "Why the case waits",
    "answered": "Why nobody had to be called",
    "ask-consent": "Why the charges were asked for first",
}
_TOLD = re.compile(r"nobody is called|engineer will be called|we respond|you hear from us", re.IGNORECASE)
RING_PROMISE_S = 5.0


@dataclass(frozen=True)
class Ending:
    """All that is known at the end: the caller's call, the engineers' calls, and the case or None."""

    call: Json
    pages: list[Json]
    case: Json | None
    accepted_at: datetime | None  # of the key press

    @property
    def left_at(self) -> datetime | None:
        return voicemail_left_at(self.call)

    @property
    def is_stored(self) -> bool:
        return bool(self.case) and any(voicemail["stored"] for voicemail in (self.case or {})["voicemails"])


def missing(ending: Ending) -> str | None:
    """What the night call lacks, in a sentence; None when a person has the case and its voicemail is kept."""
    if ending.left_at is None:
        return "the caller could not leave a voicemail"
    if ending.case is None:
        return (
            "nobody was rung: no text with a signed link has come to an engineer's phone. If an earlier case still"
            " rings at a later hour of this clock, this one waits for it: close that case, or begin with an empty"
            " data folder"
        )
    if not ending.is_stored:
        return f"the voicemail of case {ending.case['number']} has not been stored"
    if not ending.case["engineer"]:
        return f"no engineer has accepted case {ending.case['number']}"
    return None


def moral(ending: Ending) -> str:
    """What a person did with the case, when nothing is missing."""
    answered = bool(ending.case and ending.case["responded_at"])
    return "a person has called the customer" if answered else "a person has it"


def promises(ending: Ending) -> list[Promise]:
    """Each promise of the night, and whether it was kept."""
    left, case = ending.left_at, ending.case
    judged = [
        _kept(_told_first(ending.call), "The caller was told what would happen before being recorded."),
        _kept(ending.is_stored, "The voicemail became a case, and its sound is stored."),
    ]
    if left is not None and ending.pages:
        rang = (datetime.fromisoformat(ending.pages[0]["started"]) - left).total_seconds()
        within = f"The first engineer was called {max(rang, 0):.1f} s after the voicemail."
        judged.append(_kept(rang <= RING_PROMISE_S, within))
    else:
        judged.append(_kept(False, "The voicemail rang an engineer's phone."))
    unkeyed = [page for page in ending.pages if not any(item["kind"] == "pressed" for item in page["did"])]
    if unkeyed:
        judged.append(
            _kept(
                len(ending.pages) > len(unkeyed),
                "A mailbox answered and counted for nothing: it kept ringing.",
            )
        )
    if left is not None and ending.accepted_at is not None:
        after = (ending.accepted_at - left).total_seconds()
        judged.append(_kept(True, f"A person accepted by pressing a key, {after:.0f} s after the voicemail."))
    else:
        judged.append(_kept(False, "A person accepted by pressing a key."))
    return judged + ([_response(case)] if case is not None else [])


def _kept(good: bool, sentence: str) -> Promise:
    return Promise(KEPT if good else BROKEN, sentence)


def _told_first(call: Json) -> bool:
    said = [item["time"] for item in call["did"] if item["kind"] == "said"]
    before = [item["text"] for item in call["heard"] if said and item["time"] < said[0]]
    return any(_TOLD.search(text) for text in before)


def _response(case: Json) -> Promise:
    if not case["due_at"]:
        return Promise(OPEN, "No response time was promised.")
    promise = f"A response within {case['target']} of the call, by {case['due_at']}:"
    if case["responded_at"]:
        return Promise(BROKEN if case["late"] else KEPT, f"{promise} given {case['responded_at']}.")
    if case["late"]:
        return Promise(BROKEN, f"{promise} {case['left']}")
    return Promise(
        OPEN,
        f"{promise} {_lowered(case['left'])} Accepting does not stop this clock, only contact with the customer.",
    )


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]


def case_lines(case: Json, paper: Paper) -> list[str]:
    """The case, its decision and its timeline, laid out."""
    engineer = case["engineer"] and f"{case['engineer']}, accepted {case['acknowledged_at']}"
    promise = f"a response within {case['target']}, by {case['due_at']}" if case["due_at"] else "none"
    by_mail = case.get("channel") == "mail"
    lines = [
        paper.heading(f"Case {case['number']}: {case['title']}"),
        paper.field("customer", _joined(case["customer"] or "unknown", case["tier"], case["service"])),
        paper.field("priority", f"{case['priority']} ({case['status']})"),
        paper.field("written" if by_mail else "called", case["contact_at"]),
        paper.field("promise", promise),
        paper.field("engineer", engineer or "nobody yet"),
    ]
    if by_mail:
        lines.append(paper.field("written by", case["from_address"]))
    else:
        back = case["callback"]["shown"] if case["callback"] else "number withheld"
        lines.append(paper.field("call back", back))
    for voicemail in case["voicemails"]:
        stored = f"stored, SHA-256 {voicemail['sha256'][:16]}…" if voicemail["stored"] else "not stored"
        lines.append(paper.field("voicemail", f"{voicemail['seconds']} s, {stored}"))
        if voicemail["transcript"]:
            lines.append(paper.field("", f"“{voicemail['transcript']}”"))
    return [*lines, *_decision_lines(case["decision"], paper), *_timeline_lines(case["timeline"], paper)]


def _joined(*parts: str | None) -> str:
    return ", ".join(part for part in parts if part)


def _decision_lines(decision: Json | None, paper: Paper) -> list[str]:
    if decision is None:
        return []
    known = ", ".join(
        f"{name} {_plain(value)}" for name, value in decision["facts"].items() if value is not None
    )
    return [
        paper.heading(
            f"{_WHY.get(decision['outcome'], 'The decision')} (the stored decision: {decision['outcome']})"
        ),
        *(paper.item(f"{index}.", reason["sentence"]) for index, reason in enumerate(decision["reasons"], 1)),
        paper.field("known", known),
        paper.field(
            "by",
            f"policy version {decision['policy_version']}, calendar {decision['calendar'][:12]}, "
            f"time zones {decision['tz_version']}",
        ),
    ]


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _timeline_lines(timeline: list[Json], paper: Paper) -> list[str]:
    return [paper.heading("Timeline"), *(paper.item(entry["clock"], entry["text"]) for entry in timeline)]
