"""What can be wrong with a calendar, or with a question to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class CalendarError(ValueError):
    """A calendar cannot be understood, or cannot answer.

    ``key`` is the place in the calendar's document (``hours.mon[1]``; empty when there is none), ``sentence``
    says what is wrong and what is expected. ``str()`` has both.
    """

    def __init__(self, sentence: str, key: str = "") -> None:
        super().__init__(sentence, key)
        self.sentence = sentence
        self.key = key

    def __str__(self) -> str:
        return f"{self.key}: {self.sentence}" if self.key else self.sentence


class NeverOpens(CalendarError):
    """There is no opening after the instant asked about, so no amount of open time is ever used up."""


class NeverCloses(CalendarError):
    """There is no closing after the instant asked about."""


class BeyondHorizon(CalendarError):
    """The answer lies further in the future than is searched."""


@contextmanager
def within(prefix: str) -> Iterator[None]:
    """Put ``prefix`` before the key of a :class:`CalendarError` raised inside."""
    try:
        yield
    except CalendarError as error:
        glue = "." if error.key and not error.key.startswith("[") else ""
        raise type(error)(error.sentence, f"{prefix}{glue}{error.key}") from error.__cause__
