"""How an engineer's text is read."""

from __future__ import annotations

import pytest

from routing.paging.replies import _COMMAND


@pytest.mark.parametrize(
    ("text", "verb", "number"),
    [
        ("ACK 1042", "ack", "1042"),
        ("ack1042", "ack", "1042"),
        ("Ack: #1042.", "ack", "1042"),
        (" acknowledged 1042 ", "ack", "1042"),
        ("PASS 1042", "pass", "1042"),
        ("passed1042!", "pass", "1042"),
        ("ack", "ack", None),
        ("Pass.", "pass", None),
    ],
)
def test_it_reads_a_command_and_its_case(text: str, verb: str, number: str | None) -> None:
    """A number written without a space must not be taken for "whatever rings": it might be another case."""
    command = _COMMAND.match(text)
    assert command is not None
    assert (command[1].lower(), command[2]) == (verb, number)


@pytest.mark.parametrize(
    "text", ["", "hello", "1042", "ack 1042 and 1043", "back 1042", "ack 1042x", "no ack"]
)
def test_it_reads_nothing_into_other_words(text: str) -> None:
    assert _COMMAND.match(text) is None
