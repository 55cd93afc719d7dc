"""What a machine's mail is about: the same alarm and its end have one topic. Pure."""

from __future__ import annotations

import hashlib
import re

from routing.correspondence.threads import bare_subject

# The states of an alarm, which change while its matter stays the same, in brackets or at the beginning.
_STATES = (
    "problem|recovery|recovered|resolved|resolve|firing|ok|okay|up|down|warning|warn|critical|crit|unknown|error"
    "|failed|failure|success|succeeded|alert|alarm|acknowledgement|acknowledged|ack|cleared|clear|triggered|closed"
    "|opened|open|new|update|updated|flapping|downtime|normal|high|low|medium|info|information|emergency|notice"
)
_BRACKETED = re.compile(rf"[\[({{]\s*(?:{_STATES})(?:\s*[:#/-]?\s*\d+)?\s*[\])}}]", re.IGNORECASE)
_LEADING = re.compile(rf"^(?:\*+\s*)?(?:{_STATES})\b(?:\s*[:!|/-]+\s*|\s+(?=\S))", re.IGNORECASE)
_TRAILING = re.compile(
    rf"(?:\s*(?:[:|/-]+|\bis(?: now)?\b)\s*|\s+\*+\s*)(?:{_STATES})\s*[!.*]*$", re.IGNORECASE
)
_WHEN = re.compile(
    r"\b\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:[T ]\d{1,2}:\d{2}(?::\d{2})?(?:\.\d+)?)?Z?\b"
    r"|\b\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}\b|\b\d{1,2}:\d{2}(?::\d{2})?(?:\s?[ap]m)?\b",
    re.IGNORECASE,
)


def bare_topic(subject: str) -> str:
    """A subject without what answers, an alarm's state and the time of day have added to it."""
    topic = _WHEN.sub(" ", _BRACKETED.sub(" ", bare_subject(subject[:500])))
    for _ in range(3):
        shorter = _TRAILING.sub("", _LEADING.sub("", topic.strip())).strip()
        if not shorter or shorter == topic:
            break
        topic = shorter
    return " ".join(topic.lower().split())


def topic_key(subject: str) -> str | None:
    """What topics are compared by; None for a subject that says nothing."""
    topic = bare_topic(subject)
    return hashlib.sha256(topic.encode("utf-8", "replace")).hexdigest() if topic else None
