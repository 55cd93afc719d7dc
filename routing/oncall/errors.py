"""What is wrong in a schedule, and where."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class ScheduleError(ValueError):
    """A schedule that cannot be: ``key`` is the path of the mistake, such as ``layers[0].handover``."""

    def __init__(self, key: str, sentence: str) -> None:
        super().__init__(f"{key}: {sentence}" if key else sentence)
        self.key = key
        self.sentence = sentence


@contextmanager
def at(key: str) -> Iterator[None]:
    """Say of any mistake found inside that it was found under ``key``."""
    try:
        yield
    except ScheduleError as mistake:
        dot = "." if mistake.key and not mistake.key.startswith("[") else ""
        raise ScheduleError(f"{key}{dot}{mistake.key}", mistake.sentence) from None
    except ValueError as mistake:
        raise ScheduleError(key, str(mistake)) from None
