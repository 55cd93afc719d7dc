"""The kinds of events that are recorded: what webhooks can ask for. A kind that is not here is no kind."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

_BY_GROUP: Mapping[str, str] = {
    "call": "adopted began began-earlier consent ended near-miss",
    "voicemail": "heard-of near-miss refused stored transcribed",
    "sms": "ignored keyword",
    "mail": (
        "claims-case consent-not-proven delayed duplicate engineer-away engineer-not-sent forged from-elsewhere "
        "held-back not-answered not-delivered not-reopened note-was-public notification-returned own-came-back "
        "replayed report report-not-proven sent slow stranger unreadable"
    ),
    "case": (
        "added-to added-to-by-machine breached callback-changed closed consented escalated merged merged-here noted "
        "opened opened-by-machine ordinary-again priority-asked priority-changed priority-refused reminded "
        "reminder-heard reopened replied responded response-returned response-withdrawn sender-confirmed stated"
    ),
    "page": (
        "accepted acknowledged called-off duty-changed gathered handed joined limited not-reachable not-sent "
        "over-limit passed revived sms-sent started step told unanswered unverified-rung voice-sent"
    ),
    "notice": "not-sent sent skipped",
    "drill": "not-sent sms-sent told unanswered voice-sent",
    "oncall": (
        "changed drill drill-failed drill-proved feed-made gap import-ended import-failed imported withdrawn"
    ),
    "policy": "applied",
    "work": "dead",
}  # fmt: skip
KINDS: tuple[str, ...] = tuple(
    f"{group}.{name}" for group, names in _BY_GROUP.items() for name in names.split()
)


def is_any(wanted: str) -> bool:
    """Whether events of the kind ``wanted`` exist, or of the group ``wanted.*``."""
    return any(fnmatchcase(kind, wanted) for kind in KINDS)
