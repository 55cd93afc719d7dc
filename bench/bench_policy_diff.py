"""How long a ``policy diff`` of a week takes: the shipped policy, and one of 300 customers whose terms all change.

Run it as ``python -m bench policy_diff``. Reading both documents is included, as in the command; so are the words.
Every figure is the median of several runs in one thread.
"""

from __future__ import annotations

import io
import statistics
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

from ruamel.yaml import YAML

from console.policy_report import week_lines
from routing.policies import parse_policy
from routing.policy_changes import changes
from routing.policy_week import week

SAMPLE = Path(__file__).parent.parent / "routing" / "samples" / "agreement.yaml"
START = datetime(2026, 10, 29, 5, tzinfo=UTC)  # over the end of daylight saving time
CUSTOMERS = 300
_LIMIT_S = 2.0


def _large(*, changed: bool) -> str:
    """The sample with 300 customers; ``changed``: other tiers for all, from other days on, and another rota."""
    yaml = YAML(typ="safe", pure=True)
    document: dict[str, Any] = yaml.load(SAMPLE.read_text())
    tiers = ("classic", "select", "advantage", "elite")
    document["customers"] = {
        f"customer-{number}": {
            "name": f"Customer {number}",
            "support_id": f"{10_000 + number}",
            "contracts": {
                "support": {"tier": tiers[(number + changed) % 4]}
                | ({"starts": f"2026-{1 + number % 12:02}-{1 + number % 28:02}"} if changed else {}),
                "managed-services": {"tier": "managed-services", "consent": "never" if changed else "ask"},
            },
            "contacts": [{"name": f"Contact {number}", "phone": f"+1512555{number:04}"}],
        }
        for number in range(CUSTOMERS)
    }
    if changed:
        document["schedules"]["support"]["layers"][0]["members"] = ["sam", "priya", "luis", "dana"]
    written = io.StringIO()
    yaml.dump(document, written)
    return written.getvalue()


def _measure(name: str, old: str, new: str) -> None:
    times = []
    shown = 0
    for _ in range(5):
        parse_policy.cache_clear()
        begun = perf_counter()
        before, after = parse_policy(old, stored=True), parse_policy(new)
        read = perf_counter()
        end = START + timedelta(days=7)
        found = week(before, after, START, end)
        weeks = perf_counter()
        shown = len(changes(before, after)) + len(list(week_lines(before, after, found, START, end)))
        times.append((perf_counter() - begun, read - begun, weeks - read))
    total, reading, comparing = (statistics.median(column) for column in zip(*times, strict=True))
    verdict = "" if total < _LIMIT_S else "  TOO SLOW"
    print(f"{name:32}{total:9.3f}{reading:12.3f}{comparing:10.3f}{shown:8}{_LIMIT_S:9.1f}{verdict}")


def main() -> None:
    """Measure and print."""
    sample = SAMPLE.read_text()
    edited = sample.replace("members: [dana, luis, priya, sam]", "members: [sam, priya, luis, dana]", 1)
    edited = edited.replace(
        "1: {respond: 4 business hours, cover: business hours}", "1: {respond: 2 hours, cover: 24x7}"
    )
    print(
        f"{'a week, over a clock change':32}{'total s':>9}{'reading s':>12}{'week s':>10}{'lines':>8}{'limit s':>9}"
    )
    _measure("the shipped policy", sample, edited)
    _measure(f"{CUSTOMERS} customers, all changed", _large(changed=False), _large(changed=True))


if __name__ == "__main__":
    main()
