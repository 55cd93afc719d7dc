"""Mails on their way out: receipts that wait in the outbox, sent by a worker to a mail server on this machine.

The server keeps nothing. Each mail is claimed, marked before it is sent, and written down as sent, by three commits
(SQLite, ``synchronous=FULL``). How many connections that took is printed as well: to a server elsewhere, with TLS and
a sign-in, each of them costs more than a mail.
"""

from __future__ import annotations

import logging
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from aiosmtpd.controller import Controller

from bench.dovecot import free_port
from bench.mails import Door, ordinary_mail
from core.due import Due, DueState
from core.wake import PipeBell
from routing.correspondence.models import OutboundMail
from routing.correspondence.outbox import DELIVER
from worker import Worker

MAILS = 300
_PATIENCE_S = 300


class Server:
    """Takes every mail, and counts."""

    def __init__(self) -> None:
        self.mails, self.peers = 0, set[object]()

    async def handle_DATA(self, _server: Any, session: Any, _envelope: Any) -> str:  # noqa: N802
        """A mail has come."""
        self.mails += 1
        self.peers.add(session.peer)
        return "250 OK"


def _waiting(door: Door) -> int:
    with door.context.database.reading() as session:
        left = sa.select(sa.func.count()).where(OutboundMail.sent_at.is_(None))
        return session.scalars(left.select_from(OutboundMail)).one()


def _nothing_else(door: Door) -> None:
    """There is no telephone company here to send messages to engineers."""
    with door.context.database.writing() as session:
        session.execute(sa.update(Due).where(Due.kind != DELIVER).values(state=DueState.CANCELLED))


def main() -> None:
    """Measure and print."""
    logging.disable(logging.ERROR)  # that there is no telephone company
    port, server = free_port(), Server()
    with tempfile.TemporaryDirectory() as folder:
        door = Door(Path(folder), ordinary_mail(), opening=True, smtp_url=f"smtp://127.0.0.1:{port}")
        door.together(door.mails(MAILS))
        _nothing_else(door)
        waiting = _waiting(door)
        controller = Controller(server, hostname="127.0.0.1", port=port)
        controller.start()
        stop, bell = threading.Event(), PipeBell(Path(folder) / "wake")
        thread = threading.Thread(target=Worker(door.context).run, args=(bell, stop))
        begun = time.perf_counter()
        thread.start()
        try:
            while _waiting(door) and time.perf_counter() < begun + _PATIENCE_S:
                time.sleep(0.05)
            took = time.perf_counter() - begun
        finally:
            stop.set()
            thread.join()
            bell.close()
            controller.stop()
        assert server.mails == waiting, "a mail was lost, or sent twice"
        door.close()
    print(f"  {waiting} receipts: {waiting / took:,.1f}/s over {len(server.peers)} connections")


if __name__ == "__main__":
    main()
