"""The simulator as a server beside the product, in real time."""

from __future__ import annotations

import errno
import os
import signal
import sys
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from aiosmtpd.controller import Controller
from flask import Flask
from waitress.server import create_server  # it ships no types

from simulator import audio, scene
from simulator.company import PhoneCompany
from simulator.mail.delivering import Listener
from simulator.mail.listening import HOST, listen
from simulator.mail.office import PostOffice
from simulator.phones import Live
from simulator.recordings import Recording
from simulator.scheduler import ClockFile, LiveScheduler
from simulator.web import create_app

THREADS = 24  # most of them may be long polls of open pages


@dataclass(frozen=True)
class Options:
    """How the server is started. ``data``: a folder for recordings, and for the clock file by default.

    ``smtp_port``: where the product hands its mail over; ``deliver_to``: where it takes mail (smtp:// or lmtp://);
    ``mail_name``: the post office's name in what it writes on each mail about its sender.
    """

    host: str = "127.0.0.1"
    port: int = 8787
    scene: Path = scene.DEFAULT
    data: Path | None = None
    account_sid: str = "AC" + "5" * 32
    auth_token: str = "simulated-auth-token"  # noqa: S105 - of an account that does not exist
    clock_file: Path | None = None
    smtp_port: int = 2526
    deliver_to: str = "smtp://127.0.0.1:2525"
    mail_name: str = "mx.nightbell.example"

    @classmethod
    def of(cls, environment: Mapping[str, str], **given: object) -> Options:
        """From the environment, overridden by what was given on the command line."""
        values: dict[str, object] = {
            "port": _port(environment, "SIMULATOR_PORT", cls.port),
            "smtp_port": _port(environment, "SIMULATOR_SMTP_PORT", cls.smtp_port),
            "deliver_to": environment.get("SIMULATOR_DELIVER_TO") or cls.deliver_to,
            "mail_name": environment.get("SIMULATOR_MAIL_NAME") or cls.mail_name,
            "account_sid": environment.get("SIMULATOR_ACCOUNT_SID") or cls.account_sid,
            "auth_token": environment.get("SIMULATOR_AUTH_TOKEN") or cls.auth_token,
        }
        values |= {name: value for name, value in given.items() if value is not None}
        data = values.get("data")
        if environment.get("SIMULATOR_CLOCK_FILE"):
            values["clock_file"] = Path(environment["SIMULATOR_CLOCK_FILE"])
        elif isinstance(data, Path):
            values["clock_file"] = data / "clock"
        return cls(**values)  # type: ignore[arg-type]  # the keys are the fields above


def _port(environment: Mapping[str, str], name: str, otherwise: int) -> int:
    text = environment.get(name) or str(otherwise)
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise ValueError(f"{name} must be a port number, not {text!r}")
    return int(text)


def build(options: Options) -> tuple[PhoneCompany, LiveScheduler]:
    """The company with its scene, in real time, its engine not yet running. Raises ValueError, OSError."""
    scheduler = LiveScheduler(ClockFile(options.clock_file))
    reached_at = "127.0.0.1" if options.host in {"0.0.0.0", "::", ""} else options.host  # noqa: S104
    base_url = f"http://{reached_at}:{options.port}"
    company = PhoneCompany(
        options.account_sid, options.auth_token, scheduler, base_url=base_url, seed=uuid.uuid4().hex
    )
    company.default_behaviour = Live()
    if options.data is not None:
        company.keep_wav = _keeper(options.data / "recordings")
    return company, scheduler


def build_office(options: Options, company: PhoneCompany) -> PostOffice:
    """The post office beside the company, with its clock and its events. Raises ValueError."""
    deliver = Listener(options.deliver_to, options.mail_name)
    return PostOffice(
        company.scheduler, deliver, company.events, name=options.mail_name, seed=uuid.uuid4().hex
    )


def _keeper(folder: Path) -> Callable[[Recording], None]:
    folder.mkdir(parents=True, exist_ok=True)

    def keep(recording: Recording) -> None:
        if recording.status == "completed":
            (folder / f"{recording.sid}.wav").write_bytes(audio.wav(recording.samples))

    return keep


def serve(options: Options) -> int:
    """Run until SIGTERM or SIGINT; the exit code."""
    try:
        company, scheduler = build(options)
        world = scene.load(options.scene)
        scene.set_up(company, world)
        office = build_office(options, company)
        scene.set_up_mail(office, world)
        server = _web_server(create_app(company, world, office), options)
        counter = _counter(office, options)
    except (OSError, ValueError) as error:
        print(f"simulator: {error}", file=sys.stderr)
        return 1

    def stop(_signal: int, _frame: FrameType | None) -> None:
        company.events.close()
        raise SystemExit

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    scheduler.start()
    print(f"simulator: phones at http://{options.host}:{options.port}/", flush=True)
    server.run()
    counter.stop()
    scheduler.stop()
    return 0


def _web_server(app: Flask, options: Options) -> Any:
    try:
        return create_server(app, host=options.host, port=options.port, threads=THREADS)
    except OSError as error:
        raise _cannot_listen(f"{options.host}:{options.port}", "--port", error) from error


def _counter(office: PostOffice, options: Options) -> Controller:
    try:
        return listen(office, options.smtp_port)
    except OSError as error:
        raise _cannot_listen(f"{HOST}:{options.smtp_port}", "--smtp-port", error) from error


def _cannot_listen(where: str, option: str, error: OSError) -> OSError:
    if error.errno == errno.EADDRINUSE:
        return OSError(f"{where} is already in use; stop what runs there, or choose another with {option}")
    return OSError(f"cannot listen on {where}: {error.strerror or error}")


def main(**given: object) -> int:
    """Run with the environment's options and those given; the exit code."""
    try:
        options = Options.of(os.environ, **given)
    except ValueError as error:
        print(f"simulator: {error}", file=sys.stderr)
        return 1
    return serve(options)
