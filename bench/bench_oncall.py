"""How long it takes to say who is on call: a year of ten layers with 200 overrides, a moment, a week's diff.

Run it as ``python -m bench.bench_oncall``. Every figure is the median of several runs in one thread.
"""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

from routing.oncall import Schedule, diff, gaps, next_shift, on_call, order, shifts

START = datetime(2026, 1, 1, tzinfo=UTC)
YEAR = timedelta(days=365)
PEOPLE = [f"person {number}" for number in range(12)]
ZONES = ("America/Chicago", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata", "America/Santiago")
CADENCES: tuple[tuple[str, str, dict[str, Any] | None], ...] = (
    ("daily", "08:00", None),
    ("weekly", "mon 08:00", None),
    ("daily", "17:00", {"mon-fri": "17:00-08:00", "sat-sun": "08:00-08:00"}),
    ("every 12 hours", "06:00", {"mon-fri": ["00:00-06:00", "12:00-13:00", "22:00-24:00"]}),
    ("every 3 days", "02:30", {"sat-sun": "00:00-24:00"}),
)


def _layer(number: int, *, restricted: bool) -> dict[str, Any]:
    rotation, handover, hours = CADENCES[number % len(CADENCES)]
    layer = {
        "name": f"layer {number}",
        "zone": ZONES[number % len(ZONES)],
        "rotation": rotation,
        "handover": handover,
        "start": "2025-01-06",
        "members": PEOPLE[number % 6 : number % 6 + 4],
    }
    if restricted and hours is None:
        hours = {"tue": ["01:00-03:00", "11:00-12:00"], "thu": "20:00-04:00"}
    return layer | ({"hours": hours} if hours else {})


def schedule(*, layers: int, overrides: int, restricted: bool = True) -> Schedule:
    """A schedule whose lowest layer is around the clock and whose others, if ``restricted``, leave holes."""
    changes = [
        {
            "from": START + timedelta(hours=43 * number),
            "to": START + timedelta(hours=43 * number + 6 + number % 60),
            "person": PEOPLE[number % len(PEOPLE)],
            **({} if number % 3 else {"instead_of": PEOPLE[(number + 5) % len(PEOPLE)]}),
        }
        for number in range(overrides)
    ]
    return Schedule.from_dict(
        {
            "zone": "America/Chicago",
            "layers": [_layer(number, restricted=restricted and number > 0) for number in range(layers)],
            "overrides": changes,
            "absences": [
                {
                    "person": PEOPLE[number % 6],
                    "from": START + number * YEAR / 20,
                    "to": START + (number + 0.5) * YEAR / 20,
                }
                for number in range(20 if layers > 1 else 0)
            ],
        }
    )


def _median_ms(work: Callable[[], object], runs: int) -> tuple[float, float]:
    times = []
    for _ in range(runs):
        begun = perf_counter()
        work()
        times.append((perf_counter() - begun) * 1000)
    return statistics.median(times), max(times)


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown"
    )


def main() -> None:
    """Measure and print."""
    print(f"{_processor()}, {os.cpu_count()} cores (one used), Python {platform.python_version()}")
    large, simple = schedule(layers=10, overrides=200), schedule(layers=1, overrides=0)
    full = schedule(layers=10, overrides=200, restricted=False)
    changed = schedule(layers=10, overrides=190)
    moment = START + YEAR / 3
    week = moment + timedelta(days=7)
    print(
        f"{len(shifts(large, START, START + YEAR))} shifts in the year of the ten layers with 200 overrides"
    )
    rows: list[tuple[str, float, Callable[[], object], int]] = [
        ("year, 10 layers, 200 overrides: shifts", 50, lambda: shifts(large, START, START + YEAR), 15),
        (
            "year, 10 layers, 200 overrides, top layers full: shifts",
            50,
            lambda: shifts(full, START, START + YEAR),
            15,
        ),
        ("year, 10 layers, 200 overrides: gaps", 50, lambda: gaps(large, START, START + YEAR), 15),
        ("week, 10 layers, 200 overrides: diff", 1000, lambda: diff(large, changed, moment, week), 50),
        ("moment, 1 layer: on_call", 1, lambda: on_call(simple, moment), 500),
        ("moment, 10 layers, 200 overrides: on_call", 1, lambda: on_call(large, moment), 500),
        ("moment, 10 layers, 200 overrides: order", 1, lambda: order(large, moment), 500),
        ("10 layers, 200 overrides: next_shift", 50, lambda: next_shift(large, "person 9", moment), 50),
        ("10 layers, 200 overrides: from_dict", 1000, lambda: schedule(layers=10, overrides=200), 15),
    ]
    print(f"{'':58}{'median ms':>12}{'worst ms':>12}{'limit ms':>12}")
    for name, limit, work, runs in rows:
        median, worst = _median_ms(work, runs)
        print(f"{name:58}{median:12.3f}{worst:12.3f}{limit:12.0f}{'' if median < limit else '  TOO SLOW'}")


if __name__ == "__main__":
    main()
