"""Virtual and live time, the clock file, and the processes of the engine."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from simulator.events import EventLog
from simulator.process import HungUp, Process, Signal, Step
from simulator.scheduler import ClockFile, LiveScheduler, VirtualScheduler

START = datetime(2026, 3, 4, 8, 10, tzinfo=UTC)


def test_it_runs_what_is_due_in_order_and_at_its_time(scheduler: VirtualScheduler) -> None:
    seen: list[tuple[str, float]] = []

    def note(name: str) -> None:
        seen.append((name, (scheduler.now() - START).total_seconds()))

    scheduler.after(5, lambda: note("five"))
    scheduler.after(2, lambda: note("two"))
    scheduler.after(2, lambda: note("two again"))
    scheduler.after(1, lambda: scheduler.after(1.5, lambda: note("planned on the way")))
    scheduler.after(3, lambda: note("cancelled")).cancel()
    scheduler.advance(4)
    assert seen == [("two", 2), ("two again", 2), ("planned on the way", 2.5)]
    assert scheduler.now() == START + timedelta(seconds=4)
    assert scheduler.next_at() == START + timedelta(seconds=5)
    assert scheduler.run_next()
    assert not scheduler.run_next()
    assert scheduler.next_at() is None


def test_it_never_goes_back(scheduler: VirtualScheduler) -> None:
    scheduler.set_now(START - timedelta(hours=1))
    assert scheduler.now() == START
    scheduler.at(START - timedelta(hours=1), lambda: None)
    assert scheduler.next_at() == START
    with pytest.raises(ValueError, match="time zone"):
        VirtualScheduler(datetime(2026, 3, 4))  # noqa: DTZ001


def test_it_pretends_another_hour_by_a_file(tmp_path: Path) -> None:
    file = tmp_path / "clock"
    clock = ClockFile(file)
    assert clock.offset() == 0
    for number, (text, offset) in enumerate(
        [("3600", 3600.0), ("", 0.0), ("-1.5\n", -1.5), ("nonsense", 0.0)]
    ):
        file.write_text(text)
        os.utime(file, ns=(number, number))
        assert clock.offset() == offset
    clock.write(7200)
    assert clock.now() - datetime.now(UTC) > timedelta(hours=1, minutes=59)
    file.unlink()
    assert clock.offset() == 0
    with pytest.raises(ValueError, match="SIMULATOR_CLOCK_FILE"):
        ClockFile(None).write(1)


@pytest.fixture
def live() -> Iterator[LiveScheduler]:
    scheduler = LiveScheduler(ClockFile(None))
    scheduler.start()
    yield scheduler
    scheduler.stop()


def _broken() -> None:
    raise KeyError("missing")


def test_it_runs_live_on_one_thread(live: LiveScheduler) -> None:
    done = threading.Event()
    seen: list[str] = []
    live.after(0.05, done.set)
    live.after(0.02, lambda: seen.append(threading.current_thread().name))
    live.at(live.now(), lambda: seen.append("now"))
    live.after(0.01, lambda: seen.append("cancelled")).cancel()
    assert done.wait(2)
    assert seen == ["now", "simulator-engine"]
    assert live.ask(lambda: live.ask(lambda: 42)) == 42
    with pytest.raises(KeyError):
        live.ask(_broken)


def test_it_survives_a_step_that_fails(live: LiveScheduler, caplog: pytest.LogCaptureFixture) -> None:
    live.after(0, _broken)
    assert live.ask(lambda: "still here") == "still here"
    assert "failed at one step" in caplog.text


def test_it_interrupts_a_process_where_it_waits(scheduler: VirtualScheduler) -> None:
    seen: list[object] = []
    signal, other = Signal(), Signal()

    def steps() -> Step[None]:
        try:
            seen.append((yield signal))
        except HungUp:
            seen.append("hung up")
        seen.append((yield other))

    process = Process(steps(), lambda: seen.append("ended"))
    process.start()
    process.interrupt(HungUp())
    signal.fire("too late")
    other.fire("other")
    assert seen == ["hung up", "other", "ended"]
    process.interrupt(HungUp())


def test_it_interrupts_a_process_that_is_just_running_at_its_next_wait() -> None:
    seen: list[str] = []
    held: list[Process] = []

    def steps() -> Step[None]:
        held[0].interrupt(HungUp())
        seen.append("goes on")
        yield Signal()
        seen.append("never")

    held.append(Process(steps(), lambda: seen.append("ended")))
    held[0].start()
    assert seen == ["goes on", "ended"]


def test_it_ends_a_process_that_breaks() -> None:
    ended: list[bool] = []

    def steps() -> Step[None]:
        yield from ()
        raise KeyError("broken")

    with pytest.raises(KeyError):
        Process(steps(), lambda: ended.append(True)).start()
    assert ended == [True]


def test_it_lets_a_page_wait_for_events() -> None:
    log = EventLog(size=3)
    assert log.after(0, wait=0.01) == []
    for number in range(5):
        log.add(START, "call", {"sid": f"CA{number}"})
    assert [event.number for event in log.after(0)] == [3, 4, 5]
    assert [event.number for event in log.after(4)] == [5]
    assert len(log.after(99)) == 3  # a page from before a restart starts over
    timer = threading.Timer(0.05, log.close)
    began = time.monotonic()
    timer.start()
    assert log.after(5, wait=10) == []
    assert time.monotonic() - began < 2
    timer.join()
