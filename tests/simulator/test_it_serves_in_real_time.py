"""``python -m simulator`` as a process: one call over real HTTP, a taken port, and a clean end."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs

import pytest
import requests
from simulated_app import ACCOUNT, LINE, MARIA, TOKEN
from twilio.request_validator import RequestValidator

from simulator.server import THREADS

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Application(BaseHTTPRequestHandler):
    """A customer's application over real HTTP: records, then says thanks."""

    seen: list[tuple[str, dict[str, str]]]
    pages: ClassVar = {
        "/voice": "<Gather timeout='9' numDigits='1' action='/menu'/>",
        "/menu": "<Record playBeep='false' action='/sent' recordingStatusCallback='/rec'/>",
    }

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body, keep_blank_values=True).items()}
        url = f"http://{self.headers['Host']}{self.path}"
        assert RequestValidator(TOKEN).validate(url, form, self.headers["X-Twilio-Signature"])
        self.seen.append((self.path, form))
        answer = f"<Response>{self.pages.get(self.path, '')}</Response>".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_args: object) -> None:
        """Quiet."""


@dataclass
class Desk:
    base: str
    port: int
    process: subprocess.Popen[str]
    clock_file: Path

    def post(self, path: str, **given: Any) -> dict[str, Any]:
        answer = requests.post(f"{self.base}/control{path}", json=given, timeout=5)
        assert answer.ok, answer.text
        return dict(answer.json())

    def until(self, ready: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        deadline = time.monotonic() + 10
        after = 0
        while time.monotonic() < deadline:
            shown = requests.get(f"{self.base}/control/state", timeout=5).json()
            if shown["calls"] and ready(shown["calls"][0]):
                return dict(shown["calls"][0])
            events = f"{self.base}/control/events?after={shown['last_event']}&wait=2"
            after = requests.get(events, timeout=5).json()["last"]
        raise AssertionError(f"not within 10 s, after event {after}")


def start(port: int, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "simulator", "--port", str(port), "--smtp-port", str(free_port()), *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One server for all; the last test stops it."""
    port, data = free_port(), tmp_path_factory.mktemp("desk")
    clock_file = data / "clock"
    process = start(port, "--data", str(data), SIMULATOR_CLOCK_FILE=str(clock_file))
    assert process.stdout is not None
    assert f"http://127.0.0.1:{port}/" in process.stdout.readline()
    yield Desk(f"http://127.0.0.1:{port}", port, process, clock_file)
    process.kill()
    process.communicate()


@pytest.fixture
def application() -> Iterator[tuple[str, list[tuple[str, dict[str, str]]]]]:
    Application.seen = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Application)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", Application.seen
    server.shutdown()
    server.server_close()
    thread.join()


def test_it_carries_a_call_from_the_first_ring_to_the_voicemail(
    desk: Desk, application: tuple[str, list[tuple[str, dict[str, str]]]]
) -> None:
    app, seen = application
    api, auth = f"{desk.base}/2010-04-01/Accounts/{ACCOUNT}", (ACCOUNT, TOKEN)
    numbers = requests.get(f"{api}/IncomingPhoneNumbers.json", auth=auth, timeout=5).json()
    sid = numbers["incoming_phone_numbers"][0]["sid"]
    change = {"VoiceUrl": f"{app}/voice", "StatusCallback": f"{app}/over"}
    requests.post(f"{api}/IncomingPhoneNumbers/{sid}.json", change, auth=auth, timeout=5)

    call = desk.post("/calls", **{"from": MARIA, "to": LINE})["sid"]
    desk.until(lambda shown: shown["waiting"] is not None)
    desk.post(f"/calls/{call}/digits", digits="1")
    desk.until(lambda shown: shown["waiting"] is not None and shown["waiting"]["kind"] == "record")
    desk.post(f"/calls/{call}/speech", seconds=1.2)
    desk.post(f"/calls/{call}/hangup")
    assert desk.until(lambda shown: shown["ended"] is not None)["status"] == "completed"
    deadline = time.monotonic() + 5
    while "/rec" not in [path for path, _ in seen] and time.monotonic() < deadline:
        time.sleep(0.05)
    recorded = dict(seen)["/rec"]
    assert dict(seen)["/sent"]["Digits"] == "hangup"
    media = requests.get(recorded["RecordingUrl"] + ".wav", auth=auth, timeout=5)
    assert media.status_code == 200
    kept = desk.clock_file.parent / "recordings" / f"{recorded['RecordingSid']}.wav"
    assert media.content == kept.read_bytes()


def test_it_pretends_another_time_of_day(desk: Desk) -> None:
    shown = desk.post("/clock", time="02:10", zone="America/Chicago")
    assert shown["now"][14:16] == "10"
    assert float(desk.clock_file.read_text()) == pytest.approx(shown["offset"], abs=0.01)
    assert desk.post("/clock", reset=True)["offset"] == 0


@pytest.mark.parametrize(
    ("arguments", "port"), [(["--scene", "/nowhere/scene.json"], "8787"), ([], "telephone"), ([], "0")]
)
def test_it_says_in_one_line_why_it_does_not_start(arguments: list[str], port: str) -> None:
    command = [sys.executable, "-m", "simulator", *arguments]
    environment = {**os.environ, "SIMULATOR_PORT": port}
    ended = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=20
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("simulator: ")
    assert ended.stderr.count("\n") == 1


def test_it_says_in_one_line_that_its_post_office_has_no_port() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        second = start(free_port(), "--smtp-port", str(taken.getsockname()[1]))
        _, errors = second.communicate(timeout=20)
    assert second.returncode == 1
    assert errors.strip().count("\n") == 0
    assert "already in use" in errors
    assert "--smtp-port" in errors


def test_it_answers_however_many_pages_are_open(desk: Desk) -> None:
    """More than it has threads; each that is open, or was a moment ago, waits for what happens."""
    waiting = f"{desk.base}/control/events?after=999&wait=20"
    pages = [threading.Thread(target=_looked_at, args=(waiting,), daemon=True) for _ in range(THREADS + 12)]
    for page in pages:
        page.start()
    time.sleep(0.5)
    began = time.monotonic()
    assert requests.get(f"{desk.base}/control/health", timeout=15).ok
    assert time.monotonic() - began < 5


def _looked_at(url: str) -> None:
    with contextlib.suppress(requests.RequestException):
        requests.get(url, timeout=30)


def test_it_says_in_one_line_that_its_port_is_taken_and_stops_at_once_when_told(desk: Desk) -> None:
    second = start(desk.port)
    _, errors = second.communicate(timeout=20)
    assert second.returncode == 1
    assert errors.strip().count("\n") == 0
    assert "already in use" in errors
    assert "--port" in errors

    waiting = f"{desk.base}/control/events?after=10000"
    poll = threading.Thread(target=lambda: requests.get(waiting, timeout=25))
    poll.start()
    time.sleep(0.2)
    began = time.monotonic()
    desk.process.send_signal(signal.SIGTERM)
    assert desk.process.wait(timeout=5) == 0
    assert time.monotonic() - began < 1.5
    poll.join()
