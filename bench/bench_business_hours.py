"""How quickly response clocks are computed, next to PyPI's businesstimedelta on the same questions.

    python -m bench.bench_business_hours [--starts 10000] [--compared 300]

Checks first that both give the same answers. Without businesstimedelta it measures our own only.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from typing import Any

import holidays

from routing.business_hours import BusinessCalendar
from routing.targets import ResponseTarget

DOCUMENT = {
    "zone": "America/Chicago",
    "hours": {day: ["08:00-17:00"] for day in ("mon", "tue", "wed", "thu", "fri")},
    "holidays": {"country": "US"},
}
YEARS = range(2024, 2030)
HOUR = timedelta(hours=1)
Question = tuple[datetime, timedelta]


def starts(count: int) -> list[datetime]:
    """Whole seconds at random over three years, the same ones every time."""
    chance = random.Random(20261123)
    first = datetime(2025, 1, 1, tzinfo=UTC)
    return [first + timedelta(seconds=chance.randrange(3 * 365 * 86_400)) for _ in range(count)]


def theirs() -> tuple[Any, Any] | None:
    """(rules, the class of amounts) of businesstimedelta with the same rules; None when not installed."""
    try:
        import businesstimedelta as library
        import pytz
    except ImportError:
        return None
    zone = pytz.timezone(DOCUMENT["zone"])
    days = library.WorkDayRule(
        start_time=time_of_day(8), end_time=time_of_day(17), working_days=[0, 1, 2, 3, 4], tz=zone
    )
    closed: dict[date, str] = dict(holidays.country_holidays("US", years=YEARS))
    return library.Rules([days, library.HolidayRule(closed, tz=zone)]), library.BusinessTimeDelta


def best_of(times: int, work: Callable[[], Any]) -> float:
    """Seconds of the quickest of some runs."""

    def once() -> float:
        began = time.perf_counter()
        work()
        return time.perf_counter() - began

    return min(once() for _ in range(times))


def report(name: str, seconds: float, count: int) -> float:
    each = seconds / count * 1e6
    print(f"{name:<58} {each:>12,.1f} us each {count / seconds:>14,.0f} a second")
    return each


def measure_ours(count: int) -> None:
    """Cold and warm, as the service uses it: a target of the agreement for every contact."""
    calendar, contacts = BusinessCalendar.from_dict(DOCUMENT), starts(count)
    targets = [ResponseTarget.parse(text) for text in ("4 business hours", "2 business days", "1 hour")]
    began = time.perf_counter()
    calendar.due(contacts[0], HOUR)
    print(f"first answer, tables and holidays built: {(time.perf_counter() - began) * 1e3:.1f} ms")

    def all_due() -> None:
        for number, contact in enumerate(contacts):
            targets[number % 3].due_at(contact, calendar)

    began = time.perf_counter()
    all_due()
    seconds = time.perf_counter() - began
    print(f"{count:,} due instants, first time: {seconds:.3f} s ({'meets' if seconds < 1 else 'MISSES'} 1 s)")
    report("ResponseTarget.due_at", best_of(5, all_due), count)
    report(
        "due, 20,000 hours", best_of(5, lambda: [calendar.due(at, 20_000 * HOUR) for at in contacts]), count
    )
    report("next_opening", best_of(5, lambda: [calendar.next_opening(at) for at in contacts]), count)
    report("is_open", best_of(5, lambda: [calendar.is_open(at) for at in contacts]), count)


def compare(title: str, questions: list[Question], their: tuple[Any, Any], elapsed: bool) -> None:
    """Both libraries on the same questions: due after an amount, or elapsed over a span of that length."""
    calendar = BusinessCalendar.from_dict(DOCUMENT)
    rules, amount_of = their
    if elapsed:
        spans = [(start, start + length) for start, length in questions]
        ours: Callable[[], list[Any]] = lambda: [calendar.elapsed(*span) for span in spans]  # noqa: E731
        others: Callable[[], list[Any]] = lambda: [rules.difference(*span).timedelta for span in spans]  # noqa: E731
    else:
        ours = lambda: [calendar.due(*question) for question in questions]  # noqa: E731
        others = lambda: [start + amount_of(rules, timedelta=length) for start, length in questions]  # noqa: E731
    different = sum(mine != other for mine, other in zip(ours(), others(), strict=True))
    print(f"\n{title}: {len(questions)} questions, {different} answered differently")
    mine = report("  ours", best_of(7, ours), len(questions))
    other = report("  businesstimedelta", best_of(2, others), len(questions))
    print(f"  {other / mine:,.0f} times as fast ({'meets' if other >= 20 * mine else 'MISSES'} 20)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=10_000)
    parser.add_argument("--compared", type=int, default=300)
    options = parser.parse_args()
    print(
        f"{os.cpu_count()} CPUs, {platform.python_implementation()} {platform.python_version()}, one thread"
    )
    measure_ours(options.starts)
    their = theirs()
    if their is None:
        print("\ncomparison skipped: pip install businesstimedelta")
        return
    some = starts(options.compared)
    compare("due, 1 hour", [(start, HOUR) for start in some], their, elapsed=False)
    compare("due, 4 hours", [(start, 4 * HOUR) for start in some], their, elapsed=False)
    compare("due, 18 hours (2 business days)", [(start, 18 * HOUR) for start in some], their, elapsed=False)
    compare("elapsed, 3 days", [(start, 72 * HOUR) for start in some], their, elapsed=True)
    compare("elapsed, 1 year", [(start, 365 * 24 * HOUR) for start in some[:20]], their, elapsed=True)


if __name__ == "__main__":
    main()
