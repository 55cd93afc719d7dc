"""The durable inbound-call webhook against the same server answering constant TwiML through Flask.

Durable: signature, caller look-up, call + event + due work + receipt in one commit (synchronous=FULL on SQLite),
TwiML. The server runs on one core, the load on the other; both are started afresh for each database.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

import psycopg
import sqlalchemy as sa
from twilio.request_validator import RequestValidator

from bench.load import Load, drive
from core.schema import migrate
from core.settings import load_settings
from routing.context import build_context
from routing.policies import apply_policy

ROOT = Path(__file__).resolve().parent.parent
TOKEN = "bench-token"
SAMPLE = ROOT / "routing" / "samples" / "agreement.yaml"
SATURATED, FEW = 16, 4
REQUESTS, FEW_REQUESTS = 4000, 1500
TARGETS = {"sqlite": 0.30, "postgresql": 0.26}

# Ends up in a child process: the product beside a route that does nothing.
SERVER = """
import logging, os, sys
os.sched_setaffinity(0, {0})
sys.path.insert(0, %r)
from flask import Response
from app import create_app, embedded_server
app = create_app()
text = %r
logging.getLogger("waitress.queue").setLevel(logging.ERROR)
app.add_url_rule("/constant", "constant", lambda: Response(text, mimetype="text/xml"), methods=["POST"])
port = int(os.environ["PORT"])
%s
"""
SERVERS = {
    "gunicorn": """
from gunicorn.app.base import BaseApplication
class Server(BaseApplication):
    def load_config(self):
        options = {"bind": f"127.0.0.1:{port}", "worker_class": "gthread", "workers": 1, "threads": 8,
                   "keepalive": 65, "control_socket_disable": True, "loglevel": "error"}
        for name, value in options.items():
            self.cfg.set(name, value)
    def load(self):
        return app
Server().run()
""",
    "waitress": """
embedded_server(app, "127.0.0.1", port, threads=8).run()
""",
}
DURABLE = "/twilio/voice"
CONSTANT = '<?xml version="1.0" encoding="UTF-8"?><Response><Say>Thank you for calling.</Say></Response>'


class Run(NamedTuple):
    """A load, and what a request of it cost the server's processes in microseconds of processor time.

    On a machine that others use, too, the second is the steadier one.
    """

    load: Load
    cpu_us: float


def form(number: int) -> dict[str, str]:
    """The parameters that Twilio sends for a ringing line."""
    caller = ("+15125550142", "+13125550177", "+12145550163", f"+1917{5550000 + number % 10000}")[number % 4]
    place = {"City": "AUSTIN", "State": "TX", "Zip": "78701", "Country": "US"}
    return {
        "CallSid": f"CA{uuid.uuid4().hex}", "AccountSid": "AC" + "5" * 32, "ApiVersion": "2010-04-01",
        "Direction": "inbound", "From": caller, "Caller": caller, "To": "+18773632305",
        "Called": "+18773632305", "CallStatus": "ringing", "CallToken": uuid.uuid4().hex,
        "StirVerstat": "TN-Validation-Passed-A",
        **{f"{who}{what}": value for who in ("From", "Caller", "To") for what, value in place.items()},
    }  # fmt: skip


def request(path: str, fields: dict[str, str], port: int) -> bytes:
    """A signed POST, ready to be sent."""
    body = urlencode(fields).encode()
    signature = sign(f"http://127.0.0.1:{port}{path}", fields)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nX-Twilio-Signature: {signature}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@contextmanager
def server(database_url: str, folder: str, kind: str = "gunicorn") -> Iterator[tuple[int, int]]:
    """The product on a free port, with the sample policy, at night: the port, and the id of its process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = environment_of(database_url, folder, port)
    prepare(database_url, folder)
    code = SERVER % (str(ROOT), CONSTANT, SERVERS[kind])
    child = subprocess.Popen([sys.executable, "-c", code], env=environment)
    try:
        wait_until_listening(port)
        yield port, child.pid
    finally:
        child.terminate()
        child.wait()


def environment_of(database_url: str, folder: str, port: int) -> dict[str, str]:
    """The settings of a process that is measured."""
    return {
        **os.environ, "DATABASE_URL": database_url, "NIGHTBELL_DATA_DIR": folder, "PORT": str(port),
        "NIGHTBELL_PUBLIC_URL": f"http://127.0.0.1:{port}", "NIGHTBELL_SECRET_KEY": "a key for measuring",
        "TWILIO_ACCOUNT_SID": "AC" + "5" * 32, "TWILIO_AUTH_TOKEN": TOKEN,
        "NIGHTBELL_CLOCK_FILE": f"{folder}/clock",
    }  # fmt: skip


