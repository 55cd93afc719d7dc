"""Everything on one desk: what the Procfile says, and a simulated telephone company and post office beside it."""

from __future__ import annotations

import os
import re
import secrets
import shlex
import socket
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import requests
from honcho.manager import Manager
from honcho.printer import Printer

from console.connecting import point_numbers
from console.introducing import introduce
from core.schema import migrate
from core.settings import Settings, load_settings
from core.start import CannotStart, starting
from core.telephony import TelephonyError
from routing.context import Context, build_context
from routing.policies import NoPolicy, apply_policy

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "routing" / "samples" / "agreement.yaml"
_ENVIRONMENT = "desk.env"
_READY_S = 30
_SIMULATOR_PORT = 8787  # where `make night` looks
_SIMULATED_ACCOUNT = "AC" + "5" * 32


def run() -> int:
    """Start all, say where to look, stop all on Ctrl-C; the exit status."""
    with starting():
        environment = _environment(os.environ)
        ports = _ports(environment)
        os.environ.update(environment)
        settings = load_settings()
        context = _prepare(settings)
        _keep_environment(environment, settings.data_dir / _ENVIRONMENT)
    manager = Manager(Printer(sys.stdout, colour=sys.stdout.isatty()))
    for name, command in _processes().items():
        manager.add_process(name, command, env=_child_environment(environment), cwd=str(ROOT))
    threading.Thread(target=_announce, args=(context, settings, ports["SIMULATOR_PORT"]), daemon=True).start()
    manager.loop()
    stopped_by_hand = manager.returncode in (130, 143)
    return 0 if stopped_by_hand else int(manager.returncode or 0)


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    """The settings of a desk; whatever the environment sets already stays."""
    data = Path(given.get("NIGHTBELL_DATA_DIR", "data")).resolve()
    _require_writable(data)
    port = given.get("PORT", "8080")
    simulator_port = given.get("SIMULATOR_PORT", str(_SIMULATOR_PORT))
    mail_port = given.get("MAIL_PORT") or _free_port(2525)
    simulator_smtp_port = given.get("SIMULATOR_SMTP_PORT") or _free_port(2526)
    listen = given.get("NIGHTBELL_SMTP_LISTEN") or f"smtp://127.0.0.1:{mail_port}"
    receiver = given.get("NIGHTBELL_AUTHSERV_ID") or "mx.nightbell.example"
    token = "simulated-auth-token"  # noqa: S105  # of an account that does not exist
    wanted = {
        "NIGHTBELL_DATA_DIR": str(data),
        "DATABASE_URL": f"sqlite:///{data / 'nightbell.db'}",
        "PORT": port,
        "SIMULATOR_PORT": simulator_port,
        "NIGHTBELL_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "NIGHTBELL_SECRET_KEY": _kept_secret(data / "secret.key"),
        "TWILIO_ACCOUNT_SID": _SIMULATED_ACCOUNT,
        "TWILIO_AUTH_TOKEN": token,
        "TWILIO_API_URL": f"http://127.0.0.1:{simulator_port}",
        "NIGHTBELL_CLOCK_FILE": str(data / "clock"),
        "SIMULATOR_CLOCK_FILE": str(data / "clock"),
        "SIMULATOR_ACCOUNT_SID": _SIMULATED_ACCOUNT,
        "SIMULATOR_AUTH_TOKEN": token,
        "MAIL_PORT": mail_port,
        "SIMULATOR_SMTP_PORT": simulator_smtp_port,
        "NIGHTBELL_SMTP_LISTEN": listen,
        "SIMULATOR_DELIVER_TO": listen,
        "NIGHTBELL_AUTHSERV_ID": receiver,
        "SIMULATOR_MAIL_NAME": receiver,
        "NIGHTBELL_SMTP_URL": f"smtp+plain://127.0.0.1:{simulator_smtp_port}",
        "NIGHTBELL_MAIL_FROM": "Nightbell <nightbell@nightbell.example>",
        "NIGHTBELL_LOG_LEVEL": "WARNING",
    }
    return {name: given.get(name) or value for name, value in wanted.items()}


def _require_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise CannotStart(
            f"cannot write to {folder} ({error.strerror}); make it writable, or set NIGHTBELL_DATA_DIR to a "
            "folder that is"
        ) from None


