"""Lists of Twilio's API: filters by date, and pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from urllib.parse import urlencode

from simulator.resources import Json

T = TypeVar("T")
DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE = 50, 1000


class BadFilter(ValueError):
    """A filter's value cannot be read."""


def _instant(text: str) -> datetime:
    try:
        when = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadFilter(f"not a date: {text}") from error
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when


def within(when: datetime | None, query: dict[str, str], name: str) -> bool:
    """Whether ``when`` passes ``name`` (that day), ``name<`` (until then) and ``name>`` (from then on)."""
    given = {sign: query[name + sign] for sign in ("", "<", ">") if query.get(name + sign)}
    if not given:
        return True
    if when is None:
        return False
    when = when.replace(microsecond=0)
    if "" in given:
        day = _instant(given[""]).replace(hour=0, minute=0, second=0, microsecond=0)
        if not day <= when < day + timedelta(days=1):
            return False
    return ("<" not in given or when <= _instant(given["<"])) and (
        ">" not in given or when >= _instant(given[">"])
    )


def page(items: Sequence[T], query: dict[str, str], path: str, key: str, shown: Callable[[T], Json]) -> Json:
    """One page of ``items`` (newest first), in the envelope of Twilio's lists."""
    size = min(max(_whole(query.get("PageSize"), DEFAULT_PAGE_SIZE), 1), MAX_PAGE_SIZE)
    index = _whole(query.get("Page"), 0)
    filters = {name: value for name, value in query.items() if name not in {"PageSize", "Page", "PageToken"}}

    def uri(number: int) -> str:
        parameters: dict[str, str | int] = {**filters, "PageSize": size, "Page": number}
        return f"{path}?{urlencode(parameters)}"

    start = index * size
    found = [shown(item) for item in items[start : start + size]]
    return {
        key: found,
        "first_page_uri": uri(0),
        "next_page_uri": uri(index + 1) if start + size < len(items) else None,
        "previous_page_uri": uri(index - 1) if index else None,
        "uri": uri(index),
        "page": index,
        "page_size": size,
        "start": start,
        "end": start + max(len(found) - 1, 0),
    }


def _whole(text: str | None, default: int) -> int:
    return int(text) if text is not None and text.isdigit() else default
