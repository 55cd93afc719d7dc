"""What time it is. Everything that decides takes the instant as an argument; this is where it comes from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """A source of aware UTC instants."""

    def now(self) -> datetime:
        """The present instant, in UTC."""
        ...


class SystemClock:
    """The machine's clock, shifted by the seconds in ``offset_file`` when there is one.

    The file lets the simulator pretend that it is 02:10; it is read again whenever it changes, so that web,
    worker and simulator agree without being restarted.
    """

    def __init__(self, offset_file: Path | None = None) -> None:
        self._offset_file = offset_file
        self._seen: int | None = None
        self._offset = timedelta()

    def now(self) -> datetime:
        """The present instant, in UTC."""
        if self._offset_file is not None:
            self._read_offset(self._offset_file)
        return datetime.now(UTC) + self._offset

    def _read_offset(self, file: Path) -> None:
        try:
            changed = file.stat().st_mtime_ns
        except FileNotFoundError:
            self._seen, self._offset = None, timedelta()
            return
        if changed != self._seen:
            text = file.read_text().strip()
            self._offset = timedelta(seconds=float(text)) if text else timedelta()
            self._seen = changed
