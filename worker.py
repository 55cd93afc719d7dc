"""The worker: claims what is due, does it, and sleeps until it is woken or the next thing is due."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from core import due
from core.database_problems import problem_of
from core.errors import ChannelError, said_of
from core.heartbeat import beat
from core.models import record
from core.start import begin, starting
from core.wake import Bell
from intake import reconcile
from intake import work as intake_work
from intake.mail import openings, receiving
from routing import hooks
from routing import work as routing_work
from routing.clocks import cycles, reminders
from routing.context import Context, build_bell, build_context
from routing.drills import planning as drills
from routing.paging import bundles, rows
from routing.paging import work as paging_work
from routing.rosters import look_ahead
from webhooks import spool

HANDLERS: dict[str, Callable[[Context, due.Claim], None]] = {
    **intake_work.HANDLERS,
    **paging_work.HANDLERS,
    **routing_work.HANDLERS,
}
# Somebody waits for these for ever: they are tried until they succeed.
TIRELESS = frozenset(
    {
        rows.RING,
        rows.STEP_OVER,
        cycles.BREACH,
        reminders.REMIND,
        bundles.MEMBERS,
        reconcile.RECONCILE,
        hooks.SCAN,
    }
)
# These come after everything else, however many of them wait.
PATIENT = frozenset({receiving.TAKE_IN})
_THREADS = 4
_POLL_S = 2.0
_BUSY_POLL_S = 0.05
_BEAT_EVERY = timedelta(seconds=5)

log = logging.getLogger("worker")


@dataclass
class _UnderWay:
    """A claim being worked on, and when (time.monotonic) its lease is to be lengthened."""

    claim: due.Claim
    renew_at: float


class Worker:
    """Does due work. Any number of workers on any number of machines share one database."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lease = timedelta(seconds=context.settings.lease_seconds)
        self._name = f"{socket.gethostname()}:{os.getpid()}"
        self._last_beat: datetime | None = None
        self._next_due_at: datetime | None = None
        self._poll_s = min(_POLL_S, self._lease.total_seconds() / 4)
        self._under_way: dict[str, _UnderWay] = {}  # by the claim's token

    def start(self) -> None:
        """See to it that the recurring work is scheduled."""
        with self._context.database.writing() as session:
            reconcile.ensure_scheduled(session, self._context.clock.now())
            look_ahead.ensure_scheduled(session, self._context.clock.now())
            drills.ensure_scheduled(session, self._context.clock.now())
            openings.ensure_scheduled(session, self._context.clock.now())
        self.beat()

    def run_due(self) -> int:
        """Do everything that is due now, one piece after the other; how many pieces."""
        done = 0
        self.replay_spool()
        while claims := self.claim(1):
            self.do(claims[0])
            done += 1
        self._context.mailer.close()
        return done

    def run(self, bell: Bell, stop: threading.Event) -> None:
        """Work until ``stop`` is set; a database that does not answer, at the start even, is waited for."""
        started = False
        with ThreadPoolExecutor(_THREADS) as pool:
            running: set[Future[None]] = set()
            while not stop.is_set():
                running = {future for future in running if not future.done()}
                try:
                    if not started:
                        self.start()
                        started = True
                    claims = self._look(_THREADS - len(running))
                    running |= {pool.submit(self.do, claim) for claim in claims}
                    if len(running) == _THREADS:
                        wait(running, timeout=_BUSY_POLL_S, return_when="FIRST_COMPLETED")
                    elif not claims and self._is_busy_with_mail:
                        bell.wait(max(_BUSY_POLL_S, self._idle_seconds()))  # what is due may be more mail
                    elif not claims:
                        bell.wait(self._idle_seconds())
                except (sa.exc.SQLAlchemyError, OSError) as error:
                    log.error("%s", problem_of(error))
                    stop.wait(_POLL_S)
                except Exception:  # whatever it is, somebody still has to be rung
                    log.critical("the worker stumbled, and goes on", exc_info=True)
                    stop.wait(_POLL_S)
        self._context.mailer.close()

    def claim(self, limit: int) -> list[due.Claim]:
        """Lease what is due."""
        database, now = self._context.database, self._context.clock.now()
        with database.reading() as session:
            outlook = due.outlook(session, now)
        self._next_due_at = outlook.next_due_at
        if not outlook.anything:
            return []  # most looks find nothing: they must not take the writer's turn
        with database.writing() as session:
            return due.claim(
                session,
                now,
                self._lease,
                limit,
                patient=PATIENT,
                most_patient=0 if self._is_busy_with_mail else 1,
            )

    @property
    def _is_busy_with_mail(self) -> bool:
        """One thread at a time takes in mail, as much as waits; the others are for whom a page is due."""
        return any(work.claim.kind in PATIENT for work in list(self._under_way.values()))

    def do(self, claim: due.Claim) -> None:
        """Do one piece of work; a failure gives it back, to be tried again later."""
        self._under_way[claim.token] = _UnderWay(claim, self._renew_at())
        try:
            HANDLERS[claim.kind](self._context, claim)
        except due.LeaseLost:
            log.info("%s for %s is no longer wanted", claim.kind, claim.subject)
        except Exception as error:  # noqa: BLE001  # whatever it is, the work is not lost
            self._give_back(claim, error)
        finally:
            del self._under_way[claim.token]

    def renew(self) -> None:
        """Lengthen the leases of long work, so that nobody else begins it."""
        for work in list(self._under_way.values()):
            if time.monotonic() >= work.renew_at:
                with self._context.database.writing() as session:
                    due.renew(session, work.claim, self._lease)
                work.renew_at = self._renew_at()

    def _renew_at(self) -> float:
        return time.monotonic() + self._lease.total_seconds() / 2

    def beat(self) -> None:
        """Say that this worker is alive, every few seconds."""
        now = self._context.clock.now()
        if self._last_beat is None or not timedelta() <= now - self._last_beat < _BEAT_EVERY:
            with self._context.database.writing() as session:
                beat(session, self._name, now)
            self._last_beat = now

    def replay_spool(self) -> None:
        """Send in again what the database could not take before."""
        if spool.waiting(self._context.settings):
            from app import create_app  # 30 MB that a worker carries only when it has something to replay

            spool.replay(self._context.settings, create_app(self._context), self._context.clock.now())

    def _look(self, limit: int) -> list[due.Claim]:
        self.beat()
        self.renew()
        self._context.mailer.tidy()
        self.replay_spool()
        return self.claim(limit) if limit else []

    def _idle_seconds(self) -> float:
        """How long to wait, as the last look said; whatever is written meanwhile rings the bell."""
        if self._next_due_at is None:
            return self._poll_s
        left = (self._next_due_at - self._context.clock.now()).total_seconds()
        return min(self._poll_s, max(0.0, left))

    def _give_back(self, claim: due.Claim, error: Exception) -> None:
        permanent = isinstance(error, ChannelError) and error.permanent
        if isinstance(error, ChannelError | due.TryAgain):
            log.warning("%s for %s failed: %s", claim.kind, claim.subject, error)
        else:
            level = logging.CRITICAL if claim.kind in TIRELESS and claim.attempts >= 3 else logging.ERROR
            log.log(level, "%s for %s failed: %s", claim.kind, claim.subject, said_of(error))
            log.debug("its traceback", exc_info=error)
        now = self._context.clock.now()
        try:
            with self._context.database.writing() as session:
                tireless = claim.kind in TIRELESS
                state = due.retry(session, claim, now, said_of(error), permanent=permanent, tireless=tireless)
                if state is due.DueState.DEAD:
                    log.error("%s for %s is given up", claim.kind, claim.subject)
                    record(session, "work.dead", now, work=claim.kind, subject=claim.subject)
        except sa.exc.SQLAlchemyError:
            log.error("%s for %s could not be given back; its lease will run out", claim.kind, claim.subject)


def main() -> int:
    """Work until stopped."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with starting():
        settings = begin()
        worker, bell = Worker(build_context(settings)), build_bell(settings)
    try:
        worker.run(bell, stop)
    finally:
        bell.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
