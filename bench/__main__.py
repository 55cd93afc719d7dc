"""Run all benchmarks, one after the other: ``python -m bench [NAME ...]``."""

from __future__ import annotations

import importlib
import os
import platform
import sys
from pathlib import Path


def _machine() -> str:
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = names[0].partition(":")[2].strip() if names else model
    return f"{model}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


def main() -> None:
    """Print the machine, then what each benchmark measures."""
    wanted = sys.argv[1:]
    del sys.argv[1:]  # a benchmark that is run by itself has options of its own
    print(_machine())
    for file in sorted(Path(__file__).parent.glob("bench_*.py")):
        if not wanted or file.stem.removeprefix("bench_") in wanted:
            print(f"\n{file.stem.removeprefix('bench_')}")
            importlib.import_module(f"bench.{file.stem}").main()


if __name__ == "__main__":
    main()
