"""What counts as an answer, what may be said of one, and what excuses its absence. Pure."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Protocol


class ResponseKind(enum.StrEnum):
    """How a human answered: nothing else stops a response clock."""

    REPLY = "reply"  # a public reply
    CALL = "call"  # a connected call
    STATED = "stated"  # an engineer says how and when


class Excuse(enum.StrEnum):
    """Why a case was closed though nobody had answered."""

    DUPLICATE = "duplicate"  # another case has the same contact
    SPAM = "spam"  # no customer
    TEST = "test"  # ours
    TAKEN_BACK = "taken-back"  # the customer needs no answer any more


class NotPossible(Exception):
    """What was asked for cannot be; the text says why, and what can."""


class Said(Protocol):
    """Something said on a case, as far as this asks: who said it, and whether the customer sees it."""

    author: str
    public: bool


ENGINEER = "engineer"
MOST_WORDS = 2000


def is_response(message: Said) -> bool:
    """Whether a message answers the customer: a person of ours wrote it, and the customer sees it.

    An automatic reply has the author ``system``; an internal note is not public.
    """
    return message.author == ENGINEER and message.public


def stated_at(answered_at: datetime, how: str, started_at: datetime, now: datetime) -> datetime:
    """When the customer was answered, as an engineer states it; :class:`NotPossible` names what is wrong.

    People read minutes off their clocks: what is said of the contact's own minute is not before the contact.
    """
    if not how.strip():
        raise NotPossible(
            "how the customer was answered is missing; say such as: called, Maria will restart it"
        )
    if len(how) > MOST_WORDS:
        raise NotPossible(f"how the customer was answered has more than {MOST_WORDS} characters; shorten it")
    if answered_at > now:
        raise NotPossible("an answer cannot lie in the future; say when the customer was answered")
    if answered_at < started_at.replace(second=0, microsecond=0):
        raise NotPossible(
            "an answer cannot lie before the contact that it answers; look at the time and the date"
        )
    return max(answered_at, started_at)


def excuses(excuse: Excuse, due_at: datetime | None, now: datetime) -> bool:
    """Whether the verdict becomes excused.

    What never was a contact with a customer owed no answer. A customer who gives up after the promise was
    broken does not mend it.
    """
    return excuse is not Excuse.TAKEN_BACK or due_at is None or now <= due_at
