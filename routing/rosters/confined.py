"""Reading calendars of strangers in a process of its own, with a limit on its time and memory.

A few lines of a calendar can keep a processor busy for hours; a thread cannot be stopped, a process can.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from routing.rosters.reading import Reading, read_calendar
from routing.rosters.sieve import MAX_BYTES, NotACalendar

CPU_S = 2
_WALL_S = 15  # of a machine that is busy with other things, too
_MEMORY_BYTES = 512 * 1024 * 1024
# Of the environment: what Python needs to start, and none of our secrets.
_KEPT = ("PATH", "LANG", "PYTHONHOME", "PYTHONTZPATH", "LD_LIBRARY_PATH")
_ROOT = Path(__file__).resolve().parents[2]


def read_confined(data: bytes, zone: ZoneInfo, now: datetime, matching: str | None = None) -> Reading:
    """``read_calendar``, given up after two seconds of computing; :class:`NotACalendar` then, too."""
    if len(data) > MAX_BYTES:
        raise NotACalendar(
            f"is larger than {MAX_BYTES // 1024 // 1024} MB; expected a calendar of one person"
        )
    question = {
        "data": base64.b64encode(data).decode(), "zone": zone.key, "now": now.isoformat(), "matching": matching,
    }  # fmt: skip
    try:
        done = subprocess.run(  # our own module
            [sys.executable, "-W", "ignore", "-m", "routing.rosters.confined"],
            input=json.dumps(question).encode(),
            capture_output=True,
            cwd=_ROOT,
            env={name: os.environ[name] for name in _KEPT if name in os.environ} | {"PYTHONPATH": str(_ROOT)},
            timeout=_WALL_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NotACalendar("takes too long to read") from None
    if done.returncode:
        raise NotACalendar("takes too long to read: it repeats too often, or has too much in it")
    return _reading(json.loads(done.stdout))


def _reading(answer: dict[str, object]) -> Reading:
    if "error" in answer:
        raise NotACalendar(str(answer["error"]))
    periods = answer["periods"]
    assert isinstance(periods, list)
    return Reading(
        tuple((datetime.fromisoformat(start), datetime.fromisoformat(end)) for start, end in periods),
        int(str(answer["unreadable"])),
        int(str(answer["frequent"])),
    )


def _answer(question: dict[str, str]) -> dict[str, object]:
    try:
        reading = read_calendar(
            base64.b64decode(question["data"]),
            ZoneInfo(question["zone"]),
            datetime.fromisoformat(question["now"]),
            question["matching"],
        )
    except NotACalendar as error:
        return {"error": str(error)}
    return {
        "periods": [(start.isoformat(), end.isoformat()) for start, end in reading.periods],
        "unreadable": reading.unreadable,
        "frequent": reading.repeating_within_a_day,
    }


def _limit() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))


if __name__ == "__main__":
    _limit()
    sys.stdout.write(json.dumps(_answer(json.load(sys.stdin))))
