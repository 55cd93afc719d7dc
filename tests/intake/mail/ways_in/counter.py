"""A listener on a free port, before a door that keeps mail in a list, and connections that say what they like."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.settings import load_settings
from intake.mail.parsing import Envelope
from intake.mail.parsing.authentication import Method
from intake.mail.ways_in.door import Door
from intake.mail.ways_in.listener import Listener


@dataclass
class Kept:
    """A mail that came through the door."""

    raw: bytes
    envelope: Envelope
    via: str
    authentication: Sequence[Method] | None


@dataclass
class Counter:
    """What lies behind the door; ``before_keeping`` and ``before_knowing`` may wait or raise."""

    kept: list[Kept] = field(default_factory=list)
    before_keeping: Callable[[], object] = lambda: None
    before_knowing: Callable[[], object] = lambda: None
    checked: list[tuple[str, str, str]] = field(default_factory=list)
    verdicts: Sequence[Method] | None = None
    place: str = ""
    port: int = 0
    talks: list[Talk] = field(default_factory=list)
    stop: Callable[[], None] = lambda: None
    connections: Callable[[], int] = lambda: 0
    held: Callable[[], int] = lambda: 0

    def knows(self, address: str) -> bool:
        self.before_knowing()
        return address.partition("@")[0].partition("+")[0] == "mas" and self.serves(address.partition("@")[2])

    def serves(self, domain: str) -> bool:
        return domain == "vendor.example"

    def store(
        self, raw: bytes, envelope: Envelope, via: str, authentication: Sequence[Method] | None
    ) -> object:
        self.before_keeping()
        self.kept.append(Kept(raw, envelope, via, authentication))
        return None

    def check(self, peer: str, helo: str, sender: str, _raw: bytes) -> Sequence[Method] | None:
        self.checked.append((peer, helo, sender))
        return self.verdicts


def free_port() -> int:
    """A port that nobody uses just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def settings_of(place: str, folder: Path, **more: Any) -> Any:
    """The settings of a listener."""
    return load_settings(
        smtp_listen=place, data_dir=folder, secret_key="a key for tests only", twilio_account_sid="AC" + "5" * 32,
        twilio_auth_token="token", **more,
    )  # fmt: skip


@contextmanager
def counter(folder: Path, scheme: str = "smtp", place: str = "", **more: Any) -> Iterator[Counter]:
    """An open counter."""
    found = Counter()
    port = 0 if place else free_port()
    found.place = place or f"{scheme}://127.0.0.1:{port}"
    door = Door(found.knows, found.serves, found.store)
    listener = Listener(settings_of(found.place, folder, **more), door, found.check, "mx.vendor.example")
    listener.start()
    found.port, found.stop = port, listener.stop
    found.connections, found.held = lambda: len(listener._peers), lambda: sum(listener._held.values())
    try:
        yield found
        for talk in found.talks:
            talk.close()
        deadline = time.monotonic() + 5
        while found.connections():
            assert time.monotonic() < deadline, "a connection is never given back"
            time.sleep(0.01)
    finally:
        listener.stop()
        for talk in found.talks:
            talk.close()
    assert not [each for each in threading.enumerate() if each.name == "smtp"]


class Talk:
    """A connection on which every byte is ours. Says ``greeting`` first, unless it is empty."""

    def __init__(self, counter: Counter, greeting: str = "EHLO there.example") -> None:
        self.socket = socket.create_connection(("127.0.0.1", counter.port), timeout=10)
        self._file = self.socket.makefile("rb")
        counter.talks.append(self)
        self.hello = self.hears()
        self.offers = self.says(greeting) if greeting else []

    def sends(self, data: bytes) -> None:
        self.socket.sendall(data)

    def hears(self) -> list[str]:
        """The lines of one reply; none when the connection is closed."""
        lines: list[str] = []
        while not lines or lines[-1][3:4] == "-":
            line = self._file.readline()
            if not line:
                break
            lines.append(line.decode().rstrip("\r\n"))
        return lines

    def says(self, line: str | bytes) -> list[str]:
        """A command, and its reply."""
        self.sends((line if isinstance(line, bytes) else line.encode()) + b"\r\n")
        return self.hears()

    def begins(self, *recipients: str, sender: str = "<ann@customer.example>") -> None:
        """An envelope, up to where the text begins."""
        assert self.says(f"MAIL FROM:{sender}")[0].startswith("250")
        for recipient in recipients or ("mas@vendor.example",):
            assert self.says(f"RCPT TO:<{recipient}>")[0].startswith("250")
        assert self.says("DATA")[0].startswith("354")

    def close(self) -> None:
        self._file.close()
        self.socket.close()
