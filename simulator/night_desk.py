"""The hands of the night call: the simulator's control API over HTTP."""

from __future__ import annotations

import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from simulator import audio

Json = dict[str, Any]
START_IT = "nothing is running; start it first with: make run"
_REAL_TIME_S = 2.0  # a clock that differs less is not set at all


class NightError(Exception):
    """The night call cannot be played; the message says why and what to do."""


class Desk:
    """A running simulator. Every method raises NightError when it does not answer or refuses."""

    def __init__(self, base_url: str) -> None:
        self._control = base_url.rstrip("/") + "/control"
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy has no way to this machine

    def state(self) -> Json:
        return self._ask("GET", "/state")

    def wait(self, after: int, seconds: float) -> None:
        """Until something happens after event ``after``, ``seconds`` at most."""
        self._ask("GET", f"/events?after={after}&wait={max(seconds, 0.0):.3f}")

    def do(self, path: str, **given: Any) -> Json:
        return self._ask("POST", path, json=given)

    def speak(self, sid: str, audio: Path | None) -> Json:
        """Say the recording in ``audio``, or the sample that ships with the simulator."""
        if audio is None:
            return self.do(f"/calls/{sid}/speech", sample=True)
        return self._ask("POST", f"/calls/{sid}/speech", data=audio.read_bytes())

    def _ask(self, method: str, path: str, **given: Any) -> Json:
        try:
            answer = self._session.request(method, self._control + path, timeout=30, **given)
            body: Json = answer.json()
        except requests.ConnectionError:
            raise NightError(START_IT) from None
        except (requests.RequestException, ValueError):
            raise NightError(f"what answers at {self._control} is not the simulator") from None
        if not answer.ok:
            raise NightError(str(body.get("error", f"the simulator answered {answer.status_code}")))
        return body


def line_of(state: Json, number: str) -> Json:
    """The line ``number``, with something that answers it. Raises NightError."""
    found: Json | None = next((line for line in state["numbers"] if line["number"] == number), None)
    if found is None:
        known = ", ".join(line["number"] for line in state["numbers"])
        raise NightError(f"there is no line {number}; there are {known}")
    address = urlsplit(found["voice_url"])
    if not address.hostname:
        raise NightError(START_IT)
    try:
        port = address.port or (443 if address.scheme == "https" else 80)
        socket.create_connection((address.hostname, port), timeout=3).close()
    except OSError:
        raise NightError(START_IT) from None
    return found


def must_be_heard(file: Path) -> None:
    """Raises NightError where ``file`` could not be said as a voicemail: better now than after the tone."""
    try:
        clip = audio.decode(file.read_bytes())
    except OSError as error:
        raise NightError(f"there is no sound file {file}: {error.strerror}") from error
    except audio.NotAudio as error:
        raise NightError(f"{file}: {error}; take a WAV, MP3, FLAC or OGG") from error
    if clip.is_silent:
        raise NightError(f"{file}: nothing can be heard in it")


class Stage:
    """The desk as it was: restores the clock and how each phone behaves."""

    def __init__(self, desk: Desk, state: Json) -> None:
        self._desk = desk
        self._ahead = (datetime.fromisoformat(state["now"]) - datetime.now(UTC)).total_seconds()
        self._behaviours = {phone["number"]: phone["behaviour"] for phone in state["phones"]}
        self._old_calls = {call["sid"] for call in state["calls"]}

    def set(self, clock: str, zone: str) -> None:
        """Make it ``clock`` in ``zone``, and let every phone wait for the players' hands."""
        self._desk.do("/clock", time=clock, zone=zone)
        for number in self._behaviours:
            self._desk.do(f"/phones/{number}", behaviour={"kind": "live"})

    def clear(self, *, clock: bool) -> None:
        """End the story's calls and put everything back; the clock too, if ``clock``."""
        for call in self._desk.state()["calls"]:
            if not call["ended"] and call["sid"] not in self._old_calls:
                self._desk.do(f"/calls/{call['sid']}/hangup", cut=True)
        for number, behaviour in self._behaviours.items():
            if behaviour.get("kind") != "custom":
                self._desk.do(f"/phones/{number}", behaviour=behaviour)
        if clock and abs(self._ahead) < _REAL_TIME_S:
            self._desk.do("/clock", reset=True)
        elif clock:
            self._desk.do("/clock", offset=self._ahead)
