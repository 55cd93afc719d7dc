"""What the parts of the control API share: whom they answer, how they refuse, how they read what is given.

They answer requests from the loopback address alone, and only when addressed to it, so that no page of another
site can act here.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request

from simulator import audio, behaviours
from simulator.mail.composing import CannotWrite

_LOCAL_HOSTS = {"127.0.0.1", "localhost", "[::1]"}


class Refused(Exception):
    """What was asked cannot be done; the message says why."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def guard(control: Blueprint) -> None:
    """Let the blueprint answer its own machine and page only, and say refusals as JSON."""
    control.before_request(_only_this_machine)
    for kind in (Refused, behaviours.BadBehaviour, audio.NotAudio, CannotWrite):
        control.register_error_handler(kind, _refusal)


def _only_this_machine() -> None:
    host = request.host.rsplit(":", 1)[0] if not request.host.endswith("]") else request.host
    # None: called inside this process, without a socket.
    if request.remote_addr not in {"127.0.0.1", "::1", None} or host not in _LOCAL_HOSTS:
        raise Refused("the control API answers this machine only", 403)
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"{request.scheme}://{request.host}":
        raise Refused("the control API answers its own page only", 403)


def _refusal(error: Exception) -> tuple[Response, int]:
    return jsonify(error=str(error)), getattr(error, "status", 400)


def given_json(limit: int = 1_000_000) -> dict[str, Any]:
    """The request's JSON object, of ``limit`` bytes at most."""
    if (request.content_length or 0) > limit:
        raise Refused(f"larger than {limit // 1_000_000} MB", 413)
    given = request.get_json(silent=True, force=True) if request.get_data() else {}
    if not isinstance(given, dict):
        raise Refused("a JSON object is expected")
    return given


def text_of(given: dict[str, Any], name: str) -> str:
    """A text that must be there."""
    value = given.get(name)
    if not isinstance(value, str) or not value:
        raise Refused(f"{name} is missing")
    return value
