"""The spool: requests that the database could not take wait in files, and are sent in again by the worker.

A replay is what Twilio's own retry would have been: the same form to the same path, signed with our token.
"""

from __future__ import annotations

import json
import logging
import os
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twilio.request_validator import SIGNATURE_HEADER, RequestValidator

from core.settings import Settings

if TYPE_CHECKING:
    from flask import Flask

RECEIVED_AT = "NightbellReceivedAt"
_MAX_TRIES = 20
_PAUSE = timedelta(seconds=3)

log = logging.getLogger(__name__)


def folder(settings: Settings) -> Path:
    """Where requests wait."""
    return Path(settings.data_dir) / "spool"


def put(settings: Settings, path: str, form: Mapping[str, str], received_at: datetime) -> None:
    """Write a request down, on the disk for certain before this returns. OSError if even that fails."""
    where = folder(settings)
    where.mkdir(parents=True, exist_ok=True)
    content = {"path": path, "form": dict(form), "received_at": received_at.isoformat(), "tries": 0}
    _write(where / f"{received_at:%Y%m%dT%H%M%S.%f}-{uuid.uuid4().hex[:8]}.json", content)


def _write(file: Path, content: Mapping[str, object]) -> None:
    unfinished = file.with_suffix(".part")
    with unfinished.open("w") as out:
        json.dump(content, out)
        out.flush()
        os.fsync(out.fileno())
    unfinished.rename(file)
    descriptor = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)  # the file's name too
    finally:
        os.close(descriptor)


def waiting(settings: Settings) -> list[Path]:
    """The requests that wait, the earliest first."""
    return sorted(folder(settings).glob("*.json"))


def replay(settings: Settings, app: Flask, now: datetime) -> int:
    """Send the waiting requests in again; how many were taken. What keeps failing is put aside as ``.dead``."""
    taken = 0
    for file in waiting(settings):
        content = _read(file)
        if content is None or datetime.fromisoformat(content["next_try"]) > now:
            continue
        if _send(settings, app, content):
            file.unlink(missing_ok=True)  # another worker may have been quicker
            taken += 1
            continue
        content["tries"] += 1
        content["next_try"] = (now + _PAUSE * min(content["tries"], 20)).isoformat()
        _write(file, content)
        if content["tries"] >= _MAX_TRIES * 10:
            _put_aside(file, "it keeps failing")
    return taken


def _read(file: Path) -> dict[str, Any] | None:
    """A waiting request; None when another worker has taken it, or when it is none and has been put aside."""
    try:
        content = json.loads(file.read_text())
        received_at, next_try = content["received_at"], content.get("next_try", content["received_at"])
        if any(datetime.fromisoformat(text).tzinfo is None for text in (received_at, next_try)):
            raise ValueError("a time without a zone")
        path, form, tries = str(content["path"]), dict(content["form"]), int(content["tries"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        _put_aside(file, f"it cannot be read: {error!r}")
        return None
    return {"path": path, "form": form, "received_at": received_at, "tries": tries, "next_try": next_try}


def _put_aside(file: Path, why: str) -> None:
    dead = file.with_suffix(".dead")
    log.error("a spooled request is put aside as %s: %s", dead, why)
    file.rename(dead)


def _send(settings: Settings, app: Flask, content: Mapping[str, Any]) -> bool:
    form = {**content["form"], RECEIVED_AT: content["received_at"]}
    path = content["path"]
    token = settings.webhook_tokens[0]
    signature = RequestValidator(token).compute_signature(settings.public_url + path, form)
    answer = app.test_client().post(
        path, data=form, base_url=settings.public_url, headers={SIGNATURE_HEADER: signature}
    )
    # Only an answer is an end: what is refused waits too, until somebody has looked at it.
    return answer.status_code == 200 and "X-Nightbell-Spooled" not in answer.headers