def _ports(environment: Mapping[str, str]) -> dict[str, int]:
    """The ports of all processes, each free and no two the same."""
    found: dict[str, int] = {}
    for name in ("PORT", "SIMULATOR_PORT", "MAIL_PORT", "SIMULATOR_SMTP_PORT"):
        port = int(environment[name]) if environment[name].isdecimal() else 0
        if not 0 < port < 65_536:
            raise CannotStart(f"{name} is {environment[name]!r}; expected a port, 1 to 65535")
        for other, taken in found.items():
            if port == taken:
                raise CannotStart(f"{name} and {other} are both {port}; give each a port of its own")
        _require_free(name, port)
        found[name] = port
    return found


def _require_free(name: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise CannotStart(
                f"port {port} is taken; stop what uses it, or choose another: make run {name}={port + 1}"
            ) from None


def _free_port(wanted: int) -> str:
    """The wanted port, or any free one: nobody has asked for it by its number."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return str(probe.getsockname()[1])
    raise CannotStart("this machine has no free port left")


def _kept_secret(file: Path) -> str:
    """The key that signs links, made at the first start, so that yesterday's links still open."""
    if not file.exists():
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as out:
            out.write(secrets.token_urlsafe(32))
    return file.read_text().strip()


def _keep_environment(environment: Mapping[str, str], file: Path) -> None:
    """What the desk's processes are started with, for a shell that reads it and then knows the same desk."""
    lines = [f"{name}={shlex.quote(value)}\n" for name, value in environment.items()]
    file.unlink(missing_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as out:
        out.writelines(lines)


def _prepare(settings: Settings) -> Context:
    migrate(settings.database_url)
    context = build_context(settings)
    try:
        context.policies.current()
    except NoPolicy:
        with context.database.writing() as session:
            apply_policy(session, SAMPLE.read_text(), context.clock.now())
    return context


def _processes() -> dict[str, str]:
    lines = re.findall(r"^(\w+):\s*(.+)$", (ROOT / "Procfile").read_text(), re.MULTILINE)
    found = {name: command for name, command in lines if name != "release"}
    return {**found, "simulator": "python -m simulator"}


def _child_environment(environment: Mapping[str, str]) -> dict[str, str]:
    # The Procfile says "python": it must be the one that runs this.
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    return {**os.environ, **environment, "PATH": path, "PYTHONUNBUFFERED": "1"}


def _elsewhere(simulator_port: int) -> str:
    """What a story must be told, where the simulator is not where it would look."""
    return "" if simulator_port == _SIMULATOR_PORT else f" SIMULATOR_PORT={simulator_port}"


def _announce(context: Context, settings: Settings, simulator_port: int) -> None:
    """Wait until everything answers, tell the simulator who is who, and say where to look."""
    desk = f"http://127.0.0.1:{simulator_port}"
    began = time.monotonic()
    pointed = False
    while time.monotonic() - began < _READY_S:
        try:
            if not pointed:
                list(point_numbers(context, fallback_url=""))
                introduce(context.policies.current().policy, desk)
                pointed = True
            if requests.get(f"{settings.public_url}/health", timeout=2).status_code == 200:
                break
        except (requests.RequestException, TelephonyError):
            pass
        time.sleep(0.1)
    else:
        sys.stdout.write("not everything has come up; the lines above say why\n")
        return
    environment = shlex.quote(str(settings.data_dir / _ENVIRONMENT))
    sys.stdout.write(
        f"\nNightbell is ready ({time.monotonic() - began:.1f} s).\n\n"
        f"  Make a call:      {desk}/\n"
        f"  Write a mail:     {desk}/mail   (or hand one over at {settings.smtp_listen})\n"
        f"  Health:           {settings.public_url}/health\n"
        f"  A whole night:    make night{_elsewhere(simulator_port)}   (in another terminal)\n"
        f"  A mail's story:   make mail{_elsewhere(simulator_port)}    (or, at night: with URGENT=1)\n"
        f"  Commands:         set -a; . {environment}; .venv/bin/nightbell --help\n"
        "  Stop:             Ctrl-C\n\n"
    )
    sys.stdout.flush()
