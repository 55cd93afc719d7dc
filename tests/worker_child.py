"""A worker process for tests: it knows one more kind of work, and waits for a word before it begins.

Its work is harmless, or hangs: before its transaction, or in the middle of it, whichever the payload says.
"""

from __future__ import annotations

import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

import worker
from core import due
from core.models import Event, record
from routing.context import Context

KIND = "test.work"


def work(context: Context, claim: due.Claim) -> None:
    hang = claim.payload.get("hang") if os.environ.get("HANG") else None
    with context.database.writing() as session:
        record(session, "test.began", datetime.now(UTC), subject=claim.subject, pid=os.getpid())
    if hang == "before":
        time.sleep(60)
    if hang == "inside":
        _wait_until_all_have_begun(context, claim.payload["others"])
    with due.finishing(context.database, claim) as session:
        record(session, "test.done", datetime.now(UTC), subject=claim.subject, pid=os.getpid())
        if hang == "inside":
            session.flush()
            Path(os.environ["NIGHTBELL_DATA_DIR"], "inside").touch()
            time.sleep(60)


def _wait_until_all_have_begun(context: Context, number: int) -> None:
    while True:
        with context.database.reading() as session:
            begun = session.scalars(sa.select(Event.id).where(Event.kind == "test.began")).all()
        if len(begun) >= number:
            return
        time.sleep(0.01)


if __name__ == "__main__":
    worker.HANDLERS[KIND] = work
    worker._POLL_S = float(os.environ.get("POLL_S", worker._POLL_S))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    sys.exit(worker.main())
