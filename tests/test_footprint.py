"""What the processes carry while nothing happens: a small machine must hold web and worker with room to spare."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

_LINUX = Path("/proc/self/status").exists()
_MOST_MB = 200  # web and worker together
# Native libraries and packages of megabytes: loaded when there is audio, HTML, a calendar or a chat to deal with.
_LATER = ["apprise", "cryptography", "dns", "icalendar", "nh3", "numpy", "obstore", "psycopg", "soundfile"]
_IDLE = """
import json, re, sys
from core.settings import load_settings
from routing.context import build_context
from routing.policies import parse_policy
context = build_context(load_settings())
{start}
parse_policy(open("routing/samples/agreement.yaml").read())
status = open("/proc/self/status").read()
print(json.dumps({{"mb": int(re.search(r"VmRSS:\\s*(\\d+)", status)[1]) / 1024, "modules": list(sys.modules)}}))
"""
_STARTS = {
    "web": "from app import create_app; create_app(context)",
    "worker": "from worker import Worker; Worker(context)",
}


def idle(start: str, folder: Path) -> dict[str, Any]:
    """A process as it is after its start: its resident memory in MB, and the modules that it has loaded."""
    environment = {
        "DATABASE_URL": f"sqlite:///{folder / 'nightbell.db'}", "NIGHTBELL_DATA_DIR": str(folder),
        "NIGHTBELL_SECRET_KEY": "a key for tests only", "TWILIO_ACCOUNT_SID": "AC" + "5" * 32,
        "TWILIO_AUTH_TOKEN": "token", "PYTHONPATH": ".",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", _IDLE.format(start=start)],
        cwd=Path(__file__).parents[1], env=environment, capture_output=True, check=True,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.skipif(not _LINUX, reason="resident memory is read from /proc")
def test_it_idles_in_less_than_200_mb(tmp_path: Path) -> None:
    processes = {name: idle(start, tmp_path) for name, start in _STARTS.items()}
    for name, process in processes.items():
        countries = {m for m in process["modules"] if m.startswith("holidays.countries.")}
        assert sorted(set(_LATER) & set(process["modules"])) == [], name
        assert len(countries) < 10, f"{name}: the calendar asks for one country"
    # What comes on top in a real process: threads, connections, what the first requests load.
    assert sum(process["mb"] for process in processes.values()) < _MOST_MB - 15
