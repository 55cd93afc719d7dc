"""How a mail finds its place in a conversation, in the customer's mail program as in an engineer's. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from routing.correspondence.fields import one_line

MOST_REFERENCES = 20
_LONGEST_SUBJECT = 160
# What mail programs put before the subject of an answer or a forward, and our own tag.
_PREFIX = re.compile(
    r"\s*(?:(?:re|aw|sv|vs|antw|odp|ynt|res|rif|ref|tr|fwd?|wg|enc|rv)(?:\[\d{1,3}\])?\s?[::]|\[case \d{1,12}\])",
    re.IGNORECASE,
)


def references(of_parent: Sequence[str], parent: str) -> tuple[str, ...]:
    """The References of an answer (RFC 5322, 3.6.4): those of its parent, and the parent.

    A long conversation keeps its first mail, under which programs file it, and the latest ones.
    """
    ids = list(dict.fromkeys([*(each for each in of_parent if each != parent), parent]))
    ids = [each for each in ids if each]
    if len(ids) > MOST_REFERENCES:
        ids = [ids[0], *ids[-(MOST_REFERENCES - 1) :]]
    return tuple(ids)


def bare_subject(subject: str) -> str:
    """The subject without what answers and our tags have put before it."""
    bare = one_line(subject)
    while found := _PREFIX.match(bare):
        bare = bare[found.end() :].strip()
    return bare


def answering_subject(case_number: int, subject: str) -> str:
    """``Re: [Case 1042] Scheduler down``: RFC 5256 takes both away before it compares subjects, as programs do."""
    bare = bare_subject(subject)
    if len(bare) > _LONGEST_SUBJECT:
        bare = bare[: _LONGEST_SUBJECT - 1].rstrip() + "…"
    return f"Re: [Case {case_number}] {bare}".rstrip()
