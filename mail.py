"""The mail process: takes mail in by SMTP or LMTP and out of a mailbox, and keeps it for the worker."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
from functools import partial
from typing import Protocol
from urllib.parse import urlsplit

import sqlalchemy as sa

from core.database_problems import problem_of
from core.heartbeat import MAIL, beat, mailbox_kind
from core.settings import Settings
from core.start import begin, starting
from intake.mail.senders.checking import SenderCheck
from intake.mail.ways_in.door import Door, door_of
from intake.mail.ways_in.listener import Listener
from intake.mail.ways_in.puller import Puller
from routing.context import Context, build_context

_BEAT_S = 5.0

log = logging.getLogger("mail")


class Way(Protocol):
    """A way in, working in threads of its own."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """Finish what is under way, and end."""

    def is_alive(self) -> bool:
        """Whether it still works."""


def ways_in(context: Context) -> list[Way]:
    """Those that are set up; :class:`BadCertificate` if one cannot be."""
    settings, door = context.settings, door_of(context)
    found: list[Way] = []
    if settings.smtp_listen:
        found.append(listener_of(settings, door))
    for number, url in enumerate(settings.mailboxes, 1):
        kind = mailbox_kind(number)
        found.append(Puller(settings, door, partial(_beat, context, kind), url, f"mailbox {number}"))
    return found


def listener_of(settings: Settings, door: Door) -> Listener:
    """The listener, with the name under which it is known."""
    name = settings.smtp_name or urlsplit(settings.public_url).hostname or socket.getfqdn()
    return Listener(settings, door, SenderCheck(settings), name)


def run(context: Context, stop: threading.Event) -> None:
    """Take mail in until ``stop`` is set; :class:`CannotListen` and :class:`BadCertificate` at the start alone."""
    begun: list[Way] = []
    try:
        for way in ways_in(context):
            way.start()
            begun.append(way)
        if not begun:
            log.warning(
                "mail comes in by no way: set NIGHTBELL_SMTP_LISTEN; this process waits to be stopped"
            )
        while not stop.is_set():
            if all(way.is_alive() for way in begun):
                _beat(context, MAIL)
            else:
                log.critical("a way in has ended: start the mail process again")  # and /health misses it
            stop.wait(_BEAT_S)
    finally:
        for way in begun:
            way.stop()


def _beat(context: Context, kind: str) -> None:
    try:
        with context.database.writing() as session:
            beat(session, f"{socket.gethostname()}:{os.getpid()}", context.clock.now(), kind)
    except (sa.exc.SQLAlchemyError, OSError) as error:
        log.error("%s", problem_of(error))


def main() -> int:
    """Take mail in until stopped."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with starting():
        run(build_context(begin()), stop)
    return 0


if __name__ == "__main__":
    sys.exit(main())
