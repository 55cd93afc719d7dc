"""Mistakes in a policy document, in words of the document: what stands there, and what was expected."""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from routing.business_hours.errors import CalendarError
from routing.oncall import ScheduleError
from routing.policy_document import Place

_SHOWN = 60
_PATH = re.compile(r"[^.\[\]]+")


def nearest(name: object, among: Iterable[str]) -> str:
    """``; did you mean 'ring_s'?`` where one of ``among`` looks like ``name``, else nothing."""
    close = get_close_matches(str(name), list(among), n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""


def in_words(root: type[BaseModel], error: ErrorDetails) -> tuple[Place, str]:
    """The place of a mistake in the document of ``root``, and a sentence about it."""
    place = tuple(part for part in error["loc"] if part != "[key]")
    cause = error.get("ctx", {}).get("error")
    if isinstance(cause, (CalendarError, ScheduleError)):
        # These know better than the model where in their part it is.
        return (*place, *place_within(cause.key)), cause.sentence
    words = _WORDS.get(error["type"])
    if words is not None:
        return place, words(root, place, error)
    if cause is not None:
        return place, str(cause)
    return place, f"is {_shown(error['input'])}: {error['msg']}"


def place_within(path: str) -> Place:
    """The place that a path such as ``hours.mon[1]`` names."""
    return tuple(int(part) if part.isdigit() else part for part in _PATH.findall(path))


def known_keys(root: type[BaseModel], place: Place) -> tuple[str, ...]:
    """The keys that the document may have at ``place``; nothing where names are free."""
    annotation: Any = root
    for part in place:
        annotation = _inside(annotation, part)
    bare = _bare(annotation)
    return tuple(bare.model_fields) if _is_model(bare) else ()


def _inside(annotation: Any, part: str | int) -> Any:
    bare = _bare(annotation)
    if _is_model(bare):
        field = bare.model_fields.get(str(part))
        return field.annotation if field else None
    arguments = get_args(bare)
    return arguments[-1] if get_origin(bare) in (dict, list) and arguments else None


def _bare(annotation: Any) -> Any:
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation = get_args(annotation)[0]
        elif origin in (Union, types.UnionType):
            annotation = next(each for each in get_args(annotation) if each is not type(None))
        else:
            return annotation


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    if value is None:
        return "empty"
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


_Words = Callable[[type[BaseModel], Place, ErrorDetails], str]


def _unknown(root: type[BaseModel], place: Place, error: ErrorDetails) -> str:
    known = known_keys(root, place[:-1])
    return f"no key is called {place[-1]!r} here{nearest(place[-1], known)}; known: {', '.join(known)}"


def _mapping(root: type[BaseModel], place: Place, error: ErrorDetails) -> str:
    keys = ", ".join(known_keys(root, place))
    return f"is {_shown(error['input'])}; expected a mapping{f' with {keys}' if keys else ''}"


def _text(root: type[BaseModel], place: Place, error: ErrorDetails) -> str:
    number = " (a number to YAML: put it in quotes)" if isinstance(error["input"], (int, float)) else ""
    return f"is {_shown(error['input'])}; expected text{number}"


def _choice(root: type[BaseModel], place: Place, error: ErrorDetails) -> str:
    expected = error["ctx"]["expected"]
    close = nearest(error["input"], re.findall(r"'([^']*)'", expected))
    return f"is {_shown(error['input'])}{close}; expected {expected}"


def _bound(words: str) -> _Words:
    def said(root: type[BaseModel], place: Place, error: ErrorDetails) -> str:
        limit = next(iter(error["ctx"].values()))
        return f"is {_shown(error['input'])}; expected {words} {limit}"

    return said


def _expected(what: str) -> _Words:
    return lambda root, place, error: f"is {_shown(error['input'])}; expected {what}"


def _kinds(words: _Words, *kinds: str) -> dict[str, _Words]:
    return dict.fromkeys(kinds, words)


_DATE = _expected("a date that exists, such as 2026-12-31")
_WORDS: dict[str, _Words] = {
    "extra_forbidden": _unknown,
    "missing": lambda root, place, error: "is missing; it is required",
    "literal_error": _choice,
    **_kinds(_mapping, "dict_type", "model_type", "model_attributes_type", "mapping_type"),
    **_kinds(_text, "string_type", "string_sub_type"),
    **_kinds(_expected("a list, such as [a, b]"), "list_type"),
    **_kinds(_expected("a whole number"), "int_type", "int_parsing", "int_from_float", "int_parsing_size"),
    **_kinds(_expected("a number"), "float_type", "float_parsing", "finite_number"),
    **_kinds(_expected("true or false"), "bool_type", "bool_parsing"),
    **_kinds(_expected("an exact amount, such as '12000.00'"), "decimal_type", "decimal_parsing"),
    **_kinds(_bound("at least"), "greater_than_equal"),
    **_kinds(_bound("more than"), "greater_than"),
    **_kinds(_bound("at most"), "less_than_equal"),
    **_kinds(_bound("less than"), "less_than"),
    **_kinds(_bound("a number of decimals of at most"), "decimal_max_places"),
    **_kinds(_bound("a number of digits of at most"), "decimal_max_digits", "decimal_whole_digits"),
    **_kinds(_expected("at least one entry"), "too_short"),
    **_kinds(_bound("a length of at least"), "string_too_short"),
    **_kinds(_bound("a length of at most"), "string_too_long"),
    **_kinds(_bound("text of the form"), "string_pattern_mismatch"),
    **_kinds(_DATE, "date_type", "date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact"),
}
