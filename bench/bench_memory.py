"""What web and worker keep in memory: started as the Procfile says, after both have answered, and after some calls.

Resident memory as the system counts it, pages that both processes share counted in each of them.
"""

from __future__ import annotations

import re
import time
from pathlib import Path

import requests

from bench.bench_page import House, house, one_call

WANTED_MB = 200
CALLS = 20
_SETTLE_S = 3.0


def resident_mb(pid: int) -> float:
    """Resident memory of a process and of those that it started, in megabytes of 1,000,000 bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)
    own = int(found[1]) * 1024 / 1e6 if found else 0.0
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return own + sum(resident_mb(int(child)) for child in children)


def report(running: House, when: str) -> None:
    """Print what each process has, and both together."""
    time.sleep(_SETTLE_S)
    each = {name: resident_mb(process.pid) for name, process in running.processes.items()}
    listed = ", ".join(f"{name} {megabytes:.0f} MB" for name, megabytes in each.items())
    print(f"  {when:<48} {sum(each.values()):4.0f} MB   ({listed}; wanted: under {WANTED_MB} when idle)")


def main() -> None:
    """Measure and print."""
    with house() as running:
        health = requests.get(f"{running.base}/health", timeout=10)
        health.raise_for_status()  # the web process answers, and the worker has said that it lives
        report(running, "idle, after both have answered")
        for number in range(CALLS):
            one_call(running.base, number)
        report(running, f"after {CALLS} night calls, each with a page")


if __name__ == "__main__":
    main()
