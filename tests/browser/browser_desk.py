"""The simulator as a process of one's own, and whether there is a browser to look at it with."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import requests
from line_app import LineApp

ROOT = Path(__file__).parents[2]
ACCOUNT, TOKEN = "AC" + "5" * 32, "simulated-auth-token"
LINE, DANA, SAM = "+18773632305", "+17135550101", "+17135550104"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def why_not() -> str | None:
    """Why these tests cannot run here, or None."""
    if os.environ.get("NIGHTBELL_BROWSER_TESTS") != "1":
        return "the pages are tried in a browser by: make browser"
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError:
        return "the pages cannot be tried: playwright is not installed (make browser installs it)"
    return None if CHROMIUM else "the pages cannot be tried: there is no chromium here"


WHY_NOT = why_not()  # now: the settings of whoever runs the tests are taken away while one runs


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Simulator:
    """``python -m simulator`` as a process, which can be stopped and started again."""

    def __init__(self, folder: Path, deliver_to: str = "smtp://127.0.0.1:9") -> None:
        self._deliver_to = deliver_to
        self.port, self._folder = free_port(), folder
        self.base = f"http://127.0.0.1:{self.port}"
        self.smtp_port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        ports = [
            "--port",
            str(self.port),
            "--smtp-port",
            str(self.smtp_port),
            "--deliver-to",
            self._deliver_to,
        ]
        command = [sys.executable, "-m", "simulator", *ports, "--data", str(self._folder)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            try:
                requests.get(f"{self.base}/control/health", timeout=2)
                return
            except requests.ConnectionError:
                time.sleep(0.1)
        raise AssertionError("the simulator did not start")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=10)
            self._process = None

    def api(self, path: str, **form: str) -> dict[str, Any]:
        """The telephone company's REST API, as the application would use it."""
        url = f"{self.base}/2010-04-01/Accounts/{ACCOUNT}{path}"
        method = "POST" if form else "GET"
        answer = requests.request(method, url, data=form or None, auth=(ACCOUNT, TOKEN), timeout=5)
        assert answer.ok, answer.text
        return dict(answer.json())

    def plug_in(self, line: LineApp) -> None:
        numbers = self.api("/IncomingPhoneNumbers.json")["incoming_phone_numbers"]
        sid = next(number["sid"] for number in numbers if number["phone_number"] == LINE)
        self.api(
            f"/IncomingPhoneNumbers/{sid}.json", VoiceUrl=f"{line.base}/voice", SmsUrl=f"{line.base}/sms"
        )