def prepare(database_url: str, folder: str, policy: str = "") -> None:
    """Tables, the sample policy or another one, and a clock that says that it is night."""
    Path(folder, "clock").write_text(str(_seconds_to_night()))
    settings = load_settings(database_url=database_url, data_dir=Path(folder), **_dummies())
    migrate(settings.database_url)
    context = build_context(settings)
    with context.database.writing() as session:
        apply_policy(session, policy or SAMPLE.read_text(), context.clock.now())
    context.close()


def sign(url: str, fields: dict[str, str]) -> str:
    """The signature of a request, as Twilio makes it."""
    return str(RequestValidator(TOKEN).compute_signature(url, fields))


def _dummies() -> dict[str, str]:
    return {
        "secret_key": "a key for measuring", "twilio_account_sid": "AC" + "5" * 32, "twilio_auth_token": TOKEN
    }  # fmt: skip


def _seconds_to_night() -> float:
    now = time.gmtime()
    return ((8 - now.tm_hour) % 24) * 3600.0  # 08:xx UTC is the middle of the night in Chicago


def wait_until_listening(port: int) -> None:
    """Wait for a server to start."""
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the server did not start")


def cpu_seconds(pid: int) -> float:
    """Processor time of a process and of those that it started, so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return own + sum(cpu_seconds(int(child)) for child in children)


def measure(database_url: str, kind: str) -> tuple[Run, Run, Run]:
    """(constant saturated, durable saturated, durable with few connections); medians of three runs."""
    with tempfile.TemporaryDirectory() as folder:
        url = database_url or f"sqlite:///{folder}/nightbell.db"
        with server(url, folder, kind) as (port, pid):
            ways = (
                ("/constant", REQUESTS, SATURATED),
                (DURABLE, REQUESTS, SATURATED),
                (DURABLE, FEW_REQUESTS, FEW),
            )
            runs = [[_run(port, pid, *way) for way in ways] for _ in range(3)]
    constant, durable, few = (
        sorted(run, key=lambda run: run.load.per_second)[1] for run in zip(*runs, strict=True)
    )
    return constant, durable, few


def _run(port: int, pid: int, path: str, count: int, connections: int) -> Run:
    requests = [request(path, form(i), port) for i in range(count)]
    before = cpu_seconds(pid)
    load = drive(port, requests, connections)
    return Run(load, (cpu_seconds(pid) - before) / count * 1e6)


@contextmanager
def scratch_database(postgres: str) -> Iterator[str]:
    """A PostgreSQL database that is gone afterwards."""
    name = f"nightbell_bench_{uuid.uuid4().hex[:8]}"
    base = sa.make_url(postgres).set(drivername="postgresql")
    admin = base.set(database="postgres").render_as_string(hide_password=False)
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
    try:
        yield base.set(database=name).render_as_string(hide_password=False)
    finally:
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[arg-type]


def report(server: str, database: str, *runs: Run) -> None:
    """Print the figures of one database."""
    constant, durable, few = (run.load for run in runs)
    ratio = durable.per_second / constant.per_second
    spread = durable.p99_ms / durable.median_ms
    rates = f"constant TwiML {constant.per_second:7.0f}/s   durable call {durable.per_second:6.0f}/s"
    print(f"  {server}, {database}: {rates}")
    print(f"    ratio                      {ratio:5.2f}   (wanted: at least {TARGETS[database]:.2f})")
    cpu = " and ".join(f"{run.cpu_us:.0f} us" for run in runs[:2])
    print(f"    of the processor alone     {runs[0].cpu_us / runs[1].cpu_us:5.2f}   ({cpu} a request)")
    times = f"{durable.median_ms:.1f} ms, {durable.p99_ms:.1f} ms"
    print(f"    saturated, p99 / median    {spread:5.2f}   (wanted: under 2.5; {times})")
    print(
        f"    4 connections, p99         {few.p99_ms:5.1f} ms (wanted: under 15; median {few.median_ms:.1f} ms)"
    )
    print(f"    failures                   {constant.failures + durable.failures + few.failures}")


def main() -> None:
    """Measure both servers on SQLite, and on PostgreSQL where DATABASE_URL names one."""
    os.sched_setaffinity(0, {1 % (os.cpu_count() or 1)})
    print("durable inbound-call webhook (8 threads, one core; load on the other)")
    postgres = os.environ.get("DATABASE_URL", "")
    for kind in SERVERS:
        report(kind, "sqlite", *measure("", kind))
        if postgres.startswith("postgres"):
            with scratch_database(postgres) as url:
                report(kind, "postgresql", *measure(url, kind))
    if not postgres.startswith("postgres"):
        print("  postgresql: skipped, DATABASE_URL names none")


if __name__ == "__main__":
    main()
