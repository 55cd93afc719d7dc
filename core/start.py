"""How a process begins: what the world does to its start ends in one line that says what to do."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from core.settings import Settings, SettingsError, load_settings

WRONG_START = 2
"""The exit status of a process that could not begin."""


class CannotStart(Exception):
    """One line: what is wrong, and what to do."""


@contextmanager
def starting() -> Iterator[None]:
    """Within it, a wrong setting, a taken port or an unwritable folder ends the process with one line."""
    try:
        yield
    except (CannotStart, SettingsError) as error:
        _end(str(error))
    except OSError as error:
        _end(f"{in_words(error)}; make it usable, or change NIGHTBELL_DATA_DIR or DATABASE_URL")


def begin() -> Settings:
    """The settings of this process, which logs as they say from now on; :class:`SettingsError`."""
    settings = load_settings()
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    return settings


def in_words(error: OSError) -> str:
    """Which file or folder, and what is wrong with it."""
    return f"{error.filename or 'a file'}: {error.strerror or error}"


def _end(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    raise SystemExit(WRONG_START)
