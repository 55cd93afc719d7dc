"""Every sentence that is said has a name in the catalogue, and every name in the catalogue is said somewhere."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import get_args

import pytest

from intake.phone import facts
from routing.paging.models import Purpose
from routing.policy_parts import Line
from routing.prompts import CATALOGUE

ROOT = Path(__file__).parent.parent
SAYING = {"say", "policy_say", "_say"}

# Names that are put together: their beginning, and everything that may follow.
PUT_TOGETHER: dict[str, tuple[str, ...]] = {
    "open_case_": tuple(facts.Standing),
    "unverified_": get_args(Line.model_fields["unknown_callers"].annotation),
    "sms_": tuple(Purpose),
}


def _trees() -> Iterator[ast.AST]:
    for file in chain.from_iterable(
        (ROOT / name).rglob("*.py") for name in ("routing", "intake", "webhooks", "console")
    ):
        if file != ROOT / "routing" / "prompts.py":
            yield ast.parse(file.read_text())


def _names_said(tree: ast.AST) -> Iterator[str]:
    """The names in calls of ``say``: written out, or put together."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        name = node.args[0]
        if called in SAYING and isinstance(name, ast.Constant):
            yield str(name.value)
        elif called in SAYING and isinstance(name, ast.JoinedStr):
            start = name.values[0]
            assert isinstance(start, ast.Constant)
            begins = str(start.value)
            yield from (begins + end for end in PUT_TOGETHER[begins])


def _all_words(tree: ast.AST) -> set[str]:
    return {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)}


@pytest.fixture(scope="module")
def said() -> set[str]:
    return set(chain.from_iterable(map(_names_said, _trees())))


def test_it_says_only_what_is_in_the_catalogue(said: set[str]) -> None:
    assert len(said) > 30
    assert said - set(CATALOGUE) == set()


def test_it_has_nothing_in_the_catalogue_that_nobody_says(said: set[str]) -> None:
    # A name may be kept in a table or a variable before it is said.
    written = said.union(*map(_all_words, _trees()))
    assert set(CATALOGUE) - written == set()


def test_it_finds_names_however_they_are_said() -> None:
    source = "f.say('a', x=1); say('b'); policy.say(f'sms_{p}'); policy_say('c'); other('d')"
    assert set(_names_said(ast.parse(source))) == {"a", "b", "c", *(f"sms_{p}" for p in Purpose)}
