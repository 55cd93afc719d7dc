"""From the recording callback to the request that rings the engineer, on the embedded default.

Web and worker are processes of their own, as the Procfile starts them; the telephone company is a few lines here
that note when the request to place a call arrives.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from typing import NamedTuple
from urllib.parse import parse_qs

import requests

from bench.bench_webhook import ROOT, SAMPLE, environment_of, form, prepare, sign, wait_until_listening

CALLS = 40


class _Company(BaseHTTPRequestHandler):
    """Takes requests to place a call or send a text, and notes when each came."""

    rung: dict[str, float] = {}  # noqa: RUF012  # one company in this process
    arrived = threading.Condition()

    def do_POST(self) -> None:
        now = time.perf_counter()
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.path.endswith("/Calls.json"):
            page = parse_qs(body)["Url"][0]
            with self.arrived:
                self.rung[page] = now
                self.arrived.notify_all()
        self._answer({"sid": ("CA" if "Calls" in self.path else "SM") + uuid.uuid4().hex}, 201)

    def do_GET(self) -> None:
        kind = self.path.partition("?")[0].rpartition("/")[2].removesuffix(".json").lower()
        self._answer({kind: [], "page": 0, "page_size": 50}, 200)

    def _answer(self, value: dict[str, object], status: int) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class House(NamedTuple):
    """The address of the web process, and the processes by their names in the Procfile."""

    base: str
    processes: dict[str, subprocess.Popen[bytes]]


@contextmanager
def house() -> Iterator[House]:
    """Web and worker at night, started as the Procfile says, and the company."""
    company = ThreadingHTTPServer(("127.0.0.1", 0), _Company)
    threading.Thread(target=company.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        url = f"sqlite:///{folder}/nightbell.db"
        prepare(url, folder, _unbundled(SAMPLE.read_text()))
        environment = environment_of(url, folder, port) | {
            "TWILIO_API_URL": f"http://127.0.0.1:{company.server_port}",
            "NIGHTBELL_LOG_LEVEL": "ERROR",
        }
        lines = re.findall(r"^(web|worker): python (.+)$", (ROOT / "Procfile").read_text(), re.MULTILINE)
        children = {
            name: subprocess.Popen([sys.executable, *arguments.split()], env=environment, cwd=ROOT)
            for name, arguments in lines
        }
        try:
            wait_until_listening(port)
            _wait_for_worker(Path(folder))
            yield House(f"http://127.0.0.1:{port}", children)
        finally:
            for child in children.values():
                child.terminate()
            for child in children.values():
                child.wait()
            company.shutdown()


def _unbundled(policy: str) -> str:
    """The policy, but each case rings by itself."""
    return policy.replace("    repeat_s:", "    bundle_s: 0\n    repeat_s:")


def _wait_for_worker(folder: Path) -> None:
    while not list((folder / "wake").glob("worker-*.pipe")):
        time.sleep(0.05)
    time.sleep(0.5)


def one_call(base: str, number: int) -> float:
    """One night call; seconds from sending the recording callback to the request that rings the engineer."""
    fields = form(number) | {"From": "+15125550142", "Caller": "+15125550142"}
    session = requests.Session()

    def post(path: str, **more: str) -> None:
        data = {**fields, **more}
        answer = session.post(base + path, data=data, headers={"X-Twilio-Signature": sign(base + path, data)})
        answer.raise_for_status()

    post("/twilio/voice")
    if number:  # the caller's first case is open already: 2 reports something new
        post("/twilio/voice/1", Digits="2")
    post("/twilio/voice/2" if number else "/twilio/voice/1", Digits="1")
    before = len(_Company.rung)
    recording = f"RE{uuid.uuid4().hex}"
    began = time.perf_counter()
    post("/twilio/recording", RecordingSid=recording, RecordingStatus="completed", RecordingDuration="9")
    with _Company.arrived:
        if not _Company.arrived.wait_for(lambda: len(_Company.rung) > before, timeout=20):
            raise RuntimeError("nobody was rung")
        return max(_Company.rung.values()) - began


def main() -> None:
    """Measure and print."""
    with house() as running:
        seconds = sorted(one_call(running.base, number) for number in range(CALLS))
    p95 = seconds[int(len(seconds) * 0.95)]
    print(
        f"recording callback -> request that rings the engineer, {CALLS} calls (SQLite, web and worker apart)"
    )
    print(f"    median {median(seconds) * 1000:6.0f} ms (wanted: under 1,000)")
    print(f"    p95    {p95 * 1000:6.0f} ms (wanted: under 2,000)")


if __name__ == "__main__":
    main()
