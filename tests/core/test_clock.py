from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.clock import SystemClock

SOON = timedelta(seconds=5)


def _is_about(instant: datetime, offset: timedelta) -> bool:
    return abs(instant - datetime.now(UTC) - offset) < SOON


def test_it_tells_the_present_instant_in_utc() -> None:
    now = SystemClock().now()
    assert now.tzinfo is UTC
    assert _is_about(now, timedelta())


def test_it_is_shifted_by_the_file_and_follows_its_changes(tmp_path: Path) -> None:
    file = tmp_path / "offset"
    clock = SystemClock(file)
    assert _is_about(clock.now(), timedelta())
    file.write_text("-3600\n")
    assert _is_about(clock.now(), timedelta(hours=-1))
    file.write_text("86400.5")
    os.utime(file, ns=(1, 1))  # two writes may share a timestamp; a changed one is what is looked for
    assert _is_about(clock.now(), timedelta(days=1))
    file.write_text("")
    os.utime(file, ns=(2, 2))
    assert _is_about(clock.now(), timedelta())


def test_it_runs_unshifted_again_once_the_file_is_gone(tmp_path: Path) -> None:
    file = tmp_path / "offset"
    file.write_text("7200")
    clock = SystemClock(file)
    assert _is_about(clock.now(), timedelta(hours=2))
    file.unlink()
    assert _is_about(clock.now(), timedelta())


def test_it_fails_rather_than_guess_from_a_file_that_holds_no_number(tmp_path: Path) -> None:
    file = tmp_path / "offset"
    file.write_text("02:10")
    with pytest.raises(ValueError, match="02:10"):
        SystemClock(file).now()
