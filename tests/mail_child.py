"""A mail process for tests that can be made to hang while it keeps a mail: before the commit, or after it."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import mail
from intake.mail import receiving

_HANG, _FOLDER = os.environ.get("HANG"), Path(os.environ["NIGHTBELL_DATA_DIR"])
_store = receiving.store


def _hanging(*values: object, **named: object) -> object:
    if _HANG == "before":
        _hang()
    stored = _store(*values, **named)  # type: ignore[arg-type]
    if _HANG == "after":
        _hang()
    return stored


def _hang() -> None:
    (_FOLDER / "hangs").touch()
    time.sleep(60)


if __name__ == "__main__":
    receiving.store = _hanging  # type: ignore[assignment]
    sys.exit(mail.main())
