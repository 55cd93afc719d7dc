"""A burst of mail: 10,000 at once, and whether a telephone call is still answered to in time.

Run it as ``python -m bench burst``. Mails of about 1 kB from many senders are stored each by a commit of its own
(SQLite, ``synchronous=FULL``), as fast as the door lets them, while a worker of four threads takes them in. None may
be lost or come twice; meanwhile other work becomes due every half second, and how late it is done is what a page
would wait. ``NIGHTBELL_BENCH_BURST`` sets another number of mails.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import sqlalchemy as sa

from bench.mails import BOX, installed
from core import due
from core.models import Case
from core.wake import PipeBell
from intake.mail.models import InboundMail
from intake.mail.parsing import Envelope
from intake.mail.receiving import store
from routing.context import Context
from worker import HANDLERS, Worker

MAILS = int(os.environ.get("NIGHTBELL_BENCH_BURST", "10000"))
PROBE = "bench.probe"


def _mail(number: int) -> bytes:
    sender = f"person{number % 500}@crowd{number % 50}.example"
    return (
        f"From: {sender}\r\nTo: {BOX}\r\nSubject: Number {number}\r\nMessage-ID: <{number}@crowd.example>\r\n\r\n"
        + "It does not start, and we do not know why.\r\n" * 20
    ).encode()


class Probe:
    """Work that becomes due every half second, and how late it is done."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.late_s: list[float] = []
        HANDLERS[PROBE] = self._done

    def _done(self, context: Context, claim: due.Claim) -> None:
        self.late_s.append((datetime.now(UTC) - datetime.fromisoformat(claim.payload["at"])).total_seconds())
        with due.finishing(context.database, claim):
            pass

    def run(self, stop: threading.Event) -> None:
        """Until ``stop``."""
        while not stop.wait(0.5):
            now = datetime.now(UTC)
            with self._context.database.writing() as session:
                due.enqueue(session, PROBE, "probe", now, at=now.isoformat())


def _waiting(context: Context) -> int:
    with context.database.reading() as session:
        return session.scalars(
            sa.select(sa.func.count()).select_from(InboundMail).where(InboundMail.state == "stored")
        ).one()


def _check(context: Context) -> None:
    with context.database.reading() as session:
        titles = sorted(session.scalars(sa.select(Case.title)))
    assert titles == sorted(f"Number {number}" for number in range(MAILS)), "a mail is missing, or came twice"


def burst(folder: Path) -> tuple[float, float, list[float]]:
    """Seconds until all are stored, and until all are cases; how late the other work was, in seconds."""
    context = installed(folder)
    probe, stop = Probe(context), threading.Event()
    worker = Worker(context)
    bell = PipeBell(folder / "wake")
    threads = [
        threading.Thread(target=worker.run, args=(bell, stop)),
        threading.Thread(target=probe.run, args=(stop,)),
    ]
    for thread in threads:
        thread.start()
    start = perf_counter()
    for number in range(MAILS):
        store(context, _mail(number), Envelope(f"person{number % 500}@crowd.example", [BOX]), "smtp")
    stored_s = perf_counter() - start
    while _waiting(context):
        time.sleep(0.1)
    taken_s = perf_counter() - start
    stop.set()
    for thread in threads:
        thread.join()
    bell.close()
    _check(context)
    context.close()
    return stored_s, taken_s, probe.late_s


def main() -> None:
    """Print what a burst costs."""
    with tempfile.TemporaryDirectory() as folder:
        stored_s, taken_s, late_s = burst(Path(folder))
    late = sorted(late_s)
    print(
        f"  {MAILS:,} mails: stored in {stored_s:.0f} s ({MAILS / stored_s:,.0f}/s), cases after {taken_s:.0f} s; "
        f"other work meanwhile {statistics.median(late) * 1000:,.0f} ms late (median), "
        f"{late[int(len(late) * 0.99)] * 1000:,.0f} ms (99 of 100)"
    )


if __name__ == "__main__":
    main()
