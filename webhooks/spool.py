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
from typing import TYPE_CHECKING

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


def waiting(settings: Settings) -> list[Path]:
    """The requests that wait, the earliest first."""
    return sorted(folder(settings).glob("*.json"))


def replay(settings: Settings, app: Flask, now: datetime) -> int:
    """Send the waiting requests in again; how many were taken. What keeps failing is put aside as ``.dead``."""
    taken = 0
    for file in waiting(settings):
        content = json.loads(file.read_text())
        if datetime.fromisoformat(content.get("next_try", content["received_at"])) > now:
            continue
        if _send(settings, app, content):
            file.unlink()
            taken += 1
            continue
        content["tries"] += 1
        content["next_try"] = (now + _PAUSE * min(content["tries"], 20)).isoformat()
        _write(file, content)
        if content["tries"] >= _MAX_TRIES * 10:
            log.error("a spooled request keeps failing and is put aside: %s.dead", file)
            file.rename(file.with_suffix(".dead"))
    return taken


def _send(settings: Settings, app: Flask, content: Mapping[str, object]) -> bool:
    form = {**dict(content["form"]), RECEIVED_AT: content["received_at"]}  # type: ignore[call-overload]
    path = str(content["path"])
    token = settings.webhook_tokens[0]
    signature = RequestValidator(token).compute_signature(settings.public_url + path, form)
    answer = app.test_client().post(
        path, data=form, base_url=settings.public_url, headers={SIGNATURE_HEADER: signature}
    )
    return answer.status_code < 500 and "X-Nightbell-Spooled" not in answer.headers
